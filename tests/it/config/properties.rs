//! For any config: nothing panics, what is shown means the same, and no text is let through raw.

use proptest::prelude::*;
use towpath::config::{Config, Style, to_text};

/// `config show` loaded again is the same flows, service and forges.
pub(super) fn same_when_shown(config: &Config) {
    let shown = config.show_toml(None);
    let again = match Config::from_text(&shown, &config.path) {
        Ok(again) => again,
        Err(problems) => panic!("{problems}\n{shown}"),
    };
    let what = |config: &Config| -> Vec<_> {
        config.flows.iter().map(|f| (f.flow.clone(), f.remote.clone(), f.forge.clone())).collect()
    };
    assert_eq!(what(&again), what(config), "{shown}");
    let values = |config: &Config| -> Vec<Vec<_>> {
        let service = std::iter::once(&config.service.settings);
        let all = service
            .chain(config.forges.values().map(|f| &f.settings))
            .chain(config.flows.iter().map(|f| &f.settings));
        all.map(|settings| settings.iter().map(|s| (s.key.clone(), s.value.clone())).collect()).collect()
    };
    assert_eq!(values(&again), values(config), "{shown}");
    for flow in &config.flows {
        let one = config.show_toml(Some(flow));
        let again = Config::from_text(&one, &config.path).expect("valid");
        assert_eq!(again.flows.len(), 1);
        assert_eq!(again.flows[0].flow, flow.flow);
    }
}

/// Lines that are valid in an environment other than the first.
fn environment_line() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..500u32, prop::sample::select(vec!["s", "m", "h", "d"]))
            .prop_map(|(n, u)| format!("gates.lag = \"{n}{u}\"")),
        "[a-z]{1,8}".prop_map(|c| format!("gates.lag = {{ for = \"1h\", since = \"{c}\" }}")),
        Just("gates.lag = false".to_owned()),
        Just("gates.quiet = \"10m\"".to_owned()),
        prop::collection::btree_set("[a-zA-Z $<>;']{1,6}x", 1..4)
            .prop_map(|names| format!("gates.ci = {{ checks = {:?} }}", names.into_iter().collect::<Vec<_>>())),
        Just(
            "gates.ci = { checks = [{ name = \"a.b\", ref = \"source\" }], missing_after = \"never\" }".to_owned()
        ),
        (1..5u32).prop_map(|n| format!("gates.approvals = {{ required = {n} }}")),
        Just("gates.window = { allow = [\"Mon-Fri 09:00-16:00\"] }".to_owned()),
        Just("gates.schedule = { cron = \"0 9 * * *\", catch_up = \"5m\" }".to_owned()),
        Just("candidates = \"commits\"".to_owned()),
        Just("mode = \"observe\"".to_owned()),
        Just("rollback = true".to_owned()),
        Just("deployed = \"deploy\"".to_owned()),
        Just("settle = \"0s\"".to_owned()),
    ]
}

fn environment(table: &'static str, name: &'static str) -> impl Strategy<Value = String> {
    prop::collection::vec(environment_line(), 0..4).prop_map(move |mut lines| {
        let key = |line: &String| line.split(['=', ' ']).next().unwrap_or_default().to_owned();
        lines.sort_by_key(key);
        lines.dedup_by_key(|line| key(line));
        format!("[[{table}.environment]]\nname = \"{name}\"\n{}\n", lines.join("\n"))
    })
}

fn config() -> impl Strategy<Value = String> {
    let shared = prop_oneof![
        Just(String::new()),
        Just("zone = \"Asia/Tokyo\"\n".to_owned()),
        Just("look_back = 7\nmode = \"observe\"\n".to_owned())
    ];
    let defaults = (shared.clone(), environment("defaults", "staging"), environment("defaults", "live"));
    let group = (shared.clone(), environment("group", "staging"));
    let flow = (shared, environment("flow", "live"));
    (defaults, group, flow, any::<bool>()).prop_map(|((d, ds, dl), (g, gs), (f, fl), observe)| {
        let mode = if observe { "[service]\nmode = \"observe\"\n" } else { "" };
        format!(
            "{mode}[defaults]\n{d}[[defaults.environment]]\nname = \"develop\"\n{ds}{dl}[[group]]\nmatch = [\"s*\"]\n{g}{gs}\
             [[flow]]\nrepository = \"/srv/shop.git\"\n{f}{fl}[[flow]]\nrepository = \"/srv/other.git\"\n"
        )
    })
}

/// Bits of configs, put together without sense.
fn soup() -> impl Strategy<Value = String> {
    let bit = prop::sample::select(vec![
        "[",
        "]",
        "[[flow]]\n",
        "[[flow.environment]]\n",
        "[defaults]\n",
        "[forge.a]\n",
        "name",
        " = ",
        "\"",
        "'",
        "\"\"\"",
        "token",
        "gates.ci",
        "{",
        "}",
        ",",
        "checks",
        "all",
        "\n",
        "\\u001b",
        "1",
        "true",
        "repository",
        "=",
        "\u{1b}",
        "\u{202e}",
        "ü",
        ".",
        "#",
        "match",
        "environment",
        "https://a:hunter2@b",
        "ghp_hunter2",
        "[service]\nstore = ",
    ]);
    prop::collection::vec(bit, 0..40).prop_map(|bits| bits.concat())
}

/// Bits of repositories.
fn repository() -> impl Strategy<Value = String> {
    let bit = prop::sample::select(vec![
        "https",
        "http",
        "ssh",
        "git",
        "file",
        "://",
        ":",
        "::",
        "@",
        "/",
        "//",
        "a",
        "work",
        "host",
        "example.com",
        "-",
        "x",
        ".",
        "..",
        "~",
        "?",
        "#",
        "%41",
        ".git",
        "[::1]",
        "os:",
        " ",
        "8080",
    ]);
    prop::collection::vec(bit, 1..9).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn valid_configs_mean_the_same_when_shown(text in config()) {
        same_when_shown(&super::valid(&text));
    }

    #[test]
    fn nothing_makes_it_panic_or_print_raw(text in soup()) {
        if let Err(problems) = super::load(&text) {
            let said = to_text(&problems, Style::Plain);
            prop_assert!(!said.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{:?}", said);
            prop_assert!(!said.contains("hunter2"), "{}", said);
            prop_assert!(problems.errors() > 0);
        }
    }

    /// What is accepted here can be given to git: no flow learns at its first look that its
    /// repository is none.
    #[test]
    fn accepted_repositories_are_remotes_for_git(repository in repository()) {
        let forge = "[forge.work]\nkind = \"git\"\nurl = \"https://git.example.com\"\n";
        let text = format!("{forge}{}", super::FLOW.replace("/srv/git/shop.git\"", &format!("{repository}\"\nname = \"x\"")));
        if let Ok(config) = super::load(&text) {
            let remote = towpath::git::Remote::parse(&config.flows[0].remote, &config.base_dir);
            prop_assert!(remote.is_ok(), "{}: {:?}", repository, remote.err());
        }
    }

    #[test]
    fn any_text_at_all_is_survived(text in any::<String>()) {
        let _ = super::load(&text);
    }
}

/// Found by the property above: white space of several bytes before an `@`.
#[test]
fn white_space_of_several_bytes_before_a_user_is_survived() {
    let text = "x = \u{2004}name:word@host\n[\u{2003}token = \u{2004}a:b@c";
    let _ = towpath::config::Config::from_text(text, std::path::Path::new("towpath.toml"));
}
