//! What `doctor` says of chats, by the real program: a Slack and a Mattermost that answer as they should, that answer
//! something else in each way that there is, and that do not answer. Whatever they say, `doctor` asks and changes nothing,
//! comes to its end, and prints no secret.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value as Json, json};

use crate::serve::place::Place;

const BOT: &str = "xoxb-the-bots-token";
const APP: &str = "xapp-the-apps-token";
const SIGNING: &str = "the-signing-secret";
const TICKET: &str = "the-ticket-of-the-socket";

/// A key as a Mattermost tells it.
const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGwM02kAh/doVnFtR+hKyG4Q9Ruq2N2EbPjaQMzhE5psxmDjHAGa6o5GN5liXe57np2MfjDW3Gk8gPIC4XRU5DA==";

/// How a call is answered.
#[derive(Clone)]
enum Says {
    /// Status, header lines (each with its end), body.
    This(u16, String, String),
    /// Nothing, ever.
    Hangs,
    /// The connection is closed.
    Ends,
}

fn json(body: &Json) -> Says {
    Says::This(200, "Content-Type: application/json\r\n".to_owned(), body.to_string())
}

fn status(status: u16) -> Says {
    Says::This(status, "Content-Type: application/json\r\n".to_owned(), json!({ "message": "no" }).to_string())
}

/// A call that came: its line, and its token.
#[derive(Clone, Debug)]
struct Came {
    line: String,
    token: String,
}

/// A server, and what it answers to which path.
#[derive(Clone)]
struct Server {
    url: String,
    answers: Arc<Mutex<BTreeMap<String, Says>>>,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Server {
    fn new(answers: &[(&str, Says)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let this = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            answers: Arc::new(Mutex::new(
                answers.iter().map(|(path, says)| ((*path).to_owned(), says.clone())).collect(),
            )),
            came: Arc::default(),
        };
        let server = this.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let server = server.clone();
                thread::spawn(move || server.hear(stream));
            }
        });
        this
    }

    fn hear(&self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
            match stream.read(&mut piece) {
                Ok(0) | Err(_) => return,
                Ok(count) => bytes.extend_from_slice(&piece[..count]),
            }
        }
        let head = String::from_utf8_lossy(&bytes).into_owned();
        let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
        let token = head.lines().find_map(|line| line.strip_prefix("authorization: Bearer ")).unwrap_or_default();
        self.came.lock().unwrap().push(Came { line: line.clone(), token: token.to_owned() });
        let path = line.split(' ').nth(1).unwrap_or_default();
        let says = {
            let answers = self.answers.lock().unwrap();
            answers.get(path).or(answers.get("*")).cloned().unwrap_or_else(|| status(404))
        };
        match says {
            Says::This(status, headers, body) => {
                let length = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
            }
            Says::Hangs => thread::sleep(std::time::Duration::from_secs(300)),
            Says::Ends => {}
        }
    }

    fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }
}

/// What `auth.test` says of a good token, with these scopes.
fn me(scopes: &str) -> Says {
    let body = json!({ "ok": true, "url": "https://example.slack.com/", "team": "Example", "team_id": "T1",
        "user": "towpath", "user_id": "UBOT", "bot_id": "B1", "is_enterprise_install": false });
    Says::This(200, format!("Content-Type: application/json\r\nX-OAuth-Scopes: {scopes}\r\n"), body.to_string())
}

const SCOPES: &str = "commands,chat:write,channels:read,groups:read";

fn no(error: &str) -> Says {
    json(&json!({ "ok": false, "error": error, "needed": "x", "provided": "y" }))
}

fn channel(more: &Json) -> Says {
    let mut channel = json!({ "id": "C1", "name": "releases", "is_channel": true, "is_private": false,
        "is_archived": false, "is_member": true });
    for (key, is) in more.as_object().unwrap() {
        channel[key] = is.clone();
    }
    json(&json!({ "ok": true, "channel": channel }))
}

const AUTH: &str = "/api/auth.test";
const OPEN: &str = "/api/apps.connections.open";
const RELEASES: &str = "/api/conversations.info?channel=C1";
const SHOP: &str = "/api/conversations.info?channel=C2";

fn slack() -> Server {
    let socket = json!({ "ok": true, "url": format!("wss://wss.slack.com/link/?ticket={TICKET}") });
    Server::new(&[
        (AUTH, me(SCOPES)),
        (OPEN, json(&socket)),
        (RELEASES, channel(&json!({}))),
        (SHOP, channel(&json!({ "id": "C2" }))),
    ])
}

