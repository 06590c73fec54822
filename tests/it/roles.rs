//! Who may what, by real requests: one table of verb and environment, with the least role that it takes, written down
//! from docs/people.md; and each surface asked all of it, by everybody, of the real program. What nobody may is in the audit, with
//! who, from where and by what rule.
//!
//! Comments on forges are asked in `forge::roles`, by the same table; rules of a config's own in `http::people`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::chat::matter::Server;
use crate::chat::{Platform, SIGNING, encoded, post, shown, slack, slash};
use crate::serve::place::{Answer, Place, Service, wait};

/// Those who ask, from the least: a stranger, and one of each role.
pub(crate) const ROLES: [&str; 6] = ["stranger", "viewer", "developer", "operator", "release-manager", "admin"];

/// The environments: people push to the first, the last is production.
pub(crate) const ENVIRONMENTS: [&str; 3] = ["develop", "staging", "production"];

/// Verb, command, and the least role in each environment (an initial of [`ROLES`]; `-` is not asked).
pub(crate) const TABLE: [(&str, &str, &str); 12] = [
    ("pause", "pause FLOW ENV --for 1h --reason r", "ddo"),
    ("freeze", "freeze FLOW ENV --for 1h --reason r", "ooo"),
    ("resume", "resume FLOW ENV", "ddo"),
    ("hold", "hold SHA FLOW ENV --reason r", "ddo"),
    ("unhold", "unhold SHA FLOW ENV", "ddo"),
    ("approve", "approve FLOW ENV SHA", "ddo"),
    ("promote", "promote FLOW ENV to SHA --reason r", "ddo"),
    ("retry", "retry FLOW ENV", "ddo"),
    ("rollback", "rollback FLOW ENV --reason r", "ooo"),
    ("override", "override lag FLOW ENV SHA --reason r", "ooo"),
    // It is about a commit, and so reaches every environment.
    ("report", "report FLOW SHA build success", "--o"),
    ("status", "status FLOW ENV", "vvv"),
];

/// One question: who, which verb, where, and how it is said.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) role: &'static str,
    pub(crate) verb: &'static str,
    pub(crate) env: &'static str,
    least: &'static str,
    pub(crate) said: String,
}

impl Cell {
    /// Every cell of the table for one of [`ROLES`].
    pub(crate) fn of(role: &'static str, flow: &str, sha: &str) -> Vec<Self> {
        let mut cells = Vec::new();
        for (verb, command, least) in TABLE {
            for (env, least) in ENVIRONMENTS.into_iter().zip(least.chars()) {
                let Some(least) = ROLES.into_iter().find(|role| role.starts_with(least)) else { continue };
                let said = command.replace("FLOW", flow).replace("ENV", env).replace("SHA", sha);
                cells.push(Self { role, verb, env, least, said });
            }
        }
        cells
    }

    fn reads(&self) -> bool {
        self.verb == "status"
    }

    /// The rule by which it is refused, if it is. `stranger` is what a stranger may: all, to look, nothing.
    pub(crate) fn refused_by(&self, stranger: Stranger) -> Option<String> {
        let rank = |role: &str| ROLES.iter().position(|one| *one == role);
        match (self.role, stranger) {
            ("stranger", Stranger::All) => None,
            ("stranger", Stranger::Looks) if self.reads() => None,
            ("stranger", _) => Some("nobody's identity".to_owned()),
            (role, _) if rank(role) >= rank(self.least) => None,
            (role, _) => Some(format!("role {role}, needs {}", self.least)),
        }
    }

    /// What the audit has of it where it is refused: verb, environment, and rule. Looking is not on record.
    fn row(&self, stranger: Stranger) -> Option<(String, String, String)> {
        let env = if self.verb == "report" { "" } else { self.env };
        let rule = self.refused_by(stranger).filter(|_| !self.reads())?;
        Some((self.verb.to_owned(), env.to_owned(), rule))
    }
}

/// What somebody may who is linked to no person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stranger {
    /// On this machine, and by a token: it belongs to whoever runs it.
    All,
    /// In a chat.
    Looks,
    /// In a comment, where the whole world can write.
    Nothing,
}

