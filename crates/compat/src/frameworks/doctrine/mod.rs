//! Doctrine: `migrations/Version20240102030405.php`, one class each, ordered by their names.
//!
//! `find` says where and in which dialect, `up` and `schema` what a migration does, `types` what
//! Doctrine's types are in a dialect. Not here: following PHP ([`super::php`]).

mod find;
mod schema;
#[cfg(test)]
mod tests;
mod types;
mod up;

use std::sync::Arc;

use super::php::{self, Class, Object, Run, Value};
use super::syntax::line_of;
use super::{Edited, Found, Framework, Read};
use crate::Place;
use crate::migration::{Context, History, Limits, Migration, Problem, Runs};
use crate::operation::{Operation, Step, Unread};
use crate::sql::Dialect;
use crate::tree::ContentId;

/// The row.
pub const ROW: Framework = Framework {
    id: "doctrine",
    title: "Doctrine",
    read: Read::Whole,
    edited: Edited::Unnoticed,
    find: find::find,
    history,
};

fn history(context: &Context<'_>, found: &Found) -> History {
    let mut history = History::default();
    let mut files = find::files(context.tree, &found.root);
    files.sort_by(|one, other| find::stem(&one.path).cmp(find::stem(&other.path)));
    let (mut bytes, parents) = (0_u64, php::Parents::of(context.tree));
    for entry in files {
        if history.migrations.len() >= context.limits.migrations || bytes > context.limits.all_bytes {
            let words = "there are more migrations than are read".to_owned();
            let at = Place { path: entry.path.clone(), line: 1 };
            history.problems.push(Problem { rule: "unreadable", at, words });
            break;
        }
        let key = find::stem(&entry.path).to_owned();
        let (steps, transactional) = match context.tree.text(&entry.path) {
            Ok(text) => {
                bytes += text.len() as u64;
                let parents = parents.of_file(context.tree, &text, &["Doctrine\\"]);
                let name =
                    std::iter::once(entry.content.0.as_str()).chain(parents.iter().map(|(id, _)| id.as_str()));
                let content = ContentId(name.collect::<Vec<_>>().join("+"));
                let transactional = transactional(
                    std::iter::once(text.as_str()).chain(parents.iter().map(|(_, text)| text.as_str())),
                );
                let read = || {
                    steps(
                        context.dialect,
                        text,
                        parents.into_iter().map(|(_, text)| text).collect(),
                        context.limits,
                    )
                };
                (context.memo.steps(ROW.id, context.dialect, &content, read), transactional)
            }
            Err(why) => {
                let why = Unread::NoContent { words: why.to_string() };
                (Arc::new(vec![Step::new(Operation::Unread(why), 1, &entry.path)]), true)
            }
        };
        // MySQL and Oracle end the transaction with each statement that defines something.
        let together = transactional && !matches!(context.dialect, Dialect::MySql | Dialect::Oracle);
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

/// What `isTransactional()` of the class or the nearest parent that has it returns.
fn transactional<'a>(texts: impl Iterator<Item = &'a str>) -> bool {
    for text in texts {
        let Some((_, after)) = text.split_once("function isTransactional") else { continue };
        let body = after.split('}').next().unwrap_or_default();
        return !body.contains("return false");
    }
    true
}

/// What a migration's `up()` does, with `preUp` before it and `postUp` behind it.
fn steps(dialect: Dialect, text: String, parents: Vec<String>, limits: Limits) -> Vec<Step> {
    let program = match php::parse(text, limits) {
        Ok(program) => program,
        Err(why) => return vec![Step::new(Operation::Unread(why), 1, "")],
    };
    let parents: Vec<_> = parents.into_iter().filter_map(|text| php::parse(text, limits).ok()).collect();
    let class = Class::of(std::iter::once(&program).chain(&parents).collect());
    let errors = php::errors(&program, &["down", "preDown", "postDown", "getDescription"]);
    let mut up = up::Up::new(dialect, limits);
    let mut run = Run::new(class, limits.statements);
    let schema = [(None, Value::Object(Object::of("schema")))];
    // What stands before and behind is a program of its own, and rarely more than a message.
    for name in ["preUp", "up", "postUp"] {
        if run.stopped() {
            break;
        }
        if run.class.method(name).is_some() {
            run.method(&mut up, name, &schema);
        } else if name == "up" && errors.is_empty() {
            let why = Unread::Syntax { words: "there is no up() in the file".to_owned() };
            return vec![Step::new(Operation::Unread(why), line_of(program.root()), "")];
        }
    }
    let mut steps = up.steps();
    steps.extend(errors);
    steps
}
