//! Documents in several files: read as one, each node with its file and line, and nothing from outside of the folder.

use std::fs;
use std::path::{Path, PathBuf};

use keyfit_openapi::diff::{self, diff};
use keyfit_openapi::{Api, Error, Source, Text, generate};
use serde_json::{Value, json};

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = Self(std::env::temp_dir().join(format!("keyfit-files-{name}-{}", std::process::id())));
        for (file, text) in files {
            let path = folder.0.join("api").join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        folder
    }

    fn api(&self) -> PathBuf {
        self.0.join("api")
    }

    fn source(&self) -> Result<Source, Error> {
        Source::from_path(&self.api().join("openapi.yaml"))
    }

    fn read(&self) -> Api {
        self.source().and_then(|source| Api::read(&source)).unwrap_or_else(|failure| panic!("{failure}"))
    }

    fn refusal(&self) -> String {
        let failure = self.source().and_then(|source| Api::read(&source)).expect_err("it cannot be used");
        failure.to_string().replace(&self.0.display().to_string(), "")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const HEAD: &str = "openapi: 3.0.3\ninfo: {title: Pets, version: '1'}\nservers: [{url: 'https://api.example.com'}]\n";

/// A document in files and folders, with references within files, back to the document, in chains and in circles.
const FILES: [(&str, &str); 6] = [
    (
        "openapi.yaml",
        "openapi: 3.0.3
info: {title: Pets, version: '1'}
servers: [{url: 'https://api.example.com'}]
paths:
  /pets:
    $ref: paths/pets.yaml
  /owners:
    get:
      operationId: owners
      parameters:
        - $ref: './parts/common.yaml#/parameters/Limit'
      responses:
        '200':
          $ref: './parts/common.yaml#/responses/Owner'
components:
  schemas:
    Pet:
      $ref: schemas/Pet.yaml
    Name:
      type: string
",
    ),
    (
        "paths/pets.yaml",
        "get:
  operationId: pets
  parameters:
    - $ref: '../parts/common.yaml#/parameters/Limit'
  responses:
    '200':
      description: ok
      content:
        application/json:
          schema:
            $ref: ../schemas/Pet.yaml
          example:
            $ref: not/a/reference.yaml
",
    ),
    (
        "parts/common.yaml",
        "parameters:
  Limit: {name: limit, in: query, schema: {type: integer}}
responses:
  Owner:
    description: ok
    content:
      application/json:
        schema: {$ref: '../schemas/owners/Owner.yaml'}
",
    ),
    (
        "schemas/Pet.yaml",
        "type: object
properties:
  owner: {$ref: owners/Owner.yaml}
  name: {$ref: '../openapi.yaml#/components/schemas/Name'}
  tag: {$ref: '#/$defs/Tag'}
  example: {$ref: chain.yaml}
$defs:
  Tag: {type: string, enum: [a, b]}
",
    ),
    ("schemas/chain.yaml", "$ref: 'owners/Owner.yaml#/properties/id'\n"),
    (
        "schemas/owners/Owner.yaml",
        "type: object\nproperties:\n  id: {type: integer}\n  pets: {type: array, items: {$ref: ../Pet.yaml}}\n",
    ),
];

#[test]
fn files_in_folders_are_read_as_one_document() {
    let folder = Folder::new("whole", &FILES);
    let api = folder.read();
    let ids: Vec<&str> = api.operations.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(ids, ["pets", "owners"]);
    assert!(api.operations.iter().all(|operation| operation.parameters[0].name == "limit"));
    let schemas = api.document["components"]["schemas"].as_object().expect("schemas");
    let names: Vec<&String> = schemas.keys().collect();
    assert_eq!(names, ["Pet", "Name", "Owner", "Tag", "chain", "id"]);
    let properties = &schemas["Pet"]["properties"];
    let to = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    assert_eq!(properties["owner"], to("Owner"));
    assert_eq!(properties["name"], to("Name"));
    assert_eq!(properties["tag"], to("Tag"));
    assert_eq!(properties["example"], to("chain"));
    assert_eq!(schemas["chain"], to("id"));
    assert_eq!(schemas["Owner"]["properties"]["pets"]["items"], to("Pet"));
    let place = api.location("/components/schemas/Owner/properties/pets");
    assert!(place.path.ends_with("api/schemas/owners/Owner.yaml"), "{place}");
    assert_eq!((place.line, place.pointer.as_str()), (4, "/components/schemas/Owner/properties/pets"));
    let place = api.location("/paths/~1pets/get/responses");
    assert!(place.path.ends_with("api/paths/pets.yaml") && place.line == 5, "{place}");
}

#[test]
fn a_client_is_generated_and_its_source_knows_each_file() {
    let folder = Folder::new("client", &FILES);
    let source = folder.source().expect("a document");
    let files: Vec<String> = source
        .document
        .files()
        .map(|file| Path::new(&file.path).strip_prefix(folder.api()).expect("in the folder").display().to_string())
        .collect();
    let others =
        ["parts/common.yaml", "paths/pets.yaml", "schemas/Pet.yaml", "schemas/chain.yaml", "schemas/owners/Owner.yaml"];
    assert_eq!(files[0], "openapi.yaml");
    assert_eq!(files[1..], others);
    let client = generate(&source).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(client.surface.contains("owners: GET /owners"), "{}", client.surface);
}

#[test]
fn a_document_and_the_same_in_one_file_do_not_differ() {
    let folder = Folder::new("joined", &FILES);
    let several = folder.source().expect("a document").document;
    let one = several.clone().joined().expect("one file");
    assert_eq!(one.files().count(), 1);
    let whole: Value = serde_json::from_str(&one.text).expect("JSON");
    assert!(whole["paths"]["/pets"].get("get").is_some());
    let read = |text: &Text| diff::Document::read(text).expect("a document");
    assert_eq!(diff(&read(&several), &read(&one)).len(), 0);
}

#[test]
fn an_overlay_addresses_the_whole() {
    let folder = Folder::new("overlay", &FILES);
    let overlay = "overlay: 1.0.0\ninfo: {title: a, version: '1'}\nactions:\n  - target: $.paths['/pets'].get\n    update: {x-keyfit: {retry: never}}\n";
    let source = Source { overlay: Some(Text::new("overlay.yaml", overlay)), ..folder.source().expect("a document") };
    let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(api.operations[0].retry, keyfit_openapi::Retry::Never);
}

#[test]
fn swagger_in_several_files_is_read_too() {
    let folder = Folder::new(
        "swagger",
        &[
            (
                "openapi.yaml",
                "swagger: '2.0'\ninfo: {title: a, version: '1'}\nhost: api.example.com\npaths:\n  /a:\n    post:\n      operationId: a\n      parameters:\n        - $ref: 'b.yaml#/Body'\n      responses: {'200': {description: ok, schema: {$ref: 'b.yaml#/Pet'}}}\n",
            ),
            (
                "b.yaml",
                "Body: {name: pet, in: body, schema: {$ref: '#/Pet'}}\nPet: {type: object, properties: {id: {type: string}}}\n",
            ),
        ],
    );
    let api = folder.read();
    assert_eq!(api.operations[0].body.as_ref().expect("a body").schema, json!({"$ref": "#/components/schemas/Pet"}));
    let place = api.location("/components/schemas/Pet/properties");
    assert!(
        place.path.ends_with("b.yaml") && place.line == 2 && place.pointer == "/definitions/Pet/properties",
        "{place}"
    );
}

#[test]
fn names_that_meet_are_told_apart() {
    let folder = Folder::new(
        "names",
        &[
            (
                "openapi.yaml",
                &format!(
                    "{HEAD}paths:\n  /a:\n    get: {{responses: {{'200': {{description: ok, content: {{application/json: {{schema: {{$ref: 'a/Pet.yaml'}}}}}}}}, '201': {{description: ok, content: {{application/json: {{schema: {{$ref: 'b/Pet.yaml'}}}}}}}}}}}}\ncomponents: {{schemas: {{Pet: {{type: string}}}}}}\n"
                ),
            ),
            ("a/Pet.yaml", "type: integer\n"),
            ("b/Pet.yaml", "type: boolean\n"),
        ],
    );
    let api = folder.read();
    let kind = |name: &str| api.document["components"]["schemas"][name]["type"].clone();
    assert_eq!((kind("Pet"), kind("Pet2"), kind("Pet3")), (json!("string"), json!("integer"), json!("boolean")));
}

#[test]
fn a_mapping_of_a_discriminator_names_files() {
    let pet = "type: object\nrequired: [kind]\nproperties: {kind: {type: string}}\ndiscriminator:\n  propertyName: kind\n  mapping: {cat: cat.yaml, dog: './more.yaml#/Dog', cow: Cow, bird: bird.yaml}\n";
    let part = |more: &str| {
        format!("{{allOf: [{{$ref: pet.yaml}}, {{type: object, properties: {{{more}: {{type: string}}}}}}]}}\n")
    };
    let folder = Folder::new(
        "mapping",
        &[
            (
                "openapi.yaml",
                &format!(
                    "{HEAD}paths:\n  /pets:\n    get: {{operationId: pets, responses: {{'200': {{description: ok, content: {{application/json: {{schema: {{$ref: schemas/pet.yaml}}}}}}}}}}}}\n"
                ),
            ),
            ("schemas/pet.yaml", pet),
            ("schemas/cat.yaml", &part("claws")),
            ("schemas/more.yaml", &format!("Dog: {}", part("bark"))),
        ],
    );
    let api = folder.read();
    let mapping = &api.document["components"]["schemas"]["pet"]["discriminator"]["mapping"];
    // What is a name, or a file that there is not, stays.
    let to = |name: &str| format!("#/components/schemas/{name}");
    assert_eq!(*mapping, json!({ "cat": to("cat"), "dog": to("Dog"), "cow": "Cow", "bird": "bird.yaml" }));
    let code = generate(&folder.source().expect("a document")).unwrap_or_else(|failure| panic!("{failure}")).code;
    assert!(code.contains("Cat(") && code.contains("Dog(") && code.contains("bark"), "{code}");
}

#[test]
fn what_is_outside_of_the_folder_is_not_read() {
    let folder = Folder::new("outside", &[("openapi.yaml", "")]);
    fs::write(folder.0.join("secret.yaml"), "type: string\n").expect("a file");
    let outside = folder.0.join("secret.yaml").display().to_string();
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.0.join("secret.yaml"), folder.api().join("link.yaml")).expect("a link");
    let with = |reference: &str| {
        let text = format!(
            "{HEAD}paths:\n  /a:\n    get:\n      responses: {{'200': {{description: ok, content: {{application/json: {{schema:\n        {{$ref: '{reference}'}}}}}}}}}}\n"
        );
        fs::write(folder.api().join("openapi.yaml"), text).expect("a file");
        folder.refusal()
    };
    for reference in ["../secret.yaml", "x/../../secret.yaml", outside.as_str(), "link.yaml", "/etc/passwd"] {
        #[cfg(not(unix))]
        if reference == "link.yaml" {
            continue;
        }
        fs::create_dir_all(folder.api().join("x")).expect("a folder");
        let said = with(reference);
        assert!(said.contains("a file outside of the folder of the document"), "{reference}: {said}");
        assert!(said.contains("/api/openapi.yaml:8:"), "{said}");
    }
    let said = with("nowhere.yaml");
    assert!(said.contains("a file that cannot be read") && said.contains("/api/openapi.yaml:8:"), "{said}");
    let said = with("https://example.com/pet.yaml");
    assert!(said.contains("leads to another file"), "{said}");
}

