//! Holds everything that was written against the table of keys: unknown keys, wrong types, values
//! that cannot be. Each value is judged once, where it stands, whoever inherits it.

use std::ops::Range;

use towpath_core::calendar::{Which, Windows};
use towpath_core::repository;

use super::ForgeKind;
use super::chat_sinks;
use super::keys::{Default, Kind, Place, ROWS, Row};
use super::kinds;
use super::names;
use super::problem::{Problem, shown};
use super::redact::names_secret;
use super::suggest;
use super::tree::{Entry, Node, Table, Value};

/// What checking the tree has found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub problems: Vec<Problem>,
    /// Bytes that must not be shown.
    pub secrets: Vec<Range<usize>>,
}

/// Checks the whole file.
pub(super) fn file(top: &Table) -> Found {
    let mut found = Found::default();
    found.table(Place::Top, top, 0..0, "");
    found
}

impl Found {
    fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn table(&mut self, place: Place, table: &Table, span: Range<usize>, path: &str) {
        for entry in &table.0 {
            let path = join(path, &entry.key);
            match place.row(&entry.key) {
                Some(Row { later: Some((why, hint)), .. }) if !entry.node.is_false() => {
                    self.hide_inside(&entry.node);
                    self.push(Problem::error(entry.key_span.clone(), path, *why).hint(*hint));
                }
                Some(row) => self.value(row, &row.kind, &entry.node, &path),
                None => self.unknown(place, entry, path),
            }
        }
        self.missing(place, table, &span, path);
        self.whole(place, table, span, path);
    }

    /// Keys that must be there. One that was only misspelt has been said; and that the file has no
    /// flow is said where flows are read.
    fn missing(&mut self, place: Place, table: &Table, span: &Range<usize>, path: &str) {
        let no_url = place == Place::Forge && ForgeKind::of_table(table).home().is_none();
        let sink: &[&str] = match chat_sinks::platform_of(table) {
            _ if place != Place::Sink => &[],
            Some(_) => &["chat", "channel"],
            None => &["url"],
        };
        let required = |row: &&Row| {
            row.default == Default::Required || (no_url && row.key == "url") || sink.contains(&row.key)
        };
        for row in place.rows().filter(required).filter(|_| place != Place::Top) {
            let meant = |e: &Entry| suggest::nearest(&e.key, place.rows().map(|row| row.key)) == Some(row.key);
            if !table.0.iter().any(|e| e.key == row.key || (place.row(&e.key).is_none() && meant(e))) {
                let problem =
                    Problem::error(span.clone(), path, format!("{} has no `{}`", title(place, path), row.key));
                self.push(problem.hint(format!("add it, for example `{}`", row.example)));
            }
        }
    }

    /// What needs two keys of one table.
    fn whole(&mut self, place: Place, table: &Table, span: Range<usize>, path: &str) {
        match place {
            Place::Window => self.window(table, span, path),
            Place::Forge => self.found_of_forge(table, path),
            Place::Secret if table.get("env").is_some() == table.get("file").is_some() => {
                let problem = Problem::error(span, path, "a reference to a secret has either `env` or `file`");
                self.push(problem.hint("write `{ env = \"NAME\" }` or `{ file = \"PATH\" }`"));
            }
            _ => {}
        }
    }

