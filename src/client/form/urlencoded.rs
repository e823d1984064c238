//! Forms in one text: `application/x-www-form-urlencoded`.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;

use super::member::FormMember;
use crate::client::list_style::encoded;
use crate::client::query::{Members, pairs, scalar, values};

/// The characters that a form needs itself, or that no URL may hold.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A value as a form; `None` where it is null.
///
/// # Errors
/// Returns an error if the value cannot be written as a form; it gives the reason.
pub(crate) fn written(value: &impl Serialize, members: &[FormMember]) -> Result<Option<String>, String> {
    // As JSON text, because numbers keep their digits there.
    let json = serde_json::to_string(value).map_err(|error| error.to_string())?;
    if json == "null" {
        return Ok(None);
    }
    let given: Members<'_> =
        serde_json::from_str(&json).map_err(|_| "a form has members, and this is not an object".to_owned())?;
    let mut found = Vec::new();
    for (name, member) in given.0 {
        let known = FormMember::find(members, &name);
        add(&name, member.get(), known, &mut found).map_err(|why| format!("the member `{name}` is refused: {why}"))?;
    }
    Ok(Some(found.join("&")))
}

fn add(name: &str, json: &str, known: FormMember, found: &mut Vec<String>) -> Result<(), String> {
    let unreadable = |error: serde_json::Error| error.to_string();
    let pair = |name: &str, value: &str| {
        let value =
            if known.allows_reserved { utf8_percent_encode(value, RESERVED).to_string() } else { encoded(value) };
        format!("{}={value}", encoded(name))
    };
    match (json.as_bytes().first(), known.style) {
        (Some(b'n'), _) => {}
        _ if known.is_json() => found.push(pair(name, json)),
        (Some(b'[' | b'{'), Some(style)) => found.extend(style.in_query(name, json)?),
        (Some(b'['), None) => found.extend(values(json).map_err(unreadable)?.iter().map(|item| pair(name, item))),
        (Some(b'{'), None) if known.is_spread => {
            let members = pairs(name, json).map_err(unreadable)?;
            found.extend(members.iter().map(|(name, value)| pair(name, value)));
        }
        (Some(b'{'), None) => found.push(pair(name, json)),
        _ => found.extend(scalar(json).map_err(unreadable)?.map(|value| pair(name, &value))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::client::list_style::ListStyle;

    fn form(value: &Value, members: &[FormMember]) -> String {
        written(value, members).expect("it can be written").expect("it is not null")
    }

    #[test]
    fn plain_values_lists_and_objects_are_written_as_usual() {
        let value = json!({ "a b": "c&d=e+f é", "n": 9_007_199_254_740_993_i64, "t": true, "gone": null });
        assert_eq!(form(&value, &[]), "a%20b=c%26d%3De%2Bf%20%C3%A9&n=9007199254740993&t=true");
        let value = json!({ "l": ["a", 1, null], "o": { "p": [1] }, "e": [], "lo": [{ "a": 1 }, { "a": 2 }] });
        let objects = "lo=%7B%22a%22%3A1%7D&lo=%7B%22a%22%3A2%7D";
        assert_eq!(form(&value, &[]), format!("l=a&l=1&o=%7B%22p%22%3A%5B1%5D%7D&{objects}"));
        assert_eq!(form(&json!({}), &[]), "");
        assert_eq!(written(&None::<u8>, &[]), Ok(None));
    }

    #[test]
    fn a_member_is_written_as_its_encoding_says() {
        let value = json!({ "m": { "a": "x,y", "b": [1, 2] }, "l": ["a", "b,c"] });
        let member = FormMember::new;
        for (m, l, written) in [
            (
                member("m").with_style(ListStyle::Brackets),
                member("l").with_style(ListStyle::Brackets),
                "m%5Ba%5D=x%2Cy&m%5Bb%5D%5B%5D=1&m%5Bb%5D%5B%5D=2&l%5B%5D=a&l%5B%5D=b%2Cc",
            ),
            (member("m").spread(), member("l").with_style(ListStyle::Pipes), "a=x%2Cy&b=%5B1%2C2%5D&l=a%7Cb%2Cc"),
            (
                member("m").with_style(ListStyle::Commas),
                member("l").with_media_type("application/json"),
                "m=a,x%2Cy,b,%5B1%2C2%5D&l=%5B%22a%22%2C%22b%2Cc%22%5D",
            ),
        ] {
            assert_eq!(form(&value, &[m, l]), written);
        }
    }

    #[test]
    fn reserved_characters_stay_where_they_may_and_never_make_two_fields() {
        let value = json!({ "u": "https://a.example/b?c=d&e=f+g#h", "v": "a/b" });
        let members = [FormMember::new("u").with_reserved()];
        assert_eq!(form(&value, &members), "u=https://a.example/b?c%3Dd%26e%3Df%2Bg%23h&v=a%2Fb");
    }

    #[test]
    fn what_has_no_members_is_no_form_and_a_refusal_names_the_member_alone() {
        assert!(written(&[1], &[]).is_err_and(|why| why.contains("not an object")));
        let members = [FormMember::new("l").with_style(ListStyle::Spaces)];
        let refusal = written(&json!({ "l": ["a", "hidden b"] }), &members).expect_err("a separator");
        assert!(refusal.starts_with("the member `l` is refused: ") && !refusal.contains("hidden"), "{refusal}");
    }
}
