//! Routes a method and a path to an operation. A literal segment takes precedence over a parameter: `/segment/dynamic` is not a segment
//! with the id `dynamic`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use keyfit_openapi::{Api, without_parameter_names};

use super::call::Call;
use crate::document::segment;

/// The path templates of an API as a tree with an edge for each segment, so that common parts of templates are compared once. The root
/// is the first node. A list, because recursion could exhaust the stack for a template with many segments.
pub(super) struct Router(Vec<Node>);

#[derive(Default)]
struct Node {
    literals: HashMap<String, usize>,
    mixed: MixedSegments,
    /// The edge of a parameter, whatever its name: requests do not contain names.
    parameter: Option<usize>,
    route: Route,
}

/// Segments with several parameters, or with a parameter and other text, without the names: `{}:cancel`. The keys are the texts before
/// the first parameter and after the last one, and the lengths of both.
#[derive(Default)]
struct MixedSegments(BTreeMap<(usize, usize), HashMap<Affixes, BTreeMap<String, usize>>>);

/// The texts before the first parameter of a segment and after the last one.
type Affixes = (String, String);

/// The operations whose templates end at a node, by method. They differ at most in the names of their parameters.
type Route = BTreeMap<String, Vec<Candidate>>;

/// A candidate for the operation of a request.
struct Candidate {
    /// Its index.
    operation: usize,
    /// The template with its parameter names.
    template: Vec<Segment>,
    /// The pairs that the query has to contain.
    query: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
enum Segment {
    Literal(String),
    /// A segment with several parameters, or with a parameter and other text.
    Mixed(String),
    Parameter(String),
}

/// The destination of a request.
pub(super) enum RouteMatch {
    /// An operation, with the values of its path parameters.
    Operation(usize, BTreeMap<String, String>),
    /// A path with other methods only. Contains one of its operations and the methods.
    OtherMethods(usize, String),
    /// No path of the API.
    NoPath,
}

impl Router {
    /// Builds the tree of the path templates.
    pub(super) fn new(api: &Api) -> Self {
        let operations = api.operations.iter();
        Self::of(operations.map(|operation| (&*operation.path, &*operation.method, &*operation.query)))
    }

