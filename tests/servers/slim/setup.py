"""A service in PHP: Slim before the server of PHP itself, opened by a cookie."""

import json
import secrets
import shutil
from pathlib import Path

from server import Absent, free_port

# Ids like those of a document store; the tokens file names them.
BOATS = {"6579a1f0c3d2b4e5f6a7b801": "mia", "6579a1f0c3d2b4e5f6a7b802": "noah", "6579a1f0c3d2b4e5f6a7b803": "mia",
         "6579a1f0c3d2b4e5f6a7b804": "mia", "6579a1f0c3d2b4e5f6a7b805": "mia"}


def start(running):
    php = shutil.which("php")
    if php is None or not Path("/usr/share/php/Slim/autoload.php").exists():
        raise Absent("apt-get install php-cli php-slim")
    file = running.folder / "boats.json"
    file.write_text(json.dumps({id: {"owner": owner, "name": "gull"} for id, owner in BOATS.items()}))
    keys = {f"HARBOUR_{name}": secrets.token_hex(16) for name in ("MIA", "NOAH")}
    running.url = f"http://127.0.0.1:{(port := free_port())}"
    running.start(php, "-S", f"127.0.0.1:{port}", running.source / "app.php", env={**keys, "HARBOUR_FILE": str(file)})
    running.wait(f"{running.url}/boats")
    running.secrets = keys
