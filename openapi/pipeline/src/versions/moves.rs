//! Where the nodes of a document stood before it was written in another version.

use std::collections::HashMap;

/// JSON pointers of nodes that moved, with what is below them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moves {
    /// The pointer as it was, by the pointer as it is.
    from: HashMap<String, String>,
}

impl Moves {
    /// Says that what stands at `now` stood at `then`, which may be the same place: what is below may have moved on its own.
    pub(super) fn add(&mut self, now: impl Into<String>, then: impl Into<String>) {
        self.from.insert(now.into(), then.into());
    }

    /// The pointer of a node as it was written.
    pub(crate) fn origin(&self, now: &str) -> String {
        let mut moved = now;
        loop {
            if let Some(then) = self.from.get(moved) {
                return format!("{then}{}", &now[moved.len()..]);
            }
            match moved.rsplit_once('/') {
                Some((parent, _)) => moved = parent,
                None => return now.to_owned(),
            }
        }
    }

    /// The other way round: where what stood at a pointer stands now. Of several copies the first in the order of pointers.
    pub(super) fn reversed(&self) -> HashMap<&str, &str> {
        let mut to: HashMap<&str, &str> = HashMap::new();
        for (now, then) in &self.from {
            let known = to.entry(then).or_insert(now);
            if now.as_str() < *known {
                *known = now;
            }
        }
        to
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.from.clear();
    }
}

/// The longest pointer among the keys that leads to a node or to what is around it, replaced by its value.
pub(super) fn redirected(pointer: &str, to: &HashMap<&str, &str>) -> String {
    let mut moved = pointer;
    loop {
        if let Some(now) = to.get(moved) {
            return format!("{now}{}", &pointer[moved.len()..]);
        }
        match moved.rsplit_once('/') {
            Some((parent, _)) => moved = parent,
            None => return pointer.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_node_that_moved_decides() {
        let mut moves = Moves::default();
        moves.add("/components/schemas", "/definitions");
        moves.add("/paths/~1a/get/requestBody", "/paths/~1a/get/parameters/1");
        moves.add("/paths/~1a/get/requestBody/content/text~1plain/schema", "/paths/~1a/get/parameters/1/schema");
        for (now, then) in [
            ("/components/schemas/Pet/properties/id", "/definitions/Pet/properties/id"),
            ("/components/schemas", "/definitions"),
            ("/components", "/components"),
            ("/paths/~1a/get/requestBody/required", "/paths/~1a/get/parameters/1/required"),
            ("/paths/~1a/get/requestBody/content/text~1plain/schema/type", "/paths/~1a/get/parameters/1/schema/type"),
            ("/info/title", "/info/title"),
        ] {
            assert_eq!(moves.origin(now), then);
        }
        let to = moves.reversed();
        assert_eq!(redirected("/definitions/Pet/properties/id", &to), "/components/schemas/Pet/properties/id");
        assert_eq!(
            redirected("/paths/~1a/get/parameters/1/schema/items", &to),
            "/paths/~1a/get/requestBody/content/text~1plain/schema/items"
        );
        assert_eq!(redirected("/info", &to), "/info");
    }
}
