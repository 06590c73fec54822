//! Commands in comments under promotion requests, whole: the forge of the tests tells by its hook, the service asks the
//! forge for rights, carries out, reacts and answers.

use std::time::Duration;

use towpath::clock::Clock;
use towpath::forge::Permission;

use super::e2e::{Day, EXAMPLES, served, until};
use super::hosts::{GitHub, GitLab, Gitea};
use super::talk::Talk;

const ANSWER: &str = "<!-- towpath:answer -->";

/// The example, with people and a secret for hooks.
async fn day<T: Talk>(example: &str) -> (Day<T>, String) {
    let forge = std::cell::RefCell::new(String::new());
    let day = Day::<T>::new(example, |text| {
        let (_, rest) = text.split_once("[forge.").expect("a forge");
        *forge.borrow_mut() = rest.split(']').next().expect("a name").to_owned();
        let forge = forge.borrow();
        let text = text.replace("*/5 * * * *", "0 0 1 1 *");
        let text = text.replace("token = ", "webhook_secrets = [{ file = \"hook\" }]\ntoken = ");
        format!(
            "{text}\n\n[people.Olga]\nrole = \"operator\"\nidentities = [\"forge:{forge}/bo\"]\n\n\
             [people.Dan]\nrole = \"developer\"\nidentities = [\"forge:{forge}/ana\"]\n"
        )
    })
    .await;
    std::fs::write(day.dir.path().join("hook"), T::SECRET).expect("written");
    (day, forge.into_inner())
}

/// Sends what the forge has to tell of comments, each twice: forges do.
async fn deliver<T: Talk>(day: &Day<T>, url: &str) {
    for (event, payload) in day.host.told() {
        for _ in 0..2 {
            let (headers, body) = day.host.signed(&event, &payload, T::SECRET);
            let sent = reqwest::Client::new().post(url).headers(headers).body(body).send().await.expect("sent");
            assert_eq!(sent.status().as_u16(), 202, "{event}");
        }
    }
}

async fn commands<T: Talk>(example: &str) {
    let (day, forge) = day::<T>(example).await;
    let host = &day.host;
    let one = day.push("one");
    day.green(one);
    day.looks(15).await;
    assert_eq!(host.open_requests().len(), 1, "there is a request");
    let number = host.number(1);
    // On Gitea Towpath's account has to be an administrator of the repository, so that it is told of rights.
    drop(host.adapter());
    host.grant("bo", Permission::Write);
    host.grant("ana", Permission::Write);
    host.grant("eve", Permission::Write);
    let (url, stop, _) = served(&day, Clock::Manual(day.clock.clone())).await;
    let hooks = format!("{url}/hooks/{forge}");
    let answers = || answers(host, number);
    let [_, done, refused] = T::REACTIONS;
    strangers(&day, &forge, (&url, number)).await;
    let ways = [
        ("bo", "/towpath pause --for 1h --reason \"db failover\"", done, "is paused until"),
        ("bo", "I think:\n\n/towpath explain\n\nthen we see", done, "production"),
        ("bo", "/towpath puase", refused, "pause"),
        ("bo", "/towpath pause nosuchflow production --for 1h --reason r", refused, "nosuchflow"),
        ("bo", "/towpath pause all --for 1h --reason r", refused, "its own repository alone"),
        ("bo", "/towpath resume\n/towpath hold abcdef1 --reason r", refused, "command"),
        ("ana", "/towpath resume", refused, "takes an operator"),
        ("bo", "/towpath resume", done, "Lifted the pause"),
    ];
    for (by, body, reaction, words) in ways {
        let (asked, before) = (host.asked(T::ASKS), host.calls().len());
        let comment = host.say(by, number, body);
        deliver(&day, &hooks).await;
        until(body, || host.reactions(comment).iter().any(|(_, word)| word == reaction)).await;
        until(body, || answers().iter().any(|answer| answer.replace('\\', "").contains(words))).await;
        assert_eq!(answers().len(), 1, "one answer, edited in place: {:#?}", answers());
        let seen = host.reactions(comment);
        // What the config alone refuses asks the forge for no right, and is not looked for.
        let cheap = reaction == refused;
        assert_eq!(seen.len(), if cheap { 1 } else { 2 }, "{body}: {seen:?}");
        assert_eq!(host.asked(T::ASKS) > asked, !cheap, "{body}");
        if !cheap {
            assert_eq!(seen[0].1, T::REACTIONS[0], "{body}: {seen:?}");
            // What it waited for above may have been said before.
            until(body, || is_answered(&host.calls()[before..])).await;
            eyes_first(&host.calls()[before..], T::ASKS);
        }
    }
    elsewhere(&day, &hooks).await;
    let_alone(&day, &hooks, number).await;
    on_record(&day, &forge).await;
    stop.cancel();
}