const CONFIG: &str = "/api/v4/config/client?format=old";
const ME: &str = "/api/v4/users/me";
const MEMBER: &str = "/api/v4/teams/teamone/members/me";
const TEAM: &str = "/api/v4/teams/teamone";
const ROOM: &str = "/api/v4/channels/chanone";
const IN_ROOM: &str = "/api/v4/channels/chanone/members/me";

fn mattermost() -> Server {
    let server = Server::new(&[
        (ME, json(&json!({ "id": "bot", "username": "towpath", "is_bot": true, "delete_at": 0 }))),
        (MEMBER, json(&json!({ "team_id": "teamone", "user_id": "bot", "delete_at": 0 }))),
        (TEAM, json(&json!({ "id": "teamone", "delete_at": 0 }))),
        (ROOM, json(&json!({ "id": "chanone", "team_id": "teamone", "delete_at": 0 }))),
        (IN_ROOM, json(&json!({ "channel_id": "chanone", "user_id": "bot" }))),
    ]);
    set(&server, CONFIG, site(&server.url, "9.11.0", KEY));
    server
}

fn site(url: &str, version: &str, key: &str) -> Says {
    json(&json!({ "Version": version, "SiteURL": url, "AsymmetricSigningPublicKey": key }))
}

fn set(server: &Server, path: &str, says: Says) {
    server.answers.lock().unwrap().insert(path.to_owned(), says);
}

const PEOPLE: &str = r#"
[people.olga]
role = "operator"
identities = ["slack:T1/UOLGA", "mattermost:teamone/uolga"]
"#;

fn slack_config(url: &str) -> String {
    format!(
        r#"
[chat.work]
kind = "slack"
teams = ["T1"]
url = "{url}/api"
token = {{ file = "bot" }}
secrets = [{{ file = "signing" }}]
app_token = {{ file = "app" }}
channels = [{{ id = "C2", flow = "shop" }}]

[sink.releases]
kind = "slack"
chat = "work"
channel = "C1"
"#
    )
}

fn mattermost_config(url: &str) -> String {
    format!(
        r#"
[chat.matter]
kind = "mattermost"
teams = ["teamone"]
url = "{url}"
token = {{ file = "bot" }}
secrets = [{{ file = "signing" }}]
button_secrets = [{{ file = "signing" }}]

[sink.town]
kind = "mattermost"
chat = "matter"
channel = "chanone"
"#
    )
}

/// A flow that is well, and that about chats. `public_url` is set unless `more` begins another `[service]`.
fn place(more: &str) -> Place {
    let service = "[service]\npublic_url = \"https://towpath.example.com\"\n";
    let service = if more.contains("[service]") { "" } else { service };
    let flow = "[[flow]]\nrepository = \"shop.git\"\nname = \"shop\"\n[[flow.environment]]\nname = \"develop\"\n\
                [[flow.environment]]\nname = \"staging\"\n";
    let place = Place::new(&["shop"], &format!("{service}{more}\n{flow}"));
    for (name, secret) in [("bot", BOT), ("app", APP), ("signing", SIGNING)] {
        std::fs::write(place.path().join(name), secret).unwrap();
    }
    place.ok(&["run"]);
    place
}

/// A finding as the table has it: `+` good, `~` worth knowing, `!` to be mended.
#[derive(Debug, Clone)]
struct Line(char, String);

/// What `doctor` finds, and its exit code. No secret may be in it.
fn doctor(place: &Place) -> (Vec<Line>, Option<i32>) {
    let out = place.run(&["doctor", "-o", "json"]);
    let text = [&out.stdout[..], &out.stderr[..]].concat();
    let text = String::from_utf8(text).unwrap();
    for secret in [BOT, APP, SIGNING, TICKET] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(!text.contains("panicked") && !text.contains('\u{1b}'), "{text}");
    let said: Json = serde_json::from_slice(&out.stdout).unwrap_or_else(|error| panic!("{error}: {text}"));
    let line = |one: &Json| {
        let sign = match (one["ok"] == true, one["note"] == true) {
            (false, _) => '!',
            (true, true) => '~',
            (true, false) => '+',
        };
        Line(sign, one["text"].as_str().unwrap().to_owned())
    };
    (said["findings"].as_array().unwrap().iter().map(line).collect(), out.status.code())
}

fn says(lines: &[Line], sign: char, words: &str) {
    assert!(lines.iter().any(|line| line.0 == sign && line.1.contains(words)), "{sign} {words}: {lines:#?}");
}

