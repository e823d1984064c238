//! Whatever a document or an overlay holds: a client or a refusal that names a place, and never a panic or a loop. Seeded,
//! so that a failure can be had again.

mod support;

use keyfit_openapi::diff::{Document, diff};
use keyfit_openapi::{Source, Text, generate};
use support::corpus;

const OVERLAY: &str = "overlay: 1.0.0\ninfo: {title: Fuzz, version: 1.0.0}\nactions:\n  - {target: $.paths.*.*, description: why, update: {x-keyfit: {retry: safe}}}\n  - {target: '$.info', update: {title: Other}}\n  - {target: '$.paths', remove: true}\n";

/// What is put in the place of a scalar, or between two lines.
const ODD: [&str; 24] = [
    "null",
    "true",
    "-1",
    "1e400",
    "18446744073709551615",
    "''",
    "'#'",
    "'#/'",
    "[]",
    "{}",
    "[[[]]]",
    "{$ref: '#'}",
    "{$ref: '#/components/schemas/Pet'}",
    "{$ref: 7}",
    "{allOf: [{$ref: '#/components/schemas/Pet'}]}",
    "{type: null}",
    "{oneOf: [{}, null, 3]}",
    "{not: {}}",
    "object",
    "array",
    "string",
    "\u{fffd}",
    "x: &a [*a]",
    "'\u{0}'",
];

#[test]
fn mutated_documents_are_generated_or_refused() {
    run(0x5eed, 400);
}

#[test]
#[ignore = "minutes long: for a search beyond what each change needs"]
fn mutated_documents_are_generated_or_refused_for_long() {
    run(0x10ad, 20_000);
}

fn run(seed: u64, rounds: usize) {
    let seeds = corpus::documents();
    let mut chance = Chance(seed);
    for _ in 0..rounds {
        let old = &seeds[chance.below(seeds.len())].text;
        let mut text = old.clone();
        for _ in 0..=chance.below(4) {
            text = mutate(&text, &seeds[chance.below(seeds.len())].text, &mut chance);
        }
        let overlay = (chance.below(4) == 0).then(|| mutate(OVERLAY, old, &mut chance));
        check(old, &text, overlay);
    }
}

fn check(old: &str, text: &str, overlay: Option<String>) {
    let document = Text::new("fuzz.yaml", text);
    let source = Source {
        name: "fuzz".to_owned(),
        document: document.clone(),
        overlay: overlay.map(|text| Text::new("overlay.yaml", text)),
        contract: None,
    };
    if let Err(failure) = generate(&source) {
        assert!(!failure.problem.is_empty() && !failure.help.is_empty(), "{failure}\n{text}");
    }
    let (Ok(before), Ok(after)) = (Document::read(&Text::new("old.yaml", old)), Document::read(&document)) else {
        return;
    };
    for finding in diff(&before, &after).iter().chain(&diff(&after, &before)) {
        assert!(!finding.detail.is_empty(), "{finding:?}\n{text}");
    }
    assert!(diff(&after, &after).is_empty(), "a document differs from itself:\n{text}");
}

/// One change to the text: a scalar, a line, a part of a line, or a piece of another document.
fn mutate(text: &str, other: &str, chance: &mut Chance) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return other.to_owned();
    }
    let at = chance.below(lines.len());
    match chance.below(7) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[chance.below(lines.len())].clone()),
        2 => {
            let others: Vec<&str> = other.lines().collect();
            let line = others[chance.below(others.len())].to_owned();
            lines.insert(at, line);
        }
        3 => {
            let with = lines[chance.below(lines.len())].clone();
            lines[at] = with;
        }
        kind => {
            // The words of a line, so that what was flow stays flow.
            let mut words: Vec<String> =
                lines[at].split_inclusive([' ', ',', '}', ']', '{', '[']).map(str::to_owned).collect();
            if let Some(count) = words.len().checked_sub(1) {
                let word = chance.below(count + 1);
                match kind {
                    4 => words[word] = format!("{} ", ODD[chance.below(ODD.len())]),
                    5 => {
                        let with = words[chance.below(words.len())].clone();
                        words[word] = with;
                    }
                    _ => drop(words.remove(word)),
                }
            }
            lines[at] = words.concat();
        }
    }
    lines.join("\n")
}

/// xorshift64*.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let value = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(value).unwrap_or_default() % limit.max(1)
    }
}
