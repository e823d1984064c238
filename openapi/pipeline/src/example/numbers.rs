//! Numbers within the bounds of a schema.

use serde_json::{Number, Value, json};

pub(super) fn integer(schema: &Value) -> Value {
    let (least, most) = bounds(schema, 1.0);
    #[expect(clippy::cast_possible_truncation, reason = "a bound becomes the nearest whole number there is")]
    let (least, most) = (least.map(|least| least.ceil() as i64), most.map(|most| most.floor() as i64));
    let from = least.unwrap_or_else(|| most.map_or(1, |most| most.min(1)));
    let step = schema.get("multipleOf").and_then(Value::as_i64).filter(|step| *step > 1).unwrap_or(1);
    let over = from.rem_euclid(step);
    json!(if over == 0 { from } else { from.saturating_add(step - over) })
}

pub(super) fn number(schema: &Value) -> Value {
    let value = match bounds(schema, 1.0) {
        (None, None) => return json!(1),
        // Between two that are so near each other there is no whole step.
        (Some(least), Some(most)) if least > most => match bounds(schema, 0.0) {
            (Some(least), Some(most)) => f64::midpoint(least, most),
            _ => least,
        },
        (Some(least), _) => least,
        (None, Some(most)) => most.min(1.0),
    };
    Value::Number(Number::from_f64(value).unwrap_or_else(|| 1.into()))
}

/// The least and the greatest number; one that is excluded itself is moved by a step.
fn bounds(schema: &Value, step: f64) -> (Option<f64>, Option<f64>) {
    let bound = |key: &str, excluding: &str, step: f64| {
        let excluded = schema.get(excluding);
        // Earlier dialects write whether the bound is excluded, later ones the bound.
        let own = schema.get(key).and_then(Value::as_f64);
        let own = own.map(|own| if excluded == Some(&json!(true)) { own + step } else { own });
        own.or_else(|| excluded.and_then(Value::as_f64).map(|own| own + step))
    };
    (bound("minimum", "exclusiveMinimum", step), bound("maximum", "exclusiveMaximum", -step))
}
