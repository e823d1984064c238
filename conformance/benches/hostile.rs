//! What hostile documents take of each command: `cargo bench -p keyfit-conformance --bench hostile`, or with `-- --scale 100` a
//! tenth of each. Processor time and peak memory are what Linux says of the process while it runs; elsewhere the time is the
//! wall's, and the memory 0. Of a run of many cases the cases are counted: that it takes long is work, not harm.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{env, fs};

#[path = "../tests/hostile/mod.rs"]
mod documents;

/// The aims.
const SECONDS: f64 = 5.0;
const MEGABYTES: f64 = 500.0;

/// A run of more cases is judged by how many there are in a second.
const MANY: f64 = 10_000.0;
/// How Linux counts processor time.
const TICKS: f64 = 100.0;

/// What one command took.
struct Figures {
    seconds: f64,
    megabytes: f64,
    code: Option<i32>,
    /// The cases of a run.
    cases: f64,
}

impl Figures {
    /// The time that counts against the aim.
    fn counted(&self) -> f64 {
        if self.cases > MANY { 0.0 } else { self.seconds }
    }

    fn is_missed(&self) -> bool {
        self.counted() > SECONDS || self.megabytes > MEGABYTES || !matches!(self.code, Some(0..=2))
    }
}

fn main() {
    let after = |name: &str| env::args().skip_while(|argument| argument != name).nth(1);
    let scale = after("--scale").and_then(|scale| scale.parse().ok()).unwrap_or(1000);
    let only = after("--only");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile-bench");
    let (mut count, mut slowest, mut largest) = (0, 0.0_f64, 0.0_f64);
    let documents = documents::documents(scale);
    for (name, text) in documents.into_iter().filter(|(name, _)| only.as_ref().is_none_or(|only| name.contains(only))) {
        count += 1;
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("document.yaml"), text).expect("written");
        println!("{name}");
        for arguments in [
            "spec lint document.yaml",
            "spec diff document.yaml document.yaml",
            "init document.yaml --name hostile --dir api",
            "check --api-dir api --list",
            "check --api-dir api --side server",
        ] {
            if arguments.starts_with("check") && !folder.join("api").exists() {
                continue;
            }
            let figures = measured(&folder, arguments);
            (slowest, largest) = (slowest.max(figures.counted()), largest.max(figures.megabytes));
            let Figures { seconds, megabytes, cases, .. } = figures;
            let mark = if figures.is_missed() { " (!)" } else { "" };
            let rate =
                if cases > MANY { format!(", {cases} cases, {:.0} a second", cases / seconds) } else { String::new() };
            println!("  {arguments:<52}{seconds:>7.2} s {megabytes:>5.0} MB{rate}{mark}");
        }
    }
    println!(
        "hostile documents: {count} documents, slowest {slowest:.1} s, largest {largest:.0} MB (aims: {SECONDS} s, {MEGABYTES} MB)"
    );
}

fn measured(folder: &Path, arguments: &str) -> Figures {
    let said = folder.join("said");
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_keyfit"))
        .args(arguments.split(' '))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(File::create(&said).expect("a file"))
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    let process = Path::new("/proc").join(child.id().to_string());
    let (mut busy, mut peak) = (None, 0.0_f64);
    let code = loop {
        if let Some(ended) = child.try_wait().expect("it is our child") {
            break ended.code();
        }
        busy = processor_time(&process).or(busy);
        peak = peak.max(peak_memory(&process).unwrap_or_default());
        #[expect(clippy::disallowed_methods, reason = "a bench looks at a child again and again")]
        std::thread::sleep(std::time::Duration::from_millis(2));
    };
    let said = fs::read_to_string(&said).unwrap_or_default();
    let cases = said.lines().find_map(|line| line.split_once(" cases: ")?.0.parse().ok());
    Figures {
        seconds: busy.unwrap_or_else(|| began.elapsed().as_secs_f64()),
        megabytes: peak,
        code,
        cases: cases.unwrap_or_default(),
    }
}

/// In seconds, of the process and the system for it.
fn processor_time(process: &Path) -> Option<f64> {
    let text = fs::read_to_string(process.join("stat")).ok()?;
    // The name of the program may have spaces.
    let (_, numbers) = text.rsplit_once(") ")?;
    let ticks = numbers.split(' ').skip(11).take(2).map(str::parse::<f64>);
    Some(ticks.flatten().sum::<f64>() / TICKS)
}

/// In megabytes.
fn peak_memory(process: &Path) -> Option<f64> {
    let text = fs::read_to_string(process.join("status")).ok()?;
    let kilobytes = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    kilobytes.map(|kilobytes: f64| kilobytes / 1024.0)
}
