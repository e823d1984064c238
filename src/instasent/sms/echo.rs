//! Which message an element of a bulk answer speaks of, by what it says of it.

use serde_json::Value;

use super::Message;

/// The data by which an element identifies its message.
pub(super) struct Echo<'a> {
    position: Option<usize>,
    /// The message as the element repeats it.
    message: &'a Value,
    /// True if the repeated data must fit. Beside the reasons of a rejection, `to` may be a reason and not a number.
    is_certain: bool,
}

/// Where an element belongs.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// At this position of the request, which it names.
    Position(usize),
    /// At one of these positions, whose messages are the same in every field.
    Among(Vec<usize>),
    /// It does not say, or not clearly enough.
    Open(String),
    /// Its data fits no message of the request.
    Contradiction(String),
}

impl<'a> Echo<'a> {
    pub(super) fn of(element: &'a Value, is_accepted: bool) -> Self {
        let item = element.get("item").filter(|item| item.is_object());
        Self {
            position: element["position"].as_u64().map(|position| usize::try_from(position).unwrap_or(usize::MAX)),
            message: item.unwrap_or(element),
            is_certain: is_accepted || item.is_some(),
        }
    }

    /// Finds the message among those of the request. Reference and number have to fit; sender and text, which the server
    /// may change, only choose among several that do.
    pub(super) fn place(&self, messages: &[&dyn Message]) -> Place {
        let mut found: Vec<usize> = (0..messages.len()).collect();
        let mut says_something = false;
        let client_id = self.message["clientId"].as_str().filter(|client_id| !client_id.is_empty());
        let numbers: Vec<String> =
            ["to", "normalizedTo"].iter().filter_map(|key| digits(&self.message[*key])).collect();
        if let Some(client_id) = client_id {
            let fitting = keep(&found, |index| messages[index].client_id() == Some(client_id));
            if fitting.is_empty() && self.is_certain {
                return Place::Contradiction("its clientId is that of no message of the request".to_owned());
            }
            says_something |= narrow(&mut found, fitting);
        }
        if !numbers.is_empty() {
            let is_recipient = |index: usize| numbers.contains(&digits_of(messages[index].recipient()));
            let fitting = keep(&found, is_recipient);
            if fitting.is_empty() && self.is_certain {
                return Place::Contradiction("its recipient is not that of such a message of the request".to_owned());
            }
            says_something |= narrow(&mut found, fitting);
        }
        if let Some(position) = self.position {
            return match found.contains(&position) {
                true => Place::Position(position),
                false if position >= messages.len() => {
                    Place::Contradiction(format!("position {position} is beyond the {} messages", messages.len()))
                }
                false => Place::Contradiction(format!("position {position} held another message than it repeats")),
            };
        }
        let text = keep(&found, |index| self.message["text"].as_str() == Some(messages[index].text()));
        says_something |= narrow(&mut found, text);
        if !says_something {
            return Place::Open("it does not say which message it is about".to_owned());
        }
        let sender = keep(&found, |index| self.message["from"].as_str() == Some(messages[index].sender()));
        narrow(&mut found, sender);
        let is_one = found.iter().all(|index| is_same(messages[*index], messages[found[0]]));
        if is_one {
            Place::Among(found)
        } else {
            Place::Open(format!("it fits {} messages of the request", found.len()))
        }
    }
}

fn keep(found: &[usize], fits: impl Fn(usize) -> bool) -> Vec<usize> {
    found.iter().copied().filter(|index| fits(*index)).collect()
}

/// Takes what fits, if anything does.
fn narrow(found: &mut Vec<usize>, fitting: Vec<usize>) -> bool {
    let narrows = !fitting.is_empty();
    if narrows {
        *found = fitting;
    }
    narrows
}

fn is_same(one: &dyn Message, other: &dyn Message) -> bool {
    one.client_id() == other.client_id()
        && one.recipient() == other.recipient()
        && one.text() == other.text()
        && one.sender() == other.sender()
        && one.allows_unicode() == other.allows_unicode()
}

/// The digits of a number that is a string or a JSON number; `None` where there are none, as in a reason.
fn digits(value: &Value) -> Option<String> {
    let digits = match value {
        Value::String(text) => digits_of(text),
        Value::Number(number) => digits_of(&number.to_string()),
        _ => return None,
    };
    (!digits.is_empty()).then_some(digits)
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::instasent::sms::Draft;

    fn place(element: &Value, is_accepted: bool) -> Place {
        let drafts = [
            Draft::new("Keyfit", "+34600000001", "Hello").client_id("a"),
            Draft::new("Keyfit", "+34600000002", "Hello"),
            Draft::new("Keyfit", "+34600000002", "Bye"),
            Draft::new("Keyfit", "+34600000003", "Same"),
            Draft::new("Keyfit", "+34600000003", "Same"),
        ];
        let messages: Vec<&dyn Message> = drafts.iter().map(|draft| draft as &dyn Message).collect();
        Echo::of(element, is_accepted).place(&messages)
    }

    #[test]
    fn an_element_is_placed_by_position_reference_number_or_text() {
        for (element, expected) in [
            (json!({"position": 1}), Place::Position(1)),
            (json!({"position": 1, "item": {"to": "+34600000002"}}), Place::Position(1)),
            (json!({"clientId": "a"}), Place::Among(vec![0])),
            (json!({"item": {"clientId": "a"}}), Place::Among(vec![0])),
            (json!({"to": "34600000001"}), Place::Among(vec![0])),
            (json!({"to": 34_600_000_001_u64}), Place::Among(vec![0])),
            (json!({"to": "600 000 001", "normalizedTo": "+34600000001"}), Place::Among(vec![0])),
            (json!({"to": "+34600000002", "text": "Bye"}), Place::Among(vec![2])),
            (json!({"text": "Bye"}), Place::Among(vec![2])),
            (json!({"to": "+34600000001", "text": "sanitised", "from": "replaced"}), Place::Among(vec![0])),
        ] {
            assert_eq!(place(&element, true), expected, "{element}");
            assert_eq!(place(&element, false), expected, "{element}");
        }
    }

    #[test]
    fn same_messages_are_one_place_and_others_are_not_guessed() {
        assert_eq!(place(&json!({"to": "+34600000003"}), true), Place::Among(vec![3, 4]));
        for element in
            [json!({"to": "+34600000002"}), json!({"id": "x"}), json!({"from": "Keyfit"}), json!({}), json!("x")]
        {
            assert!(matches!(place(&element, true), Place::Open(_)), "{element}");
        }
    }

    #[test]
    fn what_fits_no_message_contradicts() {
        for element in [
            json!({"position": 5}),
            json!({"position": u64::MAX}),
            json!({"position": 0, "item": {"to": "+34600000002"}}),
            json!({"clientId": "b"}),
            json!({"clientId": "a", "to": "+34600000002"}),
            json!({"item": {"to": "+34600000009"}}),
        ] {
            assert!(matches!(place(&element, true), Place::Contradiction(_)), "{element}");
        }
    }

    #[test]
    fn a_reason_beside_a_rejection_is_not_taken_for_a_number() {
        for element in [
            json!({"to": "is longer than 15 digits"}),
            json!({"to": ["is no number"]}),
            json!({"clientId": "is taken"}),
        ] {
            assert!(matches!(place(&element, false), Place::Open(_)), "{element}");
        }
    }
}
