//! A private PostgreSQL: a socket, no port, nothing kept.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::Engine;
use crate::server::{self, Directory, Process};

const BINARIES: &[&str] = &[
    "/usr/lib/postgresql/15/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/18/bin",
];
const INSTALL: &str = "Debian's postgresql and postgresql-client";

pub struct Postgres {
    psql: PathBuf,
    _process: Process,
    directory: Directory,
}

impl Postgres {
    pub fn start() -> Result<Self, String> {
        let directory = Directory::new("pg")?;
        let psql = server::program("psql", &[], INSTALL)?;
        let (initdb, postgres) =
            (server::program("initdb", BINARIES, INSTALL)?, server::program("postgres", BINARIES, INSTALL)?);
        let data = directory.path().join("data");
        let user = "postgres";
        if server::root() {
            server::run(Command::new("chown").arg(user).arg(directory.path()))?;
        }
        let mut make = server::unprivileged(&initdb, user);
        make.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync", "-D"]).arg(&data);
        server::run(&mut make)?;
        let mut serve = server::unprivileged(&postgres, user);
        serve.arg("-D").arg(&data).arg("-k").arg(directory.path()).args(["-h", ""]);
        for setting in ["fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=64MB"] {
            serve.args(["-c", setting]);
        }
        serve.stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Process::spawn(&mut serve)?;
        for _ in 0..300 {
            let mut ask = Command::new(&psql);
            ask.args(["-X", "-q", "-U", "postgres", "-d", "postgres", "-c", "CREATE ROLE app", "-h"]);
            if server::run(ask.arg(directory.path())).is_ok() {
                return Ok(Self { psql, _process: process, directory });
            }
            if process.ended() {
                return Err("PostgreSQL did not start".to_owned());
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Err("PostgreSQL does not answer".to_owned())
    }
}

impl Engine for Postgres {
    fn begin_in(&self, database: &str) -> String {
        format!("CREATE DATABASE {database} TEMPLATE template0;\n\\connect {database}")
    }

    fn print(&self, word: &str) -> String {
        format!("\\echo {word}")
    }

    fn rolled_back(&self, sql: &str) -> String {
        format!("BEGIN;\n{sql}\nSET CONSTRAINTS ALL IMMEDIATE;\nROLLBACK;")
    }

    fn run(&self, _database: &str, script: &str) -> (String, Result<(), String>) {
        let mut psql = Command::new(&self.psql);
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres", "-h"]);
        psql.arg(self.directory.path()).args(["-f", "-"]).env("PGOPTIONS", "-c client_min_messages=warning");
        server::feed(&mut psql, script)
    }
}
