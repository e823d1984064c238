//! The action: what it reads, what it installs, and what it asks of the command.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::release::Release;
use super::{HERE, executable, read, told, write};

/// A command that writes down its arguments and its reports, and ends as it is told.
const FAKE: &str = r#"#!/usr/bin/env bash
printf '%s\n' "$@" > "$0.arguments"
for report in "$@"; do
  case $report in
    github=*) echo '::error title=a::b' > "${report#*=}" ;;
    markdown=*) echo '## Findings' > "${report#*=}" ;;
    sarif=* | json=*) echo '{}' > "${report#*=}" ;;
  esac
done
exit "${FAKE_CODE:-0}"
"#;

/// What a runner gives to a step.
struct Runner {
    folder: tempfile::TempDir,
}

impl Runner {
    fn new() -> Self {
        let runner = Self { folder: tempfile::tempdir().expect("a folder") };
        fs::create_dir(runner.at("temp")).expect("a folder");
        runner
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(Path::new(HERE).join(".github/action").join(name));
        let path = std::env::join_paths([self.at("bin"), "/usr/local/bin".into(), "/usr/bin".into(), "/bin".into()]);
        command
            .env_clear()
            .env("PATH", path.expect("a path"))
            .env("RUNNER_TEMP", self.at("temp"))
            .env("GITHUB_PATH", self.at("path"))
            .env("GITHUB_OUTPUT", self.at("output"))
            .env("GITHUB_STEP_SUMMARY", self.at("summary"));
        command
    }

    fn install(&self, version: &str, releases: &Path) -> Output {
        self.script("install")
            .env("KEYFIT_VERSION", version)
            .env("KEYFIT_RELEASES", format!("file://{}", releases.display()))
            .output()
            .expect("the script runs")
    }

    /// Runs the check with these inputs, and returns the arguments of the command too.
    fn check(&self, inputs: &[(&str, &str)]) -> (Output, Vec<String>) {
        write(&self.at("bin/keyfit"), FAKE);
        executable(&self.at("bin/keyfit"));
        let output = self.script("check").envs(inputs.iter().copied()).output().expect("the script runs");
        let arguments = read(self.at("bin/keyfit.arguments"));
        (output, arguments.lines().map(str::to_owned).collect())
    }
}

#[test]
fn the_inputs_of_the_action_are_those_that_its_scripts_read() {
    let action = read(Path::new(HERE).join("action.yml"));
    let inputs = action.split_once("\ninputs:\n").and_then(|(_, rest)| rest.split_once("\noutputs:\n"));
    let (inputs, rest) = inputs.expect("inputs and outputs");
    let names: Vec<&str> = inputs
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':').filter(|name| !name.starts_with(' ')))
        .collect();
    assert!(names.contains(&"api") && names.contains(&"fail-on"), "{names:?}");
    let scripts = ["install", "check"].map(|name| read(Path::new(HERE).join(".github/action").join(name))).concat();
    for name in &names {
        let variable = match *name {
            "version" => "KEYFIT_VERSION".to_owned(),
            name => format!("INPUT_{}", name.replace('-', "_").to_uppercase()),
        };
        let given = rest.lines().find(|line| line.trim_start().starts_with(&format!("{variable}: ")));
        let given = given.unwrap_or_else(|| panic!("{variable} is given to no script"));
        assert!(given.contains(&format!("inputs.{name}")), "{given}");
        assert!(scripts.contains(&format!("${{{variable}")) || scripts.contains(&format!("${variable}")), "{variable}");
    }
    assert_eq!(rest.matches("inputs.").count(), names.len(), "each is given once, and none that is not declared");
    for line in action.lines().filter(|line| line.trim_start().trim_start_matches("- ").starts_with("run:")) {
        assert!(!line.contains("${{") && !line.trim_end().ends_with(['|', '>']), "{line}");
    }
    for output in ["sarif", "json"] {
        assert!(
            rest.contains(&format!("steps.check.outputs.{output} ")) && scripts.contains(&format!("echo \"{output}="))
        );
    }
}

