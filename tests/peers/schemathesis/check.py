"""Runs Schemathesis before the mock of each API and holds its findings to expected.toml.

Usage: check.py CONFORMANCE, which is the path of the built command."""

import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile
import tomllib

HERE = pathlib.Path(__file__).parent
APIS = ["legacy", "transactional", "product", "ingest", "scopien"]
# The same cases in each run, all of them: what is expected has to be found again, and hides nothing.
OPTIONS = "--checks all --seed 1 --max-examples 5 --generation-database none --no-shrink --no-color --continue-on-failure".split()


@contextlib.contextmanager
def mock(keyfit, api):
    """A mock on a free port: what it says of itself."""
    command = [keyfit, "mock", "--api", api, "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def explored(keyfit, api, folder):
    """The report of a run, and what it printed."""
    document, report = folder / f"{api}.json", folder / f"{api}-report.json"
    document.write_bytes(subprocess.check_output([keyfit, "spec", "explain", api, "--document"]))
    with mock(keyfit, api) as started:
        # The first token may do everything.
        token = started["tokens"][0]["token"]
        command = [sys.executable, "-m", "schemathesis.cli", "run", document, "--url", started["base_url"]]
        command += ["--header", f"Authorization: Bearer {token}", "--report", "json", "--report-json-path", report]
        ran = subprocess.run(command + OPTIONS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)
    if not report.exists():
        sys.exit(f"schemathesis: no report of {api}\n{ran.stdout}")
    return json.loads(report.read_text()), ran.stdout


def unsound(report):
    """Why a run says nothing, if it does not."""
    operations = report["operations"]
    if report["errors"] or not report["complete"]:
        return f"it ended as {report['stop_reason']}, with {len(report['errors'])} errors"
    if operations["tested"] != operations["total"]:
        return f"{operations['tested']} of {operations['total']} operations were tested"
    if warnings := [name for name, places in report["warnings"].items() if places]:
        return f"it warns of {', '.join(warnings)}"
    return None


def main(keyfit):
    expected = set()
    for entry in tomllib.loads((HERE / "expected.toml").read_text())["expected"]:
        if entry.keys() != {"api", "check", "operations", "reason"} or not entry["reason"].strip():
            sys.exit(f"expected.toml: an entry has api, check, operations and reason, and this one has not: {entry}")
        expected |= {(entry["api"], entry["check"], operation) for operation in entry["operations"]}
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        for api in APIS:
            report, printed = explored(keyfit, api, pathlib.Path(folder))
            found = {(api, each["type"], operation) for each in report["failures"] for operation in each["operations"]}
            known = {entry for entry in expected if entry[0] == api}
            said = [f"unexpected: {' '.join(entry)}" for entry in sorted(found - known)]
            if said:
                said.append(printed)
            said += [f"stale in expected.toml: {' '.join(entry)}" for entry in sorted(known - found)]
            if why := unsound(report):
                said.append(f"{api}: {why}\n{printed}")
            problems += said
            cases, seconds = report["test_cases"]["generated"], report["running_time"]
            print(f"{api}: {cases} cases in {seconds:.0f} s, {len(found & known)} failures as expected", flush=True)
    if strangers := {entry[0] for entry in expected} - set(APIS):
        problems.append(f"expected.toml names APIs that there are not: {', '.join(sorted(strangers))}")
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


main(sys.argv[1])
