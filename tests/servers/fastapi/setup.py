"""A service of FastAPI with JWTs and scopes, as app.py has it."""

import importlib.util
import secrets
import sys
import time

from server import Absent, free_port


def start(running, defect=""):
    if importlib.util.find_spec("fastapi") is None:
        raise Absent("pip install -r tests/servers/requirements.txt")
    import jwt

    key, port = secrets.token_hex(32), free_port()
    running.url = f"http://127.0.0.1:{port}"
    # The document is that of the correct service, whatever is wrong with this one.
    running.start(sys.executable, "-m", "uvicorn", "--app-dir", running.source, "app:app", "--host", "127.0.0.1", "--port", port,
                  env={"NOTES_KEY": key, "NOTES_PASSWORD": (password := secrets.token_hex(16)), "DEFECT": defect})
    running.wait(f"{running.url}/health")
    running.document = f"{running.url}/openapi.json"

    def token(life=3600, **claims):
        claims = {"sub": "mia", "scopes": ["profile", "notes:read", "notes:write", "usage"], "exp": int(time.time()) + life, **claims}
        return jwt.encode(claims, key, "HS256")

    # Those that are in force are fetched with the password.
    running.secrets = {"NOTES_PASSWORD": password, "NOTES_REVOKED": token(jti="revoked"), "NOTES_EXPIRED": token(life=-60)}
