"""check.py KEYFIT [NAME...]: starts each server, begins its contract from its document and checks it, without an edit by hand."""

import collections
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from server import HERE, Absent, Broken, Running

BROKEN = ("fail", "warn", "error")


def setup(name):
    """The set-up of a server, a module with `start`."""
    spec = importlib.util.spec_from_file_location(f"setup_of_{name}", HERE / name / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def begin(keyfit, running, api):
    """`keyfit init` in a new folder."""
    command = [keyfit, "init", running.document, "--name", "served", "--dir", str(api), *running.init]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Broken(f"keyfit init: {done.stdout}{done.stderr}")


def check(keyfit, running, api, known=None):
    """`keyfit check` with the tokens file; its report and its text."""
    report = api.parent / "report.json"
    report.unlink(missing_ok=True)
    command = [keyfit, "check", "--api-dir", str(api), "--base-url", running.url, "--tokens", str(running.source / "tokens.toml"),
               "--allow-writes", "--fail-on", "should", "--report", f"json={report}", *running.flags]
    if known:
        command += ["--baseline", str(known)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **running.secrets})
    if not report.exists():
        raise Broken(f"keyfit check: {done.stdout}{done.stderr}")
    return json.loads(report.read_text()), done


def findings(report, verdicts=BROKEN):
    """The rules that are broken, each with its cases."""
    found = collections.defaultdict(list)
    for case in report["apis"][0]["cases"]:
        if case["verdict"] in verdicts:
            found[case["rule"]].append(case)
    return found


def ended(running, keyfit, folder, name):
    """One server from its start to its verdict. Returns what is wrong, in lines."""
    setup(name).start(running)
    api = folder / "api"
    began = time.monotonic()
    begin(keyfit, running, api)
    known = running.source / "baseline.toml"
    report, done = check(keyfit, running, api, known if known.exists() else None)
    seconds = time.monotonic() - began
    false, true = findings(report), findings(report, ("known",))
    ran = collections.Counter(case["verdict"] for case in report["apis"][0]["cases"])
    print(f"{name}: {sum(ran.values())} cases, {ran['skip']} skipped, {len(true)} rules broken as known "
          f"({ran['known']} cases), {len(false)} otherwise, {report['requests']} requests, {seconds:.1f} s", flush=True)
    wrong = [f"{name}: {case['verdict']} {case['id']}: {case.get('reason')}" for cases in false.values() for case in cases]
    wrong += [f"{name}: {line}" for line in report["stale"]]
    if done.returncode and not wrong:
        wrong = [f"{name}: keyfit check ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr}"]
    if os.environ.get("KEYFIT_SERVERS_KEEP"):
        kept = Path(os.environ["KEYFIT_SERVERS_KEEP"]) / name
        kept.mkdir(parents=True, exist_ok=True)
        (kept / "report.txt").write_text(done.stdout + done.stderr)
        subprocess.run(["cp", "-r", str(api), str(api.parent / "report.json"), str(kept)], check=True)
    return wrong + defects(keyfit, running, folder, name) + fatal(keyfit, running, folder, name)


def defects(keyfit, correct, folder, name):
    """The same server with one defect at a time, before the same contract: each breaks the rules that defects.toml names."""
    listed = correct.source / "defects.toml"
    if not listed.exists():
        return []
    wrong, known, began = [], correct.source / "baseline.toml", time.monotonic()
    every = tomllib.loads(listed.read_text())["defect"]
    for defect in every:
        running = Running(name, tempfile.mkdtemp(dir=folder))
        try:
            setup(name).start(running, defect["name"])
            running.flags = correct.flags
            report, _ = check(keyfit, running, folder / "api", known if known.exists() else None)
        finally:
            running.stop()
        # The name of the API stands before each. What follows from a defect may be said or left out.
        found = {rule.split(".", 1)[1] for rule in findings(report)}
        breaks, follows = set(defect["breaks"]), set(defect.get("follows", []))
        if not breaks <= found <= breaks | follows:
            wrong.append(f"{name}: the defect `{defect['name']}` breaks {sorted(found)}, not {sorted(breaks)}")
    print(f"{name}: {len(every) - len(wrong)} of {len(every)} defects found by the rules about them, "
          f"{time.monotonic() - began:.1f} s", flush=True)
    return wrong


def fatal(keyfit, correct, folder, name):
    """The same server anew, before the one call that ends its process, which is left out otherwise: the finding names that call."""
    operation = getattr(setup(name), "ENDED_BY", None)
    if not operation:
        return []
    running = Running(name, tempfile.mkdtemp(dir=folder))
    try:
        setup(name).start(running)
        running.flags = [*correct.flags, "--allow", operation]
        report, done = check(keyfit, running, folder / "api")
    finally:
        running.stop()
    failed = [case["id"] for case in report["apis"][0]["cases"] if case["verdict"] == "fail"]
    ended = [finding for finding in report["apis"][0]["findings"] if finding["id"].startswith("ended/")]
    if len(ended) != 1 or not failed[-1].endswith(f"/{operation}") or done.returncode != 1:
        return [f"{name}: `{operation}` ends the server, and the check says {[finding['title'] for finding in ended]}: {done.stderr}"]
    print(f"{name}: found: {ended[0]['title']}", flush=True)
    return []


def main():
    keyfit, *names = sys.argv[1:]
    keyfit = str(Path(keyfit).resolve())
    wrong, skipped = [], []
    every = sorted(path.parent.name for path in HERE.glob("*/setup.py"))
    for name in names or every:
        if name not in every:
            sys.exit(f"servers: `{name}` is none of: {', '.join(every)}")
        with tempfile.TemporaryDirectory(prefix="keyfit-servers-", ignore_cleanup_errors=True) as folder:
            running = Running(name, folder)
            try:
                wrong += ended(running, keyfit, Path(folder), name)
            except Absent as absent:
                print(f"{name}: skipped, {absent}", flush=True)
                skipped.append(name)
            except Broken as broken:
                wrong.append(f"{name}: {broken}")
            finally:
                running.stop()
    print("\n".join(wrong), file=sys.stderr)
    # Whoever names a server wants it checked.
    sys.exit(1 if wrong or (names and skipped) else 0)


if __name__ == "__main__":
    main()
