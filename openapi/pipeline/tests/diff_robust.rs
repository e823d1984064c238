//! Whatever a document holds, it is compared: no panic, no loop, and a document never differs from itself.

use std::sync::OnceLock;

use keyfit_openapi::diff::{Document, diff, example, rules};
use keyfit_openapi::{Source, Text};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Values that stand where a document has others.
fn odd() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(-1.5e300),
        json!(u64::MAX),
        json!(""),
        json!("#/"),
        json!([]),
        json!({}),
        json!([[[]]]),
        json!({"$ref": "#"}),
        json!({"$ref": "#/paths"}),
        json!({"$ref": "#/components/schemas/Pet"}),
        json!({"$ref": 7}),
        json!({"allOf": [{"$ref": "#/components"}, {"$ref": "#"}]}),
        json!({"oneOf": [{"$ref": "#"}, {}, null, 3]}),
        json!({"type": ["string"], "enum": {}, "required": "all", "properties": []}),
        json!({"get": {"$ref": "#/paths"}, "post": {"parameters": [{"in": 3}, 4], "responses": []}}),
        json!({"items": {"$ref": "#"}, "additionalProperties": {"$ref": "#"}, "multipleOf": 0, "minimum": "x"}),
    ]
}

/// The pointers of all nodes but the version, which has to stay.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    if at == "/openapi" {
        return;
    }
    if !at.is_empty() {
        all.push(at.to_owned());
    }
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                pointers(member, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), all);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, &format!("{at}/{index}"), all);
            }
        }
        _ => {}
    }
}

/// One change: a place, and what is put there: an odd value, or what stands at another place.
fn mutate(document: &mut Value, (place, what, is_odd): (usize, usize, bool)) {
    let mut all = Vec::new();
    pointers(document, "", &mut all);
    let odd = odd();
    let value = if is_odd {
        odd[what % odd.len()].clone()
    } else {
        document.pointer(&all[what % all.len()]).cloned().unwrap_or_default()
    };
    // A copy inside of itself doubles the document.
    if value.to_string().len() < 20_000
        && let Some(node) = document.pointer_mut(&all[place % all.len()])
    {
        *node = value;
    }
}

fn parsed(value: &Value) -> Option<Document> {
    // A document that is refused is refused by the reader, which is not what is tested here.
    Document::read(&Text::new("mutated.json", value.to_string())).ok()
}

/// The smaller documents that ship and those of the examples.
fn seeds() -> Vec<Value> {
    let shipped = Source::from_dir("../apis/scopien".as_ref()).expect("it ships").document;
    let examples = rules::all().step_by(7).map(|rule| example::texts(rule).expect("the example is good").1);
    let mut seeds: Vec<Value> =
        examples.map(|text| serde_json::from_str(&text.text).expect("examples are JSON")).collect();
    seeds.push(yaml(&shipped));
    seeds
}

fn yaml(text: &Text) -> Value {
    let source = Source { name: "seed".to_owned(), document: text.clone(), overlay: None, contract: None };
    keyfit_openapi::Api::read(&source).unwrap_or_else(|failure| panic!("{failure}")).document
}

static SEEDS: OnceLock<Vec<Value>> = OnceLock::new();

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_documents_are_compared_in_both_directions(
        seed in any::<usize>(),
        changes in prop::collection::vec(any::<(usize, usize, bool)>(), 1..12),
    ) {
        let seeds = SEEDS.get_or_init(seeds);
        let old = seeds[seed % seeds.len()].clone();
        let mut new = old.clone();
        for change in changes {
            mutate(&mut new, change);
        }
        let (Some(before), Some(after)) = (parsed(&old), parsed(&new)) else { return Ok(()) };
        for findings in [diff(&before, &after), diff(&after, &before)] {
            for finding in findings {
                prop_assert!(!finding.detail.is_empty() && !finding.rust.is_empty(), "{finding:?}");
            }
        }
        let same = diff(&after, &after);
        prop_assert!(same.is_empty(), "{same:#?}");
    }
}
