//! Which of several objects a value is, by the names of its members.

use serde_json::Value;

/// The place of the one alternative that a value can be. Of each the names of the members are told that it requires, and of those that it
/// has a place for and not all of them have. A value that has all that an alternative requires, and a member that only others know, is not
/// that one. A member that is null is there, unless only its absence tells which one the value is. `None` for a value that can be none of
/// them, or several.
pub fn alternative(value: &Value, alternatives: &[(&[&str], &[&str])]) -> Option<usize> {
    let members = value.as_object()?;
    let is_told = |name: &str| alternatives.iter().any(|(_, known)| known.contains(&name));
    let only = |is_there: &dyn Fn(&str) -> bool| {
        let fits = |(required, known): &(&[&str], &[&str])| {
            required.iter().all(|name| is_there(name))
                && members.keys().all(|name| known.contains(&name.as_str()) || !is_there(name) || !is_told(name))
        };
        let mut fitting = alternatives.iter().enumerate().filter(|(_, one)| fits(one)).map(|(index, _)| index);
        fitting.next().filter(|_| fitting.next().is_none())
    };
    only(&|name| members.contains_key(name))
        .or_else(|| only(&|name| members.get(name).is_some_and(|member| !member.is_null())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::alternative;

    #[test]
    fn a_value_is_the_one_whose_required_members_it_has() {
        let of = |value| alternative(&value, &[(&["id", "bark"], &["bark", "size"]), (&["id", "claws"], &["claws"])]);
        assert_eq!(of(json!({ "id": 1, "bark": "deep" })), Some(0));
        assert_eq!(of(json!({ "id": 1, "claws": 4, "another": true })), Some(1));
        assert_eq!(of(json!({ "id": 1, "claws": 4, "bark": null })), Some(1));
        for neither in [json!({ "id": 1 }), json!({ "claws": 4 }), json!([]), json!("bark"), json!(null)] {
            assert_eq!(of(neither), None);
        }
        let both = json!({ "id": 1, "claws": 4, "bark": "deep" });
        assert_eq!(of(both), None, "as either, a member would be lost");
        assert_eq!(of(json!({ "id": 1, "claws": 4, "size": 2 })), None, "the size would be lost");
    }

    #[test]
    fn a_value_is_the_first_where_it_lacks_what_only_the_second_has() {
        let of = |value| alternative(&value, &[(&["id"], &[]), (&["id", "mane"], &["mane"])]);
        assert_eq!(of(json!({ "id": 1 })), Some(0));
        assert_eq!(of(json!({ "id": 1, "mane": null })), Some(1));
        assert_eq!(of(json!({ "id": 1, "mane": "long" })), Some(1));
    }
}
