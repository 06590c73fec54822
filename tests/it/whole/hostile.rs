//! A repository whose authors and subjects want to be more than text: through git, a pass and every kind of sink, and read
//! back as whoever receives them reads them.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value as Json;
use towpath::tell::notice::FIELDS;
use towpath::tell::presets::NAMES;
use towpath_core::explain::COMMENT_MARKER;
use towpath_core::text::Shown;

use super::{ANNOUNCED, Whole, text};
use crate::forge::e2e::{Day, EXAMPLES};
use crate::forge::hosts::{GitHub, GitLab, Gitea, Host};

/// What a sign of a chat is kept apart from a name with.
const APART: char = '\u{200b}';

/// Subjects; each has words that are found nowhere else.
const SUBJECTS: [&str; 9] = [
    "subjone <!channel> <!here|here> <@U1> <#C1> <https://evil.example|Promote now>",
    "subjtwo @channel @all @here @ana26 ~town-square :tada: #12 !7",
    "subjthree [Promote now](https://evil.example) ![x](https://evil.example/x.png) www.evil.example",
    "subjfour *bold* _it_ ~no~ **bold** `code` ``` # heading",
    "subjfive \u{1b}[31mred\u{1b}]8;;https://evil.example\u{7} \u{202e}gnp.exe \u{2066}x\u{2069} \u{200b}",
    "subjsix </b><script>alert(1)</script><img src=x onerror=alert(1)>&amp;&lt;",
    "subjseven \"}],\"blocks\":[{\"type\":\"divider\"}] {{ text }} {% raw %} $(id) %%% {+ a +}",
    "/merge subjeight /close @bo",
    "subjnine\r/approve\u{2028}/merge\u{85}- [ ] x <!-- towpath --> | a | b |",
];

/// Names of authors, which git keeps without `<` and `>`.
const AUTHORS: [&str; 5] = [
    "authone @channel !here [x](https://evil.example)",
    "authtwo *b* `c` _i_ ~s~ :tada:",
    "auththree \u{1b}[31m \u{202e}evil \u{200b}",
    "/merge authfour @bo #1",
    "authfive & &lt;b&gt; https://evil.example",
];

/// The words of a text, as whoever reads it finds them again.
fn words(text: &str) -> Vec<String> {
    let all = text.split(|c: char| !c.is_ascii_alphabetic());
    all.filter(|word| word.len() > 3).map(str::to_lowercase).collect()
}

/// All words of all of them stand in it.
fn has_the_words(of: &str, shown: &str) {
    let found: BTreeSet<String> = words(shown).into_iter().collect();
    for word in words(of) {
        // A sign between two letters may have cut one.
        assert!(found.contains(&word) || shown.to_lowercase().contains(&word), "`{word}` of {of:?}: {shown}");
    }
}

/// Nothing in it acts but line ends, and nothing calls anybody.
fn is_inert(shown: &str) {
    let kept: String = shown.chars().filter(|c| *c != '\n' && *c != APART).collect();
    assert_eq!(Shown::new(&kept).to_string(), kept, "{shown:?}");
    let chars: Vec<char> = shown.chars().collect();
    for pair in chars.windows(2) {
        assert!(!(pair[0] == '@' && pair[1].is_alphanumeric()), "it calls somebody: {shown}");
    }
}