    /// Keys that say how to get in, at a URL where they would do harm or nothing.
    fn found_of_forge(&mut self, table: &Table, path: &str) {
        let git = table.get("kind").and_then(Node::text) == Some("git");
        if let Some(entry) = table.entry("webhook_secrets").filter(|_| git) {
            let what = "a forge of kind `git` sends no webhooks of its own";
            let hint = "write `webhook_secrets` under `[service]` and install the hook script of docs/serve.md on the server";
            self.push(Problem::error(entry.key_span.clone(), join(path, "webhook_secrets"), what).hint(hint));
        }
        self.found_of_app(table, path);
        self.found_of_api(table, path);
        self.found_of_moves(table, path);
        self.found_of_discover(table, path);
        let url = table.get("url").and_then(Node::text).and_then(|url| url.split_once("://"));
        let Some((scheme, rest)) = url else { return };
        let here = repository::is_loopback(rest.split('/').next().unwrap_or_default());
        for (key, needs_token) in [("token", false), ("app", false), ("user", true), ("ca", false)] {
            let Some(entry) = table.entry(key) else { continue };
            let (what, hint) = match scheme {
                "https" | "http" if needs_token && table.get("app").is_some() => (
                    format!("`{key}` does nothing with `app`, whose tokens have one of their own"),
                    format!("remove `{key}`"),
                ),
                "https" | "http" if needs_token && table.get("token").is_none() => (
                    format!("`{key}` does nothing without `token`"),
                    "add `token = { file = \"PATH\" }`, or remove it".to_owned(),
                ),
                "https" => continue,
                "http" if key == "ca" => (
                    "`ca` does nothing over `http://`, which has no certificates".to_owned(),
                    "write the URL with `https://`, or remove `ca`".to_owned(),
                ),
                "http" if here => continue,
                // Said once, at the token.
                "http" if needs_token => continue,
                "http" => (
                    "a token over `http://` can be read by anybody on the way".to_owned(),
                    "write the URL with `https://`; `http://` is for this machine itself, as in `http://127.0.0.1:3000`"
                        .to_owned(),
                ),
                "ssh" => (
                    format!("`{key}` does nothing over `ssh://`, where git's ssh keys let it in"),
                    format!("remove `{key}`, or write the URL with `https://`"),
                ),
                _ => (
                    format!("`{key}` does nothing for repositories on this machine"),
                    format!("remove `{key}`"),
                ),
            };
            self.push(Problem::error(entry.key_span.clone(), join(path, key), what).hint(hint));
        }
    }

    /// An App is GitHub's, and stands in for a token.
    fn found_of_app(&mut self, table: &Table, path: &str) {
        let Some(entry) = table.entry("app") else { return };
        let mut problem = |what: &str, hint: &str| {
            self.push(Problem::error(entry.key_span.clone(), join(path, "app"), what).hint(hint));
        };
        // Without any `kind` that is what is said.
        let kind = table.get("kind").and_then(Node::text);
        if kind.is_some_and(|_| ForgeKind::of_table(table) != ForgeKind::GitHub) {
            problem("only GitHub has Apps", "use `token`, or write `kind = \"github\"`");
        }
        if table.get("token").is_some() {
            problem("a forge has either `app` or `token`", "remove one of them");
        }
    }

    /// Where the API is, is GitHub's to say, and the token goes there, too.
    fn found_of_api(&mut self, table: &Table, path: &str) {
        let Some(entry) = table.entry("api") else { return };
        let mut problem = |what: &str, hint: &str| {
            self.push(Problem::error(entry.key_span.clone(), join(path, "api"), what).hint(hint));
        };
        // Without any `kind` that is what is said.
        let kind = table.get("kind").and_then(Node::text);
        if kind.is_some_and(|_| ForgeKind::of_table(table) != ForgeKind::GitHub) {
            problem(
                "the API of this forge is always below its `url`",
                "remove `api`, or write `kind = \"github\"`",
            );
        }
        let Some((scheme, rest)) = entry.node.text().and_then(|url| url.split_once("://")) else { return };
        let here = repository::is_loopback(rest.split('/').next().unwrap_or_default());
        match scheme {
            "https" => {}
            "http" if here => {}
            "http" => problem(
                "a token over `http://` can be read by anybody on the way",
                "write the URL with `https://`; `http://` is for this machine itself, as in `http://127.0.0.1:3000`",
            ),
            _ => problem("an API is called over `https://`", "write the URL with `https://`"),
        }
    }

    /// A call that moves a branch is GitHub's and Gitea's.
    fn found_of_moves(&mut self, table: &Table, path: &str) {
        let api = |entry: &&Entry| entry.node.text() == Some("api");
        let Some(entry) = table.entry("moves").filter(api) else { return };
        // Without a kind that is one, that is what is said.
        let word = table.get("kind").and_then(Node::text);
        let Some((word, kind)) = ForgeKind::ALL.into_iter().find(|(known, _)| Some(*known) == word) else { return };
        if !kind.moves_branches() {
            let what = format!("the API of a `{word}` forge has no call that moves a branch");
            let hint = "remove `moves`, or write `moves = \"push\"`, which is how its branches are moved anyway";
            self.push(Problem::error(entry.key_span.clone(), join(path, "moves"), what).hint(hint));
        }
    }