#[test]
fn what_a_release_holds_is_installed_after_it_was_compared() {
    let Some(release) = Release::built("0.1.0") else { return };
    let runner = Runner::new();
    // By the name of the tag, and of the version.
    for version in ["v0.1.0", "0.1.0"] {
        let output = runner.install(version, &release.downloads());
        assert!(output.status.success(), "{}", told(&output));
    }
    let installed = runner.at("temp/keyfit-0.1.0");
    let paths = format!("{0}\n{0}\n", installed.display());
    assert_eq!(read(runner.at("path")), paths, "the steps that follow find it");
    let names: Vec<_> =
        fs::read_dir(&installed).expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(names, ["keyfit"]);
}

#[test]
fn a_release_that_is_not_what_its_checksum_says_is_not_run_and_does_not_stay() {
    let Some(release) = Release::built("0.1.0") else { return };
    let runner = Runner::new();
    let refused = |version: &str, why: &str| {
        let output = runner.install(version, &release.downloads());
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
        assert!(told(&output).contains("::error title=keyfit::") && told(&output).contains(why), "{}", told(&output));
        assert!(!runner.at("path").exists(), "nothing is put on the path");
        assert_eq!(fs::read_dir(runner.at("temp")).expect("a folder").count(), 0, "nothing stays");
    };
    for version in ["", "main", "v1", "0.1.0; id", "../0.1.0"] {
        refused(version, "which release?");
    }
    refused("0.2.0", "cannot be downloaded");
    let checksum = format!("{}.sha256", release.archive().display());
    let good = read(&checksum);
    for bad in ["", "0123  keyfit\n", &good.to_uppercase()] {
        fs::write(&checksum, bad).expect("written");
        refused("0.1.0", "cannot be read");
    }
    let turned: String = good.chars().map(|one| if one == '0' { '1' } else { '0' }).take(64).collect();
    fs::write(&checksum, format!("{turned}  keyfit\n")).expect("written");
    refused("0.1.0", "is not what its checksum says: it is not run");
    // The name in the file chooses no other one.
    fs::write(&checksum, good.replace("keyfit-", "/etc/hostname-")).expect("written");
    let output = runner.install("0.1.0", &release.downloads());
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn the_inputs_become_arguments_as_they_are() {
    let runner = Runner::new();
    let (output, arguments) = runner.check(&[("INPUT_API", "api/my parcels")]);
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(arguments[..5], ["check", "--api-dir", "api/my parcels", "--fail-on", "must"]);
    assert_eq!(arguments.len(), 5 + 8, "four reports follow: {arguments:?}");
    let written = "--case\nparcels/**\n\n--skip\n*/auth/$(touch pwned)/`id` $HOME 'a  b'";
    let (output, arguments) = runner.check(&[
        ("INPUT_API", "api"),
        ("INPUT_FAIL_ON", "should"),
        ("INPUT_BASE_URL", "https://staging.example.com/v1"),
        ("INPUT_TOKENS", "api/tokens.toml"),
        ("INPUT_ARGUMENTS", written),
    ]);
    assert!(output.status.success(), "{}", told(&output));
    let expected = [
        "check",
        "--api-dir",
        "api",
        "--fail-on",
        "should",
        "--base-url",
        "https://staging.example.com/v1",
        "--tokens",
        "api/tokens.toml",
        "--case",
        "parcels/**",
        "--skip",
        "*/auth/$(touch pwned)/`id` $HOME 'a  b'",
    ];
    assert_eq!(arguments[..expected.len()], expected);
}

#[test]
fn what_was_found_is_annotated_summed_up_and_handed_on() {
    for code in [0, 1, 2] {
        let runner = Runner::new();
        let (output, arguments) = runner.check(&[("INPUT_API", "api"), ("FAKE_CODE", &code.to_string())]);
        assert_eq!(output.status.code(), Some(code), "{}", told(&output));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "::error title=a::b\n");
        assert_eq!(read(runner.at("summary")), "## Findings\n");
        let outputs = read(runner.at("output"));
        for name in ["sarif", "json"] {
            let file = outputs.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).expect("an output");
            assert!(arguments.contains(&format!("{name}={file}")), "{file} in {arguments:?}");
            assert_eq!(read(file), "{}\n");
        }
    }
}
