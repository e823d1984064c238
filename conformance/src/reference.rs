//! References to the resource of a path outside the path: a query parameter, a member of a body, or the items of a list. Both `shop_id` and
//! `shop` refer to the resource of `/shops/{shop}`.

use std::collections::HashMap;

use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, BodyFormat, Operation, Parameter, ParameterLocation, Retry, example};
use serde_json::Value;

use crate::body;
use crate::pointer;
use crate::probe::ids_listed;

/// Names of path parameters that do not identify the kind of resource.
const PLAIN: [&str; 10] = ["id", "name", "key", "slug", "uuid", "guid", "code", "number", "ref", "identifier"];

/// The kind of a reference to a resource.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Referring {
    /// A query parameter of a safe call.
    Query,
    /// A member of a JSON body of a POST or a changing call: at the top, in an object there, or as the items of a list.
    Member,
    /// The items of a list.
    List,
}

/// A reference to the resource of a path.
#[derive(Clone, Debug)]
pub(crate) struct Reference<'a> {
    /// Its kind.
    pub(crate) referring: Referring,
    /// The index of its operation.
    pub(crate) operation: usize,
    /// The name of the parameter, or the pointer to the member; empty for the items of a list.
    pub(crate) name: String,
    /// The path up to the parameter, `/shops/{shop}`.
    pub(crate) template: &'a str,
    /// The path parameter, `shop`.
    pub(crate) parameter: &'a str,
}

/// Returns all references in an API.
pub(crate) fn references(api: &Api) -> Vec<Reference<'_>> {
    let known = Known::of(api);
    (0..api.operations.len()).flat_map(|place| known.at(api, place)).collect()
}

/// Returns the references in an operation to the resource of a path parameter.
pub(crate) fn references_at<'a>(
    api: &'a Api,
    operation: &Operation,
    referring: Referring,
    parameter: &str,
) -> Vec<Reference<'a>> {
    let Some(place) = api.operations.iter().position(|known| known.id == operation.id) else { return Vec::new() };
    let fits = |found: &Reference<'_>| found.referring == referring && found.parameter == parameter;
    Known::of(api).at(api, place).into_iter().filter(fits).collect()
}

/// Returns the first of these references.
pub(crate) fn reference<'a>(
    api: &'a Api,
    operation: &Operation,
    referring: Referring,
    parameter: &str,
) -> Option<Reference<'a>> {
    references_at(api, operation, referring, parameter).into_iter().next()
}

/// Returns whether the name of a parameter does not identify a resource without the segment before it.
pub(crate) fn is_plain(name: &str) -> bool {
    PLAIN.contains(&name.to_lowercase().as_str())
}

/// Returns a word in the singular.
pub(crate) fn singular(word: &str) -> String {
    word.strip_suffix("ies")
        .map_or_else(|| word.strip_suffix('s').unwrap_or(word).to_owned(), |stem| format!("{stem}y"))
}

/// The resources of the paths.
struct Known<'a> {
    /// By name, each with its parameter and the path up to it.
    by_word: HashMap<String, Vec<(&'a str, &'a str)>>,
    /// By the path of their list.
    by_list: HashMap<&'a str, (&'a str, &'a str)>,
}

impl<'a> Known<'a> {
    fn of(api: &'a Api) -> Self {
        let (mut by_word, mut by_list) = (HashMap::<String, Vec<_>>::new(), HashMap::new());
        for (template, parameter) in api.operations.iter().flat_map(|operation| named_by(&operation.path)) {
            let above = template.rsplit_once('/').map_or("", |(above, _)| above);
            by_list.entry(above).or_insert((parameter, template));
            let before = above.rsplit('/').next().unwrap_or_default();
            let word = if is_plain(parameter) { plain(&singular(before)) } else { word(parameter) };
            let known = by_word.entry(word).or_default();
            if !known.iter().any(|(name, _)| *name == parameter) {
                known.push((parameter, template));
            }
        }
        Self { by_word, by_list }
    }

