//! The workflows, and the scripts that they run: what fetches has no rights, and what has rights takes data alone.

#![cfg(unix)]

mod action;
mod release;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const HERE: &str = env!("CARGO_MANIFEST_DIR");
/// What GitHub takes as the text of an issue or a pull request, in characters.
const LIMIT: usize = 65_536;

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// Every YAML file below `.github`.
fn workflows() -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(HERE).join(".github")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("yml" | "yaml") => found.push((path.clone(), read(&path))),
                _ => {}
            }
        }
    }
    found
}

/// The lines of a job.
fn job<'a>(workflow: &'a str, name: &str) -> &'a str {
    let start = workflow.find(&format!("\n  {name}:\n")).expect("the job is there") + 1;
    let rest = &workflow[start..];
    // The next line that is indented as its name is.
    let end = rest.match_indices("\n  ").find(|(at, _)| !rest[at + 3..].starts_with([' ', '#']) && *at > 0);
    end.map_or(rest, |(at, _)| &rest[..at])
}

fn documents() -> String {
    read(Path::new(HERE).join(".github/workflows/documents.yml"))
}

/// An action that is not named by a commit and the version that it was.
fn unpinned(workflow: &str) -> Vec<&str> {
    let uses = workflow.lines().filter_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix("uses:"));
    let is_pinned = |action: &str| {
        let Some((name, version)) = action.split_once(" # v") else { return false };
        let commit = name.rsplit('@').next().unwrap_or_default();
        let is_commit = commit.len() == 40 && commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_commit && version.split('.').count() == 3 && version.split('.').all(|part| part.parse::<u32>().is_ok())
    };
    uses.map(str::trim).filter(|action| !is_pinned(action)).collect()
}

#[test]
fn every_action_is_pinned_to_a_commit() {
    let workflows = workflows();
    assert!(!workflows.is_empty());
    for (path, text) in workflows {
        assert!(text.contains("uses:"), "{}", path.display());
        assert_eq!(unpinned(&text), [""; 0], "{}", path.display());
    }
    let commit = "0123456789abcdef0123456789abcdef01234567";
    for bad in ["a/b@v4", "a/b@main # v4.0.0", &format!("a/b@{commit}"), &format!("a/b@{commit} # v4"), "./local"] {
        assert_eq!(unpinned(&format!("      - uses: {bad}\n")), [bad]);
    }
    assert_eq!(unpinned(&format!("  - uses: a/b@{commit} # v4.1.0\n    uses: a/b/c@{commit} # v4.1.0\n")), [""; 0]);
}

#[test]
fn what_fetches_has_no_token_and_no_right_to_write() {
    let workflow = documents();
    assert!(workflow.contains("\npermissions: {}\n"));
    let (refresh, propose) = (job(&workflow, "refresh"), job(&workflow, "propose"));
    assert!(refresh.contains("permissions:\n      contents: read\n    steps:"), "{refresh}");
    for word in ["write", "token", "secrets."] {
        assert!(!refresh.contains(word), "{word} in {refresh}");
    }
    assert!(propose.contains("contents: write") && propose.contains("needs: refresh"), "{propose}");
    assert_eq!(workflow.matches(": write\n").count(), 3, "the second job has the only rights");
    for (path, text) in workflows() {
        let checkouts = text.matches("uses: actions/checkout@").count();
        assert_eq!(text.matches("persist-credentials: false").count(), checkouts, "{}", path.display());
    }
}

#[test]
fn no_expression_is_pasted_into_a_script() {
    for (path, text) in workflows() {
        for line in text.lines().filter(|line| line.contains("run:")) {
            assert!(!line.contains("${{") && !line.trim_end().ends_with(['|', '>']), "{}: {line}", path.display());
        }
    }
}

