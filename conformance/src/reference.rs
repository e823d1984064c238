//! What names the resource of a path elsewhere: a parameter of the query, a member of a body, or the items of a list. `shop_id`
//! names what `/shops/{shop}` does, and so does `shop`.

use std::collections::HashMap;

use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, Operation, Parameter, Place, Retry, Writing, example};
use serde_json::Value;

use crate::probe::ids_listed;

/// Names of path parameters that do not say what they name.
const PLAIN: [&str; 10] = ["id", "name", "key", "slug", "uuid", "guid", "code", "number", "ref", "identifier"];

/// By what a resource is named.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Referring {
    /// A parameter of the query of a call that only reads.
    Query,
    /// A member of the body of a POST.
    Member,
    /// The items of a list.
    List,
}

/// Something that names the resource of a path.
#[derive(Clone, Debug)]
pub(crate) struct Reference<'a> {
    /// What it is.
    pub(crate) referring: Referring,
    /// The place of its operation.
    pub(crate) operation: usize,
    /// The name of the parameter or member; empty for the items of a list.
    pub(crate) name: &'a str,
    /// The path up to the parameter, `/shops/{shop}`.
    pub(crate) template: &'a str,
    /// The path parameter, `shop`.
    pub(crate) parameter: &'a str,
}

/// All that an API names so.
pub(crate) fn references(api: &Api) -> Vec<Reference<'_>> {
    let known = Known::of(api);
    (0..api.operations.len()).flat_map(|place| known.at(api, place)).collect()
}

/// What of an operation names the resource of a path parameter: the first that does.
pub(crate) fn reference<'a>(
    api: &'a Api,
    operation: &Operation,
    referring: Referring,
    parameter: &str,
) -> Option<Reference<'a>> {
    let place = api.operations.iter().position(|known| known.id == operation.id)?;
    let fits = |found: &Reference<'_>| found.referring == referring && found.parameter == parameter;
    Known::of(api).at(api, place).into_iter().find(fits)
}

/// Whether a parameter says what it names by the segment before it alone.
pub(crate) fn is_plain(name: &str) -> bool {
    PLAIN.contains(&name.to_lowercase().as_str())
}

/// A word without the mark of a plural.
pub(crate) fn singular(word: &str) -> String {
    word.strip_suffix("ies")
        .map_or_else(|| word.strip_suffix('s').unwrap_or(word).to_owned(), |stem| format!("{stem}y"))
}

/// The resources of the paths.
struct Known<'a> {
    /// By what they are called, each with its parameter and the path up to it.
    by_word: HashMap<String, Vec<(&'a str, &'a str)>>,
    /// By the path of the list that they stand in.
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
        let in_query =
            operation.parameters.iter().filter(|one| one.place == Place::Query && operation.retry == Retry::Safe);
        let in_query = in_query.filter(|one| is_id(api, &one.schema)).map(|one| (Referring::Query, one.name.as_str()));
        let members = members(api, operation).into_iter().map(|name| (Referring::Member, name));
        let mut found = Vec::new();
        for (referring, name) in in_query.chain(members).filter(|(_, name)| !is_plain(name)) {
            let named = self.by_word.get(&word(name)).into_iter().flatten();
            found.extend(named.map(|(parameter, template)| Reference {
                referring,
                operation: place,
                name,
                template,
                parameter,
            }));
        }
        let list = self.by_list.get(operation.path.trim_end_matches('/')).filter(|_| operation.method == "GET");
        let list = list.filter(|(parameter, _)| shows_ids(api, operation, parameter));
        found.extend(list.map(|(parameter, template)| Reference {
            referring: Referring::List,
            operation: place,
            name: "",
            template,
            parameter,
        }));
        found
    }
}

/// Whether the items of a list have ids, as the document shows them.
fn shows_ids(api: &Api, operation: &Operation, parameter: &str) -> bool {
    let success = operation.responses.iter().find(|(status, _)| status.starts_with('2'));
    let list = success.and_then(|(_, shape)| shape.schema.as_ref());
    list.is_some_and(|list| {
        let shown = example::value(api, Direction::Answer, list).to_string();
        ids_listed(&shown, parameter).is_some_and(|ids| !ids.is_empty())
    })
}

/// The members of the body of a POST that are ids by their type.
fn members<'a>(api: &'a Api, operation: &'a Operation) -> Vec<&'a str> {
    let body = operation.body.as_ref().filter(|body| operation.method == "POST" && body.writing(api) == Writing::Json);
    let schema = body.map(|body| api.resolve(&body.schema));
    let members = schema.and_then(|schema| schema.get("properties")?.as_object()).into_iter().flatten();
    let is_sent = |name: &str| schema.is_some_and(|schema| schema::is_sent(api, Direction::Request, schema, name));
    members.filter(|(name, member)| is_id(api, member) && is_sent(name)).map(|(name, _)| name.as_str()).collect()
}

/// Whether values of a schema can be ids that somebody gave out.
fn is_id(api: &Api, schema: &Value) -> bool {
    let schema = api.resolve(schema);
    matches!(api.kind(schema), None | Some("string" | "integer"))
        && ["enum", "const"].iter().all(|word| schema.get(word).is_none())
}

/// A value of such a type.
pub(crate) fn of_type(api: &Api, schema: &Value, id: &str) -> Value {
    let number = id.parse::<i64>().ok().filter(|_| api.kind(schema) == Some("integer"));
    number.map_or_else(|| Value::from(id), Value::from)
}

/// The schema of what names a resource.
pub(crate) fn schema_of<'a>(api: &'a Api, operation: &'a Operation, name: &str) -> Option<&'a Value> {
    let in_query = |one: &&Parameter| one.place == Place::Query && one.name == name;
    let parameter = operation.parameters.iter().find(in_query).map(|one| &one.schema);
    parameter.or_else(|| api.resolve(&operation.body.as_ref()?.schema).get("properties")?.get(name))
}

/// The beginnings of a path that end with a parameter by itself, each with its name.
pub(crate) fn named_by(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
    ends.filter_map(|end| {
        let template = &path[..end];
        let name = template.rsplit('/').next()?.strip_prefix('{')?.strip_suffix('}')?;
        (!name.contains(['{', '}'])).then_some((template, name))
    })
}

/// What a name is about: `shopId`, `shop_id` and `shop` are one.
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
        let text = "openapi: 3.0.3\ninfo: {title: A, version: '1'}\nservers: [{url: 'https://a.example'}]\npaths:\n  /shops/{shop}: {get: {operationId: shop, responses: {'200': {description: d}}}}\n  /users/{id}: {get: {operationId: user, responses: {'200': {description: d}}}}\n  /users: {get: {operationId: users, responses: {'200': {description: d, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: string}}}}}}}}}}\n  /shops: {get: {operationId: shops, responses: {'200': {description: d}}}}\n  /orders:\n    get: {operationId: find, parameters: [{name: shopId, in: query, schema: {type: string}}, {name: user_id, in: query, schema: {type: integer}}, {name: id, in: query, schema: {type: string}}, {name: shop, in: query, schema: {type: string, enum: [a]}}, {name: state, in: query, schema: {type: string}}], responses: {'200': {description: d}}}\n    post: {operationId: add, requestBody: {content: {application/json: {schema: {type: object, properties: {shop_id: {type: string}, user: {type: object}, id: {type: string}, userId: {type: string, readOnly: true}}}}}}, responses: {'201': {description: d}}}\n";
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
                "add: Member shop_id is /shops/{shop}",
                "find: Query shopId is /shops/{shop}",
                "find: Query user_id is /users/{id}",
                "users: List  is /users/{id}",
            ]
        );
    }
}
