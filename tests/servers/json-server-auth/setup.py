"""json-server with json-server-auth: two people, each with notes of their own."""

import json
import secrets

from server import call, free_port, node_package

EMPTY = {"users": [], "notes": []}
# The owner alone reads and writes.
GUARDS = {"users": 600, "notes": 600}


def start(running):
    command = node_package("json-server-auth") / "dist" / "bin.js"
    (running.folder / "data.json").write_text(json.dumps(EMPTY))
    (running.folder / "guards.json").write_text(json.dumps(GUARDS))
    running.url = f"http://127.0.0.1:{(port := free_port())}"
    running.start("node", command, "data.json", "--routes", "guards.json", "--host", "127.0.0.1", "--port", port)
    running.wait(f"{running.url}/")
    password = secrets.token_hex(16)
    people = [call("POST", f"{running.url}/register", {"email": f"{name}@example.com", "password": password})
              for name in ("mia", "noah")]
    for who in (0, 1, 0, 0, 0, 0):
        person = people[who]
        note = {"text": "hello", "userId": person["user"]["id"]}
        call("POST", f"{running.url}/notes", note, token=person["accessToken"])
    running.secrets = {"NOTES_PASSWORD": password}