    /// Builds the tree of the operations with these templates, methods, and query pairs.
    fn of<'a>(operations: impl IntoIterator<Item = (&'a str, &'a str, &'a [(String, String)])>) -> Self {
        let mut tree = Self(vec![Node::default()]);
        for (operation, (path, method, query)) in operations.into_iter().enumerate() {
            let template: Vec<Segment> = path.split('/').filter(|name| !name.is_empty()).map(parsed).collect();
            let end = template.iter().fold(0, |node, segment| tree.below(node, segment));
            let candidate = Candidate { operation, template, query: query.to_vec() };
            tree.0[end].route.entry(method.to_owned()).or_default().push(candidate);
        }
        tree
    }

    /// Returns the node after a segment; creates it if necessary.
    fn below(&mut self, node: usize, segment: &Segment) -> usize {
        let new = self.0.len();
        let Node { literals, mixed, parameter, .. } = &mut self.0[node];
        let next = match segment {
            Segment::Literal(text) => *literals.entry(text.clone()).or_insert(new),
            Segment::Mixed(template) => *mixed.entry(template).or_insert(new),
            Segment::Parameter(_) => *parameter.get_or_insert(new),
        };
        if next == new {
            self.0.push(Node::default());
        }
        next
    }

    /// Finds the operation of a request: the one with the most matching query pairs, and of several with the same path and query the first
    /// one that `fits`, or else the first.
    pub(super) fn route(&self, call: &Call, fits: impl Fn(usize, &BTreeMap<String, String>) -> bool) -> RouteMatch {
        let Some(route) = self.find(&call.segments, &mut 0) else { return RouteMatch::NoPath };
        // If HEAD is not documented, it is a GET without a body.
        let as_get = || route.get("GET").filter(|_| call.method == "HEAD");
        if let Some(candidates) = route.get(&call.method).or_else(as_get) {
            let has = |candidate: &&Candidate| candidate.query.iter().all(|pair| call.query.contains(pair));
            let most = candidates.iter().filter(has).map(|candidate| candidate.query.len()).max();
            let of_query = candidates.iter().filter(has).filter(|candidate| Some(candidate.query.len()) == most);
            let mut found: Vec<(usize, BTreeMap<String, String>)> = of_query
                .filter_map(|candidate| Some((candidate.operation, values(&candidate.template, &call.segments)?)))
                .collect();
            let fitting =
                if found.len() > 1 { found.iter().position(|(index, path)| fits(*index, path)) } else { None };
            if found.is_empty() {
                return RouteMatch::NoPath;
            }
            let (operation, values) = found.swap_remove(fitting.unwrap_or_default());
            return RouteMatch::Operation(operation, values);
        }
        let allowed: Vec<&str> = route.keys().map(String::as_str).collect();
        let first = route.values().flatten().next().map(|candidate| candidate.operation);
        RouteMatch::OtherMethods(first.unwrap_or_default(), allowed.join(", "))
    }

    /// Returns the most specific template that a path matches, segment by segment; counts the visited nodes.
    fn find(&self, path: &[String], looked_at: &mut usize) -> Option<&Route> {
        let mut open = vec![(0, path)];
        while let Some((node, path)) = open.pop() {
            *looked_at += 1;
            let Node { literals, mixed, parameter, route } = &self.0[node];
            let Some((text, rest)) = path.split_first() else {
                if route.is_empty() {
                    continue;
                }
                return Some(route);
            };
            // The last one is visited first.
            let next = parameter.iter().copied().chain(mixed.fitting(text)).chain(literals.get(text).copied());
            open.extend(next.map(|node| (node, rest)));
        }
        None
    }
}

impl MixedSegments {
    fn entry(&mut self, template: &str) -> std::collections::btree_map::Entry<'_, String, usize> {
        let nameless = without_parameter_names(template);
        let (before, rest) = nameless.split_once('{').unwrap_or_default();
        let (_, after) = rest.rsplit_once('}').unwrap_or_default();
        let ends = (before.to_owned(), after.to_owned());
        self.0.entry((before.len(), after.len())).or_default().entry(ends).or_default().entry(nameless)
    }

    /// Returns the nodes that a text matches, the one with the most literal text last.
    fn fitting(&self, text: &str) -> impl Iterator<Item = usize> {
        let mut fitting = Vec::new();
        for ((before, after), by_ends) in &self.0 {
            let ends = text.get(..*before).zip(text.len().checked_sub(*after).and_then(|end| text.get(end..)));
            let templates = ends.and_then(|(before, after)| by_ends.get(&(before.to_owned(), after.to_owned())));
            let templates = templates.into_iter().flatten();
            fitting.extend(templates.filter(|(template, _)| segment::read(template, text, &mut BTreeMap::new())));
        }
        fitting.sort_by_key(|(template, _)| Reverse(concreteness(template)));
        fitting.into_iter().map(|(_, node)| *node)
    }
}

/// Returns the values of the parameters of a template; `None` if a path does not match it.
fn values(template: &[Segment], path: &[String]) -> Option<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    for (segment, value) in template.iter().zip(path) {
        match segment {
            Segment::Literal(literal) if literal == value => {}
            Segment::Mixed(template) if segment::read(template, value, &mut values) => {}
            Segment::Literal(_) | Segment::Mixed(_) => return None,
            Segment::Parameter(name) => drop(values.insert(name.clone(), value.clone())),
        }
    }
    Some(values)
}

fn parsed(text: &str) -> Segment {
    match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) if !name.contains('{') => Segment::Parameter(name.to_owned()),
        _ if text.contains('{') => Segment::Mixed(text.to_owned()),
        _ => Segment::Literal(text.to_owned()),
    }
}

