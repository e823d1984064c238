//! Path templates without the names of their parameters, as requests see them.

/// Returns a path template without the names of its parameters: `/pets/{}/toys`. No request distinguishes two operations with
/// the same result and method.
pub fn without_parameter_names(path: &str) -> String {
    let mut without_parameter_names = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, _, after)) = parameter(rest) {
        without_parameter_names.push_str(before);
        without_parameter_names.push_str("{}");
        rest = after;
    }
    without_parameter_names + rest
}

/// Returns whether two path templates are the same, except for the names of their parameters.
pub fn is_same(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one, other);
    loop {
        match (parameter(one), parameter(other)) {
            (Some((before, _, after)), Some((also_before, _, also_after))) if before == also_before => {
                (one, other) = (after, also_after);
            }
            (None, None) => return one == other,
            _ => return false,
        }
    }
}

/// Returns the text before the first parameter, its name, and the text after it.
fn parameter(path: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = path.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_the_same_without_the_names_of_their_parameters() {
        for (one, other, nameless_one, same) in [
            ("/pets/{id}", "/pets/{pet}", "/pets/{}", true),
            ("/pets/{id}", "/pets/mine", "/pets/{}", false),
            ("/pets/{id}", "/pets/{id}/toys", "/pets/{}", false),
            ("/pets/{a}-{b}", "/pets/{c}", "/pets/{}-{}", false),
            ("/pets/{a}-{b}", "/pets/{b}-{a}", "/pets/{}-{}", true),
            ("/pets/{id}:sell", "/pets/{pet}:sell", "/pets/{}:sell", true),
            ("/pets/{id}:sell", "/pets/{pet}:feed", "/pets/{}:sell", false),
            ("/pets", "/pets", "/pets", true),
            ("", "/", "", false),
        ] {
            assert_eq!(without_parameter_names(one), nameless_one);
            assert_eq!(is_same(one, other), same, "{one} {other}");
            assert_eq!(without_parameter_names(one) == without_parameter_names(other), same, "{one} {other}");
        }
    }
}
