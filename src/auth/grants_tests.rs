//! Needs against grants, in both forms.

use super::*;
use crate::error::ErrorKind;
use crate::error::test_logs::logs_of;

fn excess(needs: &Needs, granted: &Scopes) -> String {
    needs.check(granted).expect("nothing is lacking").to_string()
}

fn lack(needs: &Needs, granted: &Scopes) -> String {
    let error = needs.check(granted).expect_err("something is lacking");
    assert_eq!(error.kind(), ErrorKind::Credential);
    let message = error.to_string();
    let (_, lacking) = message.split_once("needs: ").expect("the lacking rights");
    lacking.split(';').next().expect("the lacking rights").to_owned()
}

#[test]
fn a_flat_scope_holds_for_every_resource() {
    let needs = Needs::none().on("accounts", "read").on("reports", "read");
    assert_eq!(excess(&needs, &Scopes::flat(["read"])), "");
    assert_eq!(excess(&needs, &Scopes::flat(["read", "write", "delete"])), "delete, write");
}

#[test]
fn an_action_of_a_map_holds_for_its_resource_only() {
    let granted = Scopes::by_resource([("accounts", vec!["read", "write"]), ("reports", vec![])]);
    assert_eq!(excess(&Needs::none().on("accounts", "read"), &granted), "write on accounts");
    let needs = Needs::none().on("accounts", "read").on("reports", "read").on("contacts", "write");
    assert_eq!(lack(&needs, &granted), "read on reports, write on contacts");
    assert_eq!(lack(&Needs::none().and("read"), &granted), "read");
}

#[test]
fn write_implies_neither_read_nor_delete() {
    let granted = Scopes::flat(["write"]);
    assert_eq!(lack(&Needs::none().on("accounts", "read"), &granted), "read on accounts");
    assert_eq!(lack(&Needs::none().on("accounts", "delete"), &granted), "delete on accounts");
}

#[test]
fn admin_covers_everything_and_is_more_than_reading_needs() {
    let granted = Scopes::flat(["admin"]);
    assert_eq!(excess(&Needs::none().on("accounts", "read"), &granted), "admin");
    assert_eq!(excess(&Needs::none().and("admin").on("accounts", "read"), &granted), "");
    // Beside `admin`, `read` adds nothing.
    assert_eq!(excess(&Needs::none().and("admin"), &Scopes::flat(["admin", "read"])), "");
}

#[test]
fn the_management_of_keys_needs_a_flat_admin() {
    let map = Scopes::by_resource([("accounts", ["admin"]), ("api-keys", ["admin"])]);
    assert_eq!(lack(&Needs::none().and("admin"), &map), "admin");
    assert_eq!(lack(&Needs::none().on("api-keys", "admin"), &map), "admin on api-keys");
    assert_eq!(excess(&Needs::none().on("accounts", "read"), &map), "admin on accounts, admin on api-keys");
}

#[test]
fn nothing_granted_covers_nothing_and_no_needs_are_always_met() {
    for granted in [Scopes::flat::<String>([]), Scopes::Resources(BTreeMap::new())] {
        assert_eq!(lack(&Needs::none().on("accounts", "read"), &granted), "read on accounts");
        assert_eq!(excess(&Needs::none(), &granted), "");
    }
}

#[test]
fn unknown_scopes_are_kept_and_break_no_line() {
    let granted = Scopes::flat(["PROJECT_AUDIENCE_READ", "PROJECT_NEW\nTHING"]);
    let excess = Needs::none().and("PROJECT_AUDIENCE_READ").check(&granted).expect("nothing is lacking");
    assert_eq!(excess.to_string(), "PROJECT_NEW\\nTHING");
    assert_eq!(excess.rights().next().map(|right| right.scope.as_str()), Some("PROJECT_NEW\nTHING"));
}

#[test]
fn an_excess_is_one_warning_in_the_log() {
    let needs = Needs::none().on("accounts", "read");
    let logs = logs_of(|| assert_eq!(excess(&needs, &Scopes::flat(["delete", "read", "write"])), "delete, write"));
    assert_eq!(logs.lines().count(), 1, "{logs}");
    assert!(logs.contains("WARN") && logs.contains("excess=delete, write"), "{logs}");
    assert_eq!(logs_of(|| assert_eq!(excess(&needs, &Scopes::flat(["read"])), "")), "");
}

#[cfg(feature = "scopien")]
#[test]
fn needs_are_read_from_operations() {
    let operation = |id: &str| crate::scopien::API.operation(id).expect(id);
    let needs = Needs::of(&[operation("auth-test"), operation("accounts-list"), operation("accounts-create")]);
    assert_eq!(needs, Needs::none().on("accounts", "read").on("accounts", "write"));
    assert_eq!(Needs::of(&[operation("api-keys-delete")]), Needs::none().and("admin"));
}