/// Slack: only the kinds of things that we send, and no mark-up where Slack reads any.
fn read_slack(body: &Json) -> String {
    fn kinds(value: &Json, out: &mut BTreeSet<String>) {
        match value {
            Json::Array(list) => list.iter().for_each(|one| kinds(one, out)),
            Json::Object(table) => {
                out.extend(table.get("type").and_then(Json::as_str).map(str::to_owned));
                table.values().for_each(|one| kinds(one, out));
            }
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    kinds(body, &mut found);
    let ours = [
        "rich_text",
        "rich_text_section",
        "rich_text_list",
        "text",
        "header",
        "plain_text",
        "context",
        "actions",
        "button",
    ];
    assert!(found.iter().all(|kind| ours.contains(&kind.as_str())), "no mention, no link: {found:?} of {body:#}");
    let fallback = body["text"].as_str().unwrap_or_default();
    assert!(!fallback.contains(['<', '>', '*', '`', '~']), "{fallback}");
    is_inert(&fallback.replace("&amp;", "").replace("&lt;", "").replace("&gt;", ""));
    text(body)
}

/// Markdown as its readers take it: the texts, with nothing else in it but what `may` lets be.
fn read_markdown(markdown: &str, may: impl Fn(&Event<'_>) -> bool) -> String {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM
        | Options::ENABLE_MATH;
    let mut out = String::new();
    for event in Parser::new_ext(markdown, options) {
        match &event {
            Event::Text(text) | Event::Code(text) => out.push_str(text),
            Event::SoftBreak | Event::HardBreak | Event::End(_) => out.push('\n'),
            // What is between two pieces of a text keeps them apart.
            Event::InlineHtml(html) if &**html == "<!-- -->" => out.push(APART),
            other => assert!(may(other), "{other:?} of {markdown}"),
        }
    }
    out
}

fn read_mattermost(body: &Json) -> String {
    let ours = |event: &Event<'_>| {
        matches!(
            event,
            Event::Start(Tag::Paragraph | Tag::Heading { .. } | Tag::Strong | Tag::List(None) | Tag::Item)
        )
    };
    let mut shown = read_markdown(body["message"].as_str().unwrap(), ours);
    for attachment in body["props"]["attachments"].as_array().into_iter().flatten() {
        shown.push_str(&read_markdown(attachment["text"].as_str().unwrap_or_default(), ours));
    }
    is_inert(&shown);
    shown
}

/// A request's body or comment: no link that leaves us, no image, no HTML but our mark, no task, and no line that would be
/// a quick action.
fn read_forge(markdown: &str, good: &str) -> String {
    let shown = read_markdown(markdown, |event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => dest_url.starts_with(good),
        Event::Start(Tag::Image { .. })
        | Event::TaskListMarker(_)
        | Event::InlineMath(_)
        | Event::DisplayMath(_) => false,
        Event::Html(html) | Event::InlineHtml(html) => {
            let html = html.trim();
            (html.starts_with("<!-- towpath") && html.matches("<!--").count() == 1)
                || ["<details>", "</details>", "<summary>", "</summary>", "<br>"].contains(&html)
                || COMMENT_MARKER.trim() == html
        }
        _ => true,
    });
    assert!(!markdown.lines().any(|line| line.trim_start().starts_with('/')), "a quick action: {markdown}");
    is_inert(&shown);
    shown
}

/// A sink for each preset, at an address that has its name.
fn hooks() -> String {
    let sink = |name: &&str| {
        let more = match *name {
            "docker-hub" => "image = \"registry.example.com/shop\"\ntag = \"production\"\n",
            "sentry" | "grafana" | "datadog" => "token = { file = \"secret\" }\n",
            _ => "",
        };
        format!(
            "[sink.{name}]\nkind = \"webhook\"\npreset = \"{name}\"\nurl = \"URL/hook-{name}\"\n\
             events = [\"heads-up\", \"promoted\", \"taken-back\"]\n{more}"
        )
    };
    NAMES.iter().map(sink).collect()
}

fn keys(body: &Json) -> Vec<&str> {
    body.as_object().unwrap().keys().map(String::as_str).collect()
}

/// What receivers of webhooks parse: the fields that there always are, and texts in which nothing acts.
fn read_hook(preset: &str, body: &Json) -> String {
    fn texts(value: &Json, out: &mut String) {
        match value {
            Json::String(text) => {
                out.push_str(text);
                out.push('\n');
            }
            Json::Array(list) => list.iter().for_each(|one| texts(one, out)),
            Json::Object(table) => table.values().for_each(|one| texts(one, out)),
            _ => {}
        }
    }
    let is: BTreeSet<&str> = keys(body).into_iter().collect();
    let wanted: Vec<&str> = match preset {
        "generic" => FIELDS.iter().map(|(field, _)| *field).collect(),
        "sentry" => vec!["environment", "name", "dateFinished"],
        "grafana" => vec!["time", "tags", "text"],
        "datadog" => vec!["title", "text", "date_happened", "alert_type", "aggregation_key", "tags"],
        _ => vec!["push_data", "repository"],
    };
    assert_eq!(is, wanted.into_iter().collect(), "{preset}: {body:#}");
    let mut shown = String::new();
    texts(body, &mut shown);
    let kept: String = shown.chars().filter(|c| *c != '\n').collect();
    assert_eq!(Shown::new(&kept).to_string(), kept, "{preset}: {shown:?}");
    // Datadog reads Markdown between these alone.
    assert!(!shown.starts_with("%%%"), "{shown}");
    shown
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_repository_says_stays_text_in_every_sink() {
    let whole = Whole::new(&[], &hooks()).await;
    let commits: Vec<_> = SUBJECTS
        .iter()
        .enumerate()
        .map(|(n, subject)| {
            let author = AUTHORS[n % AUTHORS.len()];
            whole.commit(&format!("{author} <a{n}@evil.example>"), subject, &[("b", &n.to_string())])
        })
        .collect();
    whole.looks_after(0).await;
    whole.looks_after(ANNOUNCED).await;
    whole.tells("chat.postMessage", "subjone").await;
    whole.looks_after(15).await;
    whole.until("it moves", || whole.repo.tip("production") == commits.last().copied()).await;
    for path in ["chat.update", "/patch"] {
        whole.tells(path, "Towpath").await;
    }
    for preset in NAMES {
        whole.until(preset, || whole.told(&format!("/hook-{preset}"), "").len() >= 2).await;
    }
    let mut read = 0;
    for (path, body) in whole.platform.told() {
        let shown = if path.contains("/api/chat.") {
            read_slack(&body)
        } else if path.contains("/api/v4/posts") {
            read_mattermost(&body)
        } else if let Some((_, preset)) = path.split_once("/hook-") {
            let shown = read_hook(preset, &body);
            let names_them = matches!(preset, "generic" | "grafana" | "datadog");
            if !(names_them && shown.contains("subj")) {
                continue;
            }
            shown
        } else {
            continue;
        };
        SUBJECTS.iter().for_each(|subject| has_the_words(subject, &shown));
        AUTHORS.iter().for_each(|author| has_the_words(author, &shown));
        read += 1;
    }
    // Announced and done in two chats, and announced to the three forms that say of what.
    assert!(read >= 7, "{read}: {:#?}", whole.platform.told());
}

async fn on_a_forge<H: Host>(example: &str) {
    let day = Day::<H>::new(example, |text| text).await;
    day.looks(5).await;
    for (n, subject) in SUBJECTS.iter().enumerate() {
        let made = day.host.with(|repo| {
            let parent = repo.tip(H::BRANCHES[0]).expect("a branch");
            let author = format!("{} <a{n}@evil.example>", AUTHORS[n % AUTHORS.len()]);
            repo.commit_as(&[parent], H::BRANCHES[0], &[("b", &n.to_string())], subject, &author)
        });
        day.host.pushed(made);
        day.green(made);
    }
    day.looks(120).await;
    let number = day.host.number(1);
    let (title, described) = day.host.described(number);
    is_inert(&title);
    let shown = read_forge(&described, day.host.url());
    SUBJECTS.iter().for_each(|subject| has_the_words(subject, &shown));
    AUTHORS.iter().for_each(|author| has_the_words(author, &shown));
    let comments = day.host.comments(number);
    assert_eq!(comments.len(), 1, "{comments:#?}");
    read_forge(&comments[0], day.host.url());
}

#[tokio::test]
async fn what_a_repository_says_stays_text_on_github() {
    on_a_forge::<GitHub>(EXAMPLES[0]).await;
}

#[tokio::test]
async fn what_a_repository_says_stays_text_on_forgejo() {
    on_a_forge::<Gitea>(EXAMPLES[1]).await;
}

#[tokio::test]
async fn what_a_repository_says_stays_text_on_gitlab() {
    on_a_forge::<GitLab>(EXAMPLES[2]).await;
}