    /// A list of repositories is a forge's, and of those that somebody may see.
    fn found_of_discover(&mut self, table: &Table, path: &str) {
        let on = table.entry("discover").filter(|entry| matches!(entry.node.value, Value::Bool(true)));
        if let Some(entry) = table.entry("except").filter(|_| on.is_none()) {
            let problem = Problem::error(
                entry.key_span.clone(),
                join(path, "except"),
                "`except` does nothing without `discover = true`",
            );
            self.push(problem.hint("add that, or remove `except`"));
        }
        let Some(entry) = on else { return };
        let mut problem = |what: &str, hint: &str| {
            self.push(Problem::error(entry.key_span.clone(), join(path, "discover"), what).hint(hint));
        };
        if table.get("kind").and_then(Node::text) == Some("git") {
            problem(
                "a forge of kind `git` has no list of repositories",
                "write one `[[flow]]` for each repository, or the forge's own `kind`",
            );
        } else if table.get("token").is_none() && table.get("app").is_none() {
            problem(
                "`discover` takes what a token sees, and this forge has none",
                "add `token = { file = \"PATH\" }`",
            );
        }
    }

    fn window(&mut self, table: &Table, span: Range<usize>, path: &str) {
        let (allow, deny) = (texts(table.get("allow")), texts(table.get("deny")));
        if table.get("allow").is_none() && table.get("deny").is_none() {
            let problem = Problem::error(span, path, "a window without `allow` and `deny` says nothing");
            self.push(problem.hint("write when entry is open, as in `allow = [\"Mon-Fri 09:00-16:00\"]`"));
        }
        for problem in window_problems(&allow, &deny, chrono_tz::UTC, table, path) {
            self.push(problem);
        }
    }

    fn value(&mut self, row: &Row, kind: &Kind, node: &Node, path: &str) {
        if let Kind::OneOf(kinds) = kind {
            match kinds.iter().find(|k| kinds::fits(k, node)) {
                Some(kind) => self.value(row, kind, node, path),
                None => self.wrong_type(row, kind, node, path),
            }
            return;
        }
        if !kinds::fits(kind, node) {
            return self.wrong_type(row, kind, node, path);
        }
        match (kind, &node.value) {
            (Kind::Table(place), Value::Table(table)) => self.table(*place, table, node.span.clone(), path),
            (Kind::Secret, Value::Table(table)) => self.table(Place::Secret, table, node.span.clone(), path),
            (Kind::Tables(place), Value::List(list)) => {
                for (node, table) in list.iter().filter_map(|n| Some((n, n.table()?))) {
                    self.table(*place, table, node.span.clone(), path);
                }
            }
            (Kind::Named(place), Value::Table(table)) => self.named(row, *place, table, path),
            (Kind::ListOf(kind), Value::List(list)) => self.list(row, kind, node, list, path),
            _ => self.leaf(row, kind, node, path),
        }
    }

    fn leaf(&mut self, row: &Row, kind: &Kind, node: &Node, path: &str) {
        if let Err((what, hint)) = kinds::leaf(kind, node) {
            // A name where a list of names belongs is the usual slip.
            let list = matches!(row.kind, Kind::OneOf(kinds) if kinds.iter().any(|k| matches!(k, Kind::ListOf(_))));
            let (what, hint) = match (kind, node.text()) {
                (Kind::Word { later, .. }, Some(text)) if !later.iter().any(|(word, _, _)| *word == text) => {
                    let hint = if list {
                        format!("write `{} = [{:?}]` for a check of that name", row.key, shown(text))
                    } else {
                        hint
                    };
                    (format!("`{}` is not a value of `{}`", shown(text), row.label()), hint)
                }
                _ => (what, hint),
            };
            let holds_more = |url: &str| url.contains(['@', '?', '#']);
            if matches!(kind, Kind::EnvVar)
                || (matches!(kind, Kind::GateUrl | Kind::SinkUrl) && node.text().is_some_and(holds_more))
            {
                self.secrets.push(node.span.clone());
            }
            self.push(Problem::error(node.span.clone(), path, what).hint(hint));
        }
    }

