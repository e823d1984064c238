//! From method and path to an operation. A literal segment goes before a parameter: `/segment/dynamic` is not a segment
//! called `dynamic`.

use std::collections::{BTreeMap, HashMap};

use keyfit_openapi::Api;

use super::call::Call;
use crate::segment;

/// The path templates of an API.
pub(super) struct Router {
    /// By how many segments they have and the first of them, where it is a literal.
    routes: HashMap<(usize, Option<String>), Vec<Route>>,
}

struct Route {
    segments: Vec<Segment>,
    /// Method to the operation's index.
    methods: BTreeMap<String, usize>,
}

/// Ordered so that the literal comes first.
#[derive(Clone, Eq, Ord, PartialEq, PartialOrd)]
enum Segment {
    Literal(String),
    /// A parameter with other text around it, or several.
    Mixed(String),
    Parameter(String),
}

/// Where a request leads.
pub(super) enum Routed {
    /// To an operation, with the values of its path parameters.
    Operation(usize, BTreeMap<String, String>),
    /// To a path that has not this method but others, and to one of its operations.
    OtherMethods(usize, String),
    /// Nowhere.
    Nowhere,
}

impl Router {
    /// Reads the path templates.
    pub(super) fn new(api: &Api) -> Self {
        let mut all: BTreeMap<Vec<Segment>, BTreeMap<String, usize>> = BTreeMap::new();
        for (index, operation) in api.operations.iter().enumerate() {
            let segments: Vec<Segment> =
                operation.path.split('/').filter(|name| !name.is_empty()).map(parsed).collect();
            all.entry(segments).or_default().insert(operation.method.clone(), index);
        }
        let mut routes: HashMap<_, Vec<Route>> = HashMap::new();
        for (segments, methods) in all {
            let first = match segments.first() {
                Some(Segment::Literal(first)) => Some(first.clone()),
                _ => None,
            };
            routes.entry((segments.len(), first)).or_default().push(Route { segments, methods });
        }
        Self { routes }
    }

    /// Finds the operation of a request.
    pub(super) fn route(&self, call: &Call) -> Routed {
        let count = call.segments.len();
        let literal = call.segments.first().and_then(|first| self.routes.get(&(count, Some(first.clone()))));
        let routes = literal.into_iter().chain(self.routes.get(&(count, None))).flatten();
        let Some((route, values)) = routes.into_iter().find_map(|route| Some((route, route.values(&call.segments)?)))
        else {
            return Routed::Nowhere;
        };
        // Where nothing else is documented, HEAD is a GET without a body.
        let as_get = || route.methods.get("GET").filter(|_| call.method == "HEAD");
        if let Some(operation) = route.methods.get(&call.method).or_else(as_get) {
            return Routed::Operation(*operation, values);
        }
        let allowed: Vec<&str> = route.methods.keys().map(String::as_str).collect();
        Routed::OtherMethods(route.methods.values().copied().next().unwrap_or_default(), allowed.join(", "))
    }
}

impl Route {
    fn values(&self, path: &[String]) -> Option<BTreeMap<String, String>> {
        if path.len() != self.segments.len() {
            return None;
        }
        let mut values = BTreeMap::new();
        for (segment, value) in self.segments.iter().zip(path) {
            match segment {
                Segment::Literal(literal) if literal == value => {}
                Segment::Mixed(template) if segment::read(template, value, &mut values) => {}
                Segment::Literal(_) | Segment::Mixed(_) => return None,
                Segment::Parameter(name) => drop(values.insert(name.clone(), value.clone())),
            }
        }
        Some(values)
    }
}

fn parsed(text: &str) -> Segment {
    match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) if !name.contains('{') => Segment::Parameter(name.to_owned()),
        _ if text.contains('{') => Segment::Mixed(text.to_owned()),
        _ => Segment::Literal(text.to_owned()),
    }
}
