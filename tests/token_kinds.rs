//! Handing a client the wrong kind of token does not compile.

#[test]
fn the_wrong_kind_of_token_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
