//! A new API in a checkout of Keyfit: its folder, where its document comes from, its feature, and its module.

use std::fs;
use std::path::{Path, PathBuf};

use heck::{ToPascalCase as _, ToShoutySnakeCase as _};
use keyfit_openapi::{Api, Failure, Operation, Source, Text, example, generate, is_identifier, read_text};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use super::{Ends, scaffold_citing};
use crate::apis;
use crate::clock;
use crate::contract::Carrier;
use crate::origin::digest;

/// Names of crates that every module knows.
const RESERVED: [&str; 3] = ["alloc", "core", "std"];
/// What a module of an API calls something else.
const RESERVED_TYPES: [&str; 5] = ["Carrier", "Client", "Credential", "Token", "TokenKind"];

/// The files that a new API adds to a checkout or changes there. Nothing is written yet.
#[derive(Clone, Debug)]
pub struct Added {
    /// Each file, below the checkout, with its text.
    pub files: Vec<(PathBuf, String)>,
    /// The module of the client: `keyfit::<module>`.
    pub module: String,
    /// The type of its token.
    pub token: String,
    /// The operations that it can call.
    pub operations: usize,
    /// The cases of its contract.
    pub cases: usize,
    /// What has no method, what the document does not say, and what cannot be sent.
    pub notes: Vec<String>,
}

