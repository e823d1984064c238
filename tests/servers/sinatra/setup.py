"""A service in Ruby: Sinatra before WEBrick, opened by a key in a header."""

import secrets
import shutil
import subprocess

from server import Absent, free_port


def start(running):
    ruby = shutil.which("ruby")
    if ruby is None or subprocess.run([ruby, "-e", "require 'sinatra/base'; require 'webrick'"], capture_output=True).returncode:
        raise Absent("apt-get install ruby-sinatra ruby-webrick")
    keys = {f"DOORS_{name}": secrets.token_hex(16) for name in ("MIA", "NOAH")}
    running.url = f"http://127.0.0.1:{(port := free_port())}"
    running.start(ruby, running.source / "app.rb", port, env={**keys, "APP_ENV": "production"})
    running.wait(f"{running.url}/doors")
    running.secrets = keys
