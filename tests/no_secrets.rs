//! No file of this repository holds a literal that looks like a credential, and the places where people keep theirs are
//! ignored by git.

use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;

/// API keys, Instasent's tokens, and JWTs with at least two of their three parts.
const SHAPES: [&str; 4] = [
    r"\bsk_(live|test)_[A-Za-z0-9]{6,}",
    r"\brk_[A-Za-z0-9]{6,}",
    r"\b(isoa|issw)_[A-Za-z0-9]{6,}",
    r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}",
];

/// A line of test data that only looks like a credential says so, in a comment or a field of its own.
const MARK: &str = "not-a-secret";

const SKIPPED: [&str; 3] = ["target", ".git", "node_modules"];

fn shapes() -> Vec<Regex> {
    SHAPES.iter().map(|shape| Regex::new(shape).expect("a pattern")).collect()
}

/// The first credential-shaped text in a line, where the line does not say that it is none.
fn finding<'a>(shapes: &[Regex], line: &'a str) -> Option<&'a str> {
    if line.contains(MARK) {
        return None;
    }
    shapes.iter().find_map(|shape| shape.find(line)).map(|found| found.as_str())
}

/// All files below a folder that git could hold: neither built nor fetched, nor a file for a developer's own secrets.
fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let kind = entry.file_type().expect("a kind of file");
        if kind.is_dir() && !SKIPPED.contains(&name.as_ref()) {
            files(&entry.path(), into);
        } else if kind.is_file() && name != ".env" && !name.starts_with(".env.") {
            into.push(entry.path());
        }
    }
}

#[test]
fn no_file_holds_what_looks_like_a_credential() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    files(root, &mut all);
    assert!(all.iter().any(|file| file.ends_with("tests/no_secrets.rs")), "the walk finds this file");
    let shapes = shapes();
    let mut findings = Vec::new();
    for file in all {
        let path = file.strip_prefix(root).expect("below the root");
        let text = fs::read(&file).expect("a readable file");
        for (index, line) in String::from_utf8_lossy(&text).lines().enumerate() {
            if let Some(found) = finding(&shapes, line) {
                // The start says which one it is; the rest would be in the log of CI.
                let start: String = found.chars().take(10).collect();
                findings.push(format!("{}:{}: {start}...", path.display(), index + 1));
            }
        }
    }
    assert!(
        findings.is_empty(),
        "these look like credentials: revoke the real ones; write `{MARK}` into the line of a made-up one\n{}",
        findings.join("\n")
    );
}

#[test]
fn each_shape_is_found_and_the_mark_excuses_it() {
    let shapes = shapes();
    for (prefix, rest) in [
        ("sk_live_", "readonly123"),
        ("sk_test_", "abc123"),
        ("rk_", "A1b2C3"),
        ("isoa_", "abcdef"),
        ("issw_", "000000"),
        ("eyJhbGciOiJIUzI1NiJ9", ".eyJpc3MiOiJqb2UifQ"),
    ] {
        let literal = format!("{prefix}{rest}");
        assert_eq!(finding(&shapes, &format!("let key = \"{literal}\";")), Some(literal.as_str()));
        assert_eq!(finding(&shapes, &format!("\"{literal}\" # {MARK}")), None);
    }
    for harmless in ["sk_live_", "sk_test_x", "rk_short", "work_abcdefgh", "eyJ0eXAi alone", "isoa_*"] {
        assert_eq!(finding(&shapes, harmless), None, "{harmless}");
    }
}

/// SC-2 of Scopien's guide.
#[test]
fn files_of_environment_variables_are_ignored_by_git() {
    let ignored = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".gitignore")).expect("a .gitignore");
    for name in [".env", ".env.local"] {
        assert!(ignored.lines().any(|line| line == name), "{name} is not ignored");
    }
}
