//! A private MariaDB: a socket, no port, nothing kept.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Engine;
use crate::server::{self, Directory, Process};

const INSTALL: &str = "Debian's mariadb-server-core and mariadb-client-core";

pub struct MariaDb {
    client: PathBuf,
    _process: Process,
    directory: Directory,
}

impl MariaDb {
    pub fn start() -> Result<Self, String> {
        let directory = Directory::new("my")?;
        let sbin: &[&str] = &["/usr/sbin"];
        let client = server::program("mariadb", &[], INSTALL)?;
        let make = server::program("mariadb-install-db", sbin, INSTALL)?;
        let serve = server::program("mariadbd", sbin, INSTALL)?;
        let data = directory.path().join("data");
        std::fs::create_dir(&data).map_err(|error| error.to_string())?;
        server::run(settings(&mut Command::new(make), &data).args([
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
        ]))?;
        let mut serve = if server::root() { server::unprivileged(&serve, "root") } else { Command::new(serve) };
        settings(&mut serve, &data);
        serve.arg("--socket").arg(directory.path().join("socket")).arg("--pid-file").arg(data.join("pid"));
        serve.args(["--skip-networking", "--skip-grant-tables", "--innodb-flush-log-at-trx-commit=0"]);
        serve.arg("--sql-mode=STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION");
        let mut process = Process::spawn(serve.stdout(Stdio::null()).stderr(Stdio::null()))?;
        for _ in 0..600 {
            if Self::statements(&client, &directory, "SELECT 1").1.is_ok() {
                return Ok(Self { client, _process: process, directory });
            }
            if process.ended() {
                return Err("MariaDB did not start".to_owned());
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Err("MariaDB does not answer".to_owned())
    }

    fn statements(client: &Path, directory: &Directory, sql: &str) -> (String, Result<(), String>) {
        let mut command = Command::new(client);
        command.args(["--no-defaults", "--batch", "--unbuffered", "--user=root"]);
        command.arg("--default-character-set=utf8mb4").arg("--socket").arg(directory.path().join("socket"));
        server::feed(&mut command, sql)
    }
}

/// What the program that makes the files and the one that serves them must agree on.
fn settings<'a>(command: &'a mut Command, data: &Path) -> &'a mut Command {
    command.arg("--no-defaults").arg("--datadir").arg(data);
    if server::root() {
        command.arg("--user=root");
    }
    command.args(["--innodb-flush-method=nosync", "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M"])
}

impl Engine for MariaDb {
    fn begin_in(&self, database: &str) -> String {
        format!("CREATE DATABASE {database} CHARACTER SET utf8mb4;\nUSE {database};")
    }

    fn print(&self, word: &str) -> String {
        format!("SELECT '{word}';")
    }

    fn rolled_back(&self, sql: &str) -> String {
        format!("START TRANSACTION;\n{sql}\nROLLBACK;")
    }

    fn run(&self, _database: &str, script: &str) -> (String, Result<(), String>) {
        Self::statements(&self.client, &self.directory, script)
    }
}
