//! What a project of PHP says about its database: configurations, `.env`, `composer.json`.
//!
//! Read line by line for the few words looked for; nothing is evaluated.

use crate::sql::Dialect;
use crate::tree::Tree;

/// Whether a path belongs to somebody else's code.
pub fn foreign(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "vendor" | "node_modules" | ".git"))
}

/// The nearest directory above that has a `composer.json`; with a `/` at its end, or empty.
pub fn home(tree: &dyn Tree, root: &str) -> String {
    let mut home = root;
    loop {
        let path = if home.is_empty() { "composer.json".to_owned() } else { format!("{home}/composer.json") };
        if tree.entry(&path).is_some() {
            return if home.is_empty() { String::new() } else { format!("{home}/") };
        }
        match home.rsplit_once('/') {
            Some((above, _)) => home = above,
            None if home.is_empty() => return String::new(),
            None => home = "",
        }
    }
}

/// The driver in Doctrine's own configuration.
pub fn doctrine_driver(tree: &dyn Tree, home: &str) -> Option<Dialect> {
    const FILES: [&str; 6] = [
        "config/packages/doctrine.yaml",
        "config/packages/doctrine.yml",
        "config/packages/prod/doctrine.yaml",
        "app/config/config.yml",
        "migrations-db.php",
        "config/packages/doctrine.php",
    ];
    for file in FILES {
        let Ok(text) = tree.text(&format!("{home}{file}")) else { continue };
        for line in text.lines().filter(|line| !line.trim_start().starts_with(['#', '/'])) {
            let Some((key, value)) = line.split_once(':').or_else(|| line.split_once("=>")) else { continue };
            let key = key.trim().trim_matches(['\'', '"']);
            let value = value.trim().trim_matches([',', '\'', '"', '>', ' ']);
            let found = match key {
                "driver" => Dialect::of_word(value.strip_prefix("pdo_").unwrap_or(value)),
                "url" => of_url(value),
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

/// The address of the database in the files of the environment.
pub fn database_url(tree: &dyn Tree, home: &str) -> Option<Dialect> {
    value_of(tree, home, "DATABASE_URL").and_then(|url| of_url(&url))
}

/// A variable in the files of the environment, the first that has it.
pub fn value_of(tree: &dyn Tree, home: &str, name: &str) -> Option<String> {
    for file in [".env", ".env.dist", ".env.example", ".env.testing", ".env.test"] {
        let Ok(text) = tree.text(&format!("{home}{file}")) else { continue };
        for line in text.lines() {
            let Some((key, value)) = line.trim().split_once('=') else { continue };
            let value = value.trim().trim_matches(['\'', '"']);
            if key.trim_start_matches("export ").trim() == name && !value.is_empty() {
                return Some(value.to_owned());
            }
        }
    }
    None
}

/// The one database extension that `composer.json` asks for.
pub fn extensions(tree: &dyn Tree, home: &str) -> Option<Dialect> {
    let text = tree.text(&format!("{home}composer.json")).ok()?;
    let known = [
        ("ext-pdo_pgsql", Dialect::Postgres),
        ("ext-pgsql", Dialect::Postgres),
        ("ext-pdo_mysql", Dialect::MySql),
        ("ext-mysqli", Dialect::MySql),
        ("ext-pdo_sqlite", Dialect::Sqlite),
        ("ext-pdo_sqlsrv", Dialect::MsSql),
        ("ext-oci8", Dialect::Oracle),
    ];
    let mut found: Vec<Dialect> =
        known.iter().filter(|(word, _)| text.contains(word)).map(|(_, dialect)| *dialect).collect();
    found.dedup();
    match found.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

fn of_url(url: &str) -> Option<Dialect> {
    let scheme = url
        .split_once("://")
        .map(|(scheme, _)| scheme)
        .or_else(|| url.split_once(':').map(|(scheme, _)| scheme))?;
    let scheme = scheme.strip_prefix("pdo-").or_else(|| scheme.strip_prefix("pdo_")).unwrap_or(scheme);
    Dialect::of_word(scheme)
}