/// Plans a new API in a checkout. `name` is lower case, with digits and hyphens; `url` is where the document is published.
///
/// # Errors
/// A folder that is no checkout of Keyfit, a name that is taken, and a document that no client or contract can be made
/// from.
pub fn add(checkout: &Path, name: &str, document: &Text, url: Option<&str>) -> Result<Added, Failure> {
    let read = |file: &str| {
        read_text(&checkout.join(file)).map_err(|error| {
            Failure::of_file(
                &checkout.join(file).display().to_string(),
                format!("the file cannot be read: {error}"),
                "name a checkout of Keyfit with --dir: this is one of the files that a new API stands in",
            )
        })
    };
    let (manifest, library) = (read("Cargo.toml")?, read("src/lib.rs")?);
    let type_name = name.to_pascal_case();
    let sources = read("openapi/sources.toml")?;
    let refuse = |problem: String, help: &str| Failure::of_file(&document.path, problem, help);
    let module = name.replace('-', "_");
    if !is_identifier(&module) {
        return Err(refuse(format!("Rust takes no module called `{module}`"), "choose another --name"));
    }
    if RESERVED.contains(&module.as_str()) || RESERVED_TYPES.contains(&type_name.as_str()) {
        let problem = format!("`{name}` means something else in a module of Keyfit");
        return Err(refuse(problem, "choose another --name; nothing was written"));
    }
    let folder = PathBuf::from("openapi/apis").join(name);
    let file_of_module = PathBuf::from(format!("src/{module}.rs"));
    let is_named = |line: &str| line.split(|it: char| !it.is_alphanumeric() && it != '_').any(|word| word == module);
    let is_there = [&folder, &file_of_module].iter().any(|path| checkout.join(path).exists());
    let is_taken = library.lines().filter(|line| !line.starts_with("//")).any(is_named) || is_there;
    if is_taken || manifest.lines().any(|line| line.starts_with(&format!("{name} = "))) {
        return Err(refuse(
            format!("an API, a module, a feature or a dependency of Keyfit is called `{name}` already"),
            "choose another --name; nothing was written",
        ));
    }
    let ends_alike = |known: &Source| known.name == name || known.name.ends_with(&format!("-{name}"));
    if let Some(known) = apis::all().into_iter().find(ends_alike) {
        let problem = format!("`{name}` is what `{}` is called by as well", known.name);
        return Err(refuse(problem, "choose another --name; nothing was written"));
    }
    // Its contract cites where the document is published, or where it is kept.
    let file = if document.path.to_lowercase().ends_with(".json") { "published.json" } else { "published.yaml" };
    let cited = url.map_or_else(|| format!("openapi/apis/{name}/{file}"), str::to_owned);
    let made = scaffold_citing(name, document, &cited, Ends::Both)?;
    let Some((kind, carrier)) = &made.client else {
        return Err(refuse(
            "every key of the document is sent in the query".to_owned(),
            "the clients of Keyfit put no secret into a URL, since URLs are logged; a contract check without a client is begun by `conformance init`",
        ));
    };
    let source = Source {
        name: name.to_owned(),
        document: document.clone(),
        overlay: Some(Text::new("overlay.yaml", made.overlay.as_str())),
        contract: None,
    };
    let client = generate(&source)?;
    let unsupported =
        client.unsupported.iter().map(|left| format!("no method for {}: {}", left.operation, left.reason));
    let row = source_row(name, file, document, url);
    let files = vec![
        ("openapi/sources.toml".into(), with_source(checkout, &sources, row)?),
        ("Cargo.toml".into(), with_feature(checkout, &manifest, name)?),
        ("src/lib.rs".into(), with_line(&library, &["pub mod ", "mod "], name, &module)),
        (file_of_module, module_text(name, &module, &type_name, (kind, carrier))),
        (folder.join(file), document.text.clone()),
        (folder.join("overlay.yaml"), made.overlay),
        (folder.join("contract.toml"), format!("#:schema ../../contract.schema.json\n{}", made.contract)),
        (
            format!("openapi/pipeline/tests/snapshots/embedded__surface-{name}.snap").into(),
            format!(
                "---\nsource: openapi/pipeline/tests/embedded.rs\nexpression: client.surface\n---\n{}\n",
                client.surface.trim_end()
            ),
        ),
    ];
    let mut notes = made.notes;
    notes.extend(unsupported);
    let api = Api::read(&source)?;
    // Those that the document cannot have are none of its operations any more.
    let operations = api.operations.len() - (client.unsupported.len() - api.unsupported.len());
    notes.extend(api.operations.iter().filter_map(|operation| {
        let gap = example::request(&api, operation).gap?;
        Some(format!(
            "{} {} has no example, {gap}: its calls are not tried; an overlay can give one",
            operation.method, operation.path
        ))
    }));
    let others = |operation: &&Operation| !operation.credentials.is_empty() && !operation.credentials.contains(kind);
    notes.extend(api.operations.iter().filter(others).map(|operation| {
        let wanted = operation.credentials.join("` or `");
        format!(
            "{} {} asks for `{wanted}`: the client, which sends `{kind}`, is refused",
            operation.method, operation.path
        )
    }));
    Ok(Added { files, module, token: format!("{type_name}Token"), operations, cases: made.cases, notes })
}

impl Added {
    /// Writes the files.
    ///
    /// # Errors
    /// The first one that cannot be written, with the reason.
    pub fn write(&self, checkout: &Path) -> Result<(), Failure> {
        for (file, text) in &self.files {
            let file = checkout.join(file);
            let written = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, text));
            written.map_err(|error| {
                Failure::of_file(
                    &file.display().to_string(),
                    format!("the file cannot be written: {error}"),
                    "check the folder; `git status` shows what was written before",
                )
            })?;
        }
        Ok(())
    }
}

/// The entry in `sources.toml`.
fn source_row(name: &str, file: &str, document: &Text, url: Option<&str>) -> Table {
    let today = clock::timestamp(clock::epoch_seconds());
    let mut row = Table::new();
    row["api"] = value(name);
    row["file"] = value(format!("apis/{name}/{file}"));
    row["url"] = value(url.unwrap_or("not published"));
    row["provenance"] = value("published");
    row["retrieved"] = value(today.get(..10).unwrap_or_default());
    row["sha256"] = value(digest(&document.text));
    row.decor_mut().set_prefix("\n");
    row
}

