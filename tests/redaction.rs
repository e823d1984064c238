//! The masking alone: random secrets in every encoding, and in every encoding of every encoding.

mod encodings;
#[path = "encodings/random.rs"]
mod random;

use keyfit::redact::{MASK, Redactor};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::json;

use encodings::{leak, written};
use random::secrets;

/// How many random secrets.
const SECRETS: usize = 24;

#[test]
fn no_encoding_of_a_secret_is_left_in_a_text() {
    let mut runner = TestRunner::deterministic();
    let (mut cases, mut hits) = (0, Vec::new());
    for _ in 0..SECRETS {
        let secret = secrets().new_tree(&mut runner).expect("a secret").current();
        let redactor = Redactor::new([secret.as_str(), "another-secret", "unrelated"]);
        for written in written(&secret) {
            cases += 1;
            let text = format!("the key {} is revoked", written.text);
            let masked = redactor.mask(&text);
            let in_json = redactor.mask_json(json!({ text.as_str(): [text] })).to_string();
            for shown in [&masked, in_json.as_str()] {
                let is_kept = shown.contains("the key ") && shown.contains("is revoked");
                if leak(shown, &written, 0).is_some() || !shown.contains(MASK) || !is_kept {
                    hits.push(format!("{secret:?}, {}: {text:?} became {shown:?}", written.name));
                }
            }
        }
    }
    println!("secrets: {cases} cases, {} hits", hits.len());
    assert!(hits.is_empty(), "{} of {cases}:\n{}", hits.len(), hits[..hits.len().min(10)].join("\n"));
}

#[test]
fn no_part_of_a_secret_is_left_where_a_text_was_cut() {
    let mut runner = TestRunner::deterministic();
    let (mut cases, mut hits) = (0, Vec::new());
    for _ in 0..SECRETS {
        let secret = secrets().new_tree(&mut runner).expect("a secret").current();
        let redactor = Redactor::new([secret.as_str()]);
        for written in written(&secret).into_iter().take(encodings::ENCODINGS.len()) {
            let text = format!("the key {} is revoked", written.text);
            let start = text.find(&written.core).expect("it is there");
            let places = text[start..start + written.core.len()].char_indices().map(|(at, _)| start + at);
            for at in places.step_by(3) {
                cases += 2;
                for part in [&text[..at], &text[at..]] {
                    let masked = redactor.mask_cut(part);
                    // What is left of an escape that was cut may be seen.
                    if leak(&masked, &written, 8).is_some() {
                        hits.push(format!("{secret:?}, {}: {part:?} became {masked:?}", written.name));
                    }
                }
            }
        }
    }
    println!("secrets: {cases} cases, {} hits", hits.len());
    assert!(hits.is_empty(), "{} of {cases}:\n{}", hits.len(), hits[..hits.len().min(10)].join("\n"));
}
