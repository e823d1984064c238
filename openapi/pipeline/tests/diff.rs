//! What a comparison of two documents finds: each rule in both directions, and what must not be found.

use std::fmt::Write as _;
use std::fs;

use keyfit_openapi::diff::{Document, Finding, Level, Rule, diff, example, oasdiff, rules};
use keyfit_openapi::{Source, Text};

const PAGE: &str = "DIFF-RULES.md";

fn read(text: &str) -> Document {
    Document::read(&Text::new("pets.yaml", text)).unwrap_or_else(|failure| panic!("{failure}"))
}

fn ids(findings: &[Finding]) -> Vec<&str> {
    let mut ids: Vec<&str> = findings.iter().map(|finding| finding.rule.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[test]
fn each_example_is_found_by_its_rule_alone_and_the_way_back_by_its_inverse_alone() {
    for rule in rules::all() {
        let (old, new) = example::documents(rule).unwrap_or_else(|failure| panic!("{}: {failure}", rule.id));
        assert_eq!(ids(&diff(&old, &new)), [rule.id], "{}", rule.id);
        let back = if rule.inverse.is_empty() { Vec::new() } else { vec![rule.inverse] };
        assert_eq!(ids(&diff(&new, &old)), back, "{}, the way back", rule.id);
        assert_eq!(ids(&diff(&old, &old)), [""; 0], "{}, no change", rule.id);
        assert_eq!(ids(&diff(&new, &new)), [""; 0], "{}, no change", rule.id);
    }
}

#[test]
fn a_document_of_3_1_is_compared_in_the_words_of_3_0() {
    let document = |version: &str, pet: &str| {
        read(&format!(
            "openapi: {version}\npaths:\n  /pets:\n    get: {{responses: {{'200': {{description: ok, content: {{application/json: {{schema: {pet}}}}}}}}}}}\n"
        ))
    };
    let old = document(
        "3.0.3",
        "{type: object, properties: {name: {type: string, nullable: true}, age: {type: integer, minimum: 1, exclusiveMinimum: true}, kind: {type: string, enum: [cat]}}}",
    );
    let new = document(
        "3.1.0",
        "{type: object, properties: {name: {type: [string, 'null']}, age: {type: integer, exclusiveMinimum: 1}, kind: {type: string, const: cat}}}",
    );
    assert_eq!(ids(&diff(&old, &new)), [""; 0]);
    let strict = document(
        "3.1.0",
        "{type: object, properties: {name: {type: string}, age: {type: integer, exclusiveMinimum: 1}, kind: {type: string, const: cat}}}",
    );
    assert_eq!(ids(&diff(&strict, &new)), ["response-became-nullable"]);
}

#[test]
fn every_rule_is_one_and_its_inverse_exists() {
    let all: Vec<&Rule> = rules::all().collect();
    for rule in &all {
        assert_eq!(all.iter().filter(|other| other.id == rule.id).count(), 1, "{}", rule.id);
        assert!(rules::named(rule.inverse).is_some(), "{}: no rule is called `{}`", rule.id, rule.inverse);
        assert!(rule.id.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase()), "{}", rule.id);
        assert!(rule.why.ends_with('.') && !rule.title.ends_with('.'), "{}", rule.id);
    }
}

/// The ids that must be graded above information, as a list of its own: the table may not be eased unseen.
#[test]
fn what_oasdiff_knows_of_logins_and_refusals_is_graded_above_information() {
    let breaking = [
        "api-security-added",
        "api-security-scope-added",
        "api-global-security-added",
        "api-global-security-scope-added",
        "api-security-component-type-changed",
        "api-security-component-oauth-url-changed",
        "api-security-component-oauth-token-url-changed",
        "api-security-component-oauth-scope-removed",
        "required-response-header-removed",
    ];
    let warning = [
        "api-security-removed",
        "api-global-security-removed",
        "response-non-success-status-removed",
        "response-non-success-status-added",
    ];
    let demanded = breaking.map(|id| (id, Level::Breaking)).into_iter().chain(warning.map(|id| (id, Level::Warning)));
    for (id, level) in demanded {
        let row = oasdiff::EQUIVALENTS.iter().find(|row| row.oasdiff == id);
        assert!(row.is_some_and(|row| row.at_least >= level), "{id}");
    }
    for row in &oasdiff::EQUIVALENTS {
        let rule = row.rule().unwrap_or_else(|| panic!("{}: no rule is called `{}`", row.oasdiff, row.rule));
        assert!(rule.level >= row.at_least, "{} is {}, not {}", rule.id, rule.level, row.at_least);
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch of this test alone")]
fn the_committed_page_lists_every_rule() {
    let page = page();
    if std::env::var_os("KEYFIT_WRITE_SCHEMAS").is_some() {
        fs::write(PAGE, &page).expect("the page can be written");
    }
    let found = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(found == page, "{PAGE} is out of date: run with KEYFIT_WRITE_SCHEMAS=1 and commit it");
}

fn page() -> String {
    let mut page = String::from(
        "# Rules of `keyfit spec diff`\n\nMade from `src/diff/rules` by `tests/diff.rs`; set `KEYFIT_WRITE_SCHEMAS` \
         to make it anew.\n\nA rule is `breaking` where a client that is deployed and keeps to the old document can \
         fail at run time, or where nobody can tell (`not-compared`), a `warning`\nwhere it has to be changed when it is generated anew or sees another behaviour, \
         and `info` otherwise.\n\n",
    );
    page.push_str("| rule | level | breaks | what has changed |\n|---|---|---|---|\n");
    for rule in rules::all() {
        let _ = writeln!(page, "| [`{0}`](#{0}) | {1} | {2} | {3} |", rule.id, rule.level, rule.breaks, rule.title);
    }
    page.push_str("\n## Ids of oasdiff\n\n| oasdiff | here | level |\n|---|---|---|\n");
    for row in &oasdiff::EQUIVALENTS {
        let level = row.rule().map_or(Level::Info, |rule| rule.level);
        let _ = writeln!(page, "| `{}` | [`{1}`](#{1}) | {level} |", row.oasdiff, row.rule);
    }
    let _ = writeln!(page, "\n## Examples\n\nFragments of this document:\n\n```yaml\n{}```", example::BASE);
    for rule in rules::all() {
        let place = match rule.at {
            rules::ExamplePart::Document => "the document",
            rules::ExamplePart::Operation => "`GET /pets`",
            rules::ExamplePart::Request => "the body of `POST /pets`",
            rules::ExamplePart::Answer => "the answer of `GET /pets`",
            rules::ExamplePart::Refusal => "the 404 of `GET /pets`",
        };
        let _ = writeln!(page, "\n### {}\n", rule.id);
        let _ = writeln!(page, "{}, {}: {}. {}", rule.level, rule.breaks, rule.title, rule.why);
        let _ = writeln!(page, "The way back is `{}`. In {place}:\n", rule.inverse);
        let _ = writeln!(page, "```yaml\n# before\n{}\n# after\n{}\n```", rule.old, rule.new);
    }
    page
}

#[test]
fn the_documents_that_ship_do_not_differ_from_themselves() {
    for source in Source::all_in("../apis".as_ref()).unwrap_or_else(|failure| panic!("{failure}")) {
        let document = Document::read(&source.document).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(ids(&diff(&document, &document)), [""; 0], "{}", source.name);
    }
}

const SHARED: &str = "\
openapi: 3.0.3
paths:
  /pets:
    get: {operationId: pets-list, responses: {'200': &answer {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}}
    put: {operationId: pets-put, responses: {'200': *answer}}
  /owners:
    get: {operationId: owners-list, responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/Owner'}}}}}}
  /health:
    get: {operationId: health, responses: {'200': {description: ok}}}
components:
  schemas:
    Owner: {properties: {pets: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}
    Pet: {properties: {name: {type: string}, mother: {allOf: [{$ref: '#/components/schemas/Pet'}], description: recursive}}}
";

#[test]
fn a_shared_schema_is_one_finding_that_names_every_operation_that_it_reaches() {
    let findings = diff(&read(SHARED), &read(&SHARED.replace("name: {type: string}", "name: {type: integer}")));
    let [finding] = &findings[..] else { panic!("{findings:#?}") };
    assert_eq!(finding.rule.id, "response-type-changed");
    assert_eq!(finding.place.pointer, "/components/schemas/Pet/properties/name/type");
    assert_eq!(finding.place.line, 13);
    assert_eq!(finding.rust, "`Pet::name` has another type");
    let functions: Vec<&str> = finding.operations.iter().map(|operation| operation.function.as_str()).collect();
    assert_eq!(functions, ["pets_list", "pets_put", "owners_list"]);
}

#[test]
fn what_went_stands_in_the_old_document_and_is_pointed_at_in_the_new_one() {
    let new = SHARED.replace("{properties: {name: {type: string}, mother", "{properties: {mother");
    let findings = diff(&read(SHARED), &read(&new));
    assert_eq!(ids(&findings), ["response-optional-property-removed"]);
    assert_eq!(findings[0].place.pointer, "/components/schemas/Pet/properties/name");
    assert_eq!((findings[0].place.line, findings[0].nearest.line), (13, 13));
    assert_eq!(findings[0].rust, "the field `Pet::name` is gone");
}

#[test]
fn an_operation_without_an_id_is_called_as_the_generator_calls_it() {
    let text = "openapi: 3.0.3\npaths: {'/sms/{id}': {get: {responses: {}}}}";
    let findings = diff(&read(text), &read("openapi: 3.0.3\npaths: {}"));
    assert_eq!(ids(&findings), ["operation-removed"]);
    assert_eq!(findings[0].rust, "the method `get_sms_by_id` is gone");
    // An id of the same Rust name is another id, but no other method.
    let findings = diff(&read(text), &read(&text.replace("responses", "operationId: getSmsById, responses")));
    assert_eq!(findings[0].rust, "no change: both ids give one name");
}

#[test]
fn requirements_that_an_operation_takes_over_from_the_document_are_the_same() {
    let old =
        "openapi: 3.0.3\nsecurity: [{login: [a]}]\npaths: {/pets: {get: {security: [{login: [a]}], responses: {}}}}";
    let new = "openapi: 3.0.3\nsecurity: [{login: [a]}]\npaths: {/pets: {get: {responses: {}}}}";
    assert_eq!(ids(&diff(&read(old), &read(new))), [""; 0]);
    let new = new.replacen("[a]", "[a, b]", 1);
    assert_eq!(ids(&diff(&read(old), &read(&new))), ["security-scope-added"]);
}

#[test]
fn scopes_under_a_key_of_the_vendors_count_as_scopes() {
    let document = |scopes: &str| {
        read(&format!("openapi: 3.0.3\npaths:\n  /pets:\n    get: {{x-required-scopes: {scopes}, responses: {{}}}}\n"))
    };
    let (one, two) = (document("[read]"), document("read write"));
    assert_eq!(ids(&diff(&one, &two)), ["security-scope-added"]);
    assert_eq!(ids(&diff(&two, &one)), ["security-scope-removed"]);
}

#[test]
fn an_empty_alternative_makes_the_login_optional() {
    let document = |security: &str| {
        read(&format!("openapi: 3.0.3\npaths: {{/pets: {{get: {{security: {security}, responses: {{}}}}}}}}"))
    };
    let findings = diff(&document("[{}, {login: [a]}]"), &document("[{login: [a]}]"));
    assert_eq!(ids(&findings), ["security-login-required"]);
    let findings = diff(&document("[{login: [a]}]"), &document("[{login: [a, b]}, {}]"));
    assert_eq!(ids(&findings), ["security-login-dropped", "security-scope-added"]);
}

#[test]
fn a_header_has_no_case_and_a_media_type_no_parameters() {
    let old = "openapi: 3.0.3\npaths: {/pets: {get: {responses: {'429': {headers: {Retry-After: {schema: {type: integer}}}, content: {application/json; charset=utf-8: {}}}}}}}";
    let new = old.replace("Retry-After", "retry-after").replace("application/json; charset=utf-8", "application/JSON");
    assert_eq!(ids(&diff(&read(old), &read(&new))), [""; 0]);
    let new = old.replace("Retry-After", "Retry-Later");
    assert_eq!(ids(&diff(&read(old), &read(&new))), ["rate-limit-header-removed", "response-header-added"]);
}

#[test]
fn references_in_a_circle_and_chains_of_different_lengths_end() {
    let chain = |length: usize| {
        let mut text = String::from(
            "openapi: 3.0.3\npaths: {/a: {get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/S0'}}}}}}}}\ncomponents:\n  schemas:\n    Loop: {$ref: '#/components/schemas/Loop'}\n",
        );
        for index in 0..length {
            let next = (index + 1) % length;
            let _ = writeln!(
                text,
                "    S{index}: {{properties: {{next: {{$ref: '#/components/schemas/S{next}'}}, self: {{$ref: '#/components/schemas/Loop'}}}}}}"
            );
        }
        read(&text)
    };
    let findings = diff(&chain(31), &chain(37));
    assert_eq!(ids(&findings), ["schema-renamed"]);
}

#[test]
fn what_an_unchanged_schema_refers_to_is_found_however_far_it_is() {
    let chain = |last: &str| {
        let mut text = String::from(
            "openapi: 3.0.3\npaths: {/a: {get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/S0'}}}}}}}}\ncomponents:\n  schemas:\n",
        );
        for index in 0..20 {
            let next = index + 1;
            let _ = writeln!(
                text,
                "    S{index}: {{properties: {{next: {{items: {{$ref: '#/components/schemas/S{next}'}}}}, first: {{$ref: '#/components/schemas/S0'}}}}}}"
            );
        }
        read(&format!("{text}    S20: {{type: {last}}}\n"))
    };
    assert_eq!(ids(&diff(&chain("string"), &chain("integer"))), ["response-type-changed"]);
    assert!(diff(&chain("string"), &chain("string")).is_empty());
}

/// Each set of parts is another schema: there are two to the power of their number.
#[test]
fn members_of_many_parts_end_in_a_finding() {
    let entangled = |last: &str| {
        let mut text = String::from(
            "openapi: 3.0.3\npaths: {/a: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/S0'}}}}, responses: {}}}}\ncomponents:\n  schemas:\n    S0: {allOf: [{properties: {a: {$ref: '#/components/schemas/S0'}, b: {$ref: '#/components/schemas/S0'}}}, {properties: {a: {$ref: '#/components/schemas/S1'}}}]}\n",
        );
        for index in 1..40 {
            let next = format!("{{$ref: '#/components/schemas/S{}'}}", index + 1);
            let _ = writeln!(text, "    S{index}: {{properties: {{a: {next}, b: {next}}}}}");
        }
        let _ = writeln!(text, "    S40: {{properties: {{c: {{type: {last}}}}}}}");
        read(&text)
    };
    assert_eq!(ids(&diff(&entangled("string"), &entangled("integer"))), ["not-compared"]);
}

/// What a comparison of two request bodies finds.
fn of_bodies(version: &str, old: &str, new: &str) -> Vec<&'static str> {
    let document = |schema: &str| {
        read(&format!(
            "openapi: {version}\npaths:\n  /pets:\n    post: {{requestBody: {{content: {{application/json: {{schema: {schema}}}}}}}, responses: {{'200': {{description: ok}}}}}}\n"
        ))
    };
    let mut ids: Vec<&str> = diff(&document(old), &document(new)).iter().map(|finding| finding.rule.id).collect();
    ids.dedup();
    ids
}

#[test]
fn a_schema_is_wider_with_another_shape_and_the_same_with_itself_alone() {
    let one = "{properties: {sku: {type: string, maxLength: 9}}}";
    for both in ["{type: [string, integer], maxLength: 9}", "{oneOf: [{type: integer}, {type: string, maxLength: 9}]}"]
    {
        let both = format!("{{properties: {{sku: {both}}}}}");
        assert_eq!(of_bodies("3.1.0", one, &both), ["request-type-widened"], "{both}");
        assert_eq!(of_bodies("3.1.0", &both, one), ["request-type-narrowed"], "{both}");
    }
    let wrapped = format!("{{anyOf: [{one}]}}");
    assert_eq!(of_bodies("3.0.3", one, &wrapped), [""; 0]);
    assert_eq!(of_bodies("3.0.3", &wrapped, one), [""; 0]);
    let with_null = ["{type: [string, 'null']}", "{type: [string, integer, 'null']}"];
    assert_eq!(of_bodies("3.1.0", with_null[0], with_null[1]), ["request-type-widened"]);
    let narrower = "{oneOf: [{properties: {sku: {type: string, maxLength: 5}}}]}";
    assert_eq!(of_bodies("3.0.3", one, narrower), ["request-constraint-narrowed"]);
}

#[test]
fn a_limit_is_what_it_leaves() {
    let number = |kind: &str, limit: &str| format!("{{properties: {{age: {{type: {kind}, {limit}}}}}}}");
    let compare = |kind: &str, old: &str, new: &str| of_bodies("3.0.3", &number(kind, old), &number(kind, new));
    let above = "minimum: 0, exclusiveMinimum: true";
    assert_eq!(compare("integer", "minimum: 1", above), [""; 0]);
    assert_eq!(compare("integer", "maximum: 9", "maximum: 10, exclusiveMaximum: true"), [""; 0]);
    assert_eq!(compare("number", "minimum: 1", above), ["request-constraint-widened"]);
    assert_eq!(compare("number", "minimum: 0", above), ["request-constraint-narrowed"]);
    assert_eq!(compare("number", "maximum: 9", "maximum: 8"), ["request-constraint-narrowed"]);
    assert_eq!(compare("number", "maximum: 9", "description: any"), ["request-constraint-widened"]);
    assert_eq!(compare("number", "description: any", "maximum: 9"), ["request-constraint-narrowed"]);
}

#[test]
fn what_3_0_has_no_word_for_is_compared_too() {
    let schema = |word: &str| format!("{{type: object, {word}}}");
    for word in [
        "dependentRequired: {a: [b]}",
        "dependentSchemas: {a: {required: [b]}}",
        "dependencies: {a: [b]}",
        "if: {required: [a]}",
        "propertyNames: {maxLength: 3}",
        "unevaluatedProperties: false",
        "contains: {type: string}",
    ] {
        for version in ["3.0.3", "3.1.0"] {
            let (old, new) = (schema("title: pet"), schema(word));
            let has = |found: Vec<&'static str>, rule| found.contains(&rule);
            assert!(has(of_bodies(version, &old, &new), "request-constraint-narrowed"), "{version} {word}");
            assert!(has(of_bodies(version, &new, &old), "request-constraint-widened"), "{version} {word}");
        }
    }
    let free = schema("unevaluatedProperties: true");
    assert_eq!(of_bodies("3.1.0", &schema("title: pet"), &free), [""; 0]);
}

/// What a comparison of two operations finds.
fn of_operations(old: &str, new: &str) -> Vec<&'static str> {
    let document = |operation: &str| read(&format!("openapi: 3.0.3\npaths: {{/pets: {{post: {operation}}}}}"));
    let mut ids: Vec<&str> = diff(&document(old), &document(new)).iter().map(|finding| finding.rule.id).collect();
    ids.dedup();
    ids
}

#[test]
fn a_range_of_statuses_covers_each_of_them() {
    let body = |kind: &str| format!("{{description: ok, content: {{application/json: {{schema: {{type: {kind}}}}}}}}}");
    let answers = |status: &str, kind: &str| format!("{{responses: {{'{status}': {}}}}}", body(kind));
    assert_eq!(of_operations(&answers("200", "string"), &answers("2XX", "string")), ["response-success-status-added"]);
    assert_eq!(of_operations(&answers("2XX", "string"), &answers("200", "string")), [""; 0]);
    assert_eq!(of_operations(&answers("404", "string"), &answers("4xx", "string")), ["error-status-added"]);
    assert_eq!(of_operations(&answers("4XX", "string"), &answers("404", "string")), [""; 0]);
    // What is answered is compared all the same, and another class covers nothing.
    let found = of_operations(&answers("200", "string"), &answers("2XX", "integer"));
    assert_eq!(found, ["response-type-changed", "response-success-status-added"]);
    assert_eq!(of_operations(&answers("4XX", "string"), &answers("404", "integer")), ["error-type-changed"]);
    assert_eq!(
        of_operations(&answers("404", "string"), &answers("5XX", "string")),
        ["error-status-removed", "error-status-added"]
    );
}

#[test]
fn a_media_type_is_another_one_with_another_version() {
    let body = |name: &str| format!("{{requestBody: {{content: {{'{name}': {{}}}}}}, responses: {{}}}}");
    let one = body("application/json; version=1");
    assert_eq!(of_operations(&one, &body("application/json;charset=utf-8; Version=\"1\"")), [""; 0]);
    let found = of_operations(&one, &body("application/json; version=2"));
    assert_eq!(found, ["request-media-type-removed", "request-media-type-added"]);
}

#[test]
fn how_members_of_a_form_are_written_counts() {
    let form = |media_type: &str, encoding: &str| {
        format!(
            "{{requestBody: {{content: {{{media_type}: {{schema: {{properties: {{tags: {{type: array}}}}}}, encoding: {{{encoding}}}}}}}}}, responses: {{}}}}"
        )
    };
    let (urlencoded, parts) = ("application/x-www-form-urlencoded", "multipart/form-data");
    let compare = |kind: &str, old: &str, new: &str| of_operations(&form(kind, old), &form(kind, new));
    for other in ["tags: {explode: false}", "tags: {style: spaceDelimited}", "tags: {allowReserved: true}"] {
        assert_eq!(compare(urlencoded, "", other), ["request-encoding-changed"], "{other}");
        assert_eq!(compare(urlencoded, other, ""), ["request-encoding-changed"], "{other}");
    }
    assert_eq!(compare(urlencoded, "", "tags: {style: form, explode: true}"), [""; 0]);
    let png = "tags: {contentType: image/png}";
    let both = "tags: {contentType: 'image/jpeg, image/png'}";
    assert_eq!(compare(parts, png, both), ["request-constraint-widened"]);
    assert_eq!(compare(parts, both, png), ["request-encoding-changed"]);
    assert_eq!(compare(parts, "", "tags: {headers: {X-Part: {schema: {type: string}}}}"), ["request-encoding-changed"]);
    // Of a member that is not there, and of other media types, it says nothing.
    assert_eq!(compare(parts, "", "other: {contentType: image/png}"), [""; 0]);
    assert_eq!(compare("application/json", "", png), [""; 0]);
}

#[test]
fn the_values_of_a_server_variable_are_servers() {
    let servers = |values: &str| {
        read(&format!(
            "openapi: 3.0.3\nservers: [{{url: 'https://{{region}}.example.com', variables: {{region: {{default: eu{values}}}}}}}]\npaths: {{}}"
        ))
    };
    let compare = |old: &str, new: &str| ids(&diff(&servers(old), &servers(new))).join(" ");
    assert_eq!(compare(", enum: [eu, us]", ", enum: [eu]"), "server-removed");
    assert_eq!(compare(", enum: [eu]", ", enum: [us, eu]"), "server-added");
    assert_eq!(compare("", ", enum: [eu]"), "server-removed");
    assert_eq!(compare(", enum: [eu]", ""), "server-added");
}

#[test]
fn the_name_of_a_header_with_a_key_has_no_case() {
    let key = |place: &str, name: &str| {
        read(&format!(
            "openapi: 3.0.3\nsecurity: [{{key: []}}]\npaths: {{/pets: {{get: {{responses: {{}}}}}}}}\ncomponents: {{securitySchemes: {{key: {{type: apiKey, in: {place}, name: {name}}}}}}}"
        ))
    };
    assert_eq!(ids(&diff(&key("header", "X-Key"), &key("header", "x-key"))), [""; 0]);
    assert_eq!(ids(&diff(&key("query", "X-Key"), &key("query", "x-key"))), ["security-token-moved"]);
    assert_eq!(ids(&diff(&key("header", "X-Key"), &key("header", "X-Token"))), ["security-token-moved"]);
}

#[test]
fn a_login_that_is_not_described_is_called_so_and_one_that_still_does_too() {
    let document = |security: &str| {
        read(&format!(
            "openapi: 3.0.3\npaths: {{/pets: {{get: {{security: {security}, responses: {{}}}}}}}}\ncomponents: {{securitySchemes: {{key: {{type: http, scheme: bearer}}}}}}"
        ))
    };
    let details = |old: &str, new: &str| -> Vec<String> {
        diff(&document(old), &document(new)).into_iter().map(|finding| finding.detail).collect()
    };
    let found = details("[{key: []}]", "[{kye: []}]");
    assert_eq!(found, ["`key` will no longer do", "`kye` (no such scheme is described) will do as well"]);
    assert_eq!(details("[{key: []}]", "[{key: []}, {}]"), ["a login is no longer needed; `key` will still do"]);
    assert_eq!(details("[{key: []}]", "[]"), ["a login is no longer needed, which was `key`"]);
}