#[test]
fn what_leads_nowhere_or_in_a_circle_is_refused_with_its_place() {
    let with = |name: &str, paths: &str, other: &str| {
        let folder = Folder::new(name, &[("openapi.yaml", &format!("{HEAD}{paths}")), ("b.yaml", other)]);
        folder.refusal()
    };
    let schema = "paths:\n  /a:\n    get: {responses: {'200': {description: ok, content: {application/json: {schema: {$ref: 'b.yaml#/A'}}}}}}\n";
    let said = with("nowhere", schema, "B: {type: string}\n");
    assert!(said.contains("`b.yaml#/A` leads nowhere") && said.contains("openapi.yaml:6:"), "{said}");
    let said = with("inner", schema, "A:\n  type: array\n  items: {$ref: '#/C'}\n");
    assert!(said.contains("`#/C` leads nowhere") && said.contains("b.yaml:3:"), "{said}");
    let said = with("circle", "paths:\n  /a: {$ref: 'b.yaml#/A'}\n", "A: {$ref: '#/B'}\nB: {$ref: '#/A'}\n");
    assert!(said.contains("leads in a circle") && said.contains("b.yaml:"), "{said}");
    let said = with("malformed", schema, "A: [\n");
    assert!(said.contains("b.yaml:") && said.contains("not well-formed"), "{said}");
}

