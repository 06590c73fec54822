//! `init`: a config for the repository you stand in, and its store.
//!
//! It guesses from the remote's own branches, shows what it guessed, and overwrites nothing.

use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use towpath_core::model::{BranchName, CommitId};
use towpath_core::text::one_line;

use super::Failure;
use super::args::Init;
use super::exit::Exit;
use super::out::Out;
use crate::config::{Config, DEFAULT_FILE, Store, cache_of};
use crate::git::{Git, Remote};
use crate::store::{Create, SqliteStore};

/// Names of long-lived branches, in the order in which commits usually move.
const USUAL: [&[&str]; 6] = [
    &["develop", "development", "dev", "integration", "next"],
    &["test", "testing", "qa", "uat"],
    &["staging", "stage"],
    &["pre-production", "preproduction", "preprod", "pre-prod"],
    &["production", "prod", "live"],
    &["release", "stable"],
];

/// The default branch comes first where a production branch exists, and last otherwise.
const TRUNK: [&str; 3] = ["main", "master", "trunk"];

fn plain(what: impl Into<String>) -> Failure {
    Failure::Plain(Exit::Error, what.into())
}

/// Writes the config and makes the store.
pub async fn run(init: &Init, path: Option<&Path>, out: Out) -> Result<Exit, Failure> {
    let file = path.unwrap_or_else(|| Path::new(DEFAULT_FILE));
    if file.exists() {
        return store_for(file, out).await;
    }
    let repository = match &init.repository {
        Some(repository) => repository.clone(),
        None => origin()?,
    };
    let base = std::path::absolute(file).ok().and_then(|p| p.parent().map(Path::to_owned)).unwrap_or_default();
    let remote = Remote::parse(&repository, &base).map_err(|bad| plain(bad.to_string()))?;
    let scratch = cache_of(&base.join("towpath.db"));
    let git = Git::open(&scratch.join("home")).await.map_err(|error| plain(error.to_string()))?;
    let heads = git.heads(&remote).await.map_err(|unknown| {
        Failure::Plain(Exit::Unreachable, format!("the repository cannot be read: {:?}", unknown.why))
    })?;
    let branches = if init.branches.is_empty() { guess(&heads)? } else { check(&init.branches, &heads)? };
    let text = text(&repository, &branches);
    Config::from_text(&text, file).map_err(Failure::Config)?;
    if !init.yes && !agreed(&text, file)? {
        return Err(plain("nothing was written"));
    }
    std::fs::write(file, &text)
        .map_err(|error| plain(format!("`{}` cannot be written: {error}", file.display())))?;
    let config = Config::load(file).map_err(Failure::Config)?;
    let Store::Sqlite(store) = &config.service.store;
    SqliteStore::open(store, Create::Yes).await?;
    if out.json() {
        out.value(serde_json::json!({ "config": file, "store": store, "branches": branches }));
    } else {
        out.line(format!("Wrote {} for {}", file.display(), branches.join(" -> ")));
        out.line(
            "Next: read it, set the gates, then `towpath plan` shows what would move, and `towpath run` moves it.",
        );
    }
    Ok(Exit::Done)
}

/// Makes the store of a config that exists already, which is left as it is.
async fn store_for(file: &Path, out: Out) -> Result<Exit, Failure> {
    let config = Config::load(file).map_err(Failure::Config)?;
    let Store::Sqlite(store) = &config.service.store;
    if store.exists() {
        return Err(plain(format!("`{}` and its store exist already; they were left as they are", file.display())));
    }
    SqliteStore::open(store, Create::Yes).await?;
    if out.json() {
        out.value(serde_json::json!({ "config": file, "store": store }));
    } else {
        out.line(format!("`{}` was left as it is; made its store {}", file.display(), store.display()));
    }
    Ok(Exit::Done)
}

