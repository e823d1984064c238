//! A summary in Markdown, for example for `$GITHUB_STEP_SUMMARY`, whose limit is one mebibyte: long parts are cut with a note.

use std::fmt::Write as _;

use super::model::FindingCases;
use super::readings::FollowedReading;
use super::transcript::transcript;
use super::{ApiReport, CaseReport, Changes, Counts, Finding, Report, capitalised, cases_of};
use crate::contract::Family;
use crate::judgement::verdict::Verdict;
use crate::text::markdown::inert;

/// The number of findings per API with an exchange, and of rules with their cases; the others are only named.
const MAX_SHOWN: usize = 20;
/// The highest numbers of operations and of callers in the access table.
const MAX_ROWS: usize = 100;
const MAX_CALLERS: usize = 12;
/// The number of cases that are named for a finding or a rule, and in each list of changes.
const MAX_LISTED: usize = 10;

/// Renders the report as Markdown.
pub(super) fn markdown(report: &Report) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "## Contract check: {}\n", report.summary());
    let (all, started) = (cases_of(report.totals.all()), inline(&report.started));
    let _ = writeln!(text, "{all}, {} requests in {:.2} s, {started}\n", report.requests, report.seconds);
    matrix(&mut text, report);
    lists(&mut text, report);
    if let Some(changes) = &report.changes {
        changed(&mut text, changes);
    }
    findings(&mut text, report);
    access(&mut text, report);
    write_known_failures(&mut text, report);
    observed(&mut text, report);
    skipped(&mut text, report);
    readings(&mut text, report);
    if !report.stale.is_empty() {
        text.push_str("\n## Stale entries of the baseline\n\n");
        for entry in &report.stale {
            let _ = writeln!(text, "- {}", inline(entry));
        }
    }
    text
}

/// Writes the readings that a live server follows if the documents disagree.
fn readings(text: &mut String, report: &Report) {
    let followed = report.followed();
    if !followed.is_empty() {
        text.push_str("\n### Where the documents disagree, the server follows\n\n");
    }
    for FollowedReading { about, says, answers } in followed {
        let _ = writeln!(text, "- {}: {} ({answers})", inline(&about), inline(says));
    }
}

/// Writes the contract's policy and the effects on live servers, without omissions: the reader is responsible for them.
fn lists(text: &mut String, report: &Report) {
    for api in &report.apis {
        for note in api.notes() {
            let _ = writeln!(text, "Note: {}\n", inline(note));
        }
        for (title, lines) in api.lists() {
            let _ = writeln!(text, "### {}\n", inline(&capitalised(&title)));
            for line in lines {
                let _ = writeln!(text, "- {}", inline(&line));
            }
            text.push('\n');
        }
    }
}

fn matrix(text: &mut String, report: &Report) {
    let has = |family: &Family| report.apis.iter().any(|api| api.families.contains_key(family));
    let families: Vec<Family> = Family::ALL.into_iter().filter(has).collect();
    text.push_str("| API |");
    for family in &families {
        let _ = write!(text, " {family} |");
    }
    let _ = writeln!(text, "\n|---|{}", "--:|".repeat(families.len()));
    for api in &report.apis {
        let _ = write!(text, "| {} |", inline(&api.api));
        for family in &families {
            let _ = write!(text, " {} |", cell(api, *family));
        }
        text.push('\n');
    }
    text.push('\n');
}

fn cell(api: &ApiReport, family: Family) -> String {
    match api.families.get(&family) {
        None => String::new(),
        Some(counts @ Counts { pass, .. }) if *pass == counts.all() => pass.to_string(),
        Some(counts) => format!("**{}**", counts.summary()),
    }
}

fn changed(text: &mut String, changes: &Changes) {
    let _ = writeln!(text, "### Since the run of {}\n", inline(&changes.since));
    for (name, list) in changes.lists() {
        let _ = writeln!(text, "- {} {name}", list.len());
        let notable = || list.iter().filter(|change| change.is_notable());
        for change in notable().take(MAX_LISTED) {
            let _ = writeln!(text, "  - {}: {}", code(&change.id), inline(&change.transition()));
        }
        let more = notable().count().saturating_sub(MAX_LISTED);
        if more > 0 {
            let _ = writeln!(text, "  - and {more} more");
        }
    }
    text.push('\n');
}

/// Writes each finding with the exchange that shows it, within the limit.
fn findings(text: &mut String, report: &Report) {
    for api in &report.apis {
        let mut found = api.findings_with_cases();
        found.retain(|found| found.finding.verdict != Verdict::Known);
        if found.is_empty() {
            continue;
        }
        let _ = writeln!(text, "### Findings: {}\n", inline(&api.api));
        for (number, FindingCases { finding, example, cases }) in (1..).zip(found) {
            let Finding { verdict, title, why, change, .. } = finding;
            let _ = writeln!(text, "{number}. **{verdict}** {} ({})", inline(title), finding.extent());
            let Some(example) = example.filter(|_| number <= MAX_SHOWN) else { continue };
            let (requirement, source) = (inline(&example.requirement), link(&example.source, &example.url));
            let _ = writeln!(text, "   - {} {}: {requirement} ({source})", example.level, code(&example.rule));
            let _ = writeln!(text, "   - {}: {}", code(&example.id), inline(example.why()));
            let _ = writeln!(text, "   - why: {}", inline(why));
            let _ = writeln!(text, "   - change: {}", inline(change));
            let others: Vec<&&CaseReport> = cases.iter().filter(|case| case.id != example.id).collect();
            for case in others.iter().take(MAX_LISTED) {
                let _ = writeln!(text, "   - {}", code(&case.id));
            }
            if others.len() > MAX_LISTED {
                let _ = writeln!(text, "   - and {} more", others.len() - MAX_LISTED);
            }
            exchange(text, example);
        }
        text.push('\n');
    }
}