fn with_source(checkout: &Path, sources: &str, row: Table) -> Result<String, Failure> {
    let mut document = parsed(&checkout.join("openapi/sources.toml"), sources)?;
    let list = document.entry("document").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    if let Some(list) = list.as_array_of_tables_mut() {
        list.push(row);
    }
    Ok(document.to_string())
}

/// A feature of the API's name, which is on by default as those of the others.
fn with_feature(checkout: &Path, manifest: &str, name: &str) -> Result<String, Failure> {
    let mut document = parsed(&checkout.join("Cargo.toml"), manifest)?;
    let features = document.entry("features").or_insert_with(|| Item::Table(Table::new()));
    if let Some(defaults) = features.get_mut("default").and_then(Item::as_array_mut) {
        defaults.push(name);
    }
    features[name] = value(Array::new());
    Ok(document.to_string())
}

fn parsed(file: &Path, text: &str) -> Result<DocumentMut, Failure> {
    text.parse().map_err(|error: toml_edit::TomlError| {
        Failure::of_file(&file.display().to_string(), error.message().trim_end(), "restore the file")
    })
}

/// The text with a line of the module among those that begin in one of these ways, in their order, as rustfmt wants it. It
/// begins in the first way itself.
fn with_line(text: &str, beginnings: &[&str], feature: &str, module: &str) -> String {
    let beginning = beginnings.first().copied().unwrap_or_default();
    let line = format!("#[cfg(feature = \"{feature}\")]\n{beginning}{module};\n");
    let mut last = 0;
    let mut at = 0;
    // Where the item begins whose attribute may stand above it.
    let mut item = 0;
    for row in text.split_inclusive('\n') {
        let named = |beginning: &&str| row.trim_end().strip_prefix(*beginning)?.strip_suffix(';');
        if let Some(other) = beginnings.iter().find_map(named) {
            if other > module {
                return [&text[..item], &line, &text[item..]].concat();
            }
            last = at + row.len();
        }
        at += row.len();
        // Its attribute may take several lines.
        if !row.starts_with(['#', ' ', ')']) {
            item = at;
        }
    }
    [&text[..last], &line, &text[last..]].concat()
}

