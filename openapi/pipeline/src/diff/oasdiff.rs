//! The equivalents of rules of oasdiff, a well-known comparison tool: for its users, and to ensure that no change of a
//! security requirement or an error response that oasdiff reports is graded as harmless here.

use super::rules::{self, Level, Rule};

/// A rule of oasdiff with our rule for the same change.
#[derive(Clone, Copy, Debug)]
pub struct Equivalent {
    /// The id in oasdiff.
    pub oasdiff: &'static str,
    /// The id here.
    pub rule: &'static str,
    /// The minimum level of our rule.
    pub at_least: Level,
}

impl Equivalent {
    /// Returns our rule.
    pub fn rule(&self) -> Option<&'static Rule> {
        rules::named(self.rule)
    }
}

const fn row(oasdiff: &'static str, rule: &'static str, at_least: Level) -> Equivalent {
    Equivalent { oasdiff, rule, at_least }
}

/// The table.
pub const EQUIVALENTS: [Equivalent; 20] = [
    row("api-security-added", "security-login-required", Level::Breaking),
    row("api-security-removed", "security-login-dropped", Level::Warning),
    row("api-security-scope-added", "security-scope-added", Level::Breaking),
    row("api-security-scope-removed", "security-scope-removed", Level::Info),
    row("api-global-security-added", "global-security-login-required", Level::Breaking),
    row("api-global-security-removed", "global-security-login-dropped", Level::Warning),
    row("api-global-security-scope-added", "global-security-scope-added", Level::Breaking),
    row("api-global-security-scope-removed", "global-security-scope-removed", Level::Info),
    row("api-security-component-added", "security-scheme-added", Level::Info),
    row("api-security-component-removed", "security-scheme-removed", Level::Warning),
    row("api-security-component-type-changed", "security-scheme-type-changed", Level::Breaking),
    row("api-security-component-oauth-url-changed", "oauth-authorization-url-changed", Level::Breaking),
    row("api-security-component-oauth-token-url-changed", "oauth-token-url-changed", Level::Breaking),
    row("api-security-component-oauth-scope-removed", "oauth-scope-removed", Level::Breaking),
    row("api-security-component-oauth-scope-added", "oauth-scope-added", Level::Info),
    row("response-success-status-removed", "response-success-status-removed", Level::Breaking),
    row("response-success-status-added", "response-success-status-added", Level::Info),
    row("response-non-success-status-removed", "error-status-removed", Level::Warning),
    row("response-non-success-status-added", "error-status-added", Level::Warning),
    row("required-response-header-removed", "response-required-header-removed", Level::Breaking),
];
