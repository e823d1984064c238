//! A self-contained page with the report: it contains style, script, and data, and its content security policy permits no other resources.
//! Numbers and changes are visible without the script; the script filters, searches, and shows the cases.

mod data;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

use self::data::data;
use super::changes::Change;
use super::readings::FollowedReading;
use super::{ApiReport, CaseReport, Changes, Finding, Report, capitalised, cases_of};
use crate::contract::Family;
use crate::judgement::verdict::Verdict;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// The number of cases that are listed for readers without the script, and in each list of changes.
const MAX_LISTED: usize = 200;
/// The number of cases that became worse and are visible at once; a longer list is collapsed.
const MAX_OPEN: usize = 10;

/// Renders the report as a page.
pub(super) fn html(report: &Report) -> String {
    let mut page = head(report);
    let _ = write!(
        page,
        "<header>\n<h1>Contract check</h1>\n<p>{}, {} requests in {:.2} s; begun {}; keyfit-conformance {}</p>\n",
        cases_of(report.totals.all()),
        report.requests,
        report.seconds,
        escaped(&report.started),
        escaped(&report.version)
    );
    totals(&mut page, report);
    page.push_str("</header>\n<main>\n");
    if let Some(changes) = &report.changes {
        changed(&mut page, changes);
    }
    findings(&mut page, report);
    matrix(&mut page, report);
    access(&mut page, report);
    lists(&mut page, report);
    readings(&mut page, report);
    page.push_str(CASES_PLACEHOLDER);
    without_script(&mut page, report);
    let _ = write!(
        page,
        "</section>\n</main>\n<script type=\"application/json\" id=\"data\">{}</script>\n<script>{SCRIPT}</script>\n\
         </body>\n</html>\n",
        data(report)
    );
    page
}

/// The part that the script fills; the script removes `hidden`.
const CASES_PLACEHOLDER: &str = r#"<section id="grids" hidden>
<h2>Rules by operations</h2>
</section>
<section id="cases">
<h2>Cases</h2>
<form id="filter" hidden>
<label>Verdict <select name="verdict"></select></label>
<label>API <select name="api"></select></label>
<label>Family <select name="family"></select></label>
<label class="wide">Search <input name="q" type="search" placeholder="id, reason, requirement, operation, caller" autocomplete="off"></label>
<button type="reset">Reset</button>
</form>
<p id="count" role="status"></p>
<div id="list"></div>
<button id="more" type="button" hidden></button>
"#;

fn head(report: &Report) -> String {
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    let policy = format!(
        "default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    );
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>Contract check: {}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        report.summary()
    )
}

/// Returns the hash of an inline text for a content security policy.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

fn totals(page: &mut String, report: &Report) {
    page.push_str("<ul class=\"totals\">\n");
    for (verdict, count) in report.totals.each() {
        let mark = mark(verdict);
        let _ = writeln!(
            page,
            "<li class=\"{verdict}\"><a href=\"#verdict={verdict}\"><b>{count}</b> <span>{mark} {}</span></a></li>",
            word(verdict)
        );
    }
    page.push_str("</ul>\n");
}

/// Writes the findings of each API. The link leads to the example case.
fn findings(page: &mut String, report: &Report) {
    for api in report.apis.iter().filter(|api| !api.findings.is_empty()) {
        let _ = write!(page, "<section class=\"findings\">\n<h2>Findings: {}</h2>\n<ol>\n", escaped(&api.api));
        for found in api.findings_with_cases() {
            let finding = found.finding;
            let known = match finding.verdict {
                Verdict::Known => format!("<p>Known to fail: {}</p>", escaped(&found.reasons())),
                _ => String::new(),
            };
            let Finding { verdict, title, why, change, example, .. } = finding;
            let _ = writeln!(
                page,
                "<li class=\"{verdict}\"><details><summary>{} <b>{}</b> <span class=\"note\">{}</span></summary>\
                 {known}<p>{}</p><p>{}</p><p><a href=\"#q={}\"><code>{}</code></a></p></details></li>",
                mark(*verdict),
                escaped(title),
                finding.extent(),
                escaped(&capitalised(why)),
                escaped(&capitalised(change)),
                utf8_percent_encode(example, NON_ALPHANUMERIC),
                escaped(example)
            );
        }
        page.push_str("</ol>\n</section>\n");
    }
}