/// Returns the sort key of mixed segments: the one with the most literal text is first, then by that text.
fn concreteness(nameless: &str) -> (Reverse<usize>, &str) {
    (Reverse(nameless.len() - 2 * nameless.matches("{}").count()), nameless)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn router(templates: &[String]) -> Router {
        Router::of(templates.iter().map(|path| (path.as_str(), "", &[][..])))
    }

    fn segments(path: &str) -> Vec<String> {
        path.split('/').skip(1).map(str::to_owned).collect()
    }

    /// Returns the template that a path matches, and the number of visited nodes.
    fn found(router: &Router, path: &str) -> (Option<usize>, usize) {
        let mut looked_at = 0;
        let route = router.find(&segments(path), &mut looked_at);
        (route.map(|route| route[""][0].operation), looked_at)
    }

    /// Returns the index of the most specific template, by a comparison with each one.
    fn naive(templates: &[String], path: &str) -> Option<usize> {
        let path = segments(path);
        let fits = |template: &str| {
            let parts = segments(template);
            let fits = |(part, text): (&String, &String)| segment::read(part, text, &mut BTreeMap::new());
            parts.len() == path.len() && parts.iter().zip(&path).all(fits)
        };
        let rank = |template: &str| -> Vec<_> {
            let rank = |part: &String| match parsed(part) {
                Segment::Literal(_) => (0, None),
                Segment::Mixed(template) => {
                    let nameless = without_parameter_names(&template);
                    let (length, text) = concreteness(&nameless);
                    (1, Some((length, text.to_owned())))
                }
                Segment::Parameter(_) => (2, None),
            };
            segments(template).iter().map(rank).collect()
        };
        let fitting = templates.iter().enumerate().filter(|(_, template)| fits(template));
        // The first one, if several are equal.
        let best = fitting.min_by_key(|(_, template)| rank(template));
        best.map(|(place, _)| place)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_tree_finds_what_trying_each_template_finds(
            templates in vec(vec(select(vec!["a", "b", "{x}", "{y}", "a{x}", "{x}a", "{y}a", "{x}b{y}", "a{x}b", "{x}é"]), 1..5), 1..20),
            paths in vec(vec(select(vec!["a", "b", "ab", "aa", "abb", "aab", "é", "aé"]), 1..5), 1..20),
        ) {
            let written = |parts: Vec<&str>| format!("/{}", parts.join("/"));
            let mut templates: Vec<String> = templates.into_iter().map(written).collect();
            templates.sort();
            templates.dedup();
            let router = router(&templates);
            for path in paths.into_iter().map(written) {
                prop_assert_eq!(found(&router, &path).0, naive(&templates, &path), "{}", path);
            }
        }
    }

    #[test]
    fn a_lookup_looks_at_no_more_nodes_than_its_path_has_segments_however_many_templates_begin_alike() {
        let many = |template: fn(usize) -> String| (0..2000).map(template).collect::<Vec<_>>();
        for (templates, path, place) in [
            (many(|index| format!("/v1/p{index}")), "/v1/p1999", 1999),
            (many(|index| format!("/v1/{{p{index}}}/s{index}")), "/v1/x/s1999", 1999),
            (many(|index| format!("/v1/{{p{index}}}")), "/v1/x", 0),
            (many(|index| format!("/v1/{{name}}:verb{index}")), "/v1/x:verb1999", 1999),
            (many(|index| format!("/v1/part{index}-{{name}}")), "/v1/part1999-x", 1999),
        ] {
            assert_eq!(found(&router(&templates), path), (Some(place), segments(path).len() + 1), "{path}");
            assert_eq!(found(&router(&templates), "/v2/x").0, None);
        }
    }

    #[test]
    fn a_template_of_very_many_segments_is_found() {
        let templates = ["/{a}".repeat(200_000), format!("/{}", "{a}x".repeat(200_000))];
        let router = router(&templates);
        assert_eq!(found(&router, &"/a".repeat(200_000)).0, Some(0));
        assert_eq!(found(&router, &format!("/{}", "ax".repeat(200_000))).0, Some(1));
    }
}
