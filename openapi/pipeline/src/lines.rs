//! Where each node of a document stands in its file.

use std::sync::Arc;

use saphyr_parser::Marker;

use crate::pointer;

/// Line and column of a node, and of the nodes below it. A tree, since a document has more nodes than anybody asks for:
/// a table by pointer takes longer to write than the document to read.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    line: u32,
    column: u32,
    below: Below,
}

/// The nodes below one.
#[derive(Clone, Debug)]
pub(crate) enum Below {
    Nothing,
    Items(Vec<Lines>),
    /// Sorted by name: a map may have thousands of members, and each be asked for. A name that many maps have is kept once.
    Members(Vec<(Arc<str>, Lines)>),
}

impl Lines {
    pub(crate) fn new(mark: Marker, below: Below) -> Self {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self { line: number(mark.line()), column: number(mark.col() + 1), below }
    }

    /// Where a member stands.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        let Below::Members(members) = &self.below else { return None };
        let place = members.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        Some(&members[place].1)
    }

    /// Where the items stand.
    pub(crate) fn items(&self) -> &[Self] {
        if let Below::Items(items) = &self.below { items } else { &[] }
    }

    /// Forgets the nodes below.
    pub(crate) fn forget(&mut self) {
        self.below = Below::Nothing;
    }

    /// Line and column, from 1, of what a JSON pointer leads to.
    pub(crate) fn get(&self, pointer: &str) -> Option<(usize, usize)> {
        let mut node = self;
        for step in pointer.split('/').skip(1) {
            node = match &node.below {
                Below::Nothing => return None,
                Below::Items(items) => items.get(step.parse::<usize>().ok()?)?,
                Below::Members(_) => node.member(&pointer::name(step))?,
            };
        }
        Some((node.line as usize, node.column as usize))
    }
}

#[cfg(test)]
mod tests {
    use crate::Text;
    use crate::load::Located;

    #[test]
    fn each_node_stands_where_it_was_written_in_whatever_order() {
        let text = "z:\n  b: 1\n  a: {b: 2, a/b: 3}\na: [{b: 4}, x]\n";
        let located = Located::read(&Text::new("a.yaml", text)).expect("it can be read");
        for (pointer, place) in [
            ("/z", (1, 1)),
            ("/z/b", (2, 3)),
            ("/z/a/b", (3, 7)),
            ("/z/a/a~1b", (3, 13)),
            ("/a/0/b", (4, 6)),
            ("/a/1", (4, 13)),
        ] {
            let found = located.place(pointer);
            assert_eq!((found.line, found.column), place, "{pointer}");
        }
        assert_eq!(located.place("/z/c/d").line, 1, "what is not there stands where its nearest ancestor does");
    }
}
