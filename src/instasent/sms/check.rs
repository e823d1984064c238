//! Checks whether the API would accept a message, as far as its documentation tells.

use std::error::Error;
use std::fmt;

use super::{Message, Segments};

/// A message that nothing speaks against.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Checked {
    /// Its parts.
    pub segments: Segments,
    /// The warnings. The documentation does not say that the API refuses the message for any of them.
    pub warnings: Vec<Finding>,
}

/// A message that the API would refuse, with every reason that was found; at least one.
///
/// # Troubleshooting
/// Each reason says which field to change, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    findings: Vec<Finding>,
}

/// A defect of one field, and its fix.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The field.
    pub field: Field,
    /// The defect. It does not repeat the text of the message.
    pub problem: String,
    /// The fix.
    pub help: &'static str,
}

/// A field of a message.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Field {
    /// `from`, the sender.
    From,
    /// `to`, the recipient.
    To,
    /// `text`.
    Text,
    /// `clientId`, the reference.
    ClientId,
}

/// Checks one message against the documented limits: `from` of 1 to 11 letters and digits, `to` in E.164, a text, a
/// `clientId` of at most 40 characters.
///
/// # Errors
/// Returns an error if the message breaks documented limits; it lists all of them at once.
pub fn check(message: &(impl Message + ?Sized)) -> Result<Checked, Refused> {
    let (mut refused, mut warnings) = (Vec::new(), Vec::new());
    sender(message.sender(), &mut refused, &mut warnings);
    recipient(message.recipient(), &mut refused);
    let segments = Segments::of(message.text());
    if segments.parts == 0 {
        refused.push(Finding::new(Field::Text, "it is empty", "give it at least one character"));
    }
    if segments.needs_unicode() && !message.allows_unicode() {
        let problem = format!("it has characters that GSM has not, and unicode is not allowed: {}", shown(&segments));
        let help = "set allowUnicode, or replace them; what the server does with them otherwise is not documented";
        warnings.push(Finding::new(Field::Text, problem, help));
    }
    client_id(message.client_id(), &mut refused, &mut warnings);
    if refused.is_empty() { Ok(Checked { segments, warnings }) } else { Err(Refused { findings: refused }) }
}

impl Refused {
    /// Every reason, in the order of the fields.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    #[cfg(any(feature = "instasent-legacy", feature = "instasent-transactional"))]
    pub(super) fn of(finding: Finding) -> Self {
        Self { findings: vec![finding] }
    }
}

impl Finding {
    pub(super) fn new(field: Field, problem: impl Into<String>, help: &'static str) -> Self {
        Self { field, problem: problem.into(), help }
    }

    /// A limit of the generated type that no rule here knows yet.
    #[cfg(any(feature = "instasent-legacy", feature = "instasent-transactional"))]
    pub(super) fn of_type(field: Field, problem: &str) -> Self {
        Self::new(field, problem, "see the limits of the field in the API's document")
    }
}

impl Field {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To => "to",
            Self::Text => "text",
            Self::ClientId => "clientId",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}: {}", self.field, self.problem, self.help)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.findings.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{finding}")?;
        }
        Ok(())
    }
}

impl Error for Refused {}

fn sender(from: &str, refused: &mut Vec<Finding>, warnings: &mut Vec<Finding>) {
    const LONGEST: usize = 11;
    let count = from.chars().count();
    let odd = from.chars().find(|character| !character.is_ascii_alphanumeric() && *character != ' ');
    if count == 0 {
        refused.push(Finding::new(Field::From, "it is empty", "give the sender 1 to 11 letters and digits"));
    } else if count > LONGEST {
        let problem = format!("it has {count} characters of at most {LONGEST}");
        refused.push(Finding::new(Field::From, problem, "shorten it to 11 letters and digits"));
    } else if count < 3 {
        let problem = format!("it has {count} of the 3 to 11 characters that the SMPP page asks for");
        warnings.push(Finding::new(Field::From, problem, "take a longer sender if this one is refused"));
    }
    if let Some(odd) = odd {
        let problem = format!("it has {odd:?}, which is no letter from A to Z and no digit");
        refused.push(Finding::new(Field::From, problem, "leave it out, or spell it in letters and digits"));
    } else if from.contains(' ') {
        let problem = "it has a space, of which the documents say nothing";
        warnings.push(Finding::new(Field::From, problem, "leave the space out if the sender is refused"));
    }
}

