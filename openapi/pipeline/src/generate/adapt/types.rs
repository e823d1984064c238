//! The changes to types and their impls.

use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Item, parse_quote};

use crate::normalize::PATH_GUARD;

/// Adapts types and their impls.
pub(crate) fn adapt_types(items: &mut [Item]) {
    let mut adapt = TypeAdapter { refusal: format!("doesn't match pattern \"{PATH_GUARD}\"") };
    for item in items {
        adapt.visit_item_mut(item);
    }
}

/// A visitor that adapts types. `extra: Err("no value supplied for extra")` in a type builder would make unneeded members
/// required, and the error for a path argument must explain the problem in words, not by the guard's pattern.
struct TypeAdapter {
    /// The generator's error message for a path argument that the guard refuses.
    refusal: String,
}

impl VisitMut for TypeAdapter {
    fn visit_lit_str_mut(&mut self, literal: &mut syn::LitStr) {
        if literal.value() == self.refusal {
            *literal =
                syn::LitStr::new("a path argument must not be empty, `.`, `..` or hold a backslash", literal.span());
        }
    }

    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        visit_mut::visit_field_value_mut(self, field);
        if is_error_with(&field.expr, "no value supplied for extra") {
            field.expr = parse_quote!(Ok(::std::default::Default::default()));
        }
    }
}

/// Returns whether an expression is `Err("..".to_string())` with this text.
fn is_error_with(expr: &Expr, said: &str) -> bool {
    let Expr::Call(refusal) = expr else { return false };
    let Some(Expr::MethodCall(text)) = refusal.args.first() else { return false };
    matches!(&*text.receiver, Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) if text.value() == said)
}