#[test]
fn a_file_is_found_by_the_address_that_it_gives_itself() {
    let folder = Folder::new(
        "self",
        &[
            (
                "openapi.yaml",
                "openapi: 3.2.0\n$self: https://api.example.com/openapi.yaml\ninfo: {title: a, version: '1'}\nservers: [{url: 'https://api.example.com'}]\npaths:\n  /a:\n    get:\n      operationId: a\n      parameters: [{$ref: 'parts/my%20parts.yaml#/L'}]\n      responses: {'200': {description: ok}}\ncomponents: {schemas: {Size: {type: integer}}}\n",
            ),
            (
                "parts/my parts.yaml",
                "L: {name: limit, in: query, schema: {$ref: 'https://api.example.com/openapi.yaml#/components/schemas/Size'}}\n",
            ),
        ],
    );
    let api = folder.read();
    assert_eq!(api.operations[0].parameters[0].schema, json!({"$ref": "#/components/schemas/Size"}));
}

#[test]
fn what_fetches_is_asked_once_for_each_url() {
    let text = FILES[0]
        .1
        .replace("$ref: ", "$ref: https://files.example/")
        .replace("'./", "'")
        .replace("https://files.example/'", "'https://files.example/");
    let mut asked = Vec::new();
    let fetched = Text::new("openapi.yaml", text).with_fetched(|url, from| {
        asked.push((url.to_owned(), from.to_owned()));
        let path = url.strip_prefix("https://files.example/").ok_or("another host")?;
        let (_, text) = FILES.iter().find(|(name, _)| *name == path).ok_or("no such file")?;
        Ok(text.as_bytes().to_vec())
    });
    let whole = fetched.and_then(Text::joined).unwrap_or_else(|failure| panic!("{failure}"));
    let whole: Value = serde_json::from_str(&whole.text).expect("JSON");
    assert_eq!(whole["components"]["schemas"]["Owner"]["properties"]["id"], json!({"type": "integer"}));
    assert!(
        asked.contains(&("https://files.example/paths/pets.yaml".to_owned(), "openapi.yaml".to_owned())),
        "{asked:?}"
    );
    let urls: std::collections::HashSet<&String> = asked.iter().map(|(url, _)| url).collect();
    assert_eq!(urls.len(), asked.len(), "{asked:?}");
}

