//! `demo`: the options, and what is said at the end.

use std::path::{Path, PathBuf};

use towpath_core::explain::shell_word;

use super::Failure;
use super::args::Demo;
use super::exit::Exit;
use super::out::{Out, complain};
use crate::demo::{self, Ended, Keep, Options, Speed, Summary};

/// Tells the story; 1 if something was not as it should have been.
pub async fn run(demo: &Demo, out: Out) -> Result<Exit, Failure> {
    if out.json() {
        return Err(Failure::Plain(Exit::Usage, "`demo` is for people: it has no JSON".to_owned()));
    }
    let keep = match &demo.keep {
        None => Keep::No,
        Some(None) => Keep::Somewhere,
        Some(Some(path)) => Keep::Here(path.clone()),
    };
    let speed = if demo.fast { Speed::Fast } else { Speed::Times(demo.speed) };
    match demo::run(&Options { keep, speed }).await {
        Err(error) => Err(Failure::Plain(Exit::Error, error.to_string())),
        Ok(Ended::Stopped { kept: None }) => {
            out.line("\nStopped. The sandbox is removed; nothing else was touched.");
            Ok(Exit::Done)
        }
        Ok(Ended::Stopped { kept: Some(folder) }) => {
            out.line("\nStopped.");
            go_on(&folder, out);
            Ok(Exit::Done)
        }
        Ok(Ended::Told(summary)) => {
            seen(&summary, out);
            match &summary.kept {
                Some(folder) => go_on(folder, out),
                None => over(out),
            }
            if summary.lacking.is_empty() {
                return Ok(Exit::Done);
            }
            for lacking in &summary.lacking {
                complain(format!("towpath: at {lacking}; it was not so, which is a mistake in Towpath"));
            }
            Ok(Exit::Error)
        }
    }
}

fn seen(summary: &Summary, out: Out) {
    out.line("\nWhat you saw, each checked against the repository and the ledger:\n");
    for (at, what) in &summary.seen {
        out.line(format!("  {at}  {what}"));
    }
    let moves: Vec<String> = summary
        .moves
        .iter()
        .map(|(env, moves)| {
            let back = if moves.back > 0 { format!(" and {} back, on order", moves.back) } else { String::new() };
            format!("{env} moved {} times forward{back}", moves.forward)
        })
        .collect();
    out.line(format!("\nBy Towpath's hand:\n\n  {}", moves.join("\n  ")));
}

fn over(out: Out) {
    out.line(
        "\nThe sandbox is removed. Next:\n\n  \
         towpath demo --keep     the same, and the sandbox stays for you to steer\n  \
         towpath init            in a clone of yours: writes a config; moves nothing",
    );
}

/// How to go on in the sandbox: every one of these was tried.
fn go_on(folder: &Path, out: Out) {
    out.line(format!("\nThe sandbox stays in {}. Go on with it:\n", shown(folder)));
    out.line(format!("  cd {}", shown(folder)));
    if let Some(bin) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
        out.line(format!("  PATH={}:$PATH", shown(bin)));
    }
    for (command, what) in [
        ("towpath status", "where everything is"),
        ("towpath explain demo production", "what it waits for, until when, and what helps"),
        ("towpath history", "what happened, by whom and why"),
        ("towpath promote demo production --reason 'cannot wait'", "let the commit that waits pass the lag"),
        ("towpath run", "one pass: it moves"),
        ("git -C demo.git log --graph --oneline --all", "the repository is a plain one"),
    ] {
        out.line(format!("  {command:<56}# {what}"));
    }
    out.line(format!("\nWhen you have seen enough: rm -rf {}", shown(folder)));
}

fn shown(path: &Path) -> String {
    let path: PathBuf = path.into();
    shell_word(&path.to_string_lossy())
}
