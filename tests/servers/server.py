"""What the set-ups share: processes on free ports of this machine that end with the run, and plain HTTP to fill a server."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
NODE = HERE / "node" / "node_modules"
# Longer than any of them takes on a machine that does other work.
PATIENCE = 60


class Absent(Exception):
    """The server is not installed: what to do about it."""


class Broken(Exception):
    """The server is there and cannot be used."""


class Running:
    """One server with what it needs: a folder of its own, processes, and what the check is told of it."""

    def __init__(self, name, folder):
        self.source = HERE / name
        self.folder = Path(folder)
        self.url = ""
        """The base URL of the API."""
        self.document = str(self.source / "openapi.yaml")
        """What `keyfit init` begins with: a file, or a URL of the server."""
        self.flags = []
        """What `keyfit check` is given besides."""
        self.init = []
        """What `keyfit init` is given besides."""
        self.secrets = {}
        """Environment variables that the tokens file names."""
        self.processes = []

    def start(self, *arguments, env=None):
        """Starts a process whose output goes to a file in the folder."""
        log = open(self.folder / f"log.{len(self.processes)}", "wb")
        self.processes.append(subprocess.Popen(
            [str(one) for one in arguments], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, **(env or {})}, start_new_session=True))
        log.close()

    def wait(self, url, by=range(200, 500)):
        """Waits until a URL is answered by one of these statuses."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if any(process.poll() is not None for process in self.processes):
                break
            with contextlib.suppress(OSError):
                try:
                    with urllib.request.urlopen(url, timeout=5) as answer:
                        status = answer.status
                except urllib.error.HTTPError as error:
                    status = error.code
                if status in by:
                    return
            time.sleep(0.05)
        logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in sorted(self.folder.glob("log.*")))
        raise Broken(f"{url} is not answered:\n{logs}")

    def stop(self):
        """Ends what was started, with all that it started itself."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for process in self.processes:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
            for process in self.processes:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=5)


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def call(method, url, body=None, token=None, headers=None):
    """A call with a JSON body that has to succeed; its JSON."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=30) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        raise Broken(f"{method} {url}: {error.code} {error.read()[:300]!r}") from None


def node_package(name):
    """The folder of a package of npm."""
    if not (NODE / name).is_dir():
        raise Absent("run `npm ci --ignore-scripts` in tests/servers/node")
    return NODE / name
