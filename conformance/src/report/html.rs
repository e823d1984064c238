//! stub
use super::Report;
pub(super) fn html(report: &Report) -> String {
    report.version.clone()
}
