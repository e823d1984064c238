//! Tests of wrappers that become aliases.

use quote::ToTokens as _;

use super::*;

fn without_wrappers(tokens: proc_macro2::TokenStream) -> String {
    let mut file: syn::File = syn::parse2(tokens).expect("it is Rust");
    replace_wrappers(&mut file.items);
    file.into_token_stream().to_string().replace(' ', "")
}

#[test]
fn a_wrapper_without_limits_is_an_alias_and_one_that_holds_itself_is_none() {
    let code = without_wrappers(quote! {
        #[doc = " Said."]
        #[derive(Clone)]
        pub struct Name(pub ::std::string::String);
        impl ::std::ops::Deref for Name {}
        impl ::std::convert::From<Name> for ::std::string::String {}
        pub struct Tree(pub ::std::vec::Vec<Tree>);
        pub struct Base {}
        pub struct Outer(pub Base);
        impl ::std::convert::From<Outer> for Base {}
    });
    assert_eq!(
        code,
        "#[doc=\"Said.\"]pubtypeName=::std::string::String;pubstructTree(pub::std::vec::Vec<Tree>);pubstructBase{}pubtypeOuter=Base;"
    );
}

#[test]
fn texts_with_one_pattern_share_it() {
    let text = |name: &str, most: usize| {
        let name = format_ident!("{name}");
        quote! {
            pub struct #name(::std::string::String);
            impl ::std::str::FromStr for #name {
                fn from_str(value: &str) -> Result<Self, E> {
                    if value.chars().count() > #most { return Err("long".into()); }
                    static PATTERN: L = L::new(|| Regex::new("^a$").unwrap());
                    if PATTERN.find(value).is_none() { return Err("doesn't match pattern \"^a$\"".into()); }
                    Ok(Self(value.to_string()))
                }
            }
        }
    };
    let (first, second) = (text("First", 3), text("Second", 4));
    let code = without_wrappers(quote!(#first #second));
    assert!(code.contains("pubtypeFirst=::keyfit::codegen::Text<patterns::First,0,3>;"), "{code}");
    assert!(code.contains("pubtypeSecond=::keyfit::codegen::Text<patterns::First,0,4>;"), "{code}");
    assert_eq!(code.matches("constPATTERN").count(), 1, "{code}");
    assert!(!code.contains("REFUSAL"), "{code}");
}

#[test]
fn alternatives_that_become_one_type_are_not_guessed() {
    let code = without_wrappers(quote! {
        pub struct A(pub ::std::string::String);
        pub struct B(pub ::std::string::String);
        pub struct C(pub ::std::string::String);
        pub enum Either { A(A), B(B) }
        impl ::std::convert::From<A> for Either {}
        impl ::std::convert::From<B> for Either {}
        pub enum One { C(C), Text(::std::string::String) }
        impl ::std::convert::From<C> for One {}
        impl ::std::convert::From<::std::string::String> for One {}
    });
    assert_eq!(code.matches("implFor").count() + code.matches("impl::std").count(), 1, "{code}");
    assert!(code.contains("impl::std::convert::From<::std::string::String>forOne"), "{code}");
}