/// Writes the readings that a live server follows if the documents disagree.
fn readings(page: &mut String, report: &Report) {
    let followed = report.followed();
    if followed.is_empty() {
        return;
    }
    page.push_str("<section>\n<h2>Where the documents disagree, the server follows</h2>\n<ul>\n");
    for FollowedReading { about, says, answers } in followed {
        let _ = writeln!(page, "<li>{} <small>{}: {answers}</small></li>", escaped(says), escaped(&about));
    }
    page.push_str("</ul>\n</section>\n");
}

/// Writes the contract's policy and the effects on live servers, without omissions: the reader is responsible for them.
fn lists(page: &mut String, report: &Report) {
    for api in &report.apis {
        for note in api.notes() {
            let _ = writeln!(page, "<p class=\"note\">note: {}</p>", escaped(note));
        }
        for (title, lines) in api.lists() {
            let _ = write!(page, "<section>\n<h2>{}</h2>\n<ul>\n", escaped(&capitalised(&title)));
            for line in lines {
                let _ = writeln!(page, "<li><code>{}</code></li>", escaped(&line));
            }
            page.push_str("</ul>\n</section>\n");
        }
    }
}

fn changed(page: &mut String, changes: &Changes) {
    let _ = write!(
        page,
        "<section>\n<h2>Changes</h2>\n<p class=\"note\">since the run of {}</p>\n",
        escaped(&changes.since)
    );
    for (name, list) in changes.lists() {
        let notable: Vec<&Change> = list.iter().filter(|change| change.is_notable()).collect();
        let open = if name == "worse" && notable.len() <= MAX_OPEN { " open" } else { "" };
        if notable.is_empty() {
            let _ = writeln!(page, "<p class=\"change\">{} {name}</p>", list.len());
            continue;
        }
        let _ = writeln!(page, "<details class=\"change\"{open}><summary>{} {name}</summary>\n<ul>", list.len());
        for change in notable.iter().take(MAX_LISTED) {
            let id = escaped(&change.id);
            // A removed case is not in this run.
            let shown = if name == "gone" { id } else { format!("<a href=\"#q={}\">{id}</a>", query(&change.id)) };
            let _ = writeln!(page, "<li>{shown} <span class=\"note\">{}</span></li>", escaped(&change.transition()));
        }
        if notable.len() > MAX_LISTED {
            let _ = writeln!(page, "<li>and {} more</li>", notable.len() - MAX_LISTED);
        }
        page.push_str("</ul>\n</details>\n");
    }
    page.push_str("</section>\n");
}

/// Writes the access by operation and caller: the expectations, and the observed statuses.
fn access(page: &mut String, report: &Report) {
    for (api, access) in report.apis.iter().filter_map(|api| Some((api, api.access.as_ref()?))) {
        let (cells, seen, against) = access.counts();
        let _ = write!(
            page,
            "<section>\n<h2>Who may call what: {}</h2>\n<details><summary>{seen} of {cells} seen, {against} not as is due</summary>\n\
             <div class=\"scroll\"><table>\n<thead><tr><th>operation</th>",
            escaped(&api.api)
        );
        for caller in &access.callers {
            let _ = write!(page, "<th>{}</th>", escaped(caller));
        }
        page.push_str("</tr></thead>\n<tbody>\n");
        for row in access.operations.iter().take(MAX_LISTED) {
            let _ = write!(page, "<tr><th>{}</th>", escaped(&row.operation));
            for cell in &row.cells {
                let class = if cell.is_against { " class=\"fail\"" } else { "" };
                let _ = write!(page, "<td{class}>{}: {}</td>", cell.due, cell.summary());
            }
            page.push_str("</tr>\n");
        }
        page.push_str("</tbody>\n</table></div></details>\n");
        if access.operations.len() > MAX_LISTED {
            let _ = writeln!(page, "<p class=\"note\">and {} more</p>", access.operations.len() - MAX_LISTED);
        }
        page.push_str("</section>\n");
    }
}

