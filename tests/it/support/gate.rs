//! The server that an `http` gate asks. It says, byte by byte and on threads of its own, what a test
//! wants; and the book from which that of a scenario reads what to say, in both worlds.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use towpath_core::model::{CommitId, HttpInstead, HttpSaid, HttpVerdict, Instant};

/// What came in: the request line, the headers in lower case, a line each, and the body.
#[derive(Debug, Clone)]
pub struct Asked {
    pub line: String,
    pub headers: String,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }

    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).expect("the question is JSON")
    }
}

/// What the server does with one question.
#[derive(Debug, Clone)]
pub enum Do {
    /// Says that and hangs up.
    Say(Vec<u8>),
    /// Says that, and then nothing, until the other side hangs up.
    SayAndHold(Vec<u8>),
}

/// Whole answers.
pub fn whole(status: &str, headers: &str, body: &str) -> Do {
    let length = body.len();
    Do::Say(
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}").into(),
    )
}

pub fn json_says(body: &str) -> Do {
    whole("200 OK", "Content-Type: application/json\r\n", body)
}

type Script = dyn Fn(usize, &Asked) -> Do + Send + Sync;

pub struct GateServer {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl GateServer {
    /// `script` gets the number of the question, from 0, and what was asked.
    pub fn start(script: impl Fn(usize, &Asked) -> Do + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (log, script): (_, Arc<Script>) = (Arc::clone(&asked), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, script) = (Arc::clone(&log), Arc::clone(&script));
                std::thread::spawn(move || serve(stream, &log, &*script));
            }
        });
        Self { url, asked }
    }

    /// `127.0.0.1:PORT`
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("log").clone()
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<Asked>>, script: &Script) {
    let Some(asked) = read(&mut stream) else { return };
    let nth = {
        let mut log = log.lock().expect("log");
        log.push(asked.clone());
        log.len() - 1
    };
    // Whoever asked may have hung up.
    match script(nth, &asked) {
        Do::Say(bytes) => drop(stream.write_all(&bytes)),
        Do::SayAndHold(bytes) => {
            drop(stream.write_all(&bytes));
            while stream.read(&mut [0; 512]).is_ok_and(|count| count > 0) {}
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut more = |bytes: &mut Vec<u8>| {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        Some(())
    };
    let head = loop {
        more(&mut bytes)?;
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let (line, headers) = text.split_once("\r\n")?;
    let headers: Vec<String> = headers
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| format!("{}: {}", name.to_lowercase(), value.trim()))
        .collect();
    let mut asked = Asked { line: line.to_owned(), headers: headers.join("\n"), body: String::new() };
    let length: usize = asked.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    while bytes.len() < head + 4 + length {
        more(&mut bytes)?;
    }
    asked.body = String::from_utf8_lossy(&bytes[head + 4..]).into_owned();
    Some(asked)
}

/// What a scenario has the server of its gates say of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    Pass,
    Wait {
        until: Option<Instant>,
    },
    Block,
    /// A status of 503.
    Broken,
    /// A verdict that there is not.
    Odd,
}

/// What it says of each commit: in this order, and the last for good.
#[derive(Debug)]
pub struct GateBook {
    says: BTreeMap<CommitId, VecDeque<Says>>,
    /// Of commits that are not named.
    pub others: Says,
    /// The commits that it let pass, in the order in which it said so.
    pub passed: Vec<CommitId>,
    /// Those that it ever kept out.
    pub kept_out: BTreeSet<CommitId>,
    /// How many questions it has answered.
    pub answered: usize,
    /// Whether it hangs up on everybody.
    pub gone: bool,
}

/// What a client says of a server that hung up, in the words of all worlds.
pub const HUNG_UP: &str = "it hung up";

/// The same in the words of the client of the real one.
pub const HUNG_UP_OF_REQWEST: &str = "client error (SendRequest): connection closed before message completed";

impl Default for GateBook {
    fn default() -> Self {
        let (says, others) = (BTreeMap::new(), Says::Wait { until: None });
        Self { says, others, passed: Vec::new(), kept_out: BTreeSet::new(), answered: 0, gone: false }
    }
}

impl GateBook {
    /// From here on it says one thing of all.
    pub fn say_of_all(&mut self, says: Says) {
        self.says.clear();
        self.others = says;
    }

    pub fn say(&mut self, commit: CommitId, says: &[Says]) {
        self.says.insert(commit, says.iter().copied().collect());
    }

    fn next(&mut self, commit: CommitId) -> Option<Says> {
        if self.gone {
            return None;
        }
        self.answered += 1;
        let says = match self.says.get_mut(&commit) {
            Some(says) if says.len() > 1 => says.pop_front(),
            Some(says) => says.front().copied(),
            None => Some(self.others),
        };
        self.passed.extend((says == Some(Says::Pass)).then_some(commit));
        self.kept_out.extend((says == Some(Says::Block)).then_some(commit));
        says
    }

    /// What the simulated world makes of the answer.
    pub fn answer(&mut self, commit: CommitId) -> Result<HttpSaid, HttpInstead> {
        let verdict = match self.next(commit) {
            None => return Err(HttpInstead::Nothing { words: HUNG_UP.to_owned() }),
            Some(Says::Broken) => return Err(HttpInstead::Status { status: 503 }),
            Some(Says::Odd) => return Err(HttpInstead::UnknownVerdict { word: "perhaps".to_owned() }),
            Some(Says::Pass) => HttpVerdict::Pass,
            Some(Says::Wait { until }) => HttpVerdict::Wait { until },
            Some(Says::Block) => HttpVerdict::Block,
        };
        Ok(HttpSaid { verdict, words: words(verdict).to_owned() })
    }

    /// The answer itself.
    pub fn bytes(&mut self, asked: &Asked) -> Do {
        let question = asked.json();
        let commit = question["candidate"]["commit"].as_str().and_then(|id| id.parse().ok()).expect("a commit");
        let verdict = match self.next(commit) {
            None => return Do::Say(Vec::new()),
            Some(Says::Broken) => return whole("503 Service Unavailable", "", ""),
            Some(Says::Odd) => return json_says(r#"{"verdict":"perhaps"}"#),
            Some(Says::Pass) => HttpVerdict::Pass,
            Some(Says::Wait { until }) => HttpVerdict::Wait { until },
            Some(Says::Block) => HttpVerdict::Block,
        };
        let word = match verdict {
            HttpVerdict::Pass => "pass",
            HttpVerdict::Wait { .. } => "wait",
            HttpVerdict::Block => "block",
        };
        let until = match verdict {
            HttpVerdict::Wait { until: Some(until) } => chrono::DateTime::from_timestamp_millis(until.0),
            _ => None,
        };
        let mut body = json!({ "verdict": word, "reason": words(verdict) });
        if let Some(until) = until {
            body["until"] = json!(until.to_rfc3339());
        }
        json_says(&body.to_string())
    }
}

fn words(verdict: HttpVerdict) -> &'static str {
    match verdict {
        HttpVerdict::Pass => "CHG-7 is approved",
        HttpVerdict::Wait { .. } => "CHG-7 is not yet approved",
        HttpVerdict::Block => "no change is named",
    }
}
