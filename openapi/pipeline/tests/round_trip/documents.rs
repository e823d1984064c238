//! The same for whole documents that are not in this repository: what comes out of their clients otherwise is printed, by causes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use keyfit_openapi::{Api, Dispatch, GenerateOptions, generate_with};
use serde_json::json;

use crate::corpus::Document;
use crate::{Construct, Tally, Trip, run, support};

/// The file or the folder of the documents.
const DOCUMENTS: &str = "KEYFIT_ROUND_TRIP";

/// How many differences of one kind are shown, and how long one may be.
const SHOWN: usize = 3;
const LONGEST: usize = 600;

#[test]
#[expect(clippy::disallowed_methods, reason = "the one way to name documents to a test")]
#[ignore = "needs documents that are not in this repository, see tests/documents/round-trip"]
fn values_of_whole_documents_pass_their_clients() {
    let place = env::var_os(DOCUMENTS).map(PathBuf::from);
    let place = place.unwrap_or_else(|| panic!("{DOCUMENTS} is a document, or a folder of documents"));
    for file in files(&place) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let document = Document { name: name.clone(), about: String::new(), text };
        let Some(construct) = open(document) else {
            println!("{name}: no client");
            continue;
        };
        let constructs = [construct];
        let mut tally = Tally::default();
        let trips: Vec<Trip<'_>> = constructs.iter().flat_map(|construct| construct.trips(&mut tally)).collect();
        let lines: Vec<String> = trips.iter().map(|trip| trip.call.to_string()).collect();
        tally.judge_all(&trips, &run("document-round-trip", &constructs, &lines));
        println!("{name}: {}", tally.report());
        print_differences(&tally);
    }
}

fn files(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let entries = fs::read_dir(place).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.is_file());
    files.sort();
    files
}

/// A client of a document's calls, all of them to one server and without credentials.
fn open(mut document: Document) -> Option<Construct> {
    let mut whole = support::yaml::read(&document.text)?;
    whole["servers"] = json!([{ "url": "https://api.example.com" }]);
    whole.as_object_mut()?.remove("security");
    whole["components"].as_object_mut().and_then(|components| components.remove("securitySchemes"));
    for item in whole["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut()) {
        for call in item.as_object_mut().into_iter().flat_map(|item| {
            item.remove("servers");
            item.values_mut()
        }) {
            for key in ["security", "servers"] {
                call.as_object_mut().and_then(|call| call.remove(key));
            }
        }
    }
    document.text = whole.to_string();
    let source = document.source();
    let options = GenerateOptions { dispatch: Dispatch::Always, ..GenerateOptions::default() };
    let api = Api::read(&source).ok()?;
    let client = generate_with(&source, &options).ok()?;
    Some(Construct { document, api, client })
}

/// Prints how often each difference was found, the first of each at length.
fn print_differences(tally: &Tally) {
    let mut kinds: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for line in tally.details.lines() {
        let kind: Vec<&str> = line.splitn(3, ": ").take(2).collect();
        kinds.entry(kind.join(": ")).or_default().push(line);
    }
    for (kind, lines) in kinds {
        println!("    {}: {kind}", lines.len());
        for line in lines.iter().take(SHOWN) {
            println!("        {}", line.chars().take(LONGEST).collect::<String>());
        }
    }
}
