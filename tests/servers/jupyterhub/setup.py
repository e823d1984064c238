"""JupyterHub with its proxy, two users, a group of each, and services whose tokens hold one scope or many."""

import importlib.util
import json
import os
import secrets
import sys
from pathlib import Path

from server import HERE, Absent, free_port, node_package

DOCUMENTS = Path(os.environ.get("KEYFIT_DOCUMENTS") or HERE.parents[2] / "shared" / "documents")
# Every scope that an operation of the document needs, and one service for each of these alone.
ALL = ["admin:users", "admin:servers", "admin:groups", "admin:services", "tokens", "proxy", "read:hub", "shares", "users:shares",
       "groups:shares", "users:activity", "list:users", "list:groups", "list:services", "read:services"]
ALONE = ["read:users", "list:users", "read:groups", "read:hub"]

CONFIGURATION = """
c = get_config()
told = {told}
c.JupyterHub.bind_url = told["url"]
c.JupyterHub.hub_bind_url = told["hub"]
c.ConfigurableHTTPProxy.api_url = told["proxy"]
c.ConfigurableHTTPProxy.command = told["command"]
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.Authenticator.allowed_users = {{"mia", "noah"}}
c.JupyterHub.load_groups = {{"mias": {{"users": ["mia"]}}, "noahs": {{"users": ["noah"]}}}}
c.JupyterHub.services = [{{"name": name, "api_token": token}} for name, (token, _) in told["services"].items()]
c.JupyterHub.load_roles = [{{"name": f"role-{{name}}", "services": [name], "scopes": scopes}}
                          for name, (_, scopes) in told["services"].items() if scopes]
"""


def start(running):
    if importlib.util.find_spec("jupyterhub") is None:
        raise Absent("pip install -r tests/servers/requirements.txt")
    proxy = node_package("configurable-http-proxy") / "bin" / "configurable-http-proxy"
    running.document = str(DOCUMENTS / "jupyterhub.yml")
    if not Path(running.document).exists():
        raise Absent("its document is not in this repository: KEYFIT_DOCUMENTS is the folder of jupyterhub.yml")
    # The names that `read:users` opens are opened by this one as well, which the document does not say.
    running.init = ["--includes", "list:users=read:users"]
    url, hub, api = (f"http://127.0.0.1:{free_port()}" for _ in range(3))
    services = {"all": (secrets.token_hex(16), ALL), "none": (secrets.token_hex(16), [])}
    services |= {scope.replace(":", "-"): (secrets.token_hex(16), [scope]) for scope in ALONE}
    told = {"url": url, "hub": hub, "proxy": api, "command": ["node", str(proxy)], "services": services}
    (running.folder / "hub.py").write_text(CONFIGURATION.format(told=json.loads(json.dumps(told))))
    running.start(sys.executable, "-m", "jupyterhub", "-f", "hub.py")
    running.url = f"{url}/hub/api"
    # Until the hub is there, its proxy answers 404.
    running.wait(f"{running.url}/", by=[200])
    running.secrets = {"HUB_ALL": services["all"][0], "HUB_NONE": services["none"][0]}
    running.secrets |= {f"HUB_{scope.replace(':', '_').upper()}": services[scope.replace(":", "-")][0] for scope in ALONE}
