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
                  env={"NOTES_KEY": key, "DEFECT": defect})
    running.wait(f"{running.url}/health")
    running.document = f"{running.url}/openapi.json"

    def token(scopes, life=3600, **claims):
        return jwt.encode({"sub": "mia", "scopes": scopes, "exp": int(time.time()) + life, **claims}, key, "HS256")

    every = ["profile", "notes:read", "notes:write", "usage"]
    running.secrets = {
        "NOTES_TOKEN": token(every),
        "NOTES_REVOKED": token(every, jti="revoked"),
        "NOTES_EXPIRED": token(every, life=-60),
        "NOTES_PROFILE": token(["profile"]),
        "NOTES_READ": token(["notes:read"]),
        "NOTES_WRITE": token(["notes:write"]),
        "NOTES_USAGE": token(["usage"]),
    }
