//! What the check does to a live server with leave to write: nothing to what was there, whatever is wrong with the server.

mod server;

use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use self::server::{Defects, Origin, Service, document};
use crate::common::identity;

const TOKENS: &str = concat!(
    identity!("owner", "login", "valid", "OWNER"),
    identity!("reader", "login", "valid", "READER", "scopes = [\"read\"]"),
    identity!("writer", "login", "valid", "WRITER", "scopes = [\"write\"]"),
    identity!("old", "login", "revoked", "OLD"),
    identity!("late", "login", "expired", "LATE"),
    "[ids]\ntenant = \"1\"\nuser = \"1\"\naccount = \"1\"\nflag = \"1\"\ncontact = \"1\"\n",
    "[foreign]\ntenant = \"2\"\nuser = \"3\"\naccount = \"2\"\n",
);

/// What a run may be given besides.
const EXPENDABLE: &str = "[expendable]\nuser = [\"2\"]\ntenant = [\"2\"]\n";
const GIVEN_UP: [&str; 8] = [
    "/tenants/1/users/2",
    "/tenants/2",
    "/tenants/2/users/1",
    "/tenants/2/users/2",
    "/tenants/2/users/3",
    "/tenants/2/accounts/1",
    "/tenants/2/accounts/2",
    "/tenants/2/flags/1",
];

/// A folder with the API as `init` begins it.
async fn api(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("harm").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("document.yaml"), document()).expect("a file");
    let made = Command::new(env!("CARGO_BIN_EXE_keyfit"))
        .args(["init", "--name", "tenants"])
        .arg(folder.join("document.yaml"))
        .arg("--dir")
        .arg(folder.join("api"))
        .output()
        .await
        .expect("the binary runs");
    let told = String::from_utf8_lossy(&made.stdout);
    assert!(made.status.success() && told.contains("`x-keyfit` of a published document is ignored"), "{told}");
    folder
}

struct Run {
    code: Option<i32>,
    text: String,
    service: Service,
}

async fn run(folder: &Path, name: &str, defects: Defects, expendable: &str, given_up: &[&str], more: &[&str]) -> Run {
    let (address, service) = Service::start(defects, given_up).await;
    fs::write(folder.join(format!("{name}.toml")), format!("{TOKENS}{expendable}")).expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_keyfit"))
        .args(["check", "--base-url", &format!("http://{address}/v1"), "--api-dir"])
        .arg(folder.join("api"))
        .arg("--tokens")
        .arg(folder.join(format!("{name}.toml")))
        .args(more)
        .envs([
            ("OWNER", "owner-token"),   // not-a-secret
            ("READER", "reader-token"), // not-a-secret
            ("WRITER", "writer-token"), // not-a-secret
            ("OLD", "revoked-token"),   // not-a-secret
            ("LATE", "expired-token"),  // not-a-secret
        ])
        .output()
        .await
        .expect("the binary runs");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Run { code: output.status.code(), text, service }
}

const VARIANTS: [(&str, Defects); 5] = [
    ("none", Defects { serves_anybody: false, executes_undeclared: false, ignores_tenants: false }),
    ("anybody", Defects { serves_anybody: true, executes_undeclared: false, ignores_tenants: false }),
    ("undeclared", Defects { serves_anybody: false, executes_undeclared: true, ignores_tenants: false }),
    ("tenants", Defects { serves_anybody: false, executes_undeclared: false, ignores_tenants: true }),
    ("all", Defects { serves_anybody: true, executes_undeclared: true, ignores_tenants: true }),
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_there_and_was_not_given_up_is_changed_whatever_is_wrong_with_the_server() {
    let folder = api("all").await;
    let mut harm = 0;
    for (name, defects) in VARIANTS {
        for (given, expendable, given_up) in [("nothing", "", &[][..]), ("some", EXPENDABLE, &GIVEN_UP[..])] {
            let done =
                run(&folder, &format!("{name}-{given}"), defects, expendable, given_up, &["--allow-writes"]).await;
            let mutations = done.service.mutations();
            let harmed: Vec<&str> =
                mutations.iter().filter(|one| one.of == Origin::Kept).map(|one| one.call.as_str()).collect();
            println!(
                "{name}, {given} given up: {} requests, {} changed something, {} of them what the run had not made and nobody had given up",
                done.service.requests(),
                mutations.len(),
                harmed.len(),
            );
            assert!(harmed.is_empty(), "{name} {given}: {harmed:?}\n{}", done.text);
            assert!(done.service.has_everything(given_up), "{name} {given}");
            harm += harmed.len();
            // It is no merit to do nothing.
            assert!(mutations.iter().filter(|one| one.of == Origin::Run).count() > 10, "{name}: {}", done.text);
            assert_eq!(
                done.code,
                Some(1),
                "an upsert of an unknown id is one finding at least: {name} {given}: {}",
                done.text
            );
            // What has no DELETE stays, and is named.
            let left = done.service.left();
            assert!(
                left.iter().all(|path| path.contains("/invitations/") || path.contains("/flags/")),
                "{name}: {left:?}"
            );
            assert!(done.text.contains("made and not removed: remove it by hand"), "{name}: {}", done.text);
            let unproven = "POST /v1/tenants/1/contacts answered 200 with `3`, which may have been there before";
            assert!(done.text.contains(unproven), "{name}: {}", done.text);
        }
    }
    println!("calls of {} runs that changed what the run had not made: {harm}", VARIANTS.len() * 2);
}
