//! Where each node of a document stands in its file.

use saphyr_parser::Marker;

use crate::pointer;

/// Line and column of a node, and of the nodes below it. A tree, since a document has more nodes than anybody asks for:
/// a table by pointer takes longer to write than the document to read.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    line: usize,
    column: usize,
    below: Below,
}

/// The nodes below one.
#[derive(Clone, Debug)]
pub(crate) enum Below {
    Nothing,
    Items(Vec<Lines>),
    Members(Vec<(Box<str>, Lines)>),
}

impl Lines {
    pub(crate) fn new(mark: Marker, below: Below) -> Self {
        Self { line: mark.line(), column: mark.col() + 1, below }
    }

    /// Line and column, from 1, of what a JSON pointer leads to.
    pub(crate) fn get(&self, pointer: &str) -> Option<(usize, usize)> {
        let mut node = self;
        for step in pointer.split('/').skip(1) {
            node = match &node.below {
                Below::Nothing => return None,
                Below::Items(items) => items.get(step.parse::<usize>().ok()?)?,
                Below::Members(members) => {
                    let name = pointer::name(step);
                    members.iter().find_map(|(known, lines)| (**known == name).then_some(lines))?
                }
            };
        }
        Some((node.line, node.column))
    }
}
