use super::super::events::row_of;
use super::super::notice::{Notice, example, hostile_example};
use super::*;

fn values(preset: &Preset) -> BTreeMap<String, String> {
    let value = |name: &str| format!("registry.example.com/{name}\"}}}} é🚀'");
    preset.values.iter().map(|(name, _)| ((*name).to_owned(), value(name))).collect()
}

fn body(name: &str, event: &str) -> serde_json::Value {
    let preset = preset(name).unwrap();
    let template = preset.body_with(&values(preset)).unwrap().unwrap();
    serde_json::from_str(&template.render(&example(row_of(event).unwrap())).unwrap()).unwrap()
}

/// Of every event there is, not only of its own: anybody may ask for more.
#[test]
fn every_body_is_json_for_every_event_and_every_url_for_its_own() {
    for preset in &PRESETS {
        if let Some(template) = preset.body_with(&values(preset)).unwrap() {
            assert_eq!(template.check(&ROWS), Ok(()), "{}", preset.name);
        }
        let url = Template::new(preset.url, Kind::Url).unwrap();
        assert_eq!(url.check(preset.events.rows()), Ok(()), "{}", preset.name);
    }
}

#[test]
fn the_rows_are_whole() {
    assert_eq!(NAMES, ["generic", "sentry", "grafana", "datadog", "docker-hub"]);
    for row in &PRESETS {
        assert_eq!(preset(row.name).map(|found| found.name), Some(row.name));
        assert!(!row.events.words().is_empty() && row.events.words().iter().all(|word| row_of(word).is_some()));
        assert_eq!(row.events.rows().count(), row.events.words().len());
        assert!(row.means.ends_with('.') && !row.source.is_empty());
        assert!(row.headers.iter().all(|(name, _)| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    }
    assert_eq!(preset("slack").map(|row| row.name), None);
}

#[test]
fn sentry_gets_a_deploy_under_the_commit() {
    let wanted = serde_json::json!({
        "environment": "production",
        "name": "checkout",
        "url": "https://towpath.example.com/flows/checkout",
        "dateFinished": "2026-11-21T10:00:00Z",
    });
    assert_eq!(body("sentry", "promoted"), wanted);
    let url = Template::new(SENTRY.url, Kind::Url).unwrap().render(&example(row_of("promoted").unwrap())).unwrap();
    let wanted =
        "https://sentry.io/api/0/organizations/ORG/releases/2222222222222222222222222222222222222222/deploys/";
    assert_eq!(url, wanted);
    let bare = Notice { url: None, ..example(row_of("promoted").unwrap()) };
    let text = SENTRY.body_with(&BTreeMap::new()).unwrap().unwrap().render(&bare).unwrap();
    assert!(!text.contains("url"), "{text}");
}

#[test]
fn grafana_gets_milliseconds_and_datadog_seconds() {
    let grafana = serde_json::json!({
        "time": 1_795_255_200_000_i64,
        "tags": ["towpath", "behind", "flow:checkout", "environment:production"],
        "text": "An environment is behind for longer than its alarm.",
    });
    assert_eq!(body("grafana", "behind"), grafana);
    let datadog = serde_json::json!({
        "title": "checkout: behind (production)",
        "text": "An environment is behind for longer than its alarm.",
        "date_happened": 1_795_255_200,
        "alert_type": "warning",
        "aggregation_key": "towpath:checkout:production",
        "tags": ["source:towpath", "event:behind", "flow:checkout", "env:production"],
    });
    assert_eq!(body("datadog", "behind"), datadog);
    assert_eq!(body("datadog", "promoted")["alert_type"], "info");
}

#[test]
fn long_names_are_cut_where_the_receiver_has_a_limit() {
    let long = "n".repeat(200);
    let notice = Notice {
        flow: long.as_str().into(),
        environment: long.as_str().into(),
        text: "é".repeat(5_000),
        ..example(row_of("promoted").unwrap())
    };
    let of = |preset: &Preset| -> serde_json::Value {
        let text = preset.body_with(&BTreeMap::new()).unwrap().unwrap().render(&notice).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let length = |value: &serde_json::Value| value.as_str().unwrap().chars().count();
    assert_eq!(length(&of(&SENTRY)["name"]), 64);
    let datadog = of(&DATADOG);
    assert!(length(&datadog["title"]) <= 100 && length(&datadog["aggregation_key"]) == 100);
    assert_eq!(length(&datadog["text"]), 4_000);
}

#[test]
fn an_image_is_never_guessed_and_stays_inside_its_quotes() {
    let image = "registry.example.com/image\"}} é🚀'";
    let sent = body("docker-hub", "promoted");
    assert_eq!(sent["repository"]["repo_name"], image);
    assert_eq!(sent["push_data"]["tag"], "registry.example.com/tag\"}} é🚀'");
    assert_eq!(sent["push_data"]["pushed_at"], 1_795_255_200);
    let of = |pairs: &[(&str, &str)]| {
        let values = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        DOCKER_HUB.body_with(&values).map(|_| ())
    };
    let said = of(&[("image", "a/b")]).unwrap_err().to_string();
    assert!(said.starts_with("the preset `docker-hub` needs `tag`: the tag, such as"), "{said}");
    assert!(matches!(of(&[("image", ""), ("tag", "t")]), Err(PresetError::Missing { name: "image", .. })));
    assert!(matches!(of(&[("x", "y")]), Err(PresetError::Unknown { .. })));
    assert!(GENERIC.body_with(&BTreeMap::new()).is_ok_and(|template| template.is_none()));
}

#[test]
fn hostile_texts_come_to_no_receiver_as_anything_but_text() {
    for preset in &PRESETS {
        let Some(template) = preset.body_with(&values(preset)).unwrap() else { continue };
        for row in &ROWS {
            let text = template.render(&hostile_example(row)).unwrap();
            let bad = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2028}<>".contains(c);
            assert!(!text.contains(bad), "{}: {text}", preset.name);
        }
    }
}
