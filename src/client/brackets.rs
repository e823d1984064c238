//! Objects and lists as pairs whose names have brackets: OpenAPI's `deepObject`.

use super::query::{Members, items, scalar};

/// The maximum nesting of objects and lists.
const DEEPEST: usize = 32;

/// The pairs of a value, of which OpenAPI says as much as `filter[state]=open`. What nests goes on in the same way, as PHP, Rails and
/// `qs` read it: `filter[price][least]=1`, `filter[tags][]=a`, and `filter[lines][0][sku]=a` where an item of a list has members of
/// its own. Null is no pair.
///
/// # Errors
/// Returns an error if the value cannot be written so; it gives the reason.
pub(super) fn pairs(name: &str, json: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    add(name.to_owned(), json, 0, &mut found)?;
    Ok(found)
}

fn add(name: String, json: &str, depth: usize, found: &mut Vec<(String, String)>) -> Result<(), String> {
    let unreadable = |error: serde_json::Error| error.to_string();
    if depth > DEEPEST {
        return Err(format!("it nests deeper than {DEEPEST} levels"));
    }
    match json.as_bytes().first() {
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(json).map_err(unreadable)?;
            members.0.into_iter().try_for_each(|(key, member)| {
                // Read back, it would be two keys.
                if key.contains(['[', ']']) {
                    return Err("the name of a member holds a bracket, which is what stands around names".to_owned());
                }
                add(format!("{name}[{key}]"), member.get(), depth + 1, found)
            })
        }
        Some(b'[') => {
            let items = items(json).map_err(unreadable)?;
            let is_flat = items.iter().all(|item| !item.get().starts_with(['{', '[']));
            items.iter().enumerate().try_for_each(|(index, item)| {
                let key = if is_flat { String::new() } else { index.to_string() };
                add(format!("{name}[{key}]"), item.get(), depth + 1, found)
            })
        }
        _ => {
            found.extend(scalar(json).map_err(unreadable)?.map(|value| (name, value)));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(value: &serde_json::Value) -> Vec<String> {
        let pairs = pairs("f", &value.to_string()).expect("it can be written");
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn what_nests_is_written_as_servers_read_it() {
        for (value, pairs) in [
            (json!({ "a": "x y", "b": 1, "c": null, "d": true }), &["f[a]=x y", "f[b]=1", "f[d]=true"][..]),
            (json!({ "a": { "b": { "c": 1.5 } } }), &["f[a][b][c]=1.5"]),
            (json!({ "a": ["x", null, "y"] }), &["f[a][]=x", "f[a][]=y"]),
            (json!({ "a": [{ "b": 1 }, { "b": [2] }] }), &["f[a][0][b]=1", "f[a][1][b][]=2"]),
            (json!([[1], [2, 3]]), &["f[0][]=1", "f[1][]=2", "f[1][]=3"]),
            (json!({}), &[]),
            (json!([]), &[]),
            (json!("x"), &["f=x"]),
        ] {
            assert_eq!(written(&value), pairs, "{value}");
        }
    }

    #[test]
    fn what_could_be_read_as_something_else_is_refused() {
        let refusal = pairs("f", r#"{"a]":1}"#).expect_err("a bracket");
        assert!(refusal.contains("bracket") && !refusal.contains("a]"), "{refusal}");
        let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
        assert!(pairs("f", &deep).is_err_and(|why| why.contains("32")));
    }
}
