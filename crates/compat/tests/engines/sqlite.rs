//! SQLite: a file for each case.

use std::path::PathBuf;
use std::process::Command;

use crate::Engine;
use crate::server::{self, Directory};

pub struct Sqlite {
    program: PathBuf,
    directory: Directory,
}

impl Sqlite {
    pub fn start() -> Result<Self, String> {
        Ok(Self {
            program: server::program("sqlite3", &[], "Debian's sqlite3")?,
            directory: Directory::new("lite")?,
        })
    }
}

impl Engine for Sqlite {
    fn begin_in(&self, _database: &str) -> String {
        "PRAGMA synchronous = OFF;".to_owned()
    }

    fn print(&self, word: &str) -> String {
        format!(".print {word}")
    }

    fn rolled_back(&self, sql: &str) -> String {
        // What application code that relies on foreign keys does first.
        format!("PRAGMA foreign_keys = ON;\nBEGIN;\n{sql}\nROLLBACK;\nPRAGMA foreign_keys = OFF;")
    }

    fn run(&self, database: &str, script: &str) -> (String, Result<(), String>) {
        let mut command = Command::new(&self.program);
        command.args(["-init", "/dev/null", "-batch", "-bail"]).arg(self.directory.path().join(database));
        server::feed(&mut command, script)
    }
}
