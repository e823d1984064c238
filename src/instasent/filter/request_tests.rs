use super::*;
use crate::instasent::filter::{Bound, EventKey, EventNode, Period, Predicate, RelativeDates, attribute, event};

/// One node of every kind and every operator.
fn audience() -> Result<AudienceNode, InvalidFilter> {
    let last_month = RelativeDates::between(Bound::days(-30), Bound::days(0).exclusive())?;
    let since = RelativeDates::from(Bound::new(-2, Period::Other("week".to_owned())).rounding_unchecked("start"));
    let amount = EventKey::parameter("ecommerce_order_create", "order-euro-amount")?;
    let order = AudienceNode::same_event([
        event(&amount, Predicate::between(10, 99.5)?),
        event(&EventKey::created_at(), Predicate::relative(&last_month)),
    ])?;
    let segment = Map::from_iter([("uid".to_owned(), json!("seg_1"))]);
    AudienceNode::all([
        attribute("_country_code", Predicate::contains(["ES", "PT"])?)?,
        AudienceNode::any([
            attribute("_email", Predicate::exists())?,
            attribute("_full_name", Predicate::matches_any(["Ada", "Grace"])?)?,
            attribute("note", Predicate::matches_all(["red", "shoes"])?)?,
        ])?,
        attribute("age", Predicate::at_least(18)?)?,
        attribute("visits", Predicate::at_most(7_u64)?)?,
        attribute("_date_registered", Predicate::relative(&since))?,
        attribute("colour", Predicate::unchecked("not-contains", json!(["red"]))?)?,
        order,
        event(&EventKey::event_type(), Predicate::contains(["create"])?).into(),
        AudienceNode::unchecked("segment_condition", segment)?,
    ])
}

fn events() -> Result<EventNode, InvalidFilter> {
    let source = EventKey::parameter("create", "source")?;
    let recent = RelativeDates::until(Bound::days(-1));
    EventNode::any([
        EventNode::all([
            event(&EventKey::event_type(), Predicate::contains(["create"])?),
            event(&source, Predicate::matches_any(["web"])?),
        ])?,
        event(&EventKey::created_at(), Predicate::relative(&recent)).into(),
    ])
}

#[test]
fn a_search_of_contacts_has_every_kind_of_node() {
    let search = Search::new(audience().expect("a tree"))
        .limit(Limit::MAX)
        .sort(Sort::descending("_date_updated").expect("a key"))
        .version("0.0.1")
        .offset(100)
        .trimmed();
    insta::assert_json_snapshot!(search.to_json());
}

#[test]
fn a_search_of_events_has_groups_and_event_conditions() {
    let search = Search::new(events().expect("a tree")).limit(Limit::DEFAULT);
    insta::assert_json_snapshot!(search.to_json());
}

#[test]
fn a_scroll_may_have_no_condition() {
    assert_eq!(Scroll::<AudienceNode>::all().to_json(), json!({}));
    let page = Scroll::<EventNode>::all().after("c2").limit(Limit::MAX).sort(Sort::ascending("_email").expect("a key"));
    assert_eq!(page.to_json(), json!({"cursor": "c2", "limit": 100, "sortField": "_email", "sortAsc": true}));
}

#[test]
fn an_event_condition_alone_is_a_tree_of_either_kind() {
    let condition = event(&EventKey::event_type(), Predicate::contains(["create"]).expect("a predicate"));
    let contacts = Search::<AudienceNode>::new(condition.clone().into()).to_json();
    assert_eq!(contacts, Search::<EventNode>::new(condition.into()).to_json());
}

#[test]
fn a_range_may_be_of_one_value_or_count_its_ends_in_different_periods() {
    assert!(Predicate::between(1, 1).is_ok());
    assert!(RelativeDates::between(Bound::days(0), Bound::days(0)).is_ok());
    let week = Bound::new(-1, Period::Other("week".to_owned()));
    assert!(RelativeDates::between(Bound::days(0), week).is_ok(), "which of them is earlier is not known here");
}

#[test]
fn what_is_wrong_in_form_cannot_be_made() {
    let condition = |event_type| EventKey::parameter(event_type, "a").map(|key| event(&key, Predicate::exists()));
    let errors = [
        Predicate::contains(Vec::<String>::new()).expect_err("no value"),
        Predicate::matches_any(["&&", "a"]).expect_err("a combinator"),
        Predicate::matches_all(Vec::<String>::new()).expect_err("no value"),
        Predicate::between(2, 1).expect_err("reversed"),
        Predicate::at_least("18").expect_err("a text"),
        Predicate::at_most(f64::NAN).expect_err("no number"),
        Predicate::unchecked("", json!([])).expect_err("no operator"),
        Predicate::unchecked("equals", json!("a")).expect_err("no list"),
        RelativeDates::between(Bound::days(0), Bound::days(-1)).expect_err("reversed"),
        attribute("", Predicate::exists()).expect_err("no key"),
        AudienceNode::all(Vec::<AudienceNode>::new()).expect_err("no child"),
        EventNode::any(Vec::<EventNode>::new()).expect_err("no child"),
        EventKey::parameter("a.b", "c").expect_err("a dot"),
        EventKey::parameter("a", "").expect_err("no parameter"),
        condition("a").and_then(|a| AudienceNode::same_event([a, condition("b")?])).expect_err("two types"),
        AudienceNode::unchecked(" ", Map::new()).expect_err("no type"),
        Sort::ascending("").expect_err("no key"),
    ];
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(errors.join("\n"));
}

#[cfg(feature = "instasent-product")]
#[test]
fn the_generated_bodies_are_written_as_the_filter_is() {
    use crate::instasent::product::types;

    let sort = || Sort::ascending("_email").expect("a key");
    let search = Search::new(audience().expect("a tree")).limit(Limit::MAX).sort(sort()).trimmed();
    let body = types::AudienceSearchFilter::from(search.clone());
    assert_eq!(serde_json::to_value(body).ok(), Some(search.to_json()));

    let scroll = Scroll::of(audience().expect("a tree")).after("c").trimmed().version("0.0.1");
    let body = types::AudienceScrollFilter::from(scroll.clone());
    assert_eq!(serde_json::to_value(body).ok(), Some(scroll.to_json()));

    let search = Search::new(events().expect("a tree")).offset(5).sort(sort());
    let body = types::EventSearchFilter::from(search.clone());
    assert_eq!(serde_json::to_value(body).ok(), Some(search.to_json()));

    let scroll = Scroll::of(events().expect("a tree")).limit(Limit::DEFAULT).after("c");
    let body = types::EventScrollFilter::from(scroll.clone());
    assert_eq!(serde_json::to_value(body).ok(), Some(scroll.to_json()));

    let whole = types::AudienceScrollFilter::from(Scroll::<AudienceNode>::all());
    assert_eq!(whole.include_all_data, None, "the default of the document is not sent");
}
