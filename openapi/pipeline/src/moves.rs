//! The positions of a document's nodes before its conversion from another version.

use std::collections::HashMap;

/// The JSON pointers of nodes that moved, together with the nodes below them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moves {
    /// The original pointers, by the current pointers.
    from: HashMap<String, String>,
}

impl Moves {
    /// Records that the node at `now` was at `then`, which may be the same place: nodes below it may have moved on their own.
    pub(crate) fn add(&mut self, now: impl Into<String>, then: impl Into<String>) {
        self.from.insert(now.into(), then.into());
    }

    /// Returns the original pointer of a node.
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

    /// Returns the reverse map: from the original pointer to the current one. Of several copies, the first in the order of
    /// pointers.
    pub(crate) fn reversed(&self) -> HashMap<&str, &str> {
        let mut to: HashMap<&str, &str> = HashMap::new();
        for (now, then) in &self.from {
            let known = to.entry(then).or_insert(now);
            if now.as_str() < *known {
                *known = now;
            }
        }
        to
    }

    /// Removes all entries.
    pub(crate) fn clear(&mut self) {
        self.from.clear();
    }
}

/// Replaces the longest prefix of a pointer that is a key of the map by its value.
pub(crate) fn redirected(pointer: &str, to: &HashMap<&str, &str>) -> String {
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
