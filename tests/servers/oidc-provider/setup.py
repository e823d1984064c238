"""An OpenID provider of the package oidc-provider, which guards calls of its own."""

import base64
import json
import secrets
import urllib.parse
import urllib.request

from server import free_port, node_package


def start(running):
    node_package("oidc-provider")
    root = f"http://127.0.0.1:{(port := free_port())}"
    clients = {"courier": secrets.token_hex(20), "reader": secrets.token_hex(20)}
    running.start("node", running.source / "server.mjs", port,
                  env={f"SECRET_{name.upper()}": secret for name, secret in clients.items()})
    running.wait(f"{root}/.well-known/openid-configuration")
    running.url = f"{root}/api"

    def post(path, **form):
        basic = base64.b64encode(f"courier:{clients['courier']}".encode()).decode()
        request = urllib.request.Request(root + path, urllib.parse.urlencode(form).encode(), {"Authorization": f"Basic {basic}"})
        return urllib.request.urlopen(request, timeout=10).read()

    revoked = json.loads(post("/token", grant_type="client_credentials", scope="parcels:read parcels:write"))["access_token"]
    post("/token/revocation", token=revoked)
    # Those that are in force are fetched as these clients.
    running.secrets = {"PARCELS_COURIER": clients["courier"], "PARCELS_READER": clients["reader"], "PARCELS_REVOKED": revoked}