fn matrix(page: &mut String, report: &Report) {
    let has = |family: &Family| report.apis.iter().any(|api| api.families.contains_key(family));
    let families: Vec<Family> = Family::ALL.into_iter().filter(has).collect();
    page.push_str("<section>\n<h2>APIs by families</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th>API</th>");
    for family in &families {
        let _ = write!(page, "<th>{family}</th>");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for api in &report.apis {
        let name = escaped(&api.api);
        let _ = write!(
            page,
            "<tr><th title=\"{}\"><a href=\"#api={}\">{name}</a></th>",
            escaped(&api.server),
            query(&api.api)
        );
        for family in &families {
            cell(page, api, *family);
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table></div>\n</section>\n");
}

/// Writes the counts of a family, in the color of its most severe verdict.
fn cell(page: &mut String, api: &ApiReport, family: Family) {
    let Some(counts) = api.families.get(&family) else {
        page.push_str("<td></td>");
        return;
    };
    let gravest = counts.each().next().map_or(Verdict::Skip, |(verdict, _)| verdict);
    let _ = write!(page, "<td class=\"{gravest}\" title=\"{}\">", counts.summary());
    let _ = write!(page, "<a href=\"#api={}&amp;family={family}\">", query(&api.api));
    let marked: Vec<String> = counts.each().map(|(verdict, count)| format!("{}{count}", mark(verdict))).collect();
    let _ = write!(page, "{}</a></td>", marked.join(" "));
}

/// Writes the cases that did not pass, for browsers without scripts.
fn without_script(page: &mut String, report: &Report) {
    let is_listed = |case: &&CaseReport| !matches!(case.verdict, Verdict::Pass | Verdict::Skip);
    let cases: Vec<&CaseReport> = report.cases().filter(is_listed).collect();
    page.push_str("<noscript>\n<p>Without its script, the page lists what did not pass.</p>\n<ul>\n");
    for case in cases.iter().take(MAX_LISTED) {
        let CaseReport { verdict, id, requirement, level, source, url, .. } = case;
        let _ = writeln!(
            page,
            "<li><b class=\"{verdict}\">{verdict}</b> <code>{}</code>: {}<br>{level} {} <cite>{}</cite></li>",
            escaped(id),
            escaped(case.why()),
            escaped(requirement),
            link(source, url)
        );
    }
    if cases.len() > MAX_LISTED {
        let _ = writeln!(page, "<li>and {} more</li>", cases.len() - MAX_LISTED);
    }
    page.push_str("</ul>\n</noscript>\n");
}

/// Returns a link if the URL is HTTP or HTTPS, or else the plain text.
fn link(text: &str, url: &str) -> String {
    let text = escaped(text);
    if url.starts_with("https://") || url.starts_with("http://") {
        format!("<a href=\"{}\" rel=\"noopener noreferrer\">{text}</a>", escaped(url))
    } else {
        text
    }
}

/// Returns the sign of a verdict, which is readable without color.
fn mark(verdict: Verdict) -> char {
    match verdict {
        Verdict::Pass => '✓',
        Verdict::Fail => '✗',
        Verdict::Known => '=',
        Verdict::Warn => '!',
        Verdict::Info => '?',
        Verdict::Skip => '–',
        Verdict::Error => '#',
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passed",
        Verdict::Fail => "failed",
        Verdict::Known => "known to fail",
        Verdict::Warn => "warned",
        Verdict::Info => "observed",
        Verdict::Skip => "skipped",
        Verdict::Error => "not judged",
    }
}

/// Escapes a text for the page or for a quoted attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Most control characters are not allowed in a page.
            _ if character.is_control() => escaped.push(' '),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Encodes a value for the fragment with which the script filters.
fn query(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}
