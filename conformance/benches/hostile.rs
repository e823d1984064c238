//! What hostile documents take of each command: `cargo bench -p keyfit-conformance --bench hostile`, or with `-- --scale 100` a
//! tenth of each. The peak memory is what Linux says of the process while it runs; elsewhere it is 0.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

#[path = "../tests/hostile/mod.rs"]
mod documents;

/// The aims.
const SECONDS: f64 = 5.0;
const MEGABYTES: f64 = 500.0;

fn main() {
    let scale = env::args().skip_while(|argument| argument != "--scale").nth(1);
    let scale = scale.and_then(|scale| scale.parse().ok()).unwrap_or(1000);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile-bench");
    let (mut slowest, mut largest) = (0.0_f64, 0.0_f64);
    for (name, text) in documents::documents(scale) {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("document.yaml"), text).expect("written");
        let mut figures = Vec::new();
        for (command, arguments) in [
            ("lint", "spec lint document.yaml"),
            ("init", "init --spec document.yaml --name hostile --out api"),
            ("list", "run --api-dir api --list"),
            ("run", "run --api-dir api --side server"),
        ] {
            if arguments.starts_with("run") && !folder.join("api").exists() {
                continue;
            }
            let (took, megabytes, code) = measured(&folder, arguments);
            let seconds = took.as_secs_f64();
            (slowest, largest) = (slowest.max(seconds), largest.max(megabytes));
            let is_over = seconds > SECONDS || megabytes > MEGABYTES || !matches!(code, Some(0..=2));
            let mark = if is_over { " (!)" } else { "" };
            figures.push(format!("{command} {seconds:.2} s {megabytes:.0} MB{mark}"));
        }
        println!("{name}: {}", figures.join(", "));
    }
    println!("hostile documents: slowest {slowest:.1} s, largest {largest:.0} MB (aims: {SECONDS} s, {MEGABYTES} MB)");
}

/// Time, peak memory as Linux tells it while the command runs, and the exit code.
fn measured(folder: &Path, arguments: &str) -> (Duration, f64, Option<i32>) {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_conformance"))
        .args(arguments.split(' '))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    loop {
        let ended = child.try_wait().expect("it is our child");
        if let Some(ended) = ended {
            return (began.elapsed(), peak, ended.code());
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let kilobytes =
            text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(kilobytes.map_or(0.0, |kilobytes: f64| kilobytes / 1024.0));
        #[expect(clippy::disallowed_methods, reason = "a bench looks at a child again and again")]
        std::thread::sleep(Duration::from_millis(2));
    }
}
