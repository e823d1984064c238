//! A text that another one is the encoding of, and where each byte of it comes from.

use std::ops::Range;

/// Which ends of a text may be cut off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Ends {
    pub(super) is_start_open: bool,
    pub(super) is_end_open: bool,
}

impl Ends {
    pub(super) const WHOLE: Self = Self { is_start_open: false, is_end_open: false };
    pub(super) const CUT: Self = Self { is_start_open: true, is_end_open: true };
}

/// A decoded text.
pub(super) struct Layer {
    pub(super) bytes: Vec<u8>,
    pub(super) origin: Origin,
    pub(super) ends: Ends,
}

/// Where decoded bytes come from.
pub(super) enum Origin {
    /// Piece by piece, in order.
    Pieces(Vec<Piece>),
    /// From the other end.
    Reversed,
}

/// A stretch of decoded bytes.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    /// Where it begins, decoded.
    pub(super) at: usize,
    /// Where it begins in the text.
    pub(super) source: usize,
    pub(super) unit: Unit,
}

/// The number of bytes of the text for a decoded byte.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    /// One.
    Plain,
    /// All of an escape of this length.
    Escape(usize),
    /// Two digits.
    Hex,
    /// Four characters make three.
    Base64,
}

impl Origin {
    /// Where a range of decoded bytes comes from. What touches an open end reaches to the end of the text: what is left of
    /// an escape that was cut is no more to be seen.
    pub(super) fn of(&self, range: Range<usize>, decoded: usize, text: usize, ends: Ends) -> Range<usize> {
        let Self::Pieces(pieces) = self else { return text - range.end..text - range.start };
        let piece = |at: usize| pieces[pieces.partition_point(|piece| piece.at <= at).saturating_sub(1)];
        let start = if ends.is_start_open && range.start == 0 { 0 } else { piece(range.start).start(range.start) };
        let last = range.end.saturating_sub(1);
        let end = if ends.is_end_open && range.end == decoded { text } else { piece(last).end(last) };
        start..end.max(start)
    }
}

impl Piece {
    /// Where the encoding of a decoded byte begins.
    fn start(self, at: usize) -> usize {
        let after = at - self.at;
        self.source
            + match self.unit {
                Unit::Plain => after,
                Unit::Escape(_) => 0,
                Unit::Hex => 2 * after,
                Unit::Base64 => 4 * after / 3,
            }
    }

    /// Where it ends.
    fn end(self, at: usize) -> usize {
        let after = at - self.at + 1;
        self.source
            + match self.unit {
                Unit::Plain => after,
                Unit::Escape(length) => length,
                Unit::Hex => 2 * after,
                Unit::Base64 => (4 * after).div_ceil(3),
            }
    }
}