    fn at(&self, api: &'a Api, place: usize) -> Vec<Reference<'a>> {
        let operation = &api.operations[place];
        let in_query = operation
            .parameters
            .iter()
            .filter(|one| one.location == ParameterLocation::Query && operation.retry == Retry::Safe);
        let in_query = in_query.filter(|one| is_id(api, &one.schema) && !is_plain(&one.name));
        let in_query = in_query.map(|one| (Referring::Query, one.name.clone(), word(&one.name)));
        let members = members(api, operation).into_iter().map(|member| (Referring::Member, member.at, member.word));
        let mut found = Vec::new();
        for (referring, name, word) in in_query.chain(members) {
            let named = self.by_word.get(&word).into_iter().flatten();
            found.extend(named.map(|(parameter, template)| Reference {
                referring,
                operation: place,
                name: name.clone(),
                template,
                parameter,
            }));
        }
        let list = self.by_list.get(operation.path.trim_end_matches('/')).filter(|_| operation.method == "GET");
        let list = list.filter(|(parameter, _)| shows_ids(api, operation, parameter));
        found.extend(list.map(|(parameter, template)| Reference {
            referring: Referring::List,
            operation: place,
            name: String::new(),
            template,
            parameter,
        }));
        found
    }
}

/// Returns whether the document's example of a list has items with ids.
fn shows_ids(api: &Api, operation: &Operation, parameter: &str) -> bool {
    let success = operation.responses.iter().find(|(status, _)| status.starts_with('2'));
    let list = success.and_then(|(_, shape)| shape.schema.as_ref());
    list.is_some_and(|list| {
        let shown = example::value(api, Direction::Answer, list).to_string();
        ids_listed(&shown, parameter).is_some_and(|ids| !ids.is_empty())
    })
}

/// A member that may refer to a resource.
struct Member {
    /// The pointer to it; that of a list's first item if the list contains ids.
    at: String,
    /// The word for the resource.
    word: String,
}

/// The depth to which a body is searched: three levels of members.
const DEPTH: usize = 3;
/// Members that contain the object's own id.
const OWN_IDS: [&str; 3] = ["id", "uuid", "guid"];

/// Returns the members of a JSON body that may be ids by their type, those at the top first.
fn members(api: &Api, operation: &Operation) -> Vec<Member> {
    let is_sent = matches!(operation.method.as_str(), "POST" | "PUT" | "PATCH");
    let body = operation.body.as_ref().filter(|body| is_sent && body.format(api) == BodyFormat::Json);
    let mut found = Vec::new();
    if let Some(body) = body {
        gather(api, &body.schema, ("", ""), DEPTH, &mut found);
    }
    found.sort_by_key(|member| member.at.matches('/').count());
    found
}

fn gather(api: &Api, schema: &Value, (at, around): (&str, &str), depth: usize, found: &mut Vec<Member>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let schema = api.resolve(schema);
    for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if !schema::is_sent(api, Direction::Request, schema, name) {
            continue;
        }
        let at = pointer::join(at, name);
        match api.kind(member) {
            Some("object") => gather(api, member, (&at, name), depth, found),
            Some("array")
                if api.entries(member).is_some_and(|entry| is_id(api, entry) && api.kind(entry).is_some()) =>
            {
                found.push(Member { at: format!("{at}{FIRST}"), word: word(&singular(name)) });
            }
            _ if !is_id(api, member) => {}
            // `{ "shop": { "id": … } }`
            _ if OWN_IDS.contains(&name.as_str()) && !around.is_empty() => {
                found.push(Member { at, word: word(around) });
            }
            _ if !is_plain(name) => found.push(Member { at, word: word(name) }),
            _ => {}
        }
    }
}

/// The end of a pointer to the items of a list.
const FIRST: &str = "/0";

/// Writes the id of a resource to a place in a body; in a list as the only item.
pub(crate) fn put(body: &mut Value, at: &str, id: Value) {
    match at.strip_suffix(FIRST) {
        Some(list) => pointer::put(body, list, Value::from(vec![id])),
        None => pointer::put(body, at, id),
    }
}

/// Returns the ids at a place in a body; `None` if there are none.
pub(crate) fn ids_at(body: &Value, at: &str) -> Option<Vec<String>> {
    match at.strip_suffix(FIRST) {
        Some(list) => Some(body.pointer(list)?.as_array()?.iter().map(body::plain).collect()),
        None => body.pointer(at).filter(|id| !id.is_null()).map(|id| vec![body::plain(id)]),
    }
}

/// Returns whether values of a schema can be assigned ids.
fn is_id(api: &Api, schema: &Value) -> bool {
    let schema = api.resolve(schema);
    matches!(api.kind(schema), None | Some("string" | "integer"))
        && ["enum", "const"].iter().all(|word| schema.get(word).is_none())
}