fn answers<T: Talk>(host: &T, number: u64) -> Vec<String> {
    host.comments(number).into_iter().filter(|comment| comment.starts_with(ANSWER)).collect()
}

/// What is no command, what is none any more, and who may command nothing.
async fn let_alone<T: Talk>(day: &Day<T>, hooks: &str, number: u64) {
    let host = &day.host;
    let answers = || answers(host, number);
    let [_, _, refused] = T::REACTIONS;
    let before = answers();
    let quoted = host.say("bo", number, "> /towpath freeze --for 1h --reason r\n\nNo, please do not");
    let code = host.say("bo", number, "```\n/towpath freeze --for 1h --reason r\n```");
    let edited = host.say("bo", number, "nothing");
    deliver(day, hooks).await;
    host.edit("bo", edited, "/towpath freeze --for 1h --reason r");
    deliver(day, hooks).await;
    // Somebody whose right was taken away commands nothing, whatever the config says.
    host.grant("bo", Permission::Read);
    let gone = host.say("bo", number, "/towpath freeze --for 1h --reason r");
    deliver(day, hooks).await;
    until("a refusal of who may no longer push", || host.reactions(gone).iter().any(|(_, word)| word == refused))
        .await;
    until("a reason", || answers()[0].contains("may not push")).await;
    // A forge that does not say is one that says no.
    host.grant("bo", Permission::Admin);
    host.breaks(T::ASKS, 500, 10);
    let unknown = host.say("bo", number, "/towpath freeze --for 1h --reason r");
    deliver(day, hooks).await;
    until("a refusal where the forge does not say", || {
        host.reactions(unknown).iter().any(|(_, word)| word == refused)
    })
    .await;
    for comment in [quoted, code, edited] {
        assert_eq!(host.reactions(comment), [], "{comment}");
    }
    assert_ne!(answers(), before);
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// Of these calls the eyes came after the question for the right, and before what says that it is done, which came
/// before the answer.
fn eyes_first(calls: &[String], asks: &str) {
    let asked = calls.iter().position(|call| call.contains(asks)).expect("the right is asked");
    let reactions: Vec<usize> = (0..calls.len()).filter(|at| reacts(&calls[*at])).collect();
    let answer = calls.iter().rposition(|call| comments(call)).expect("an answer");
    let [eyes, done] = reactions[..] else { panic!("two reactions: {calls:#?}") };
    assert!(asked < eyes && eyes < done && done < answer, "{asked} {eyes} {done} {answer}: {calls:#?}");
}

fn reacts(call: &str) -> bool {
    call.starts_with("POST ") && (call.contains("/reactions") || call.contains("/award_emoji"))
}

fn comments(call: &str) -> bool {
    !reacts(call) && !call.starts_with("GET ") && (call.contains("/comments") || call.contains("/notes"))
}

/// Whether a comment was written after the last reaction.
fn is_answered(calls: &[String]) -> bool {
    calls.iter().rposition(|call| comments(call)) > calls.iter().rposition(|call| reacts(call))
}

/// The eyes need nothing but the right of whoever wrote: they are there also where the flows then say that the request is
/// none of ours, and so is the answer.
async fn elsewhere<T: Talk>(day: &Day<T>, hooks: &str) {
    let host = &day.host;
    let other = host.opened().await;
    let comment = host.say("bo", other, "/towpath status");
    deliver(day, hooks).await;
    let [eyes, _, refused] = T::REACTIONS;
    let words = || -> Vec<String> { host.reactions(comment).into_iter().map(|(_, word)| word).collect() };
    until("eyes, and a refusal", || words().len() == 2).await;
    assert_eq!(words(), [eyes, refused]);
    let told = || host.comments(other).into_iter().find(|comment| comment.starts_with(ANSWER));
    until("why", || told().is_some_and(|told| told.contains("no open promotion request"))).await;
}

/// Who is linked to no person is told so once, whatever the forge lets them do, and costs no other call.
async fn strangers<T: Talk>(day: &Day<T>, forge: &str, (url, number): (&str, u64)) {
    const TOLD: &str = "<!-- towpath:strangers -->";
    let (host, hooks) = (&day.host, format!("{url}/hooks/{forge}"));
    let told = || -> Vec<String> {
        let all = host.comments(number).into_iter();
        all.filter(|comment| comment.starts_with("<!-- towpath:"))
            .filter(|comment| comment.starts_with(TOLD))
            .collect()
    };
    let rights = host.asked(T::ASKS);
    let first = host.say("eve", number, "/towpath freeze all --for 1h --reason r");
    deliver(day, &hooks).await;
    until("what strangers are told", || told().iter().any(|told| told.contains("is linked to no person"))).await;
    let plain = told()[0].replace('\\', "").replace("<!-- -->", "");
    assert!(plain.contains(&format!("forge:{forge}/eve")), "{:?}", told());
    let (before, had) = (host.comments(number).len(), told());
    let again: Vec<u64> = ["/towpath status", "/towpath puase", "/towpath whoami"]
        .iter()
        .map(|said| host.say("eve", number, said))
        .collect();
    deliver(day, &hooks).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(host.asked(T::ASKS), rights, "nothing is asked about strangers");
    let later = host.say("bo", number, "/towpath whoami");
    deliver(day, &hooks).await;
    until("an answer to somebody else", || host.reactions(later).len() == 2).await;
    assert_eq!(told(), had, "once");
    until("bo's answer", || host.comments(number).len() > before).await;
    assert_eq!(host.comments(number).len(), before + 1, "of ours, bo's answer and nothing else");
    for comment in again.into_iter().chain([first]) {
        assert_eq!(host.reactions(comment), [], "{comment}");
    }
    assert!(host.asked(T::ASKS) > rights, "bo's right is asked");
}

/// What became of the commands above is on record.
async fn on_record<T: Talk>(day: &Day<T>, forge: &str) {
    let audit = audit(day).await;
    let by: Vec<(String, bool)> = audit.iter().map(|row| (row.by.to_string(), row.allowed)).collect();
    let olga = |allowed| ("Olga".to_owned(), allowed);
    // All of it, what was refused, too; the last two refusals are of the same words at the same instant.
    let dan = ("Dan".to_owned(), false);
    let eve = (format!("forge:{forge}/eve"), false);
    // Of what strangers say only that which they were told about.
    let bad = || olga(false);
    let wanted = [eve, olga(true), bad(), bad(), dan, olga(true), bad()];
    assert_eq!(by, wanted, "{audit:#?}");
    let came = audit[1].came.as_ref().expect("how it came");
    assert_eq!(came.identity, format!("forge:{forge}/bo"));
    assert!(came.place.as_ref().is_some_and(|place| place.contains("http")), "{came:?}");
}

/// What was commanded, oldest first.
async fn audit<T: Talk>(day: &Day<T>) -> Vec<towpath_core::model::AuditRow> {
    let towpath::config::Store::Sqlite(path) = &day.setup.config.service.store;
    let store = towpath::store::SqliteStore::open(path, towpath::store::Create::No).await.expect("the store");
    let mut rows = store.audit(100).await.expect("rows");
    rows.retain(|row| row.came.is_some());
    rows.reverse();
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comments_command_on_github() {
    commands::<GitHub>(EXAMPLES[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comments_command_on_gitea() {
    commands::<Gitea>(EXAMPLES[1]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comments_command_on_gitlab() {
    commands::<GitLab>(EXAMPLES[2]).await;
}