    fn list(&mut self, row: &Row, kind: &Kind, node: &Node, list: &[Node], path: &str) {
        if list.is_empty() {
            let what = format!("`{}` is an empty list", row.key);
            let hint = match row.key {
                "checks" => {
                    "name the checks, or write `checks = \"all\"` for everything that is reported".to_owned()
                }
                _ => format!("add to it, as in `{}`, or remove the key", row.example),
            };
            self.push(Problem::error(node.span.clone(), path, what).hint(hint));
        }
        let mut seen = std::collections::BTreeSet::new();
        for one in list {
            self.value(row, kind, one, path);
            if let Some(text) = one.text().or_else(|| one.table()?.get("name")?.text())
                && !seen.insert(text)
            {
                let what = format!("`{}` stands in this list twice", shown(text));
                self.push(Problem::error(one.span.clone(), path, what).hint("leave it there once"));
            }
        }
    }

    fn named(&mut self, row: &Row, place: Place, table: &Table, path: &str) {
        for entry in &table.0 {
            let path = join(path, &entry.key);
            // What people may be called is theirs to say who know them (`people`).
            let what = match place {
                Place::Sink => "sink",
                Place::Chat => "chat",
                _ => "forge",
            };
            if place != Place::Person
                && let Some(why) = names::table_name_fault(what, &entry.key)
            {
                let fault = format!("`{}` cannot name a {what}: {why}", shown(&entry.key));
                self.push(
                    Problem::error(entry.key_span.clone(), path.clone(), fault)
                        .hint(format!("write for example `[{what}.work]`")),
                );
            }
            match entry.node.table() {
                Some(inner) => self.table(place, inner, entry.node.span.clone(), &path),
                None => self.wrong_type(row, &Kind::Table(place), &entry.node, &path),
            }
        }
    }

    fn wrong_type(&mut self, row: &Row, kind: &Kind, node: &Node, path: &str) {
        if matches!(kind, Kind::Secret) {
            self.hide_inside(node);
            let what = format!("`{}` never stands in the config itself", row.key);
            let hint = format!(
                "put it into an environment variable or a file and write `{0} = {{ env = \"NAME\" }}` or `{0} = {{ file = \"PATH\" }}`",
                row.key
            );
            return self.push(Problem::error(node.span.clone(), path, what).hint(hint));
        }
        let what = format!("`{}` must be {}, not {}", row.label(), kind.phrase(), node.type_word());
        self.push(Problem::error(node.span.clone(), path, what).hint(format!("write it as in `{}`", row.example)));
    }

    fn unknown(&mut self, place: Place, entry: &Entry, path: String) {
        let key = entry.key.as_str();
        if names_secret(key) || place == Place::Secret {
            self.hide_inside(&entry.node);
        }
        let here = suggest::nearest(key, place.rows().map(|row| row.key));
        let elsewhere = || ROWS.iter().find(|row| row.key == key && row.places[0] != place);
        let anywhere = || {
            let meant = suggest::nearest(key, ROWS.iter().map(|row| row.key))?;
            let row = ROWS.iter().find(|row| row.key == meant)?;
            Some(match row.places[0] {
                Place::Gates => format!("did you mean the gate `gates.{meant}`?"),
                place => format!("did you mean `{meant}`, which belongs to {}?", place.code()),
            })
        };
        let hint = match (here, elsewhere()) {
            (Some(meant), _) => format!("did you mean `{meant}`?"),
            (None, Some(row)) if row.places[0] == Place::Gates => {
                format!("it is a gate: write `gates.{key}`")
            }
            (None, Some(row)) => format!("`{key}` belongs to {}", in_words(row.places)),
            (None, None) => anywhere().unwrap_or_else(|| known(place)),
        };
        let what = format!("{} has no key `{}`", title(place, &path), shown(key));
        self.push(Problem::error(entry.key_span.clone(), path, what).hint(hint));
    }

