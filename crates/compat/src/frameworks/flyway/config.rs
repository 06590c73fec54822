//! What a repository's files say about Flyway: where its migrations are, and how they are called.
//!
//! Flyway's own files, Spring's, Maven's, Gradle's. A location is taken wherever it stands in such a
//! file: it counts only if migrations lie there.

use super::names::Prefixes;
use crate::frameworks::files;
use crate::tree::Tree;

/// The most files that are read for this.
const FILES: usize = 500;

/// What was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Paths that migrations' directories are or end with.
    pub locations: Vec<String>,
    /// How migrations are called.
    pub prefixes: Prefixes,
}

impl Config {
    /// Of this tree.
    pub fn of(tree: &dyn Tree) -> Self {
        let mut config = Self::default();
        let files = tree.entries().iter().filter(|entry| {
            let (directory, name) = files::split(&entry.path);
            tells(name) && !files::foreign(directory)
        });
        for entry in files.take(FILES) {
            let (directory, name) = files::split(&entry.path);
            let Some(text) = files::text(tree, &entry.path) else { continue };
            if name.starts_with("flyway.") {
                config.locations.push(files::join(directory, "sql"));
            } else if !text.to_ascii_lowercase().contains("flyway") {
                continue;
            }
            config.read(&text);
        }
        config.locations.sort();
        config.locations.dedup();
        config
    }

    fn read(&mut self, text: &str) {
        for line in text.lines() {
            let line = line.trim();
            for scheme in ["classpath:", "filesystem:"] {
                for (at, _) in line.match_indices(scheme) {
                    let rest = line.get(at + scheme.len()..).unwrap_or_default();
                    let end = rest.find(['"', '\'', ',', '<', ']', ')', ' ', ';']).unwrap_or(rest.len());
                    self.location(rest.get(..end).unwrap_or_default());
                }
            }
            let lower = line.to_ascii_lowercase();
            let Some((name, value)) = line.split_once(['=', ':', '>']) else { continue };
            if lower.contains("flyway.locations") || lower.starts_with("locations") {
                value.split(',').filter(|value| !value.contains(':')).for_each(|value| self.location(value));
            }
            let value = value.split('<').next().unwrap_or_default().trim().trim_matches(['"', '\'', ' ']);
            let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
            let name = name.to_ascii_lowercase();
            if value.is_empty() || value.len() > 32 {
                continue;
            }
            if name.ends_with("repeatablesqlmigrationprefix") {
                value.clone_into(&mut self.prefixes.repeatable);
            } else if name.ends_with("sqlmigrationprefix") && !name.contains("undo") && !name.contains("baseline") {
                value.clone_into(&mut self.prefixes.versioned);
            }
        }
    }

    fn location(&mut self, location: &str) {
        let location = location.trim().trim_matches(['"', '\'', '[', ']', '(', ')']);
        let end = location.find(['{', '*', '$']).unwrap_or(location.len());
        let mut path = location.get(..end).unwrap_or_default().trim_matches('/');
        while let Some(rest) = path.strip_prefix("./").or_else(|| path.strip_prefix("../")) {
            path = rest;
        }
        let path = path.trim_matches('/');
        if !path.is_empty() && path != "." && path != ".." {
            self.locations.push(path.to_owned());
        }
    }
}

fn tells(name: &str) -> bool {
    matches!(name, "flyway.toml" | "flyway.conf" | "pom.xml" | "build.gradle" | "build.gradle.kts")
        || (name.starts_with("application")
            && [".yml", ".yaml", ".properties"].iter().any(|ending| name.ends_with(ending)))
}

#[cfg(test)]
mod tests {
    use super::Config;
    use crate::tree::MemoryTree;

    #[test]
    fn locations_and_prefixes_wherever_they_stand() {
        for (path, text, locations) in [
            (
                "flyway.toml",
                "[flyway]\nlocations = [\"filesystem:./db/moves\", \"filesystem:more\"]\n",
                vec!["db/moves", "more", "sql"],
            ),
            (
                "ops/flyway.conf",
                "flyway.locations=filesystem:sql/{vendor},schema\n",
                vec!["ops/sql", "schema", "sql"],
            ),
            (
                "application.yml",
                "spring:\n  flyway:\n    locations: classpath:db/a,classpath:db/b\n",
                vec!["db/a", "db/b"],
            ),
            (
                "src/application-prod.properties",
                "spring.flyway.locations=classpath:/db/migration/{vendor}",
                vec!["db/migration"],
            ),
            (
                "pom.xml",
                "<artifactId>flyway-maven-plugin</artifactId>\n<location>filesystem:moves</location>",
                vec!["moves"],
            ),
            ("build.gradle", "flyway {\n  locations = ['filesystem:a b']\n}", vec!["a"]),
            ("application.yml", "mybatis: classpath:mapper/*.xml", vec![]),
        ] {
            let config = Config::of(&MemoryTree::new([(path, text)]));
            assert_eq!(config.locations, locations, "{path}: {text}");
        }
        let text =
            "flyway.sqlMigrationPrefix=M\nflyway.repeatableSqlMigrationPrefix=A\nflyway.undoSqlMigrationPrefix=X\n";
        let prefixes = Config::of(&MemoryTree::new([("flyway.conf", text)])).prefixes;
        assert_eq!((prefixes.versioned.as_str(), prefixes.repeatable.as_str()), ("M", "A"));
        let text = "spring:\n  flyway:\n    sql-migration-prefix: M\n";
        assert_eq!(Config::of(&MemoryTree::new([("application.yaml", text)])).prefixes.versioned, "M");
    }
}
