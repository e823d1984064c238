//! The documents of `tests/corpus`, one construct each, and what the pipeline makes of them.

use std::fs;

use keyfit_openapi::{Dispatch, Error, GenerateOptions, Generated, Repair, Source, Text, generate_with};

/// What every document goes through: no news about a construct.
const ROUTINE: [&str; 12] = [
    "any-success",
    "answer-format",
    "answer-instant",
    "answer-limits",
    "error-answers",
    "extra-members",
    "open-enum",
    "path-guard",
    "replaced-type",
    "split-schema",
    "text-version",
    "uuid",
];

/// One document.
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) text: String,
}

/// What becomes of a document.
pub(crate) enum Fate {
    Generated(Box<Generated>),
    Refused(keyfit_openapi::Error),
}

/// Every document of the corpus, by name.
pub(crate) fn documents() -> Vec<Document> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
    let mut found: Vec<Document> = fs::read_dir(folder)
        .expect("the corpus is there")
        .map(|entry| {
            let path = entry.expect("it can be listed").path();
            let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("it is text");
            let comment = text.lines().take_while(|line| line.starts_with('#'));
            let about: Vec<&str> = comment.map(|line| line.trim_start_matches('#').trim()).collect();
            assert!(!about.is_empty(), "{name}: the head comment says what it shows");
            Document { about: about.join(" "), name, text }
        })
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

impl Document {
    pub(crate) fn module(&self) -> String {
        self.name.replace('-', "_")
    }

    /// The client with the types of all schemas: many constructs stand in some that no call needs.
    pub(crate) fn client(&self, dispatch: Dispatch) -> Result<Generated, Error> {
        generate_with(&self.source(), &GenerateOptions { dispatch, all_types: true, ..GenerateOptions::default() })
    }

    pub(crate) fn source(&self) -> Source {
        Source {
            name: self.name.clone(),
            document: Text::new(format!("{}.yaml", self.name), self.text.clone()),
            overlay: None,
            contract: None,
        }
    }

    pub(crate) fn fate(&self) -> Fate {
        match self.client(Dispatch::InTests) {
            Ok(client) => Fate::Generated(Box::new(client)),
            Err(failure) => Fate::Refused(failure),
        }
    }
}

impl Fate {
    /// Whether there is a client in which no method is missing.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::Generated(client) if client.unsupported.is_empty())
    }

    /// One line for each thing that was done, most serious first.
    pub(crate) fn lines(&self) -> Vec<String> {
        let client = match self {
            Self::Refused(failure) => {
                let place = &failure.location;
                return vec![format!("refused: {place} {}: {}", place.pointer, failure.problem)];
            }
            Self::Generated(client) => client,
        };
        let mut lines: Vec<String> =
            client.unsupported.iter().map(|part| format!("set aside: {}: {}", part.operation, part.reason)).collect();
        let news: Vec<&Repair> = client
            .repairs
            .iter()
            .filter(|repair| !ROUTINE.contains(&repair.rule) && repair.rule != "set-aside")
            .collect();
        let line =
            |verb: &str, repair: &Repair| format!("{verb}: {} #{}: {}", repair.rule, repair.pointer, repair.note);
        lines.extend(news.iter().filter(|repair| repair.narrowed).map(|repair| line("narrowed", repair)));
        lines.extend(news.iter().filter(|repair| !repair.narrowed).map(|repair| line("repaired", repair)));
        if lines.is_empty() {
            lines.push("as is".to_owned());
        }
        lines
    }
}
