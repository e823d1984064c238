//! Tests of types that are merged.

use quote::{ToTokens as _, quote};

use super::*;

fn merged(tokens: proc_macro2::TokenStream, named: &[&str]) -> String {
    let mut file: syn::File = syn::parse2(tokens).expect("it is Rust");
    merge_equal_types(&mut file, &named.iter().map(|name| (*name).to_owned()).collect());
    file.into_token_stream().to_string().replace(' ', "")
}

#[test]
fn circles_of_equal_types_are_one_and_a_difference_deep_inside_keeps_them_apart() {
    let types = |inner: &str| {
        let inner = format_ident!("{inner}");
        quote! {
            pub mod types {
                pub struct A { pub next: Option<Box<AInner>> }
                pub struct AInner { pub back: A }
                pub struct AAnswer { pub next: Option<Box<AAnswerInner>> }
                pub struct AAnswerInner { pub back: AAnswer, pub more: Leaf }
                pub struct Leaf { pub x: #inner }
                pub struct B { pub next: Option<Box<BInner>> }
                pub struct BInner { pub back: B }
                impl ArgumentType for B {}
            }
            fn f(_: types::BInner, _: types::A) {}
        }
    };
    let code = merged(types("u8"), &["A"]);
    assert!(code.contains("pubtypeA=B;") && !code.contains("structBInner"), "{code}");
    assert!(code.contains("structAAnswerInner"), "{code}");
    assert!(code.contains("fnf(_:types::AInner,_:types::A)"), "{code}");
}

#[test]
fn variants_that_are_called_as_merged_types_are_not_merged_with_them() {
    let code = merged(
        quote! {
            pub mod types {
                pub struct A { pub x: u8 }
                pub struct B { pub x: u8 }
                pub enum First { A(A) }
                pub enum Second { B(A) }
                impl From<A> for First { fn from(value: A) -> Self { Self::A(value) } }
            }
        },
        &[],
    );
    assert!(code.contains("enumFirst{A(A)}") && code.contains("enumSecond{B(A)}"), "{code}");
    assert!(!code.contains("structB"), "{code}");
}

#[test]
fn a_space_in_a_literal_keeps_types_apart() {
    let code = merged(
        quote! {
            pub mod types {
                pub struct A { #[serde(rename = "a b")] pub x: u8 }
                pub struct B { #[serde(rename = "ab")] pub x: u8 }
                pub struct C { #[serde(rename = "ab")] pub x: u8 }
            }
        },
        &[],
    );
    assert_eq!(code.matches("pubstruct").count(), 2, "{code}");
}

#[test]
fn what_others_are_made_of_a_merged_type_goes_with_it() {
    let code = merged(
        quote! {
            pub mod types {
                pub struct Pet(pub ::std::vec::Vec<Pet>);
                pub struct PetAnswer(pub ::std::vec::Vec<PetAnswer>);
                impl From<Pet> for ::std::vec::Vec<Pet> { fn from(value: Pet) -> Self { value.0 } }
                impl From<PetAnswer> for ::std::vec::Vec<PetAnswer> { fn from(value: PetAnswer) -> Self { value.0 } }
            }
        },
        &["Pet"],
    );
    assert_eq!(code.matches("implFrom<").count(), 1, "{code}");
}

#[test]
fn values_are_one_where_all_of_them_are_the_same() {
    let code = merged(
        quote! {
            pub mod types { pub struct T { pub a: super::values::LongName, pub b: super::values::C } }
            pub mod values {
                #[doc = " One."] #[in_macro(open_texts)] pub enum LongName { A = "a" }
                #[doc = " Two."] #[in_macro(open_texts)] pub enum B { A = "a" }
                #[in_macro(open_texts)] pub enum C { A = "b" }
            }
        },
        &[],
    );
    assert!(code.contains("a:super::values::B,pubb:super::values::C"), "{code}");
    assert!(!code.contains("enumLongName"), "{code}");
}
