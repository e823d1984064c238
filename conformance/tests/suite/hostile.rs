//! Documents that are made to do harm: each command says what it makes of them, and ends.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

#[path = "../hostile/mod.rs"]
mod documents;

fn keyfit(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keyfit"))
        .args(arguments)
        .current_dir(folder)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the command starts")
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A code of the command's own, and words where it is not 0. A signal and a panic (101) have none.
fn is_orderly(output: &Output) -> bool {
    let said = !output.stdout.is_empty() || !output.stderr.is_empty();
    matches!(output.status.code(), Some(0..=2)) && said
}

#[test]
fn every_command_ends_in_order_on_every_hostile_document() {
    let folder = folder("hostile-documents");
    for (name, text) in documents::documents(1) {
        fs::write(folder.join("document.yaml"), text).expect("written");
        let _ = fs::remove_dir_all(folder.join("api"));
        for arguments in [
            &["spec", "lint", "document.yaml"][..],
            &["spec", "diff", "document.yaml", "document.yaml"],
            &["init", "document.yaml", "--name", "hostile", "--dir", "api"],
            &["check", "--api-dir", "api", "--list"],
            &["check", "--api-dir", "api", "--side", "server"],
        ] {
            if arguments[0] == "check" && !folder.join("api").exists() {
                continue;
            }
            let output = keyfit(&folder, arguments);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(is_orderly(&output), "{name}: {arguments:?}: {}: {said}", output.status);
        }
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_refused_wherever_a_file_is_named() {
    let folder = folder("hostile-files");
    let pipe = folder.join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|made| made.success()) {
        eprintln!("skipped: there is no mkfifo");
        return;
    }
    fs::create_dir_all(folder.join("api")).expect("a folder");
    fs::write(folder.join("plain.yaml"), "a: 1\n").expect("written");
    for file in ["/dev/zero", "/dev/stdin", "pipe", "api"] {
        for arguments in [
            &["spec", "lint", file][..],
            &["spec", "diff", file, "plain.yaml"],
            &["spec", "diff", "plain.yaml", "plain.yaml", "--policy", file],
            &["init", file, "--name", "a"],
            &["check", "--baseline", file],
            &["check", "--api", "scopien", "--previous", file],
            &["compare", file],
        ] {
            let output = keyfit(&folder, arguments);
            let said = String::from_utf8_lossy(&output.stderr);
            let kind = if file == "api" { "a folder" } else { "a device, a pipe or a socket" };
            let expected = format!("it is {kind}, not a regular file");
            // Of a program without a standard input the link leads elsewhere.
            let is_refused = said.contains(&expected) || (file == "/dev/stdin" && said.contains("error: "));
            assert!(is_refused && output.status.code() == Some(2), "{arguments:?}: {}: {said}", output.status);
        }
    }
    for name in ["openapi.yaml", "overlay.yaml", "contract.toml"] {
        let api = folder.join("api");
        let _ = fs::remove_dir_all(&api);
        fs::create_dir_all(&api).expect("a folder");
        fs::write(api.join("openapi.yaml"), "a: 1\n").expect("written");
        let _ = fs::remove_file(api.join(name));
        std::os::unix::fs::symlink("/dev/zero", api.join(name)).expect("a link");
        let output = keyfit(&folder, &["check", "--api-dir", "api"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("not a regular file") && said.contains(name), "{name}: {said}");
    }
}

#[test]
fn an_overlay_cannot_end_the_program_or_make_a_document_without_end() {
    let folder = folder("hostile-overlays");
    let document = "openapi: 3.0.3\ninfo: {title: A, version: '1'}\nservers: [{url: 'https://a.example'}]\npaths: {}\nx-a: {b: {}}\n";
    fs::write(folder.join("openapi.yaml"), document).expect("written");
    let action = |target: &str, update: &str| format!("  - {{target: \"{target}\", update: {update}}}\n");
    let grow = action("$['x-a']..*", "{a: {}, b: {}, c: {}, d: {}}").repeat(40);
    let nest: String = (0..200)
        .map(|level| action(&format!("$['x-a'].b{}", ".c".repeat(level.min(100))), "{c: {}}"))
        .collect::<String>()
        + &action(&format!("$['x-a'].b{}", ".c".repeat(100)), &format!("{}{}", "{c: ".repeat(100), "}".repeat(100)));
    for (actions, problem) in [
        (action(&format!("${}", ".a".repeat(3000)), "{}"), "has more than 128 segments"),
        (action(&format!("${}", "['a']".repeat(1500)), "{}"), "has more than 128 segments"),
        (action(&format!("$[?{}", "(".repeat(3000)), "{}"), "more than 12 deep"),
        (action("$..*..*..*", "{}"), "more than 2 times"),
        (grow, "a document of more than"),
        (nest, "deeper than 128 levels"),
    ] {
        let overlay = format!("overlay: 1.0.0\ninfo: {{title: A, version: '1'}}\nactions:\n{actions}");
        fs::write(folder.join("overlay.yaml"), overlay).expect("written");
        fs::write(folder.join("contract.toml"), "").expect("written");
        let output = keyfit(&folder, &["check", "--api-dir", "."]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(problem), "{problem}: {}: {said}", output.status);
    }
}
