"""Alertmanager, written in Go, behind HTTP Basic, as Debian has it."""

import base64
import json
import shutil

from server import Absent, call, free_port

USER, PASSWORD = "mia", "fixture-secret-alerts"
# The password as its configuration wants it, by bcrypt.
HASH = "$2b$04$sYIZmlHVPCMkNfa7lvhtvOvEUFIKBj6WXzc.Zylxn0xDji5x0pAsK"

RECEIVERS = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


def start(running):
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        raise Absent("apt-get install prometheus-alertmanager")
    (running.folder / "alertmanager.yml").write_text(RECEIVERS)
    (running.folder / "web.yml").write_text(json.dumps({"basic_auth_users": {USER: HASH}}))
    root = f"http://127.0.0.1:{(port := free_port())}"
    running.start(program, "--config.file=alertmanager.yml", "--web.config.file=web.yml", f"--web.listen-address=127.0.0.1:{port}",
                  "--cluster.listen-address=", f"--storage.path={running.folder / 'data'}")
    running.url = f"{root}/api/v2"
    running.wait(f"{root}/-/ready")
    running.secrets = {"ALERTS_LOGIN": f"{USER}:{PASSWORD}"}
    login = {"Authorization": "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
    silence = {"matchers": [{"name": "job", "value": "backup", "isRegex": False}], "startsAt": "2100-01-01T00:00:00Z",
               "endsAt": "2100-01-02T00:00:00Z", "createdBy": "mia", "comment": "hello"}
    call("POST", f"{running.url}/silences", silence, headers=login)
