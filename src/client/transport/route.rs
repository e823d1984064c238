//! The paths of operations, split once and not for each request.

use std::ptr;
use std::sync::OnceLock;

use crate::error::{Api, Operation};

/// The path of an operation.
pub(super) struct Route {
    /// Its segments; `None` for those with an argument.
    segments: Vec<Option<&'static [u8]>>,
    /// The arguments that say whose budget a request takes from, by their places counted from the end: the path may stand below a
    /// base path.
    owners: Vec<usize>,
}

impl Route {
    pub(super) fn of(operation: &Operation) -> Self {
        let segments = || operation.path.split('/');
        let literal = |segment: &'static str| (!segment.contains('{')).then_some(segment.as_bytes());
        let is_owner = |segment: &str| {
            let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            name.is_some_and(|name| operation.rate_limit_by.contains(&name))
        };
        let places = segments().rev().enumerate().filter(|(_, segment)| is_owner(segment));
        Self { segments: segments().map(literal).collect(), owners: places.map(|(place, _)| place).collect() }
    }

    /// Whether a path is made from it: as many segments, the literal ones equal, the others not empty.
    pub(super) fn fits(&self, path: &str) -> bool {
        let mut segments = split(path);
        let fit = self.segments.iter().all(|expected| match (segments.next(), expected) {
            (Some(segment), Some(literal)) => segment == *literal,
            (Some(segment), None) => !segment.is_empty(),
            (None, _) => false,
        });
        fit && segments.next().is_none()
    }

    /// What a path says of whose budget it is, each value before a slash.
    pub(super) fn owner(&self, path: &str) -> Vec<u8> {
        let mut owner = Vec::with_capacity(path.len());
        let mut segments = split(path).rev().enumerate();
        for place in &self.owners {
            let value = segments.find(|(passed, _)| passed == place).map(|(_, value)| value);
            owner.extend_from_slice(value.unwrap_or_default());
            owner.push(b'/');
        }
        owner
    }
}

/// Bytes split faster than text.
fn split(path: &str) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.as_bytes().split(|byte| *byte == b'/')
}

/// The paths of an API's operations, each split when it is first called.
pub(super) struct Routes {
    operations: &'static [Operation],
    routes: Vec<OnceLock<Route>>,
}

impl Routes {
    pub(super) fn new(api: &'static Api) -> Self {
        let operations = api.operations;
        Self { operations, routes: operations.iter().map(|_| OnceLock::new()).collect() }
    }

    /// Looks at the path of an operation, which need not be one of the table.
    pub(super) fn with<T>(&self, operation: &Operation, look: impl FnOnce(&Route) -> T) -> T {
        match self.row(operation) {
            Some(row) => look(row.get_or_init(|| Route::of(operation))),
            None => look(&Route::of(operation)),
        }
    }

    fn row(&self, operation: &Operation) -> Option<&OnceLock<Route>> {
        let offset = ptr::from_ref(operation).addr().checked_sub(self.operations.as_ptr().addr())?;
        let index = offset / size_of::<Operation>();
        self.routes.get(index).filter(|_| ptr::eq(&raw const self.operations[index], operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::operation::Retry;

    static OPERATIONS: [Operation; 2] = [
        Operation::new("lines", "lines", "GET", "/orders/{order}/lines/{id}").with_rate_limit_by(&["id", "order"]),
        Operation::new("list", "list", "GET", "/orders"),
    ];
    static API: Api = Api::new("orders").with_operations(&OPERATIONS);

    fn fits(path: &str, template: &'static str) -> bool {
        Route::of(&Operation { path: template, ..Operation::undocumented("GET", Retry::Safe) }).fits(path)
    }

    #[test]
    fn a_path_fits_its_template_only() {
        assert!(fits("/sms/1", "/sms/{id}"));
        assert!(fits("/", "/"));
        assert!(fits("/a/1.json/b/x-y", "/a/{id}.json/b/{one}-{other}"));
        for (path, template) in [
            ("/", "/sms/{id}"),
            ("/sms/", "/sms/{id}"),
            ("/sms/1/2", "/sms/{id}"),
            ("/lookup/1", "/sms/{id}"),
            ("/sms", "/sms/{id}"),
            ("/a//b", "/a/{id}/b"),
            ("/a/1/b/", "/a/{id}/b"),
            ("", "/"),
        ] {
            assert!(!fits(path, template), "{path} {template}");
        }
    }

    #[test]
    fn a_budget_is_of_the_arguments_that_it_goes_by_wherever_the_path_stands() {
        let routes = Routes::new(&API);
        let owner = |operation, path| routes.with(operation, |route: &Route| String::from_utf8(route.owner(path)));
        assert_eq!(owner(&OPERATIONS[0], "/v1/orders/7/lines/8").as_deref(), Ok("8/7/"));
        assert_eq!(owner(&OPERATIONS[1], "/v1/orders").as_deref(), Ok(""));
        // A copy is not the row of the table.
        let copy = OPERATIONS[0];
        assert_eq!(owner(&copy, "/orders/7/lines/9").as_deref(), Ok("9/7/"));
    }
}