/// The module of the API: its token, and what is generated.
fn module_text(name: &str, module: &str, type_name: &str, (kind, carrier): (&str, &Carrier)) -> String {
    let variable = format!("{}_TOKEN", name.to_shouty_snake_case());
    let kind = super::quoted(kind);
    let carrier = match carrier {
        Carrier::NamedHeader(name) => {
            format!("\n    const CARRIER: Carrier = Carrier::Header({});", super::quoted(name))
        }
        Carrier::Header | Carrier::Query(_) => String::new(),
    };
    let imports = if carrier.is_empty() { "Token, TokenKind" } else { "Carrier, Token, TokenKind" };
    format!(
        "//! The API `{name}`, from `openapi/apis/{name}`.

use crate::auth::{{{imports}}};

/// What opens this API.
pub type Credential = crate::auth::Credential<{type_name}>;

/// A token of this API, from `{variable}`.
pub type {type_name}Token = Token<{type_name}>;

/// The kind of [`{type_name}Token`].
#[derive(Debug)]
pub enum {type_name} {{}}

include!(concat!(env!(\"OUT_DIR\"), \"/{module}.rs\"));

#[cfg(feature = \"dispatch\")]
pub(crate) use generated::dispatch;
pub use generated::{{BASE_URL, Client, OPERATIONS, builder, types, values}};

impl TokenKind for {type_name} {{
    const NAME: &'static str = {kind};
    const VARIABLE: &'static str = \"{variable}\";{carrier}
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "mod z;\n#[cfg(feature = \"b\")]\npub use b;\n#[cfg(feature = \"d\")]\npub use d;\nuse e;\n";
    const MODULES: &str = "#[cfg(feature = \"b\")]\npub mod b;\n#[cfg(any(feature = \"b\"))]\nmod d;\npub mod f;\n";

    #[test]
    fn a_line_goes_where_rustfmt_puts_it() {
        let with = |module: &str| with_line(LINES, &["pub use "], module, module);
        for (module, expected) in [("a", "a b d"), ("c", "b c d"), ("e", "b d e")] {
            let text = with(module);
            let modules: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("pub use ")).collect();
            assert_eq!(modules.join(" ").replace(';', ""), expected);
            assert!(text.starts_with("mod z;\n#[cfg") && text.ends_with(";\nuse e;\n"), "{text}");
        }
        // Modules that are no API's stand in the same order.
        for (module, before) in [("c", "#[cfg(any"), ("e", "pub mod f"), ("g", "")] {
            let text = with_line(MODULES, &["pub mod ", "mod "], module, module);
            assert!(text.contains(&format!("#[cfg(feature = \"{module}\")]\npub mod {module};\n{before}")), "{text}");
            assert_eq!(text.ends_with(&format!("{module};\n")), before.is_empty(), "{text}");
        }
    }

    #[test]
    fn a_checkout_is_changed_in_the_places_that_name_each_api() {
        let bare = Text::new("openapi.yaml", include_str!("../../tests/fixtures/bare/openapi.yaml"));
        let url = Some("https://parcels.example/openapi.yaml");
        let added = add(Path::new(".."), "parcels", &bare, url).expect("this is a checkout");
        let shown = |file: &str| {
            let (_, text) = added.files.iter().find(|(path, _)| path == Path::new(file)).expect(file);
            let before = fs::read_to_string(Path::new("..").join(file)).unwrap_or_default();
            let new: Vec<&str> = text.lines().filter(|line| !before.lines().any(|old| old == *line)).collect();
            format!("{file}\n{}\n", new.join("\n"))
        };
        assert!(
            shown("openapi/pipeline/tests/snapshots/embedded__surface-parcels.snap")
                .contains("sendParcel: POST /accounts")
        );
        assert!(shown("openapi/apis/parcels/contract.toml").contains("url = \"https://parcels.example/openapi.yaml\""));
        let files = ["Cargo.toml", "src/lib.rs", "src/parcels.rs", "openapi/sources.toml"];
        let text = files.map(shown).join("\n");
        // Whichever other APIs there are.
        let (before, defaults) = text.split_once("default = [").expect("a feature that is on");
        let (_, after) = defaults.split_once("\"parcels\"]").expect("it is the last one");
        let text = format!("{before}default = [<others>, \"parcels\"]{after}");
        let today = clock::timestamp(clock::epoch_seconds());
        insta::assert_snapshot!(text.replace(&today[..10], "<today>"));
    }

    #[test]
    fn operations_for_which_the_clients_token_is_none_are_named() {
        let mixed = include_str!("../../tests/fixtures/bare/openapi.yaml").replacen(
            "security: [{ oauth: [parcels.read] }]",
            "security: [{ legacy: [] }]",
            1,
        );
        let added = add(Path::new(".."), "parcels", &Text::new("openapi.yaml", mixed), None).expect("a client");
        let note = "GET /accounts/{accountId}/parcels asks for `legacy`: the client, which sends `oauth`, is refused";
        assert!(added.notes.iter().any(|said| said == note), "{:?}", added.notes);
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        let bare = Text::new("openapi.yaml", include_str!("../../tests/fixtures/bare/openapi.yaml"));
        for name in [
            "scopien",
            "oauth",
            "serde",
            "match",
            "guide",
            "ingest",
            "pagination",
            "client",
            "credential",
            "token",
            "token-kind",
            "carrier",
            "testing",
            "error",
            "instasent",
            "std",
            "default",
        ] {
            let refusal = add(Path::new(".."), name, &bare, None).expect_err(name).to_string();
            assert!(refusal.contains(name), "{refusal}");
        }
        let refusal = add(Path::new("src"), "parcels", &bare, None).expect_err("no checkout").to_string();
        assert!(refusal.contains("--dir"), "{refusal}");
    }
}