/// E.164: a plus, a country code that begins with no 0, 15 digits at most. The shortest numbers in use have 7.
fn recipient(to: &str, refused: &mut Vec<Finding>) {
    let mut refuse = |problem: String, help| refused.push(Finding::new(Field::To, problem, help));
    let Some(digits) = to.strip_prefix('+') else {
        return match to {
            "" => refuse("it is empty".to_owned(), "give the number with + and the country's prefix"),
            to if to.starts_with("00") => {
                refuse("it starts with 00".to_owned(), "write + in place of 00: +34600000000");
            }
            _ => refuse("it does not start with +".to_owned(), "write the country's prefix before it: +34600000000"),
        };
    };
    let count = digits.chars().count();
    if let Some(odd) = digits.chars().find(|character| !character.is_ascii_digit()) {
        refuse(format!("it has {odd:?} after the +"), "write digits alone after the +, without spaces or dashes");
    } else if digits.starts_with('0') {
        refuse("its country prefix starts with 0".to_owned(), "write the country's prefix after the +: +34600000000");
    } else if !(7..=15).contains(&count) {
        refuse(format!("it has {count} digits, and E.164 numbers have 7 to 15"), "check whether digits are missing");
    }
}

fn client_id(client_id: Option<&str>, refused: &mut Vec<Finding>, warnings: &mut Vec<Finding>) {
    const LONGEST: usize = 40;
    let Some(count) = client_id.map(|client_id| client_id.chars().count()) else { return };
    if count > LONGEST {
        let problem = format!("it has {count} characters of at most {LONGEST}");
        refused.push(Finding::new(Field::ClientId, problem, "shorten it, or send a hash of it"));
    } else if count == 0 {
        let problem = "it is empty, so that no report can be matched by it";
        warnings.push(Finding::new(Field::ClientId, problem, "leave it out, or give each message one of its own"));
    }
}

/// The first few characters that force UTF-16.
fn shown(segments: &Segments) -> String {
    const MOST: usize = 8;
    let shown: Vec<_> = segments.forcing.iter().take(MOST).map(|character| format!("{character:?}")).collect();
    let rest = segments.forcing.len().saturating_sub(MOST);
    let rest = if rest == 0 { String::new() } else { format!(" and {rest} more") };
    format!("{}{rest}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instasent::sms::Draft;

    fn draft() -> Draft {
        Draft::new("Keyfit", "+34600000000", "Hello")
    }

    fn refusals(draft: &Draft) -> String {
        check(draft).expect_err("refused").to_string()
    }

    fn warnings(draft: &Draft) -> Vec<String> {
        check(draft).expect("taken").warnings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_message_within_the_limits_is_taken_without_a_warning() {
        let longest = Draft::new("ABCDEFGHI12", "+123456789012345", "x").client_id("c".repeat(40));
        for draft in [draft(), longest] {
            assert_eq!(check(&draft).map(|checked| checked.warnings), Ok(vec![]), "{draft:?}");
        }
    }

    #[test]
    fn every_refusal_names_field_problem_and_remedy() {
        let mut table = vec![refusals(&Draft::new("", "", "").client_id("c".repeat(41)))];
        for from in ["Twelve chars", "Key-fit", "Señor"] {
            table.push(format!("{from:?}: {}", refusals(&Draft { from: from.to_owned(), ..draft() })));
        }
        for to in [
            "600000000",
            "0034600000000",
            "+34 600 000",
            "+0600000000",
            "+34600",
            "+1234567890123456",
            "+",
            "+３４６００００００００",
        ] {
            table.push(format!("{to:?}: {}", refusals(&Draft { to: to.to_owned(), ..draft() })));
        }
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn what_is_not_documented_is_a_warning() {
        let unicode = Draft { text: "Olá, você: ½ ¾ “a” …".to_owned(), ..draft() };
        let short = Draft { from: "KF".to_owned(), ..draft() };
        let spaced = Draft { from: "Key fit".to_owned(), ..draft() };
        let table = [&unicode, &short, &spaced, &draft().client_id("")].map(|draft| warnings(draft).join("; "));
        insta::assert_snapshot!(table.join("\n"));
        assert!(warnings(&unicode.allow_unicode()).is_empty());
    }

    #[test]
    fn the_text_is_not_repeated_in_an_error() {
        let draft = Draft { to: "x".to_owned(), text: "the code is 1234".to_owned(), ..draft() };
        assert!(!refusals(&draft).contains("1234"));
    }
}
