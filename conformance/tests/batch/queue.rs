//! `keyfit batch --to` and `--from`: a queue is filled from a file, and emptied by several commands.

use std::path::Path;
use std::process::Command;

#[cfg(feature = "nats")]
use serde_json::{Value, json};
use tempfile::TempDir;

#[cfg(feature = "nats")]
use super::nats;
use super::{TOKEN, folder, run};

pub(super) fn batch(dir: &TempDir, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command.arg("batch").arg(dir.path().join("parcels")).arg("upsert").args(more).env("PARCELS_KEY", TOKEN);
    command
}

pub(super) fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[tokio::test]
async fn a_login_in_the_url_of_a_queue_is_refused_and_not_repeated() {
    let (dir, file) = folder("parcels.ndjson", "");
    for option in ["--to", "--from"] {
        let url = "nats://ann:fixture-secret-7@127.0.0.1:1/parcels/import"; // not-a-secret
        let file = if option == "--to" { text(&file) } else { "note=spring" };
        let (code, printed, said) = run(batch(&dir, &[file, option, url])).await;
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("--nats-credentials FILE") && !format!("{said}{printed}").contains("fixture"), "{said}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_with_a_queue_is_refused() {
    let (dir, file) = folder("parcels.ndjson", "");
    let file = text(&file);
    let queue = "nats://127.0.0.1:1/parcels/import";
    for (options, why) in [
        (vec![file, "--from", queue], if cfg!(feature = "nats") { "a FILE is given too" } else { "without queues" }),
        (vec![file, "--nats-credentials", "creds"], "none is given"),
        (vec![file, "--to", queue, "--from", queue], "cannot be used with"),
        (vec![file, "--to", queue, "--dead-letters", "rest"], "cannot be used with"),
        (vec!["--json"], "no FILE with rows is given"),
    ] {
        let (code, _, said) = run(batch(&dir, &options)).await;
        assert!(code == 2 && said.contains(why), "{options:?}: {said}");
    }
}

#[tokio::test]
async fn a_budget_that_cannot_be_used_is_named_and_nothing_is_sent() {
    let (dir, file) = folder("parcels.ndjson", "{\"ref\": \"a\", \"grams\": 1}\n");
    let server = super::storing().await;
    let is_built = cfg!(feature = "valkey");
    for (url, why) in [
        ("redis://127.0.0.1:9", if is_built { "the rate budget" } else { "--features valkey" }),
        ("redis://:fixture-secret-8@127.0.0.1:9", if is_built { "--budget @FILE" } else { "--features valkey" }), // not-a-secret
    ] {
        let (code, _, said) =
            run(batch(&dir, &[text(&file), "note=spring", "--base-url", &server.url, "--budget", url])).await;
        assert!(code == 2 && said.contains(why) && !said.contains("fixture"), "{said}");
    }
    assert_eq!(server.received().len(), 0);
}

#[cfg(not(feature = "nats"))]
#[tokio::test]
async fn a_program_without_queues_says_how_to_get_them() {
    let (dir, file) = folder("parcels.ndjson", "");
    let (code, _, said) = run(batch(&dir, &[text(&file), "--to", "nats://127.0.0.1:1/parcels"])).await;
    assert!(code == 2 && said.contains("was built without queues") && said.contains("--features nats"), "{said}");
}

#[cfg(feature = "nats")]
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_is_filled_from_a_file_and_emptied_by_several_commands() {
    let Some(nats) = nats::Nats::start("").await else { return };
    let row = |number| json!({ "ref": format!("p{number}"), "grams": number % 100 }).to_string();
    let rows = (0..300).map(row).chain(["{\"ref\": \"unfit\"}".to_owned(), "no JSON".to_owned()]);
    let rows = rows.collect::<Vec<_>>().join("\n");
    let (dir, file) = folder("parcels.ndjson", rows);
    let queue = format!("nats://{}/parcels", nats.place());
    for (added, known) in [(300, 0), (0, 300)] {
        let mut filling = batch(&dir, &[text(&file), "note=spring", "--to", &queue, "--json"]);
        // Whoever fills a queue needs no login of the API.
        filling.env_remove("PARCELS_KEY");
        let (code, printed, said) = run(filling).await;
        assert!(code == 1 && !said.contains("nothing would be sent"), "{said}");
        let printed: Value = serde_json::from_str(&printed).expect("JSON");
        assert_eq!(printed, json!({ "added": added, "known": known, "rejected": 2 }));
        assert!(said.contains("line 301: ") && said.contains("line 302: "), "{said}");
    }
    let server = super::storing().await;
    let from = format!("{queue}/import");
    let work = || batch(&dir, &["--from", &from, "note=spring", "--base-url", &server.url, "--json"]);
    let (first, second) = tokio::join!(run(work()), run(work()));
    let mut accepted = 0;
    let mut rejected = 0;
    for (code, printed, said) in [first, second] {
        assert!(code < 2, "{said}");
        let printed: Value = serde_json::from_str(&printed).expect("JSON");
        accepted += printed["accepted"].as_u64().expect("a number");
        rejected += printed["rejected"].as_u64().expect("a number");
        assert_eq!((&printed["unknown"], &printed["returned"]), (&json!(0), &json!(0)));
    }
    assert_eq!((accepted, rejected), (297, 3));
    assert_eq!(super::sent(&server).len(), 300, "each was sent once");
    assert_eq!((nats.left().await, nats.outcomes().await.len()), (0, 300));
}

#[cfg(feature = "nats")]
#[tokio::test]
async fn a_queue_that_is_not_there_is_named_and_nothing_is_sent() {
    let (dir, file) = folder("parcels.ndjson", "{\"ref\": \"a\", \"grams\": 1}\n");
    let (code, _, said) = run(batch(&dir, &[text(&file), "note=spring", "--to", "nats://127.0.0.1:9/parcels"])).await;
    assert!(code == 2 && said.contains("nats://127.0.0.1:9/parcels") && said.contains("is it running"), "{said}");
}
