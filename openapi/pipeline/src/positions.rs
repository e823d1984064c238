//! The positions of a document's nodes in its file.

use std::sync::Arc;

use saphyr_parser::Marker;

use crate::pointer;

/// The line and column of a node, and of the nodes below it. A tree, since few of a document's many nodes are ever looked up:
/// a table by pointer takes longer to build than the document to read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Positions {
    line: u32,
    column: u32,
    /// The number of its file.
    file: u32,
    below: Children,
}

/// The nodes below one.
#[derive(Clone, Debug, Default)]
pub(crate) enum Children {
    #[default]
    Nothing,
    Items(Vec<Positions>),
    /// Sorted by name: a map may have thousands of members, and each may be looked up. A name that many maps share is stored
    /// once.
    Members(Vec<(Arc<str>, Positions)>),
}

impl Children {
    /// Creates the entries of a map.
    pub(crate) fn members(mut members: Vec<(Arc<str>, Positions)>) -> Self {
        members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Self::Members(members)
    }
}

impl Positions {
    pub(crate) fn new(mark: Marker, below: Children) -> Self {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self { line: number(mark.line()), column: number(mark.col() + 1), file: 0, below }
    }

    /// Returns the positions of the items.
    pub(crate) fn items(&self) -> &[Self] {
        if let Children::Items(items) = &self.below { items } else { &[] }
    }

    /// Drops the nodes below.
    pub(crate) fn drop_children(&mut self) {
        self.below = Children::Nothing;
    }

    /// Returns line and column, from 1.
    pub(crate) fn line_and_column(&self) -> (usize, usize) {
        (self.line as usize, self.column as usize)
    }

    /// Returns the number of the file: 0 unless the document was joined from several files.
    pub(crate) fn file(&self) -> usize {
        self.file as usize
    }

    /// Returns the node at a JSON pointer.
    pub(crate) fn get(&self, pointer: &str) -> Option<&Self> {
        pointer::names(pointer).try_fold(self, |node, name| node.child(&name))
    }

    /// Returns the node at a JSON pointer, or its nearest ancestor.
    pub(crate) fn nearest(&self, pointer: &str) -> &Self {
        let mut node = self;
        for name in pointer::names(pointer) {
            let Some(child) = node.child(&name) else { break };
            node = child;
        }
        node
    }

    /// Returns the position of a member or item.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        match &self.below {
            Children::Nothing => None,
            Children::Items(items) => items.get(name.parse::<usize>().ok()?),
            Children::Members(members) => {
                let place = members.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
                Some(&members[place].1)
            }
        }
    }

    /// Returns the same position in the file of this number, with other nodes below.
    pub(crate) fn in_file(&self, file: usize, below: Children) -> Self {
        Self { file: u32::try_from(file).unwrap_or(u32::MAX), below, ..*self }
    }

    /// Returns the same position without nodes below.
    pub(crate) fn without_children(&self) -> Self {
        Self { below: Children::Nothing, ..*self }
    }

    /// Returns the member of a map, and creates it if it is missing. A node that is not a map becomes one.
    pub(crate) fn member(&mut self, name: &str, make: impl FnOnce() -> Self) -> &mut Self {
        if !matches!(self.below, Children::Members(_)) {
            self.below = Children::Members(Vec::new());
        }
        let Children::Members(members) = &mut self.below else { unreachable!("it was made one") };
        let place = members.binary_search_by(|(known, _)| (**known).cmp(name)).unwrap_or_else(|place| {
            members.insert(place, (name.into(), make()));
            place
        });
        &mut members[place].1
    }
}

#[cfg(test)]
mod tests {
    use crate::Text;
    use crate::parse::ParsedText;

    #[test]
    fn each_node_stands_where_it_was_written_in_whatever_order() {
        let text = "z:\n  b: 1\n  a: {b: 2, a/b: 3}\na: [{b: 4}, x]\n";
        let located = ParsedText::read(&Text::new("a.yaml", text)).expect("it can be read");
        for (pointer, place) in [
            ("/z", (1, 1)),
            ("/z/b", (2, 3)),
            ("/z/a/b", (3, 7)),
            ("/z/a/a~1b", (3, 13)),
            ("/a/0/b", (4, 6)),
            ("/a/1", (4, 13)),
        ] {
            let found = located.location(pointer);
            assert_eq!((found.line, found.column), place, "{pointer}");
        }
        assert_eq!(located.location("/z/c/d").line, 1, "what is not there stands where its nearest ancestor does");
    }
}
