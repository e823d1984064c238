//! Numbers within the bounds of a schema.

use serde_json::{Number, Value, json};

use super::combined_schema::CombinedSchema;

pub(super) fn integer(whole: &CombinedSchema<'_>) -> Value {
    let (least, most) = bounds(whole, 1.0);
    #[expect(clippy::cast_possible_truncation, reason = "a bound becomes the nearest whole number there is")]
    let (least, most) = (least.map(|least| least.ceil() as i64), most.map(|most| most.floor() as i64));
    let from = least.unwrap_or_else(|| most.map_or(1, |most| most.min(1)));
    let step = whole.all("multipleOf").filter_map(Value::as_i64).find(|step| *step > 1).unwrap_or(1);
    let over = from.rem_euclid(step);
    json!(if over == 0 { from } else { from.saturating_add(step - over) })
}

pub(super) fn number(whole: &CombinedSchema<'_>) -> Value {
    let value = match bounds(whole, 1.0) {
        (None, None) => return json!(1),
        // There is no whole step between two bounds that are so close.
        (Some(least), Some(most)) if least > most => match bounds(whole, 0.0) {
            (Some(least), Some(most)) => f64::midpoint(least, most),
            _ => least,
        },
        (Some(least), _) => least,
        (None, Some(most)) => most.min(1.0),
    };
    Value::Number(Number::from_f64(value).unwrap_or_else(|| 1.into()))
}

/// Returns the lower and the upper bound; an exclusive bound is moved by a step.
fn bounds(whole: &CombinedSchema<'_>, step: f64) -> (Option<f64>, Option<f64>) {
    let all = |key: &str, excluding: &str, step: f64| {
        let bound = |part: &Value| {
            let excluded = part.get(excluding);
            // Earlier dialects have a flag that excludes the bound; later ones have the bound itself.
            let own = part.get(key).and_then(Value::as_f64);
            let own = own.map(|own| if excluded == Some(&json!(true)) { own + step } else { own });
            [own, excluded.and_then(Value::as_f64).map(|own| own + step)]
        };
        whole.parts().flat_map(bound).flatten().collect::<Vec<f64>>()
    };
    let least = all("minimum", "exclusiveMinimum", step).into_iter().reduce(f64::max);
    (least, all("maximum", "exclusiveMaximum", -step).into_iter().reduce(f64::min))
}
