"""JupyterHub behind the page of its own login: two users, who are called by the cookies that it sets."""

import importlib.util
import json
import secrets
import sys

from server import Absent, free_port, node_package

CONFIGURATION = """
c = get_config()
told = {told}
c.JupyterHub.bind_url = told["url"]
c.JupyterHub.hub_bind_url = told["hub"]
c.ConfigurableHTTPProxy.api_url = told["proxy"]
c.ConfigurableHTTPProxy.command = told["command"]
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.DummyAuthenticator.password = told["password"]
c.Authenticator.allowed_users = {{"mia", "noah"}}
"""


def start(running):
    if importlib.util.find_spec("jupyterhub") is None:
        raise Absent("pip install -r tests/servers/requirements.txt")
    proxy = node_package("configurable-http-proxy") / "bin" / "configurable-http-proxy"
    url, hub, api = (f"http://127.0.0.1:{free_port()}" for _ in range(3))
    password = secrets.token_hex(16)
    told = {"url": url, "hub": hub, "proxy": api, "command": ["node", str(proxy)], "password": password}
    (running.folder / "hub.py").write_text(CONFIGURATION.format(told=json.dumps(told)))
    running.start(sys.executable, "-m", "jupyterhub", "-f", "hub.py")
    running.url = f"{url}/hub"
    # Until the hub is there, its proxy answers 404.
    running.wait(f"{running.url}/api/", by=[200])
    running.secrets = {"HUB_PASSWORD": password}
