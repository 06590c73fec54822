//! Which tool a repository builds with, where file names alone do not tell: one pass over its manifests.
//!
//! Not here: the dialect ([`crate::sql::guess`]).

use super::files;
use crate::tree::Tree;

/// The most manifests of one name that are read.
const MANIFESTS: usize = 500;

/// The directories whose manifest of this name has a text that passes.
pub fn directories(tree: &dyn Tree, manifest: &str, passes: impl Fn(&str) -> bool) -> Vec<String> {
    tree.entries()
        .iter()
        .map(|entry| files::split(&entry.path))
        .filter(|(directory, name)| *name == manifest && !files::foreign(directory))
        .take(MANIFESTS)
        .filter(|(directory, name)| {
            files::text(tree, &files::join(directory, name)).is_some_and(|text| passes(&text))
        })
        .map(|(directory, _)| directory.to_owned())
        .collect()
}

/// The directories that have a file of this ending whose text passes.
pub fn directories_ending(tree: &dyn Tree, ending: &str, passes: impl Fn(&str) -> bool) -> Vec<String> {
    tree.entries()
        .iter()
        .filter(|entry| entry.path.ends_with(ending))
        .take(MANIFESTS)
        .filter(|entry| files::text(tree, &entry.path).is_some_and(|text| passes(&text)))
        .map(|entry| files::split(&entry.path).0.to_owned())
        .collect()
}

/// Whether a Cargo manifest depends on a crate: `name = …`, `name.workspace = …`, `[dependencies.name]`.
pub fn depends(manifest: &str, crate_name: &str) -> bool {
    manifest.lines().any(|line| {
        let line = line.trim();
        let table = line.strip_prefix('[').and_then(|table| table.strip_suffix(']'));
        if let Some(table) = table {
            return table
                .rsplit_once("dependencies.")
                .is_some_and(|(_, name)| name.trim_matches('"') == crate_name);
        }
        let Some((name, value)) = line.split_once('=') else { return false };
        let name = name.trim().trim_matches('"');
        name == crate_name
            || name.strip_suffix(".workspace") == Some(crate_name)
            || name.strip_suffix(".version") == Some(crate_name)
            || (value.contains("package") && value.contains(&format!("\"{crate_name}\"")))
    })
}

/// Where sqlx is used.
pub struct Sqlx {
    manifests: Vec<String>,
    /// Packages in Go, whose migrations are not sqlx's.
    go: Vec<String>,
}

impl Sqlx {
    /// Of this tree.
    pub fn of(tree: &dyn Tree) -> Self {
        let manifests = directories(tree, "Cargo.toml", |text| depends(text, "sqlx"));
        let go = if manifests.is_empty() { vec![] } else { directories(tree, "go.mod", |_| true) };
        Self { manifests, go }
    }

    /// Whether migrations in this directory are sqlx's: a manifest at or above it names sqlx, or one
    /// anywhere does and the directory belongs to no other language's package.
    pub fn owns(&self, directory: &str) -> bool {
        let nearest = |roots: &[String]| {
            roots.iter().filter(|root| files::within(directory, root)).map(|root| root.len() + 1).max()
        };
        let go = nearest(&self.go);
        match nearest(&self.manifests) {
            Some(rust) => go.is_none_or(|go| rust >= go),
            None => !self.manifests.is_empty() && go.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Sqlx, depends};
    use crate::tree::MemoryTree;

    #[test]
    fn what_a_manifest_depends_on() {
        for (text, expected) in [
            ("[dependencies]\nsqlx = \"0.8\"\n", true),
            ("sqlx = { version = \"0.8\", features = [\"postgres\"] }", true),
            ("sqlx.workspace = true", true),
            ("[dependencies.sqlx]\nversion = \"1\"", true),
            ("[workspace.dependencies.sqlx]", true),
            ("db = { package = \"sqlx\", version = \"1\" }", true),
            ("sqlx-cli = \"0.8\"", false),
            ("# sqlx is nice", false),
            ("", false),
        ] {
            assert_eq!(depends(text, "sqlx"), expected, "{text}");
        }
    }

    #[test]
    fn whose_directory_it_is() {
        let tree = MemoryTree::new([
            ("api/Cargo.toml", "[dependencies]\nsqlx = \"0.8\"\n"),
            ("worker/go.mod", "module worker\n"),
        ]);
        let sqlx = Sqlx::of(&tree);
        assert!(sqlx.owns("api/migrations"));
        assert!(sqlx.owns("migrations"), "no other package claims it");
        assert!(!sqlx.owns("worker/migrations"));
        let around = MemoryTree::new([("Cargo.toml", "sqlx = \"0.8\""), ("worker/go.mod", "module worker")]);
        assert!(Sqlx::of(&around).owns("migrations") && !Sqlx::of(&around).owns("worker/migrations"));
        assert!(!Sqlx::of(&MemoryTree::new([("Cargo.toml", "[package]")])).owns("migrations"));
    }
}