#[test]
fn of_chats_that_are_well_nothing_is_said_but_good() {
    let (slack, mattermost) = (slack(), mattermost());
    let place = place(&format!("{}{}{PEOPLE}", slack_config(&slack.url), mattermost_config(&mattermost.url)));
    let (lines, code) = doctor(&place);
    let of_chats: Vec<&Line> = lines.iter().filter(|line| line.1.contains("chat.")).collect();
    assert!(of_chats.iter().all(|line| line.0 == '+'), "{lines:#?}");
    assert_eq!(code, Some(0), "{lines:#?}");
    for words in [
        "`[chat.work]`: Slack takes the bot token, as `towpath` of Example (`T1`)",
        "would open a socket",
        "the channel `C1` of `[sink.releases]` is there, and the app is in it",
        "the channel `C2` of `channels` is there",
        "`[chat.work]`: 1 of `[people]` are known there",
        "`[chat.matter]`: Mattermost 9.11.0 answers",
        "the server takes the bot's token, as `towpath`",
        "the bot is a member of the team `teamone`",
        "the channel `chanone` of `[sink.town]` is there, and the bot is in it",
        "`[chat.matter]`: 1 of `[people]` are known there",
    ] {
        says(&lines, '+', words);
    }
    // What was asked, and nothing else: whatever posts is a POST, and of POSTs there are these two.
    let asked = |server: &Server| {
        let mut all: Vec<String> = server.came().into_iter().map(|came| came.line).collect();
        all.sort();
        all
    };
    let get = |path: &str| format!("GET {path}");
    assert_eq!(asked(&slack), [get(RELEASES), get(SHOP), format!("POST {OPEN}"), format!("POST {AUTH}")]);
    assert_eq!(asked(&mattermost), [get(ROOM), get(IN_ROOM), get(CONFIG), get(MEMBER), get(ME)]);
    for came in slack.came() {
        assert_eq!(came.token, if came.line.ends_with("open") { APP } else { BOT }, "{came:?}");
    }
    for came in mattermost.came() {
        assert_eq!(came.token, if came.line.contains("/config/") { "" } else { BOT }, "{came:?}");
    }
}

#[test]
fn what_is_wrong_with_a_slack_is_said_with_its_fix() {
    let forged = json(&json!({ "ok": true, "team": "Evil\u{1b}[31m", "team_id": "T9", "user": "x\ny" }));
    let organisation = json!({ "ok": true, "team_id": "E1", "user": "towpath", "is_enterprise_install": true });
    let cases: &[(&str, Says, char, &str)] = &[
        (AUTH, no("invalid_auth"), '!', "the bot token is not valid"),
        (AUTH, no("account_inactive"), '!', "the app was removed from the workspace; install it again"),
        (AUTH, no("token_revoked"), '!', "the bot token was revoked"),
        (AUTH, no("something_new"), '!', "Slack says `something_new`"),
        (AUTH, no("<b>x</b>"), '!', "Slack says `unknown`"),
        (AUTH, forged, '!', "(`T9`), which is not one of `teams`"),
        (AUTH, json(&organisation), '~', "that of an organisation"),
        (AUTH, me("commands,users:read"), '!', "the bot token lacks `chat:write`;"),
        (AUTH, me("chat:write"), '!', "lacks `commands`; put `towpath chat manifest slack`"),
        (AUTH, me(""), '!', "the bot token lacks `commands`, `chat:write`;"),
        (AUTH, status(429), '~', "Slack wants no questions now; ask again in"),
        (AUTH, status(500), '!', "cannot be asked: it answered 500"),
        (AUTH, status(302), '!', "cannot be asked"),
        (AUTH, Says::This(200, String::new(), "<html>log in</html>".to_owned()), '!', "does a proxy answer there?"),
        (AUTH, Says::This(200, String::new(), "{\"ok\":true".to_owned()), '!', "cannot be read"),
        (AUTH, Says::This(200, String::new(), "[]".to_owned()), '!', "cannot be read"),
        (AUTH, Says::This(200, String::new(), "x".repeat(900_000)), '!', "larger than"),
        (AUTH, Says::Ends, '!', "cannot be asked: no answer"),
        (OPEN, no("invalid_auth"), '!', "the app token (`xapp-`) is not valid"),
        (OPEN, no("missing_scope"), '!', "make an app-level token with `connections:write`"),
        (OPEN, json(&json!({ "ok": true })), '!', "cannot be read"),
        (OPEN, status(429), '~', "wants no questions now"),
        (RELEASES, no("channel_not_found"), '!', "the channel `C1` of `[sink.releases]` is not to be had"),
        (RELEASES, channel(&json!({ "is_member": false })), '!', "the app is not in it; `/invite` the app there"),
        (RELEASES, channel(&json!({ "is_archived": true })), '!', "of `[sink.releases]` is archived"),
        (RELEASES, no("missing_scope"), '~', "whether the app is in `C1` of `[sink.releases]` cannot be asked"),
        (RELEASES, json(&json!({ "ok": true })), '!', "cannot be asked"),
        (
            SHOP,
            channel(&json!({ "is_member": false })),
            '~',
            "the channel `C2` of `channels` is there, and the app is not",
        ),
        (SHOP, no("channel_not_found"), '~', "the channel `C2` of `channels` is not to be had"),
    ];
    let server = slack();
    let place = place(&format!("{}{PEOPLE}", slack_config(&server.url)));
    for (path, answer, sign, words) in cases {
        let good = server.answers.lock().unwrap().insert((*path).to_owned(), answer.clone()).unwrap();
        let (lines, code) = doctor(&place);
        says(&lines, *sign, words);
        let stops = lines.iter().any(|line| line.0 == '!');
        assert_eq!((stops, code), (*sign == '!', Some(i32::from(*sign == '!'))), "{words}: {lines:#?}");
        set(&server, path, good);
    }
    // Where the app may write into every public channel it need not be in it.
    set(&server, AUTH, me(&format!("{SCOPES},chat:write.public")));
    set(&server, RELEASES, channel(&json!({ "is_member": false })));
    says(&doctor(&place).0, '+', "may write into every public one");
    set(&server, RELEASES, channel(&json!({ "is_member": false, "is_private": true })));
    says(&doctor(&place).0, '!', "the app is not in it");
    assert!(
        server.came().iter().all(|came| [AUTH, OPEN, RELEASES, SHOP].iter().any(|path| came.line.ends_with(path)))
    );
}