#[test]
fn files_of_a_revision_are_of_the_same_revision_and_of_the_same_folder() {
    for (base, expected) in [("HEAD~1:", "HEAD~1:"), ("main:api/", "main:api/"), ("v1:./api/", "v1:./api/")] {
        let mut asked = Vec::new();
        let document = Text::new(format!("{base}openapi.yaml"), FILES[0].1);
        let read = document.with_files(|path| {
            asked.push(path.to_owned());
            let inside = path.strip_prefix(expected).ok_or("another revision or folder")?;
            let (_, text) = FILES.iter().find(|(name, _)| *name == inside).ok_or("no such file")?;
            Ok(text.as_bytes().to_vec())
        });
        let whole = read.and_then(Text::joined).unwrap_or_else(|failure| panic!("{base}: {failure}"));
        let whole: Value = serde_json::from_str(&whole.text).expect("JSON");
        // The reference back to the document leads to the document.
        let back = &whole["components"]["schemas"]["Pet"]["properties"]["name"];
        assert_eq!((back, asked.len()), (&json!({"$ref": "#/components/schemas/Name"}), 5), "{asked:?}");
        for outside in ["../openapi.yaml", "../../secret.yaml", "/etc/passwd", "a/../../../b.yaml"] {
            let document = Text::new(format!("{base}openapi.yaml"), FILES[0].1.replace("paths/pets.yaml", outside));
            let failure = document.with_files(|path| panic!("{path} is asked for")).expect_err("it is outside");
            assert!(failure.problem.contains("a file outside of the folder of the document"), "{base}: {failure}");
        }
    }
}

#[test]
fn the_document_is_found_again_however_its_path_is_written() {
    let folder = Folder::new("again", &FILES);
    let path = folder.api().join("./paths/../openapi.yaml");
    let api =
        Source::from_path(&path).and_then(|source| Api::read(&source)).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(api.operations.len(), 2);
}