/// A checkout with the scripts, a document and a snapshot; its origin; and a `gh` that writes down what it is asked.
struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// `None` without Python or git, which the runner of the workflow has.
    fn new() -> Option<Self> {
        let is_there = |program: &str| {
            let silent = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            silent.is_ok_and(|status| status.success())
        };
        if !["python3", "git", "bash"].into_iter().all(is_there) {
            println!("skipped: python3, git and bash are not all there");
            return None;
        }
        let scratch = Self { folder: tempfile::tempdir().expect("a folder") };
        let files = [
            ("openapi/apis/pets/published.yaml", "openapi: 3.0.3\n"),
            ("openapi/apis/pets/overlay.yaml", "overlay: 1.0.0\n"),
            ("openapi/sources.toml", "# kept\n"),
            ("openapi/pipeline/tests/snapshots/pets.snap", "old\n"),
        ];
        for (name, text) in files {
            write(&scratch.checkout().join(name), text);
        }
        for script in ["accept", "body", "collect", "propose"] {
            let target = scratch.checkout().join(".github/documents").join(script);
            fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
            fs::copy(Path::new(HERE).join(".github/documents").join(script), &target).expect("the script is there");
        }
        write(
            &scratch.folder.path().join("bin/gh"),
            "#!/usr/bin/env bash\nprintf '%s\\n' \"$*\" >> \"$0.log\"\n\
             case $* in *list*) cat \"$0.open\" 2>/dev/null || true ;; *--body-file*) cp \"${@: -1}\" \"$0.body\" ;; esac\n",
        );
        executable(&scratch.folder.path().join("bin/gh"));
        scratch.git(&["init", "--quiet", "--initial-branch", "main"]);
        scratch.git(&["init", "--quiet", "--bare", "../origin"]);
        scratch.git(&["remote", "add", "origin", "../origin"]);
        scratch.git(&["add", "--all"]);
        scratch.git(&["commit", "--quiet", "--message", "first"]);
        Some(scratch)
    }

    fn checkout(&self) -> PathBuf {
        self.folder.path().join("checkout")
    }

    fn proposal(&self) -> PathBuf {
        self.folder.path().join("proposal")
    }

    fn git(&self, arguments: &[&str]) -> String {
        let who = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
        let mut git = Command::new("git");
        let output = git.args(who).args(arguments).current_dir(self.checkout()).output().expect("git runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Leaves this for the second job.
    fn leave(&self, code: &str, report: &str, files: &[(&str, &str)]) {
        let _ = fs::remove_dir_all(self.proposal());
        write(&self.proposal().join("code"), code);
        write(&self.proposal().join("report.md"), report);
        for (name, text) in files {
            write(&self.proposal().join("files").join(name), text);
        }
    }

    fn run(&self, script: &str) -> Output {
        let path = std::env::join_paths([
            self.folder.path().join("bin"),
            "/usr/local/bin".into(),
            "/usr/bin".into(),
            "/bin".into(),
        ]);
        Command::new(self.checkout().join(".github/documents").join(script))
            .arg(self.proposal())
            .env("PATH", path.expect("a path"))
            .env("GITHUB_SERVER_URL", "https://github.example")
            .env("GITHUB_REPOSITORY", "a/b")
            .env("GITHUB_RUN_ID", "7")
            .env("GITHUB_STEP_SUMMARY", self.folder.path().join("summary"))
            .output()
            .expect("the script runs")
    }

    fn said(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join("bin").join(name)).unwrap_or_default()
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("written");
}

fn executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("set");
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn what_has_changed_is_collected_and_a_document_commands_nothing() {
    let Some(scratch) = Scratch::new() else { return };
    // A refresh whose document speaks to the runner, and that leaves more than is asked for.
    write(
        &scratch.checkout().join("openapi/refresh"),
        "#!/usr/bin/env bash\necho '::set-output name=x::y'\necho new > openapi/apis/pets/published.yaml\n\
         echo new > openapi/pipeline/tests/snapshots/pets.snap\necho new > openapi/apis/pets/overlay.yaml\n\
         echo 'it changed' > \"$REPORT\"\nexit 2\n",
    );
    executable(&scratch.checkout().join("openapi/refresh"));
    let output = scratch.run("collect");
    assert!(output.status.success(), "{}", told(&output));
    let said = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = said.lines().collect();
    let word = lines[0].strip_prefix("::stop-commands::").expect("commands are stopped first");
    assert!(word.len() == 32 && lines.last() == Some(&&*format!("::{word}::")), "{said}");
    assert_eq!(read(scratch.proposal().join("code")), "2\n");
    assert_eq!(read(scratch.proposal().join("report.md")), "it changed\n");
    let files = scratch.proposal().join("files/openapi");
    assert_eq!(read(files.join("apis/pets/published.yaml")), "new\n");
    assert_eq!(read(files.join("pipeline/tests/snapshots/pets.snap")), "new\n");
    assert!(!files.join("apis/pets/overlay.yaml").exists() && !files.join("refresh").exists());
}

#[test]
fn a_change_becomes_one_pull_request_with_the_report_as_its_text() {
    let Some(scratch) = Scratch::new() else { return };
    let files = [
        ("openapi/apis/pets/published.yaml", "openapi: 3.0.4\n"),
        ("openapi/pipeline/tests/snapshots/pets.snap", "new\n"),
        ("tests/client/snapshots/other.snap", "new\n"),
    ];
    scratch.leave("0\n", "## Changes\n", &files[..2]);
    let output = scratch.run("propose");
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(scratch.said("gh.body"), "## Changes\n");
    assert!(scratch.said("gh.log").contains("pr create --head documents --title The documents as they are"));
    let pushed = scratch.git(&["--git-dir", "../origin", "show", "--name-only", "--format=%s", "documents"]);
    assert_eq!(
        pushed.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>(),
        ["feat(openapi): the documents as they are published now", files[0].0, files[1].0]
    );
    // The next week: the same branch, and the open pull request.
    scratch.git(&["switch", "--quiet", "main"]);
    scratch.git(&["branch", "--quiet", "--delete", "--force", "documents"]);
    fs::write(scratch.folder.path().join("bin/gh.open"), "12\n").expect("written");
    scratch.leave("2\n", "## More\n", &files[..1]);
    let output = scratch.run("propose");
    assert_eq!(output.status.code(), Some(2), "one could not be had: {}", told(&output));
    assert!(scratch.said("gh.log").contains("pr edit 12 --body-file"), "{}", scratch.said("gh.log"));
    // A snapshot in a folder that is not there has no place.
    scratch.leave("0\n", "", &files);
    assert!(told(&scratch.run("propose")).contains("has no place here"));
}

#[test]
fn a_grave_change_becomes_one_issue_and_nothing_is_written() {
    let Some(scratch) = Scratch::new() else { return };
    for (open, asked) in [("", "issue create --title A document has changed"), ("3\n", "issue edit 3 --body-file")] {
        fs::write(scratch.folder.path().join("bin/gh.open"), open).expect("written");
        scratch.leave("1\n", "Stopped.\n", &[("openapi/apis/pets/published.yaml", "openapi: 3.0.4\n")]);
        let output = scratch.run("propose");
        assert_eq!(output.status.code(), Some(1), "{}", told(&output));
        assert!(scratch.said("gh.log").contains(asked), "{}", scratch.said("gh.log"));
        assert_eq!(scratch.said("gh.body"), "Stopped.\n");
        assert_eq!(scratch.git(&["status", "--short"]), "");
    }
    assert_eq!(read(scratch.folder.path().join("summary")), "Stopped.\nStopped.\n");
}

#[test]
fn what_is_not_a_document_in_its_place_is_refused_as_a_whole() {
    let Some(scratch) = Scratch::new() else { return };
    let good = ("openapi/apis/pets/published.yaml", "openapi: 3.0.4\n");
    for name in [
        ".github/workflows/documents.yml",
        ".github/documents/accept",
        "openapi/refresh",
        "openapi/pipeline/build.rs",
        "openapi/apis/pets/overlay.yaml",
        "openapi/apis/pets/contract.toml",
        "openapi/apis/pets/published.rs",
        "openapi/apis/pets/sub/published.yaml",
        "openapi/apis/new/published.yaml",
        "openapi/apis/..pets/published.yaml",
        "openapi/pipeline/tests/snapshots/pets.snap.rs",
        "openapi/pipeline/tests/snapshots/pets.snap\n.github",
        "openapi/pipeline/tests/pets.snap",
        "Cargo.toml",
    ] {
        scratch.leave("0\n", "", &[good, (name, "x\n")]);
        let output = scratch.run("propose");
        assert!(!output.status.success() && told(&output).contains("nothing is taken"), "{name}: {}", told(&output));
        assert_eq!(scratch.git(&["status", "--short"]), "", "{name}");
    }
    // Links and other kinds of files, wherever they are.
    for place in ["files/openapi/apis/pets/published.yaml", "files/openapi/pipeline/tests", "report.md", "extra"] {
        scratch.leave("0\n", "", &[]);
        let link = scratch.proposal().join(place);
        let _ = fs::remove_file(&link);
        fs::create_dir_all(link.parent().expect("a folder")).expect("a folder");
        symlink("/etc/passwd", &link).expect("a link");
        let output = scratch.run("propose");
        assert!(!output.status.success(), "{place}: {}", told(&output));
        assert_eq!((scratch.git(&["status", "--short"]), scratch.said("gh.log")), Default::default(), "{place}");
    }
    // A link of the checkout is not written through.
    let snapshots = scratch.checkout().join("openapi/pipeline/tests/snapshots");
    fs::remove_dir_all(&snapshots).expect("removed");
    symlink(scratch.folder.path(), &snapshots).expect("a link");
    scratch.leave("0\n", "", &[("openapi/pipeline/tests/snapshots/pets.snap", "x\n")]);
    assert!(told(&scratch.run("propose")).contains("would be written through a link"));
    assert!(!scratch.folder.path().join("pets.snap").exists());
    // Too much, and a code that nobody wrote.
    scratch.leave("0\n", &"x".repeat(17 << 20), &[]);
    assert!(told(&scratch.run("propose")).contains("is too much"));
    for code in ["", "3\n", "0; touch pwned\n", "$(id)\n"] {
        scratch.leave(code, "", &[good]);
        assert_eq!(scratch.run("propose").status.code(), Some(3), "{code:?}");
    }
}

/// The text that a report becomes.
fn body(report: &[u8]) -> Option<String> {
    use std::io::Write as _;
    let mut child = Command::new(Path::new(HERE).join(".github/documents/body"))
        .arg("in the artifact")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take().expect("a pipe").write_all(report).expect("it reads all of it");
    let output = child.wait_with_output().expect("it ends");
    // Without Python the shell says that there is no such program.
    (output.status.code() != Some(127)).then(|| String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn nothing_in_a_report_acts() {
    let active = [
        "@octocat",
        "mail a@b.example",
        "@org/team",
        "closes #12",
        "a/b#12",
        "GH-12",
        "<!-- hidden",
        "<img src=x>",
        "</details>",
        "<script>",
        "[here](https://a.example)",
        "[here]: https://a.example",
        "[a][b]",
        "![x](https://a.example/x)",
        "https://a.example/issues/1",
        "www.a.example",
        "<https://a.example>",
    ];
    for text in active {
        let Some(made) = body(format!("| {text} |\n").as_bytes()) else { return };
        assert_eq!(made.replace('\u{2060}', ""), format!("| {text} |\n"), "it reads as before");
        for sign in ["@o", "#1", "GH-1", "<!", "<i", "</", "<s", "<h", "](", "]:", "][", "![", "://", "www."] {
            assert!(!made.contains(sign), "{sign} in {made:?}");
        }
    }
    for line in
        ["::set-output name=x::y", "  ::add-mask::a", "##[group]a", "```", "    ~~~ sh", "> ```", "1. ```", "- a\r```"]
    {
        let Some(made) = body(format!("first\n{line}\n").as_bytes()) else { return };
        for line in made.split(['\n', '\r']).map(str::trim_start) {
            assert!(!line.starts_with("::") && !line.starts_with("##[") && !line.starts_with("```"), "{made:?}");
            assert!(!line.starts_with("~~~") && !line.starts_with("> `"), "{made:?}");
        }
    }
    let unseen = body("a\u{202e}b\u{200b}c\u{1b}[2Jd\re\u{2028}f\r\n".as_bytes()).expect("Python was there");
    assert_eq!(unseen, "a\\u{202e}b\\u{200b}c\\u{1b}[2Jd\\u{d}e\\u{2028}f\n");
    assert_eq!(body(b"\xff\xfe").expect("Python was there"), "\u{fffd}\u{fffd}");
}

#[test]
fn a_text_is_cut_to_what_is_taken_and_says_where_the_whole_is() {
    let units = |text: &str| text.encode_utf16().count();
    let Some(whole) = body("é".repeat(LIMIT).as_bytes()) else { return };
    assert_eq!(units(&whole), LIMIT, "as much as is taken is not cut");
    for (unit, line) in [("é", false), ("\u{1f511}", false), ("| a row with @somebody |\n", true)] {
        let made = body(unit.repeat(70_000).as_bytes()).expect("Python was there");
        assert!((LIMIT - 100..=LIMIT).contains(&units(&made)), "{}", units(&made));
        let (kept, end) = made.split_once("\n\nCut here: the report has ").expect("it says so");
        assert!(end.ends_with("The whole is in the artifact.\n"), "{end}");
        let joined = kept.replace('\u{2060}', "");
        assert!(joined.chars().all(|c| c != '\u{fffd}') && unit.repeat(70_000).starts_with(&joined));
        assert_eq!(line, kept.ends_with('|'), "a table ends with a whole row");
    }
}