/// Writes the known failures: each finding in one line.
fn write_known_failures(text: &mut String, report: &Report) {
    if report.totals.known == 0 {
        return;
    }
    let file = report.baseline.as_ref().map_or_else(String::new, |file| format!(": {}", code(file)));
    let _ = writeln!(text, "### Known to fail{file}\n");
    for found in report.apis.iter().flat_map(ApiReport::findings_with_cases) {
        let FindingCases { finding, .. } = &found;
        if finding.verdict == Verdict::Known {
            let _ = writeln!(text, "- {} ({}): {}", inline(&finding.title), finding.extent(), inline(&found.reasons()));
        }
    }
    text.push('\n');
}

/// Writes the access table, collapsed.
fn access(text: &mut String, report: &Report) {
    for (api, access) in report.apis.iter().filter_map(|api| Some((api, api.access.as_ref()?))) {
        let (cells, seen, against) = access.counts();
        let _ = writeln!(
            text,
            "<details><summary>Who may call what: {}, {seen} of {cells} seen, {against} not as is due</summary>\n",
            inline(&api.api)
        );
        let _ = write!(text, "| operation |");
        for caller in access.callers.iter().take(MAX_CALLERS) {
            let _ = write!(text, " {} |", inline(caller));
        }
        let _ = writeln!(text, "\n|---|{}", "---|".repeat(access.callers.len().min(MAX_CALLERS)));
        for row in access.operations.iter().take(MAX_ROWS) {
            let _ = write!(text, "| {} |", code(&row.operation));
            for cell in row.cells.iter().take(MAX_CALLERS) {
                let _ = write!(text, " {}: {} |", cell.due, cell.summary());
            }
            text.push('\n');
        }
        let more = access.operations.len().saturating_sub(MAX_ROWS);
        if more > 0 {
            let _ = writeln!(text, "\nand {more} more operations");
        }
        text.push_str("\n</details>\n\n");
    }
}

fn observed(text: &mut String, report: &Report) {
    let rules = report.rules(Verdict::Info);
    if rules.is_empty() {
        return;
    }
    let _ = writeln!(text, "### Only observed: it fails nothing\n");
    for (number, rule) in rules.iter().enumerate() {
        let first = rule.first;
        let requirement = inline(&first.requirement);
        let _ = writeln!(text, "- {}, {}: {requirement}", code(rule.id), cases_of(rule.count()));
        if number >= MAX_SHOWN {
            continue;
        }
        let _ = writeln!(text, "  ({}, {})", first.level, link(&first.source, &first.url));
        for case in rule.cases().take(MAX_LISTED) {
            let _ = writeln!(text, "  - {}: {}", code(&case.id), inline(case.why()));
        }
        if rule.count() > MAX_LISTED {
            let _ = writeln!(text, "  - and {} more", rule.count() - MAX_LISTED);
        }
    }
    text.push('\n');
}

/// Writes the exchanges of a case, collapsed.
fn exchange(text: &mut String, case: &CaseReport) {
    let lines: Vec<String> = case.exchanges.iter().flat_map(transcript).collect();
    if lines.is_empty() {
        return;
    }
    let shown = lines.join("\n");
    // The fence has to be longer than any sequence of backticks in the text.
    let fence = "`".repeat(longest_run(&shown, '`').max(2) + 1);
    let _ = writeln!(text, "\n   <details><summary>The exchange that shows it</summary>\n\n   {fence}http");
    for line in shown.lines() {
        let _ = writeln!(text, "   {line}");
    }
    let _ = writeln!(text, "   {fence}\n\n   </details>\n");
}

fn skipped(text: &mut String, report: &Report) {
    let rules = report.rules(Verdict::Skip);
    if rules.is_empty() {
        return;
    }
    let _ = writeln!(text, "<details><summary>Skipped: {}</summary>\n", cases_of(report.totals.skip));
    for rule in rules {
        let _ = writeln!(text, "- {}, {}: {}", code(rule.id), cases_of(rule.count()), inline(rule.first.why()));
    }
    text.push_str("\n</details>\n");
}

/// Escapes a text so that it contains no markup, HTML, or mentions.
fn inline(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in inert(text).chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => {
                escaped.push('\\');
                escaped.push(character);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Returns a text as code, between more backticks than it contains in a row.
fn code(text: &str) -> String {
    let ticks = "`".repeat(longest_run(text, '`') + 1);
    let text = text.replace(['\n', '\r'], " ");
    if ticks.len() == 1 { format!("{ticks}{text}{ticks}") } else { format!("{ticks} {text} {ticks}") }
}

/// Returns a link if the URL is HTTP or HTTPS, or else the plain text.
fn link(text: &str, url: &str) -> String {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>()\\".contains(&byte));
    if is_web && is_plain { format!("[{}]({url})", inline(text)) } else { inline(text) }
}

fn longest_run(text: &str, of: char) -> usize {
    text.split(|character| character != of).map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{code, inline, link};

    #[test]
    fn a_text_is_no_markup() {
        assert_eq!(inline("<b> a|b *c* @d\n&"), "&lt;\u{2060}b> a\\|b \\*c\\* @\u{2060}d &amp;");
        assert_eq!(inline("a/b#12"), "a/b\\#\u{2060}12");
        assert_eq!(code("a `b` c"), "`` a `b` c ``");
        assert_eq!(code("a\nb"), "`a b`");
    }

    #[test]
    fn only_addresses_of_the_web_become_links() {
        assert_eq!(link("a", "https://a.example/b"), "[a](https://a.example/b)");
        assert_eq!(link("a", "javascript:alert(1)"), "a");
        assert_eq!(link("a", "https://a.example/) [b](c"), "a");
    }
}