#[test]
fn what_is_wrong_with_a_mattermost_is_said_with_its_fix() {
    let server = mattermost();
    let url = server.url.clone();
    let me = |is_bot: bool, delete_at: i64| {
        json(&json!({ "username": "towpath", "is_bot": is_bot, "delete_at": delete_at }))
    };
    let gone = json(&json!({ "delete_at": 5 }));
    let html = Says::This(200, "Content-Type: text/html\r\n".to_owned(), "<html>log in</html>".to_owned());
    type Case<'c> = (&'c [(&'c str, Says)], char, &'c str);
    let cases: &[Case<'_>] = &[
        (&[(CONFIG, site(&url, "5.9.0", KEY))], '!', "Mattermost 5.9.0 has no bot accounts"),
        (&[(CONFIG, site("", "9.11.0", KEY))], '!', "the server has no Site URL"),
        (&[(CONFIG, site("https://other.example", "9.11.0", KEY))], '!', "Site URL is `https://other.example`"),
        (&[(CONFIG, site(&url, "9.11.0", ""))], '~', "buttons show things and do nothing"),
        (&[(CONFIG, json(&json!({})))], '~', "does not tell its version"),
        (&[(CONFIG, html.clone())], '!', "does a proxy or a login page answer there?"),
        (&[(CONFIG, status(429))], '~', "the server wants no questions now"),
        (&[(CONFIG, status(502))], '!', "it answered 502"),
        (&[(CONFIG, Says::Ends)], '!', "the server cannot be asked"),
        (&[(ME, status(401))], '!', "does not take the bot's token"),
        (&[(ME, html)], '!', "login page"),
        (&[(ME, me(false, 0))], '~', "who is no bot"),
        (&[(ME, me(true, 7))], '!', "is switched off"),
        (&[(MEMBER, status(404))], '!', "the bot is not a member of the team `teamone`; `mmctl team users add"),
        (&[(MEMBER, gone.clone())], '!', "the bot is not a member of the team"),
        (&[(MEMBER, status(403)), (TEAM, status(404))], '!', "there is no team `teamone`, or"),
        (&[(ROOM, gone)], '!', "the channel `chanone` of `[sink.town]` is archived"),
        (&[(IN_ROOM, status(404))], '!', "is there, and the bot is not in it; `mmctl channel users add"),
        (&[(ROOM, status(403)), (IN_ROOM, status(403))], '!', "is not there, or the bot is not in it"),
        (&[(IN_ROOM, status(500))], '!', "it answered 500"),
    ];
    let place = place(&format!("{}{PEOPLE}", mattermost_config(&url)));
    for (answers, sign, words) in cases {
        let good = server.answers.lock().unwrap().clone();
        answers.iter().for_each(|(path, says)| set(&server, path, says.clone()));
        let (lines, code) = doctor(&place);
        says(&lines, *sign, words);
        let stops = lines.iter().any(|line| line.0 == '!');
        assert_eq!((stops, code), (*sign == '!', Some(i32::from(*sign == '!'))), "{words}: {lines:#?}");
        *server.answers.lock().unwrap() = good;
    }
    assert!(server.came().iter().all(|came| came.line.starts_with("GET ")), "{:?}", server.came());
}

#[test]
fn servers_that_hang_or_are_not_there_end_in_words() {
    let hangs = Server::new(&[("*", Says::Hangs)]);
    let one = |name: &str, kind: &str, url: &str| {
        format!(
            "[chat.{name}]\nkind = \"{kind}\"\nteams = [\"T{name}\"]\nurl = \"{url}\"\ntoken = {{ file = \"bot\" }}\n\
             secrets = [{{ file = \"signing\" }}]\n"
        )
    };
    // Nobody listens on a port that was just given back.
    let closed = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let app = "app_token = { file = \"app\" }\n";
    let place = place(&format!(
        "{}{app}{}{}{}",
        one("slow", "slack", &hangs.url),
        one("slower", "mattermost", &hangs.url),
        one("closed", "slack", &closed),
        one("shut", "mattermost", &closed)
    ));
    // The bot's token and the app's are asked for after one another; the chats all at once.
    let (lines, code) = doctor(&place);
    says(&lines, '!', "`[chat.slow]`: Slack cannot be asked: no answer within");
    says(&lines, '!', "`[chat.slower]`: the server cannot be asked: no answer within");
    says(&lines, '!', "`[chat.closed]`: Slack cannot be asked: not reached");
    says(&lines, '!', "`[chat.shut]`: the server cannot be asked: not reached");
    says(&lines, '+', "a push to `staging` would be let in");
    assert_eq!(code, Some(1), "{lines:#?}");
}

#[test]
fn people_of_mattermost_are_known_without_a_team_and_nothing_more_is_asked_of_an_app_than_is_used() {
    let (slack, mattermost) = (slack(), mattermost());
    set(&slack, AUTH, me("commands,chat:write"));
    let people = PEOPLE.replace("mattermost:teamone/uolga", "mattermost:uolga");
    let chats = format!("{}{}{people}", slack_config(&slack.url), mattermost_config(&mattermost.url));
    let (lines, code) = doctor(&place(&chats));
    says(&lines, '+', "`[chat.matter]`: 1 of `[people]` are known there");
    assert_eq!(lines.iter().find(|line| line.1.contains("nobody")).map(|line| &line.1), None);
    assert_eq!(lines.iter().find(|line| line.0 != '+' && line.1.contains("[chat.")).map(|line| &line.1), None);
    assert_eq!(code, Some(0), "{lines:#?}");
    // Where there is no chat of that kind nobody can come by it.
    let (lines, _) = doctor(&place(&format!("{}{people}", slack_config(&slack.url))));
    says(&lines, '~', "nobody can come by `mattermost:uolga` of `olga`: ");
}

#[test]
fn what_the_config_alone_tells_is_said_too() {
    let (slack, mattermost) = (slack(), mattermost());
    let people = r#"
[people.olga]
role = "operator"
identities = ["slack:T7/UOLGA", "mattermost:T1/uolga", "matrix:@olga", "mail:olga@example.com"]
"#;
    let place = place(&format!(
        "[service]\nlook = \"0 0 1 1 *\"\n{}{}{people}",
        slack_config(&slack.url).replace("token = { file = \"bot\" }\n", "").split("[sink").next().unwrap(),
        mattermost_config(&mattermost.url)
            .replace("secrets = [{ file = \"signing\" }]", "secrets = [{ file = \"lost\" }]"),
    ));
    let (lines, code) = doctor(&place);
    says(&lines, '~', "`[chat.work]`: there is no `token`");
    says(&lines, '~', "`[chat.work]`: nobody of `[people]` is known there");
    says(&lines, '~', "as `slack:T1/USER`");
    says(&lines, '~', "as `mattermost:teamone/USER`");
    says(&lines, '!', "lost");
    says(&lines, '~', "without `public_url`");
    let elsewhere = "nobody can come by `slack:T7/UOLGA` of `olga`, `mattermost:T1/uolga` of `olga`";
    says(&lines, '~', elsewhere);
    assert_eq!(code, Some(1), "{lines:#?}");
    // The app's token is good whatever the bot's is; of the rest nothing can be asked.
    says(&lines, '+', "would open a socket");
    assert_eq!(slack.came().len(), 1, "{:?}", slack.came());
}
