use super::*;

#[test]
fn a_secret_is_masked_as_it_is_whatever_it_looks_like() {
    let redactor = Redactor::new(["hunter2", "a.*(b|c)$", "日本語"]);
    assert_eq!(redactor.mask("the key hunter2 is revoked"), "the key [redacted] is revoked");
    assert_eq!(redactor.mask("x a.*(b|c)$ y, abc"), "x [redacted] y, abc");
    assert_eq!(redactor.mask("é日本語é"), "é[redacted]é");
    assert!(matches!(redactor.mask("hunter 2"), Cow::Borrowed("hunter 2")));
}

#[test]
fn secrets_that_hold_or_overlap_each_other_leave_nothing() {
    let redactor = Redactor::new(["bcde", "abcdef", "efgh", ""]);
    assert_eq!(redactor.mask("x abcdef y bcde"), "x [redacted] y [redacted]");
    assert_eq!(redactor.mask("x abcdefgh y"), "x [redacted] y");
    assert_eq!(Redactor::new(["aaaa"]).mask(&"a".repeat(1000)), MASK);
}

#[test]
fn a_short_secret_is_masked_where_it_stands_alone() {
    let redactor = Redactor::new(["x1"]);
    assert_eq!(redactor.mask("the key x1, 0x1f, ax1"), "the key [redacted], 0x1f, ax1");
    assert_eq!(Redactor::new([""]).mask("nothing"), "nothing");
}

#[test]
fn one_encoding_inside_another_is_found() {
    let redactor = Redactor::new(["sword/fish+12"]);
    for text in [
        "sword%252Ffish%252b12",
        r"sword\\/fish\\u002b12",
        "sword&amp;#47;fish&amp;plus;12",
        r"c3dvcmQ\u0076ZmlzaCsxMg==",
        "c3dvcmQvZmlzaCsxMg%3D%3D",
        // Basic, of an id and the secret, form-encoded first.
        "bXktY2xpZW50OnN3b3JkJTJGZmlzaCUyQjEy",
        "21+hsif/drows",
        "BEARER_SWORD/FISH+12",
        "73776f72642f666973682b3132",
        "s\0w\0o\0r\0d\0/\0f\0i\0s\0h\0+\x001\x002\0",
        "c3dvcmQv\r\nZmlzaCsx\r\nMg==",
    ] {
        let masked = redactor.mask(text);
        assert!(masked.contains(MASK) && !masked.contains("fish") && !masked.contains("Zmlz"), "{text}: {masked}");
        assert!(redactor.finds(text));
    }
}

#[test]
fn what_stands_around_an_encoded_secret_is_kept() {
    let redactor = Redactor::new(["sword/fish+12"]);
    assert_eq!(redactor.mask("a%20b sword%2Ffish%2B12 c%20d"), "a%20b [redacted] c%20d");
    assert_eq!(redactor.mask("user:c3dvcmQvZmlzaCsxMg== is wrong"), "user:[redacted]== is wrong");
    assert_eq!(redactor.mask("xx73776f72642f666973682b3132yy"), "xx[redacted]yy");
}

#[test]
fn a_part_at_an_end_that_was_cut_is_masked() {
    let redactor = Redactor::new(["sword/fish+12"]);
    assert_eq!(redactor.mask("the key sword/fi"), "the key sword/fi");
    for (text, masked) in [
        ("the key sword/fi", "the key [redacted]"),
        ("fish+12 is the key", "[redacted] is the key"),
        ("the key sword%2", "the key [redacted]"),
        ("the key sword%2Ff", "the key [redacted]"),
        (r"the key sword\u00", "the key [redacted]"),
        ("the key: c3dvcmQv", "the key: [redacted]"),
        ("2Ffish+12 is the key", "[redacted] is the key"),
        ("the key swo", "the key swo"),
        ("21+hsif", "[redacted]"),
    ] {
        assert_eq!(redactor.mask_cut(text), masked, "{text}");
    }
}

#[test]
fn json_keeps_its_form_and_loses_secrets_of_every_place() {
    let redactor = Redactor::new([r#"a"b\c"#, "34600000000"]);
    let value = serde_json::json!({
        "why": [r#"the key a"b\c is revoked"#, 7, null], r#"a"b\c"#: 1, r#"A"B\C"#: 2, "phone": 34_600_000_000_u64,
    });
    let masked = serde_json::json!({
        "why": ["the key [redacted] is revoked", 7, null], "[redacted]": 1, "[redacted]'": 2, "phone": "[redacted]",
    });
    let found = redactor.mask_json(value);
    assert_eq!(found["why"], masked["why"]);
    assert_eq!(found["phone"], masked["phone"]);
    assert_eq!(found.as_object().map(Map::len), Some(4));
    assert!(!found.to_string().contains("\\c"), "{found}");
}

#[test]
fn secrets_that_are_learned_one_by_one_are_all_masked() {
    let mut redactor = Redactor::default();
    let secrets: Vec<String> = (0..300).map(|number| format!("secret-{number:03}-é")).collect();
    for secret in &secrets {
        redactor.learn([secret]);
    }
    assert!(redactor.sets.len() < 10, "{}", redactor.sets.len());
    for secret in &secrets {
        assert_eq!(redactor.mask(&secret.to_uppercase()), MASK);
    }
}

#[test]
fn a_redactor_does_not_print_its_secrets() {
    assert!(!format!("{:?}", Redactor::new(["hunter2"])).contains("hunter2"));
}
