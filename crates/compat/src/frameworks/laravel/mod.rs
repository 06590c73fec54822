//! Laravel: `database/migrations/2024_01_02_030405_make_users.php`, ordered by their names.
//!
//! `find` says where and in which dialect, `up` and `blueprint` what a migration does, `types` what
//! Blueprint's types are, `names` the names Laravel makes up. Not here: following PHP
//! ([`super::php`]).

mod blueprint;
mod find;
mod names;
#[cfg(test)]
mod tests;
mod types;
mod up;

use std::sync::Arc;

use super::php::{self, Class, Run};
use super::syntax::line_of;
use super::{Edited, Found, Framework, Read};
use crate::Place;
use crate::migration::{Context, History, Limits, Migration, Problem, Runs};
use crate::operation::{Operation, Step, Unread};
use crate::sql::Dialect;
use crate::tree::ContentId;

/// The row.
pub const ROW: Framework = Framework {
    id: "laravel",
    title: "Laravel",
    read: Read::Whole,
    edited: Edited::Unnoticed,
    find: find::find,
    history,
};

fn history(context: &Context<'_>, found: &Found) -> History {
    let mut history = History::default();
    let mut bytes = 0_u64;
    let restates = find::restates(context.tree, &found.root);
    // What is read depends on this too, so that it has a memory of its own.
    let memory = if restates { "laravel" } else { "laravel-10" };
    let parents = php::Parents::of(context.tree);
    for entry in find::files(context.tree, &found.root) {
        if history.migrations.len() >= context.limits.migrations || bytes > context.limits.all_bytes {
            let words = "there are more migrations than are read".to_owned();
            let at = Place { path: entry.path.clone(), line: 1 };
            history.problems.push(Problem { rule: "unreadable", at, words });
            break;
        }
        let key = find::stem(&entry.path).to_owned();
        let (steps, alone) = match context.tree.text(&entry.path) {
            Ok(text) => {
                bytes += text.len() as u64;
                let alone = text.contains("$withinTransaction = false");
                let parents = parents.of_file(context.tree, &text, &["Illuminate\\"]);
                let ids = std::iter::once(&entry.content.0).chain(parents.iter().map(|(id, _)| id));
                let content = ContentId(ids.cloned().collect::<Vec<_>>().join("+"));
                let parents = parents.into_iter().map(|(_, text)| text).collect();
                let read = || steps(context.dialect, text, parents, restates, context.limits);
                (context.memo.steps(memory, context.dialect, &content, read), alone)
            }
            Err(why) => {
                let why = Unread::NoContent { words: why.to_string() };
                (Arc::new(vec![Step::new(Operation::Unread(why), 1, &entry.path)]), false)
            }
        };
        let together = !alone && matches!(context.dialect, Dialect::Postgres | Dialect::MsSql);
        history.migrations.push(Migration {
            version: find::version(&key),
            key,
            path: entry.path.clone(),
            line: 1,
            content: entry.content.clone(),
            steps,
            runs: Runs::Once,
            together,
        });
    }
    history
}

/// What a migration's `up()` does.
fn steps(dialect: Dialect, text: String, parents: Vec<String>, restates: bool, limits: Limits) -> Vec<Step> {
    let program = match php::parse(text, limits) {
        Ok(program) => program,
        Err(why) => return vec![Step::new(Operation::Unread(why), 1, "")],
    };
    let parents: Vec<_> = parents.into_iter().filter_map(|text| php::parse(text, limits).ok()).collect();
    let class = Class::of(std::iter::once(&program).chain(&parents).collect());
    let errors = php::errors(&program, &["down"]);
    let mut up = up::Up::new(dialect, limits, restates);
    let mut run = Run::new(class, limits.statements);
    if run.method(&mut up, "up", &[]).is_none() && errors.is_empty() {
        let why = Unread::Syntax { words: "there is no up() in the file".to_owned() };
        return vec![Step::new(Operation::Unread(why), line_of(program.root()), "")];
    }
    let mut steps = up.steps();
    steps.extend(errors);
    steps
}