/// The rows of the audit in which somebody was refused for want of the right, against the table: each refused cell has
/// one, under its identity, and no other has.
pub(crate) fn audited(rows: &[Json], surface: &str, stranger: Stranger, asked: &BTreeMap<String, Vec<Cell>>) {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let mut seen: BTreeMap<String, BTreeSet<(String, String, String)>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row["came"]["surface"] == surface) {
        let rule = text(&row["came"]["rule"]);
        let refused = rule.contains(", needs ") || rule == "nobody's identity";
        assert!(!refused || row["allowed"] == false, "{row}");
        if !refused {
            continue;
        }
        let command = text(&row["command"]);
        let words: Vec<&str> = command.split(' ').collect();
        let env = ENVIRONMENTS.into_iter().find(|env| words.contains(env)).unwrap_or_default();
        let new = seen.entry(text(&row["came"]["identity"])).or_default().insert((
            words[0].to_owned(),
            env.to_owned(),
            rule,
        ));
        assert!(new, "twice: {row}");
    }
    for (identity, cells) in asked {
        let wanted: BTreeSet<_> = cells.iter().filter_map(|cell| cell.row(stranger)).collect();
        assert_eq!(seen.remove(identity).unwrap_or_default(), wanted, "{surface} {identity}");
    }
    assert!(seen.is_empty(), "{surface}: {seen:?}");
}

/// The rows of the audit of commands.
fn rows(place: &Place) -> Vec<Json> {
    let export = place.ok(&["history", "--export"]);
    let rows = export.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    rows.filter(|row| row["what"] == "audit" && !row["row"]["came"].is_null())
        .map(|row| row["row"].clone())
        .collect()
}

/// The flow, the two chats, and one person of each role who is known by everything.
fn place(platform: &Platform, os: Option<(&str, &str)>) -> Place {
    let url = format!("http://127.0.0.1:{}", platform.port);
    let people: String = ROLES[1..]
        .iter()
        .map(|role| {
            let os = os.filter(|(of, _)| of == role).map(|(_, os)| format!(", \"{os}\"")).unwrap_or_default();
            format!(
                "[people.{role}]\nrole = \"{role}\"\nidentities = [\"token:{role}\", \"slack:T1/U{role}\", \
                 \"mattermost:M1/u{role}\"{os}]\n"
            )
        })
        .collect::<String>()
        // A chat's ids are letters and digits.
        .replace("Urelease-manager", "Ureleasemanager")
        .replace("urelease-manager", "ureleasemanager");
    let place = Place::new(
        &["checkout"],
        &format!(
            r#"
[service]
look = "0 0 1 1 *"
[chat.work]
kind = "slack"
teams = ["T1"]
url = "{url}/api"
token = {{ file = "secret" }}
secrets = [{{ file = "signing" }}]
[chat.matter]
kind = "mattermost"
teams = ["M1"]
url = "{url}"
token = {{ file = "secret" }}
secrets = [{{ file = "signing" }}]
[[flow]]
repository = "checkout.git"
name = "checkout"
[[flow.environment]]
name = "develop"
[[flow.environment]]
name = "staging"
rollback = true
gates.lag = "1d"
[[flow.environment]]
name = "production"
branch = "master"
rollback = true
gates.lag = "1d"
gates.ci = {{ checks = ["build"] }}
{people}"#
        ),
    );
    std::fs::write(place.path().join("signing"), SIGNING).unwrap();
    place
}

/// A commit that is nowhere but on the first branch, and the pass that saw it.
fn pushed(place: &Place) -> String {
    let sha = place.push("checkout", "2").to_string();
    place.ok(&["run"]);
    sha
}

#[test]
fn by_the_api_each_role_may_what_the_table_says() {
    let place = place(&Platform::new(), None);
    let sha = pushed(&place);
    let service = place.serve();
    let mut asked = BTreeMap::new();
    for role in ROLES {
        let made = place.ok(&["token", "create", role, "--scope", "steer"]);
        let token = made.trim();
        let cells = Cell::of(role, "checkout", &sha);
        for cell in &cells {
            let (method, path, body) = if cell.reads() {
                ("GET", "/api/v1/flows/checkout", String::new())
            } else {
                let body = json!({ "command": cell.said, "dry_run": true, "yes": true });
                ("POST", "/api/v1/commands", body.to_string())
            };
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: \
                 application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let answer = service.ask(&head, body.as_bytes());
            let refused = cell.refused_by(Stranger::All);
            // Allowed is not sensible: what makes no sense is another refusal.
            assert_eq!(answer.status == 403, refused.is_some(), "{cell:?}: {answer:?}");
            assert!(![0, 401, 404, 500].contains(&answer.status), "{cell:?}: {answer:?}");
        }
        asked.insert(format!("token:{role}"), cells);
    }
    audited(&rows(&place), "api", Stranger::All, &asked);
}

