//! Mutates seeds and holds the laws of the fuzz targets against what comes out: on stable Rust, where
//! libFuzzer cannot go. Without a look at coverage, so it finds less in the same time.
//!
//! `scripts/fuzz SECONDS stable` runs it. What breaks a law is shrunk and kept, its path is printed, and
//! the exit code is 1.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../../fuzz/laws/mod.rs"]
mod laws;
mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant as Stopwatch};

use laws::{TARGETS, Target};
use mutate::Mutator;

/// No input may take longer: a hang.
const LIMIT: Duration = Duration::from_secs(10);

/// For how long what broke a law is shrunk.
const SHRINK: Duration = Duration::from_secs(20);

/// Readers run in threads of a service too: they may not need more.
const STACK: usize = 2 << 20;

const USAGE: &str = "usage: fuzz SECONDS [SEED [TARGET...]]";

struct Asked {
    seconds: u64,
    seed: u64,
    targets: Vec<&'static Target>,
}

fn asked() -> Option<Asked> {
    let mut words = std::env::args().skip(1);
    let seconds = words.next()?.parse().ok()?;
    let seed = match words.next() {
        Some(word) => word.parse().ok()?,
        None => now().elapsed_since_epoch(),
    };
    let mut targets = vec![];
    for word in words {
        targets.push(TARGETS.iter().find(|target| target.name == word)?);
    }
    if targets.is_empty() {
        targets.extend(TARGETS);
    }
    Some(Asked { seconds, seed, targets })
}

/// The one place that reads clocks.
struct Now(Stopwatch);

#[expect(clippy::disallowed_methods, reason = "a campaign is bounded by real time, and decides nothing by it")]
fn now() -> Now {
    Now(Stopwatch::now())
}

#[expect(clippy::disallowed_methods, reason = "a campaign is bounded by real time, and decides nothing by it")]
impl Now {
    fn past(&self) -> Duration {
        self.0.elapsed()
    }

    /// A seed that is another one each time.
    fn elapsed_since_epoch(&self) -> u64 {
        let epoch = std::time::SystemTime::UNIX_EPOCH;
        epoch.elapsed().map_or(1, |since| since.as_millis() as u64)
    }
}

fn fuzz_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// Where what breaks a law is kept, and what is being tried while it is.
fn kept() -> PathBuf {
    fuzz_directory().join("artifacts")
}

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let mut corpus = vec![];
    for (directory, name) in [("seeds", target.seeds), ("crashes", target.name)] {
        let Ok(entries) = std::fs::read_dir(fuzz_directory().join(directory).join(name)) else { continue };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        corpus.extend(paths.iter().filter_map(|path| std::fs::read(path).ok()));
    }
    corpus
}

/// What became of an input.
type Held = Result<(), String>;

/// Tries inputs in a thread of its own, so that one that takes too long is noticed.
struct Trial {
    to: Sender<(&'static Target, Vec<u8>)>,
    from: Receiver<Held>,
}

impl Trial {
    fn start() -> std::io::Result<Self> {
        let (to, inputs) = channel::<(&'static Target, Vec<u8>)>();
        let (results, from) = channel();
        std::thread::Builder::new().stack_size(STACK).spawn(move || {
            for (target, input) in inputs {
                let held = catch_unwind(AssertUnwindSafe(|| (target.hold)(&input)));
                if results.send(held.map_err(|_| said())).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { to, from })
    }

    fn holds(&self, target: &'static Target, input: &[u8]) -> Held {
        // If the stack overflows, or memory runs out, this file is what is left.
        let _ = std::fs::write(kept().join("tried"), input);
        if self.to.send((target, input.to_vec())).is_err() {
            return Err("the thread is gone".to_owned());
        }
        match self.from.recv_timeout(LIMIT) {
            Ok(held) => held,
            Err(RecvTimeoutError::Timeout) => Err(format!("it took longer than {} s", LIMIT.as_secs())),
            Err(RecvTimeoutError::Disconnected) => Err("the thread is gone".to_owned()),
        }
    }
}

/// What the last panic said.
static SAID: Mutex<String> = Mutex::new(String::new());

fn said() -> String {
    SAID.lock().map(|said| said.clone()).unwrap_or_default()
}

fn main() -> ExitCode {
    let Some(asked) = asked() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    std::panic::set_hook(Box::new(|panic| {
        if let Ok(mut said) = SAID.lock() {
            *said = panic.to_string();
        }
    }));
    match run(&asked) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("fuzz: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs each target for its share of the time; whether all laws held.
fn run(asked: &Asked) -> std::io::Result<bool> {
    std::fs::create_dir_all(kept())?;
    println!("seed {}; again with the same inputs: fuzz {} {}", asked.seed, asked.seconds, asked.seed);
    let share = Duration::from_secs(asked.seconds) / u32::try_from(asked.targets.len()).unwrap_or(1);
    for &target in &asked.targets {
        let corpus = corpus(target);
        if corpus.is_empty() {
            return Err(std::io::Error::other(format!("{} has no seeds", target.name)));
        }
        let mut mutator = Mutator::new(asked.seed, fuzz_directory().join("dictionary"))?;
        let (trial, begun, mut tried) = (Trial::start()?, now(), 0_u64);
        while begun.past() < share {
            let input = mutator.input(&corpus);
            if let Err(why) = trial.holds(target, &input) {
                report(target, &input, &why)?;
                return Ok(false);
            }
            tried += 1;
        }
        println!(
            "{}: {tried} inputs out of {} seeds in {} s: all laws held",
            target.name,
            corpus.len(),
            share.as_secs()
        );
    }
    let _ = std::fs::remove_file(kept().join("tried"));
    Ok(true)
}

fn report(target: &'static Target, input: &[u8], why: &str) -> std::io::Result<()> {
    eprintln!("{}: {why}", target.name);
    let small = shrunk(target, input)?;
    let path = kept().join(format!("{}-{:016x}", target.name, hash(&small)));
    std::fs::write(&path, &small)?;
    eprintln!("{} bytes, of {}: {}", small.len(), input.len(), path.display());
    eprintln!("once mended, keep it: git mv or copy it to crates/compat/fuzz/crashes/{}/", target.name);
    Ok(())
}

/// The input without pieces that are not needed to break a law.
fn shrunk(target: &'static Target, input: &[u8]) -> std::io::Result<Vec<u8>> {
    let (mut small, begun) = (input.to_vec(), now());
    let mut trial = Trial::start()?;
    let mut piece = (small.len() / 2).max(1);
    while begun.past() < SHRINK {
        let mut at = 0;
        let before = small.len();
        while at < small.len() && begun.past() < SHRINK {
            let end = (at + piece).min(small.len());
            let without: Vec<u8> = [&small[..at], &small[end..]].concat();
            if trial.holds(target, &without).is_err() {
                small = without;
                // A thread that hangs answers nothing more.
                trial = Trial::start()?;
            } else {
                at = end;
            }
        }
        if piece == 1 && small.len() == before {
            break;
        }
        piece = (piece / 2).max(1);
    }
    Ok(small)
}

fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
