//! Services with planted defects: what a tool finds in each, what it says of it without a defect, how many requests and seconds that
//! takes and how much memory: `cargo bench -p keyfit-conformance --bench planted`, with `-- rights` for one of them. Our check is run with the contract that was written
//! for the service, and with what `keyfit init` makes of its document, with no edit. Of others, on the same service in the same run:
//! Schemathesis, whose path the variable `SCHEMATHESIS` gives, with the document, all checks, every identity (as `peers` where they own
//! different things) and three seeds; Hurl (`HURL`) with a suite that was written by hand for the service by somebody who knew the
//! defects. `KEYFIT_SHOW=1` prints what each says of a service without a defect.

mod services;
mod tools;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::Pin;

#[path = "../../tests/planted/rights.rs"]
mod rights_service;
#[path = "../../tests/planted/mod.rs"]
mod service;

use service::requests;
use services::Service;
use tools::{Run, init, keyfit, path};

/// How often a tool is run before the service without a defect.
const CONTROLS: usize = 3;

/// Runs a tool before the service at a URL, with a folder for its files.
type Tool<'a> = dyn Fn(String) -> Pin<Box<dyn Future<Output = Run> + 'a>> + 'a;

fn main() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted-bench");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let asked: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
        for service in services::all() {
            if !asked.is_empty() && asked.iter().all(|name| name != service.name) {
                continue;
            }
            let folder = folder.join(service.name);
            fs::create_dir_all(&folder).expect("a folder");
            compare(&service, &folder).await;
        }
    });
}

async fn compare(service: &Service, folder: &Path) {
    println!(
        "{:<18}{:>8}{:>14}{:>12}{:>12}{:>14}",
        service.name, "found", "false alarms", "requests", "seconds", "peak MiB"
    );
    let made = init(service, folder).await;
    let written = PathBuf::from(service.folder);
    let waits: Vec<&str> = service.waits.iter().flat_map(|case| ["--skip", *case]).collect();
    let ours = [("keyfit", &written, &[][..]), ("  no waits", &written, &waits), ("  as init has it", &made, &[])];
    for (name, api, more) in ours {
        if name != "  no waits" || !waits.is_empty() {
            measure(name, service, &|url| Box::pin(keyfit(service, url, folder, api, more))).await;
        }
    }
    if path("SCHEMATHESIS").is_some() {
        for (name, seed) in [("schemathesis", "1"), ("  second seed", "2"), ("  third seed", "3")] {
            measure(name, service, &|url| Box::pin(tools::schemathesis(service, url, folder, seed))).await;
        }
    }
    if path("HURL").is_some() {
        measure("hurl, by hand", service, &|url| Box::pin(tools::hurl(service, url))).await;
    }
}

async fn measure(name: &str, service: &Service, tool: &Tool<'_>) {
    // A tool that is not the same twice would seem to find what it says by chance.
    let mut alarms = BTreeSet::new();
    for _ in 0..CONTROLS {
        alarms.extend(on(service, None, tool).await.found);
    }
    let (mut requests, mut seconds, mut peak) = (Vec::new(), Vec::new(), 0);
    let mut missed = Vec::new();
    for (number, defect) in service.defects.iter().enumerate() {
        let run = on(service, Some(number), tool).await;
        // What it says of the service without a defect is no finding.
        if run.found.is_subset(&alarms) {
            missed.push(defect.as_str());
        }
        requests.push(run.requests);
        seconds.push(run.seconds);
        peak = peak.max(run.peak_kib);
    }
    seconds.sort_by(f64::total_cmp);
    requests.sort_unstable();
    println!(
        "{name:<18}{:>8}{:>14}{:>12}{:>12.2}{:>14.1}",
        format!("{} of {}", service.defects.len() - missed.len(), service.defects.len()),
        alarms.len(),
        requests[requests.len() / 2],
        seconds[seconds.len() / 2],
        f64::from(peak) / 1024.0
    );
    if !missed.is_empty() {
        println!("{:<18}misses {}", "", missed.join(", "));
    }
    if shows() {
        for case in &alarms {
            println!("{:<18}false: {case}", "");
        }
    }
}

async fn on(service: &Service, defect: Option<usize>, tool: &Tool<'_>) -> Run {
    let (address, log) = (service.start)(defect).await;
    let run = tool(format!("http://{address}/v1")).await;
    Run { requests: requests(&log), ..run }
}

#[expect(clippy::disallowed_methods, reason = "how much is printed is said by who runs the bench")]
fn shows() -> bool {
    env::var_os("KEYFIT_SHOW").is_some()
}
