"""Verdaccio, a registry of packages, with a package of each of two people that only its owner sees."""

import base64
import hashlib
import io
import json
import tarfile

from server import call, free_port, node_package

# It catches no error of this call: with an old password that is wrong, the process ends.
ENDED_BY = "change-profile"

CONFIGURATION = """
storage: ./storage
listen: 127.0.0.1:{port}
auth: {{htpasswd: {{file: ./people, max_users: 10}}}}
security: {{api: {{legacy: false, jwt: {{sign: {{expiresIn: 1d}}}}}}}}
uplinks: {{}}
packages:
  '@mia/*': {{access: mia, publish: mia, unpublish: mia}}
  '@noah/*': {{access: noah, publish: noah, unpublish: noah}}
  '**': {{access: $authenticated, publish: $authenticated}}
userRateLimit: {{windowMs: 60000, max: 1000}}
log: {{type: stdout, format: json, level: warn}}
"""


def start(running):
    command = node_package("verdaccio") / "bin" / "verdaccio"
    running.url = f"http://127.0.0.1:{(port := free_port())}"
    (running.folder / "config.yaml").write_text(CONFIGURATION.format(port=port))
    running.start("node", command, "--config", "config.yaml")
    running.wait(f"{running.url}/-/ping")
    people = {}
    for name in ("mia", "noah"):
        person = {"name": name, "password": "correct horse"}
        people[name] = call("PUT", f"{running.url}/-/user/org.couchdb.user:{name}", person)["token"]
        publish(running.url, f"@{name}/tool", people[name])
    running.secrets = {"REGISTRY_MIA": people["mia"], "REGISTRY_NOAH": people["noah"]}


def publish(url, name, token):
    """Puts a package of one file into the registry, as `npm publish` does."""
    manifest = json.dumps({"name": name, "version": "1.0.0"}).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("package/package.json")
        entry.size = len(manifest)
        archive.addfile(entry, io.BytesIO(manifest))
    file, content = f"{name.split('/')[1]}-1.0.0.tgz", packed.getvalue()
    version = {"name": name, "version": "1.0.0", "_id": f"{name}@1.0.0",
               "dist": {"shasum": hashlib.sha1(content).hexdigest(), "tarball": f"{url}/{name}/-/{file}"}}
    call("PUT", f"{url}/{name.replace('/', '%2f')}", {
        "_id": name, "name": name, "dist-tags": {"latest": "1.0.0", "old": "1.0.0", "older": "1.0.0", "oldest": "1.0.0"},
        "versions": {"1.0.0": version},
        "_attachments": {file: {"content_type": "application/octet-stream", "length": len(content),
                                "data": base64.b64encode(content).decode()}}}, token=token)
