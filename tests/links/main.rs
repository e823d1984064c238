//! The pages: every link leads to a file and a heading that are there, and every source file that is named is there.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// A page as it is linked to and from.
#[derive(Default)]
struct Page {
    /// The anchors of its headings, as GitHub makes them.
    anchors: BTreeSet<String>,
    links: Vec<String>,
    /// Texts in backticks.
    codes: Vec<String>,
}

impl Page {
    fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut heading: Option<String> = None;
        let mut seen: HashMap<String, usize> = HashMap::new();
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let slug = slug(&heading.take().unwrap_or_default());
                    let count = seen.entry(slug.clone()).or_default();
                    page.anchors.insert(if *count == 0 { slug } else { format!("{slug}-{count}") });
                    *count += 1;
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Text(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::Code(code) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&code);
                    }
                    page.codes.push(code.into_string());
                }
                _ => {}
            }
        }
        page
    }
}

/// The anchor of a heading.
fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|char| char.is_alphanumeric() || matches!(char, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|char| if char == ' ' { '-' } else { char }).collect()
}

/// Returns whether a text names a source file.
fn is_source(code: &str) -> bool {
    !code.contains(' ') && Path::new(code).extension().is_some_and(|extension| extension == "rs")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder, without those that are made.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with('.') || ["target", "node_modules", "corpus"].contains(&name) {
            continue;
        }
        if entry.is_dir() {
            files(&entry, found);
        } else {
            found.push(entry);
        }
    }
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, component| {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            other => plain.push(other),
        }
        plain
    })
}

fn pages() -> HashMap<PathBuf, Page> {
    let mut found = Vec::new();
    files(root(), &mut found);
    let pages = found.into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "md"));
    pages.map(|file| (file.clone(), Page::read(&fs::read_to_string(&file).expect("text")))).collect()
}

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    let pages = pages();
    let mut broken = Vec::new();
    for (file, page) in &pages {
        for link in page.links.iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let (path, anchor) = link.split_once('#').map_or((&**link, None), |(path, anchor)| (path, Some(anchor)));
            let target =
                if path.is_empty() { file.clone() } else { plain(&file.parent().expect("a folder").join(path)) };
            let is_there = match (anchor, pages.get(&target)) {
                (Some(anchor), Some(page)) => page.anchors.contains(anchor),
                _ => target.exists(),
            };
            if !is_there {
                broken.push(format!("{}: {link}", file.strip_prefix(root()).expect("below").display()));
            }
        }
    }
    broken.sort_unstable();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn sources_that_pages_for_contributors_name_are_there() {
    let mut found = Vec::new();
    files(root(), &mut found);
    let sources: BTreeSet<String> =
        found.iter().filter_map(|file| Some(format!("/{}", file.strip_prefix(root()).ok()?.to_str()?))).collect();
    let mut missing = Vec::new();
    for (file, page) in pages() {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !["ARCHITECTURE.md", "CONTRIBUTING.md", "decisions.md"].contains(&name) {
            continue;
        }
        for code in page.codes.iter().filter(|code| is_source(code)) {
            let suffix = format!("/{}", code.trim_start_matches('/'));
            if !sources.iter().any(|source| source.ends_with(&suffix)) {
                missing.push(format!("{name}: {code}"));
            }
        }
    }
    missing.sort_unstable();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn anchors_are_those_of_the_web_page() {
    let page = Page::read("# A `code` & more: why?\n\n## Twice\n\n## Twice\n\n[x](y.md#z) `src/lib.rs`\n");
    let anchors: Vec<&str> = page.anchors.iter().map(String::as_str).collect();
    assert_eq!(anchors, ["a-code--more-why", "twice", "twice-1"]);
    assert_eq!((page.links, page.codes), (vec!["y.md#z".to_owned()], vec!["code".to_owned(), "src/lib.rs".to_owned()]));
}