#[test]
fn by_the_command_line_each_role_may_what_the_table_says() {
    let platform = Platform::new();
    let me: Json = {
        let place = place(&platform, None);
        place.ok(&["run"]);
        serde_json::from_str(&place.ok(&["whoami", "-o", "json"])).unwrap()
    };
    let os = me["identity"].as_str().unwrap();
    // All at once: each has a folder of its own.
    std::thread::scope(|all| {
        for role in ROLES {
            let platform = &platform;
            all.spawn(move || {
                let place = place(platform, Some((role, os)));
                let sha = pushed(&place);
                let cells = Cell::of(role, "checkout", &sha);
                for cell in &cells {
                    let mut args: Vec<&str> = cell.said.split(' ').collect();
                    if cell.reads() {
                        args.truncate(2);
                    } else {
                        args.push("--dry-run");
                    }
                    let out = place.run(&args);
                    let refused = cell.refused_by(Stranger::All).is_some();
                    let words = String::from_utf8_lossy(&out.stderr).into_owned();
                    assert_eq!(out.status.code() == Some(4), refused, "{cell:?}: {words}");
                    assert_ne!(out.status.code(), Some(2), "{cell:?}: {words}");
                }
                audited(&rows(&place), "cli", Stranger::All, &BTreeMap::from([(os.to_owned(), cells)]));
            });
        }
    });
}

/// Says each cell in a chat, role after role from the least, and reads the answers.
fn in_a_chat(
    place: &Place,
    platform: &Platform,
    (word, team, initial): (&str, &str, char),
    say: impl Fn(&Service, &str, &str, &str) -> Answer,
) {
    let sha = pushed(place);
    let service = place.serve();
    service.says(&["production"]);
    let (mut asked, mut nth) = (BTreeMap::new(), 0);
    for role in ROLES {
        let user = format!("{initial}{}", role.replace('-', ""));
        let cells = Cell::of(role, "checkout", &sha);
        for cell in &cells {
            nth += 1;
            let trigger = format!("t{nth}");
            assert_eq!(say(&service, &user, &trigger, &cell.said).status, 200, "{cell:?}");
            let answer = || -> Option<String> {
                let told = platform.told();
                let mut to = told.iter().filter(|(path, _)| path.ends_with(&format!("/{trigger}")));
                to.next().map(|(_, body)| shown(body).replace(['`', '\\'], ""))
            };
            wait(&format!("an answer to {cell:?}"), || answer().is_some());
            let words = answer().unwrap_or_default();
            let no = words.contains("is linked to no person") || words.contains("; ") && words.contains(" takes a");
            assert_eq!(no, cell.refused_by(Stranger::Looks).is_some(), "{cell:?}: {words}");
        }
        asked.insert(format!("{word}:{team}/{user}"), cells);
    }
    audited(&rows(place), "chat", Stranger::Looks, &asked);
}

#[test]
fn in_slack_each_role_may_what_the_table_says() {
    let platform = Platform::new();
    let place = place(&platform, None);
    in_a_chat(&place, &platform, ("slack", "T1", 'U'), |service, user, trigger, text| {
        slack(service, &slash(&platform, ("T1", user, "C1"), trigger, text), SIGNING, 0)
    });
}

#[test]
fn in_mattermost_each_role_may_what_the_table_says() {
    let platform = Platform::new();
    let server = Server::of(&platform);
    let place = place(&platform, None);
    in_a_chat(&place, &platform, ("mattermost", "M1", 'u'), |service, user, trigger, text| {
        let back = format!("http://127.0.0.1:{}/hooks/commands/{trigger}", platform.port);
        let body = encoded(&[
            ("channel_id", "channelofshop"),
            ("command", "/towpath"),
            ("response_url", &back),
            ("team_id", "M1"),
            ("text", text),
            ("token", SIGNING),
            ("trigger_id", &server.trigger(trigger, user, 0)),
            ("user_id", user),
            ("user_name", "somebody"),
        ]);
        post(service, "/chat/matter", &[("Content-Type", "application/x-www-form-urlencoded")], &body)
    });
}