/// Returns an id as a value of the schema's type.
pub(crate) fn of_type(api: &Api, schema: &Value, id: &str) -> Value {
    let number = id.parse::<i64>().ok().filter(|_| api.kind(schema) == Some("integer"));
    number.map_or_else(|| Value::from(id), Value::from)
}

/// Returns the schema of a reference.
pub(crate) fn schema_of<'a>(api: &'a Api, operation: &'a Operation, name: &str) -> Option<&'a Value> {
    let in_query = |one: &&Parameter| one.location == ParameterLocation::Query && one.name == name;
    let parameter = operation.parameters.iter().find(in_query).map(|one| &one.schema);
    let body = operation.body.as_ref().map(|body| &body.schema);
    parameter.or_else(|| match name.strip_suffix(FIRST) {
        Some(list) => api.entries(api.member(body?, list)?),
        None => api.member(body?, name),
    })
}

/// Returns the prefixes of a path that end with a whole parameter, with its name.
pub(crate) fn named_by(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
    ends.filter_map(|end| {
        let template = &path[..end];
        let name = template.rsplit('/').next()?.strip_prefix('{')?.strip_suffix('}')?;
        (!name.contains(['{', '}'])).then_some((template, name))
    })
}

/// Returns the word for the resource in a name: that of `shopId`, `shop_id` and `shop` is the same.
fn word(name: &str) -> String {
    let plain = plain(name);
    plain.strip_suffix("id").filter(|word| !word.is_empty()).map_or_else(|| plain.clone(), str::to_owned)
}

fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::{Source, Text};

    use super::*;

    #[test]
    fn each_parameter_that_is_a_segment_is_named_by_the_path_up_to_it() {
        let named: Vec<_> = named_by("/users/{user}/keys/{key}/use").collect();
        assert_eq!(named, [("/users/{user}", "user"), ("/users/{user}/keys/{key}", "key")]);
        assert_eq!(named_by("/a/{b}:{c}/d").count(), 0);
        assert_eq!(named_by("/{a}").collect::<Vec<_>>(), [("/{a}", "a")]);
    }

    #[test]
    fn a_resource_is_named_by_what_is_called_like_it() {
        let text = "openapi: 3.0.3\ninfo: {title: A, version: '1'}\nservers: [{url: 'https://a.example'}]\npaths:\n  /shops/{shop}: {get: {operationId: shop, responses: {'200': {description: d}}}}\n  /users/{id}: {get: {operationId: user, responses: {'200': {description: d}}}}\n  /users: {get: {operationId: users, responses: {'200': {description: d, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: string}}}}}}}}}}\n  /shops: {get: {operationId: shops, responses: {'200': {description: d}}}}\n  /orders:\n    get: {operationId: find, parameters: [{name: shopId, in: query, schema: {type: string}}, {name: user_id, in: query, schema: {type: integer}}, {name: id, in: query, schema: {type: string}}, {name: shop, in: query, schema: {type: string, enum: [a]}}, {name: state, in: query, schema: {type: string}}], responses: {'200': {description: d}}}\n    post: {operationId: add, requestBody: {content: {application/json: {schema: {type: object, properties: {shop_id: {type: string}, user: {type: object}, id: {type: string}, userId: {type: string, readOnly: true}}}}}}, responses: {'201': {description: d}}}\n    patch: {operationId: change, requestBody: {content: {application/json: {schema: {type: object, properties: {shop: {type: object, properties: {id: {type: string}, name: {type: string}}}, to: {type: object, properties: {user_ids: {type: array, items: {type: integer}}, far: {type: object, properties: {shop: {type: object, properties: {id: {type: string}}}}}}}}}}}}, responses: {'200': {description: d}}}\n";
        let source =
            Source { name: "a".to_owned(), document: Text::new("a.yaml", text), overlay: None, contract: None };
        let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
        let told = |one: &Reference<'_>| {
            let id = &api.operations[one.operation].id;
            format!("{id}: {:?} {} is {}", one.referring, one.name, one.template)
        };
        let mut found: Vec<String> = references(&api).iter().map(told).collect();
        found.sort();
        assert_eq!(
            found,
            [
                "add: Member /shop_id is /shops/{shop}",
                "change: Member /shop/id is /shops/{shop}",
                "change: Member /to/user_ids/0 is /users/{id}",
                "find: Query shopId is /shops/{shop}",
                "find: Query user_id is /users/{id}",
                "users: List  is /users/{id}",
            ]
        );
    }
}