    /// Nothing in here is to be shown: it may be a secret.
    fn hide_inside(&mut self, node: &Node) {
        match &node.value {
            Value::List(list) => list.iter().for_each(|n| self.hide_inside(n)),
            Value::Table(table) => table.0.iter().for_each(|e| self.hide_inside(&e.node)),
            Value::Text(_) | Value::Whole(_) | Value::Other(_) => self.secrets.push(node.span.clone()),
            Value::Bool(_) => {}
        }
    }
}

/// The problems of a window in a zone, each at its entry.
pub(super) fn window_problems(
    allow: &[String],
    deny: &[String],
    zone: chrono_tz::Tz,
    table: &Table,
    path: &str,
) -> Vec<Problem> {
    let Err(problems) = Windows::parse(allow, deny, zone) else {
        return Vec::new();
    };
    let at = |which: Which, index: usize| {
        let node = table.get(which.key())?;
        let entry = node.list().unwrap_or_default().iter().filter(|n| n.text().is_some()).nth(index);
        Some(entry.unwrap_or(node).span.clone())
    };
    problems
        .into_iter()
        .map(|(which, index, why)| Problem::told(at(which, index).unwrap_or(0..0), join(path, which.key()), &why))
        .collect()
}

/// The texts of a list; what is none has been reported.
pub(super) fn texts(node: Option<&Node>) -> Vec<String> {
    let list = node.and_then(Node::list).unwrap_or_default();
    list.iter().filter_map(|n| n.text().map(str::to_owned)).collect()
}

fn join(path: &str, key: &str) -> String {
    let key = shown(key);
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// How a message calls the table: `[forge.gitlab]` by its own name.
fn title(place: Place, path: &str) -> String {
    match place {
        Place::Forge | Place::Sink | Place::Chat | Place::Person => {
            let mut words = path.split('.');
            let (what, name) = (words.next().unwrap_or("forge"), words.next().unwrap_or("NAME"));
            format!("`[{what}.{name}]`")
        }
        Place::Environment if path.starts_with("defaults") => "`[[defaults.environment]]`".to_owned(),
        Place::Environment if path.starts_with("group") => "`[[group.environment]]`".to_owned(),
        _ => place.code(),
    }
}

fn in_words(places: &[Place]) -> String {
    let titles: Vec<String> = places.iter().map(|place| place.code()).collect();
    titles.join(" or ")
}

fn known(place: Place) -> String {
    let keys: Vec<String> = place.rows().filter(|r| r.later.is_none()).map(|r| format!("`{}`", r.key)).collect();
    format!("known here: {}", keys.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tree;

    /// The example of every row, checked as if it stood where the row allows it.
    #[test]
    fn examples_in_the_table_of_keys_are_valid() {
        for row in ROWS.iter().filter(|row| row.later.is_none() && !row.example.starts_with('[')) {
            let (table, syntax) = tree::parse(row.example);
            assert_eq!(syntax, [], "{}", row.example);
            let place = if row.places == [Place::Gates] { Place::Environment } else { row.places[0] };
            let mut found = Found::default();
            found.table(place, &table, 0..0, "");
            // What has to stand beside it is another row's matter.
            let beside = ["has no `", "has none", "does nothing without"];
            let alone = |problem: &&Problem| !beside.iter().any(|words| problem.what.contains(words));
            let wrong: Vec<&Problem> = found.problems.iter().filter(alone).collect();
            assert!(wrong.is_empty(), "{}: {wrong:?}", row.example);
            assert!(row.meaning.ends_with('.'), "{}", row.key);
        }
    }

    #[test]
    fn the_default_of_catch_up_is_that_of_schedules() {
        let row = Place::Schedule.row("catch_up").and_then(Row::default_value);
        assert_eq!(row, Some(towpath_core::calendar::Schedule::CATCH_UP.to_string().into()));
    }

    #[test]
    fn no_place_has_two_rows_of_one_key() {
        for place in Place::ALL {
            let keys: Vec<&str> = place.rows().map(|row| row.key).collect();
            let distinct: std::collections::BTreeSet<&str> = keys.iter().copied().collect();
            assert_eq!(keys.len(), distinct.len(), "{place:?}");
        }
    }
}
