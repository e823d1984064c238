//! The update of a baseline: new failures are added, fixed ones are removed, and the user's texts are kept.

use std::fmt::Write as _;

use keyfit_openapi::{Error, plain};
use toml_edit::{Array, DocumentMut, Item, RawString};

use super::{Baseline, Kind};
use crate::catalogue::Catalogue;
use crate::cause;
use crate::secret::Redactor;
use crate::verdict::{Outcome, Verdict};

/// The beginning of a new file.
const HEAD: &str = "\
# Failures that are known: a run with `--baseline` fails by anything else, and by an entry that is stale. `cases` are ids of
# cases or patterns over them (`*` stands for a segment, `**` for any), `kind` is what is wrong with the answers, `reason` says why
# it stays and what will end that.
";

/// An updated baseline.
#[derive(Clone, Debug)]
pub struct Updated {
    /// Its text.
    pub text: String,
    /// The number of added entries.
    pub added: usize,
    /// The number of removed ids or patterns.
    pub removed: usize,
}

impl Baseline {
    /// Adds the failures that are not known, one entry per finding, and marks them as known.
    pub(crate) fn adopt(&mut self, catalogue: &Catalogue, outcomes: &mut [Outcome], redactor: &Redactor) {
        // Masked before any text is derived from it: a part of a secret, or a changed one, would not be recognized.
        for reason in outcomes.iter_mut().filter_map(|outcome| outcome.reason.as_mut()) {
            *reason = redactor.mask(reason);
        }
        for cause in cause::of(catalogue, outcomes) {
            let is_new = |place: &&usize| matches!(outcomes[**place].verdict, Verdict::Fail | Verdict::Warn);
            let places: Vec<usize> = cause.cases.iter().filter(is_new).copied().collect();
            let (Some(kind), false) = (Kind::of(cause.fate), places.is_empty()) else { continue };
            let title = redactor.mask(&cause.words(catalogue, outcomes).title);
            let ids: Vec<(String, usize)> =
                places.iter().map(|place| (catalogue.cases[*place].id.clone(), 0)).collect();
            let name = kind.name();
            let _ =
                write!(self.added, "\n# {}\n[[known]]\nkind = \"{name}\"\nreason = \"\"\ncases = [\n", plain(&title));
            for (id, _) in &ids {
                let _ = writeln!(self.added, "  {},", toml_edit::Value::from(id.as_str()));
            }
            self.added.push_str("]\n");
            self.push(ids, Some(kind), String::new());
            for place in places {
                let id = &catalogue.cases[place].id;
                self.mark(id, &mut outcomes[place], Some(kind));
            }
        }
    }

    /// Returns the text with the added entries and without the stale ones; `all` is true if the run had all cases.
    ///
    /// # Errors
    /// Returns an error if the entries of the file are an inline list, to which no entry can be added.
    pub fn updated(&self, all: bool) -> Result<Updated, Error> {
        // The text was parsed as TOML before; a missing file is empty.
        let mut file: DocumentMut = self.text.parse().unwrap_or_default();
        if file.get("known").is_some_and(|known| !known.is_array_of_tables()) {
            let help = "write each entry as a table of its own: `[[known]]`";
            return Err(Error::of_file(
                &self.path,
                "the entries are one inline list, which is not brought up to date",
                help,
            ));
        }
        let mut removed = 0;
        if let Some(entries) = file.get_mut("known").and_then(Item::as_array_of_tables_mut) {
            for (table, entry) in entries.iter_mut().zip(&self.entries) {
                let Some(cases) = table.get_mut("cases").and_then(Item::as_array_mut) else { continue };
                removed += prune(cases, &|place| entry.cases.get(place).is_some_and(|pattern| pattern.is_stale(all)));
            }
            entries.retain(|table| table.get("cases").and_then(Item::as_array).is_none_or(|cases| !cases.is_empty()));
        }
        let kept = if self.text.trim().is_empty() { HEAD.to_owned() } else { file.to_string() };
        let text = format!("{}\n{}", kept.trim_end(), self.added);
        Ok(Updated { text, added: self.entries.len() - self.written, removed })
    }
}

/// Removes values from a list with the comments after them, and returns their number. A comment after a kept value stays, although the
/// parser attaches it to the next value.
fn prune(values: &mut Array, is_stale: &dyn Fn(usize) -> bool) -> usize {
    let before = values.len();
    let split = |raw: Option<&RawString>| {
        let text = raw.and_then(RawString::as_str).unwrap_or_default();
        let (behind, rest) = text.split_at(text.find('\n').unwrap_or(text.len()));
        (behind.to_owned(), rest.to_owned())
    };
    let mut kept: Option<String> = None;
    for (place, value) in values.iter_mut().enumerate() {
        let (behind, rest) = split(value.decor().prefix());
        if is_stale(place) {
            kept.get_or_insert(behind);
        } else if let Some(kept) = kept.take() {
            value.decor_mut().set_prefix(kept + &rest);
        }
    }
    if let Some(kept) = kept {
        let (_, rest) = split(Some(values.trailing()));
        values.set_trailing(kept + &rest);
    }
    let mut places = 0..;
    values.retain(|_| places.next().is_none_or(|place| !is_stale(place)));
    before - values.len()
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::Text;

    use super::*;
    use crate::contract::Level;

    #[test]
    fn what_is_stale_goes_and_everything_else_stays_as_it_was_written() {
        let written = "# ours\n[[known]]\nreason = \"next release\" # soon\ncases = [\n  \"a\", # first\n  \"b\", # second\n]\n\n# gone\n[[known]]\ncases = [\"c\"]\n\n# not run\n[[known]]\ncases = [\"d\"]\n";
        let mut known = Baseline::read(&Text::new("baseline.toml", written)).expect("a file");
        known.mark("a", &mut Outcome::broken(Level::Must, "x"), Some(Kind::Served));
        known.mark("b", &mut Outcome::pass(), None);
        known.mark("c", &mut Outcome::pass(), None);
        known.mark("d", &mut Outcome::skip("no token"), None);
        let Updated { text, added, removed } = known.updated(true).expect("tables");
        assert_eq!((added, removed), (0, 2));
        insta::assert_snapshot!(text, @r#"
        # ours
        [[known]]
        reason = "next release" # soon
        cases = [
          "a", # first
        ]

        # not run
        [[known]]
        cases = ["d"]
        "#);
        Baseline::read(&Text::new("baseline.toml", text)).expect("it is read again");
    }
}
