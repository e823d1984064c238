//! What benches measured before. With `-- --record` a bench adds its figures to `benches/history/figures.txt`, a line each: date,
//! commit, bench, figure, median, least, most, and the noise of the machine. `benches/history/plot` draws them into `docs/figures.svg`.

use std::fs::OpenOptions;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// How often the noise is measured, and by how much work.
const TRIES: usize = 50;
const WORK: u64 = 1_000_000;

/// Prints a figure of a bench: the median of its rounds, the least and the most; and keeps it where that is asked for.
pub(crate) fn figure(bench: &str, name: &str, rounds: &[f64]) {
    let mut rounds = rounds.to_vec();
    rounds.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (rounds.first(), rounds.last()) else { return };
    let (value, noise) = (rounds[rounds.len() / 2], noise());
    println!("{bench}, {name}: {value:.3} ({least:.3} to {most:.3}), noise {noise:.2}");
    if !std::env::args().any(|argument| argument == "--record") {
        return;
    }
    let (date, commit) = (said("date", &["+%F"]), said("git", &["rev-parse", "--short", "HEAD"]));
    let line = format!("{date} {commit} {bench} {name:?} {value:.3} {least:.3} {most:.3} {noise:.2}\n");
    // Each crate's benches run in its folder; the file is the workspace's.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|folder| folder.join("benches/history").is_dir());
    let file = root.expect("the workspace").join("benches/history/figures.txt");
    let mut file = OpenOptions::new().append(true).create(true).open(file).expect("a file");
    file.write_all(line.as_bytes()).expect("a file");
}

/// How much longer the same work takes than at best, nine times of ten: 1 on a machine that does nothing else.
fn noise() -> f64 {
    let mut times: Vec<f64> = (0..TRIES)
        .map(|_| {
            let began = Instant::now();
            black_box((0..black_box(WORK)).fold(0_u64, |sum, number| sum.rotate_left(1) ^ number));
            began.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[TRIES * 9 / 10] / times[0]
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("it runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