/// The remote of the clone that we stand in, or the repository itself where it has none.
fn origin() -> Result<String, Failure> {
    let repository = git2::Repository::discover(".")
        .map_err(|_| plain("you do not stand in a git repository; go into a clone, or pass `--repository URL`"))?;
    let url = repository.find_remote("origin").ok().and_then(|r| r.url().map(str::to_owned).ok());
    match url {
        Some(url) => Ok(url),
        None => {
            let path = repository.workdir().unwrap_or_else(|| repository.path());
            Ok(path.to_string_lossy().trim_end_matches('/').to_owned())
        }
    }
}

fn names(heads: &BTreeMap<BranchName, CommitId>) -> String {
    let list: Vec<String> =
        heads.keys().take(20).map(|name| format!("`{}`", one_line(name.as_str(), 60))).collect();
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

fn guess(heads: &BTreeMap<BranchName, CommitId>) -> Result<Vec<String>, Failure> {
    let there = |name: &&&str| heads.contains_key(&BranchName::new(**name));
    let trunk = TRUNK.iter().find(there).map(|name| (*name).to_owned());
    let mut found: Vec<Vec<String>> =
        USUAL.iter().map(|group| group.iter().filter(there).take(1).map(|n| (*n).to_owned()).collect()).collect();
    if let Some(trunk) = trunk {
        let has_develop = !found[0].is_empty();
        let has_production = !found[4].is_empty();
        match (has_develop, has_production) {
            // GitLab flow: the trunk feeds the rest.
            (false, true) => found[0].push(trunk),
            (true, true) => {}
            (_, false) if has_develop || !found[2].is_empty() => found[4].push(trunk),
            (_, false) => found[0].push(trunk),
        }
    }
    let branches: Vec<String> = found.into_iter().flatten().collect();
    if branches.len() < 2 {
        return Err(plain(format!(
            "no two long-lived branches were recognised among {}; name them in the order in which commits move: \
             `towpath init --branches develop,staging,master`",
            names(heads)
        )));
    }
    Ok(branches)
}

fn check(given: &[String], heads: &BTreeMap<BranchName, CommitId>) -> Result<Vec<String>, Failure> {
    if given.len() < 2 {
        return Err(plain("a flow has at least two branches: `--branches develop,master`"));
    }
    match given.iter().find(|name| !heads.contains_key(&BranchName::new(name.as_str()))) {
        Some(lacking) => {
            Err(plain(format!("the repository has no branch `{}`; it has {}", one_line(lacking, 60), names(heads))))
        }
        None => Ok(given.to_vec()),
    }
}

/// A name for an environment from a branch's, which may hold what a name may not.
fn environment_name(branch: &str, at: usize) -> String {
    let name: String = branch
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() || "._/-".contains(c) { c } else { '-' })
        .collect();
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
    if name.is_empty() || crate::config::name_fault(&name).is_some() { format!("environment-{at}") } else { name }
}

fn text(repository: &str, branches: &[String]) -> String {
    let quote = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut text = format!(
        "# Made by `towpath init`. Every key: docs/config.md, or `towpath config schema`.\n\
         [service]\nstore = \"sqlite:towpath.db\"\n\n[[flow]]\nrepository = {}\nzone = \"UTC\"\n",
        quote(repository)
    );
    for (at, branch) in branches.iter().enumerate() {
        let name = environment_name(branch, at);
        text.push_str(&format!("\n[[flow.environment]]\nname = {}\n", quote(&name)));
        if &name != branch {
            text.push_str(&format!("branch = {}\n", quote(branch)));
        }
        if at > 0 {
            text.push_str("# gates.ci = { checks = [\"build\", \"test\"] }   # reported by `towpath report`\n");
        }
        if at > 1 || (at == 1 && branches.len() == 2) {
            text.push_str("gates.lag = \"30m\"\n");
        }
    }
    text
}

fn agreed(text: &str, file: &Path) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Plain(
            Exit::Usage,
            "there is no terminal to ask on; `towpath init --yes` writes without asking".to_owned(),
        ));
    }
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "{text}\nWrite this to {}? [y/N] ", file.display());
    let _ = stderr.flush();
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
