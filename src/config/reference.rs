//! `docs/config.md`, from the table of keys.

use std::fmt::Write;

use super::keys::{Default, Kind, Place, ROWS, Row};

const HEAD: &str = "# The config

*Made from the table of keys in `src/config/keys/rows.rs`; a test fails where this page is older.
`INSTA_UPDATE=always cargo nextest run --test it config` writes it anew.*

The config is one TOML file: the one that `--config` names, else the one that `TOWPATH_CONFIG` names,
else `./towpath.toml`. Relative paths in it start from its own folder. `towpath config validate` reports
everything that is wrong with it at once, `towpath config show` prints what is in effect with the origin of
each value, and `towpath config schema` prints a JSON Schema for editors (`docs/towpath.schema.json`).
Runnable examples are in `config/`.

## Which value counts

1. Keys of `[defaults]` hold for every flow.
2. Keys of each `[[group]]` whose `match` covers the flow's name go before them; a later group goes before an
   earlier one.
3. Keys of the `[[flow]]` itself go before all.
4. Environments of several layers are merged by name. One that earlier layers do not have says where it comes:
   `after = \"staging\"` puts it directly after `staging`.
5. A gate written in a later layer replaces the whole gate; `gates.lag = false` removes it.
6. `mode` is the exception: `observe` on the service, the flow or the environment holds for everything below it.

## Names

Flows and environments have names of `a`-`z`, `0`-`9`, `.`, `_`, `/` and `-` that begin with a letter or a
digit and may be part of a git branch. `all` is reserved. A flow and an environment may not share a name, and in
one repository a branch is moved by one flow only.

## Durations

A number with its unit: `ms`, `s`, `m` (or `min`), `h`, `d`, `w`; several may follow one another, as in `1h30m`.
";

/// The reference as Markdown.
pub fn reference() -> String {
    let mut out = HEAD.to_owned();
    for place in Place::ALL {
        let rows: Vec<&Row> = place.rows().filter(|row| row.later.is_none() && row.places[0] == place).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n## {}", heading(place));
        for row in rows {
            one(&mut out, row);
        }
    }
    later(&mut out);
    out
}

fn heading(place: Place) -> String {
    match place {
        Place::Top => "The file".to_owned(),
        Place::Defaults => "`[defaults]`, `[[group]]` and `[[flow]]` alike".to_owned(),
        Place::Group => "`[[group]]` alone".to_owned(),
        Place::Flow => "`[[flow]]` alone".to_owned(),
        Place::Environment => {
            "`[[flow.environment]]` (also `[[defaults.environment]]`, `[[group.environment]]`)".to_owned()
        }
        Place::App => "`app` of a forge".to_owned(),
        Place::Secret => "References to secrets".to_owned(),
        Place::Check => "A check in `checks`".to_owned(),
        other => format!("`{}`", other.title()),
    }
}

fn one(out: &mut String, row: &Row) {
    let default = match row.default {
        Default::Required => "none; it must be written".to_owned(),
        Default::Nothing => "none".to_owned(),
        Default::From(what) => what.to_owned(),
        Default::Text(text) => format!("`\"{text}\"`"),
        Default::Whole(number) => format!("`{number}`"),
        Default::Bool(yes) => format!("`{yes}`"),
    };
    let _ = writeln!(out, "\n### `{}`\n\n{}\n", row.key, row.meaning);
    let _ = writeln!(out, "- Type: {}", row.kind.phrase());
    if let Some(unit) = unit(&row.kind) {
        let _ = writeln!(out, "- Unit: {unit}");
    }
    let _ = writeln!(out, "- Default: {default}");
    let _ = writeln!(out, "- Example: `{}`", row.example);
}

fn unit(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Duration { .. } | Kind::DurationOr(_) => {
            Some("written with the number: `ms`, `s`, `m`, `h`, `d`, `w`")
        }
        Kind::OneOf(kinds) => kinds.iter().find_map(unit),
        _ => None,
    }
}

/// Words that are known and refused, so that nobody takes them for typing errors.
fn later(out: &mut String) {
    let _ = writeln!(
        out,
        "\n## Known, but not in this build\n\nThese are errors, not ignored: what cannot be judged must not look as if it were.\n"
    );
    for row in ROWS {
        if let Some((why, hint)) = row.later {
            let _ = writeln!(out, "- `{}` in {}: {why}; {hint}.", row.key, row.places[0].code());
        }
        let mut kinds = vec![row.kind];
        while let Some(kind) = kinds.pop() {
            match kind {
                Kind::OneOf(more) => kinds.extend(more),
                Kind::Word { later, .. } => {
                    for (word, why, hint) in later {
                        let _ = writeln!(out, "- `{} = \"{word}\"`: {why}; {hint}.", row.key);
                    }
                }
                _ => {}
            }
        }
    }
}
