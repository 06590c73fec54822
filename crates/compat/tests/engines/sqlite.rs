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
    fn create(&self, _database: &str) -> Result<(), String> {
        Ok(())
    }

    fn apply(&self, database: &str, sql: &str) -> Result<(), String> {
        let mut command = Command::new(&self.program);
        command.args(["-init", "/dev/null", "-batch", "-bail"]).arg(self.directory.path().join(database));
        server::feed(&mut command, &format!("PRAGMA synchronous = OFF;\n{sql}"))
    }

    fn attempt(&self, database: &str, sql: &str) -> Result<(), String> {
        // What application code that relies on foreign keys does first.
        self.apply(database, &format!("PRAGMA foreign_keys = ON;\nBEGIN;\n{sql}\nROLLBACK;\n"))
    }
}
