//! A service with planted defects: what a tool finds in it, what it says of it without a defect, how many requests and seconds that
//! takes and how much memory: `cargo bench -p keyfit-conformance --bench planted`. Our check is run with the contract that was written
//! for the service, and with what `keyfit init` makes of its document, with no edit. Of others, on the same service in the same run:
//! Schemathesis, whose path the variable `SCHEMATHESIS` gives, with the document, all checks, every identity and three seeds; Hurl
//! (`HURL`) with a suite that was written by hand for this service by somebody who knew the defects. `KEYFIT_SHOW=1` prints what each says
//! of the service without a defect.

mod tools;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "../../tests/planted/mod.rs"]
mod planted;

use planted::{Defect, requests, serve};
use tools::{Run, SHOP, init, keyfit, path};

type Tool = fn(String, PathBuf) -> std::pin::Pin<Box<dyn Future<Output = Run>>>;

fn main() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted-bench");
    fs::create_dir_all(&folder).expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        println!("{:<18}{:>8}{:>14}{:>12}{:>12}{:>14}", "", "found", "false alarms", "requests", "seconds", "peak MiB");
        init(&folder).await;
        let ours: [(&str, Tool); 3] = [
            ("keyfit", |url, folder| Box::pin(keyfit(url, folder, SHOP, &[]))),
            ("  no waits", |url, folder| {
                Box::pin(keyfit(
                    url,
                    folder,
                    SHOP,
                    &["--skip", "shop/rate/exhausted/*", "--skip", "shop/rate/recovered/*"],
                ))
            }),
            ("  as init has it", |url, folder| {
                let made = folder.join("init").display().to_string();
                Box::pin(async move { keyfit(url, folder, &made, &[]).await })
            }),
        ];
        for (name, tool) in ours {
            measure(name, tool, &folder).await;
        }
        if path("SCHEMATHESIS").is_some() {
            measure("schemathesis", |url, folder| Box::pin(tools::schemathesis(url, folder, "1")), &folder).await;
            measure("  second seed", |url, folder| Box::pin(tools::schemathesis(url, folder, "2")), &folder).await;
            measure("  third seed", |url, folder| Box::pin(tools::schemathesis(url, folder, "3")), &folder).await;
        }
        if path("HURL").is_some() {
            measure("hurl, by hand", |url, folder| Box::pin(tools::hurl(url, folder)), &folder).await;
        }
    });
}

async fn measure(name: &str, tool: Tool, folder: &Path) {
    let control = on(None, tool, folder).await;
    let (mut found, mut requests, mut seconds, mut peak) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut missed = Vec::new();
    for defect in Defect::ALL {
        let run = on(Some(defect), tool, folder).await;
        // What it says of the service without a defect is no finding.
        if run.found.difference(&control.found).next().is_some() {
            found.push(defect);
        } else {
            missed.push(defect.to_string());
        }
        requests.push(run.requests);
        seconds.push(run.seconds);
        peak = peak.max(run.peak_kib);
    }
    seconds.sort_by(f64::total_cmp);
    requests.sort_unstable();
    println!(
        "{name:<18}{:>8}{:>14}{:>12}{:>12.2}{:>14.1}",
        format!("{} of {}", found.len(), Defect::ALL.len()),
        control.found.len(),
        requests[requests.len() / 2],
        seconds[seconds.len() / 2],
        f64::from(peak) / 1024.0
    );
    if !missed.is_empty() {
        println!("{:<18}misses {}", "", missed.join(", "));
    }
    if shows() {
        control.found.iter().for_each(|case| println!("{:<18}false: {case}", ""));
    }
}

async fn on(defect: Option<Defect>, tool: Tool, folder: &Path) -> Run {
    let (address, log) = serve(defect).await;
    let run = tool(format!("http://{address}/v1"), folder.to_owned()).await;
    Run { requests: requests(&log), ..run }
}

#[expect(clippy::disallowed_methods, reason = "how much is printed is said by who runs the bench")]
fn shows() -> bool {
    env::var_os("KEYFIT_SHOW").is_some()
}
