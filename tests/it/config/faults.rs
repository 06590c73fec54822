//! What is refused, and in which words. Sentences under snapshot; read them when they change.

use towpath::config::Moves;

use super::{load, refused, sentences, staging};

/// A flow whose second environment has these lines.
fn each(lines: &[&str]) -> Vec<(String, Vec<String>)> {
    lines.iter().map(|line| ((*line).to_owned(), staging(line))).collect()
}

#[test]
fn everything_is_said_at_once_with_line_and_caret() {
    insta::assert_snapshot!(refused(
        r#"[service]
look = "every five minutes"
lissten = "127.0.0.1:1"

[forge.work]
kind = "bitbucket"
url = "https://gitlab.example.com"

[defaults]
zone = "Europe/Warzaw"

[[flow]]
repository = "work:shop/checkout"
lookback = 50

[[flow.environment]]
name = "develop"
gates.lag = "30m"

[[flow.environment]]
name = "Staging"

[[flow.environment]]
name = "production"
branch = "my branch"
gates.lag = "half an hour"
gates.ci = { checks = [] }
"#
    ));
}

#[test]
fn what_several_flows_inherit_is_said_once() {
    let text = r#"
[defaults]
zone = "Mars"
[[defaults.environment]]
name = "develop"
[[defaults.environment]]
name = "staging"
gates.lag = "soon"
[[flow]]
repository = "/srv/a.git"
[[flow]]
repository = "/srv/b.git"
"#;
    assert_eq!(sentences(text).len(), 2, "{:#?}", sentences(text));
}

#[test]
fn every_syntax_error_is_said() {
    insta::assert_snapshot!(refused(
        "[[flow]]\nname = checkout\nrepository = \"/srv/a.git\nzone = \"UTC\"\nzone = \"UTC\"\n"
    ));
}

#[test]
fn control_characters_never_come_out_raw() {
    let text = "[service]\nstore = \"sqlite:\\u001b[2J\\u0007\\u202e\"\n[[flow]]\nrepository = \"\\u001b]0;x\"\nname = \"\\u009b\"\n\u{202e}\u{9b} = 1\n";
    let said = refused(text);
    let raw: Vec<char> = said.chars().filter(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}').collect();
    assert!(raw.is_empty(), "{said:?}: {raw:?}");
}

#[test]
fn secrets_are_taken_by_reference_and_never_printed() {
    for line in [
        "token = \"glpat-hunter2\"",
        "token = \"hunter2\"",
        "token = 'hunter2'",
        "token = \"\"\"\nhunter2\nhunter2\"\"\"",
        "tokn = \"hunter2\"",
        "tokens = [\"hunter2\"]",
        "token = [\"hunter2\"]",
        "token = { value = \"hunter2\" }",
        "token = { env = \"ghp_hunter2\" }",
        "token = { env = \"hunter2 with spaces\" }",
        "password = \"hunter2\"",
        "webhook_secrets = [\"hunter2\"]",
        "token = \"hunter2",
        "\"token\" = \"hunter2\" nonsense",
        "token = { value = \"hunter2\" nonsense }",
        "app = { id = 1, private_key = \"hunter2\" }",
        "app = { id = 1, key = \"hunter2\", nonsense = }",
        "app = { id = 1, pem = \"hunter2\" }",
        "key = \"-----BEGIN RSA PRIVATE KEY-----\nhunter2\nhunter2\n-----END RSA PRIVATE KEY-----\"",
        "nothing = \"\"\"\n-----BEGIN PRIVATE KEY-----\nhunter2\nhunter2\n\"\"\"",
    ] {
        let said = refused(&format!(
            "[forge.work]\nkind = \"git\"\n{line}\nurl = \"https://me:hunter2@example.com\"\n{}",
            super::FLOW
        ));
        assert!(!said.contains("hunter2"), "{line}\n{said}");
    }
    insta::assert_snapshot!(refused(&format!(
        "[forge.work]\nkind = \"git\"\ntoken = \"hunter2\"\nurl = \"https://me:hunter2@example.com\"\n{}",
        super::FLOW
    )));
}

#[test]
fn a_token_goes_over_https_or_stays_on_this_machine() {
    let said = |url: &str, lines: &str| {
        sentences(&format!("[forge.work]\nkind = \"git\"\nurl = \"{url}\"\n{lines}\n{}", super::FLOW))
    };
    let token = "token = { env = \"T\" }";
    let whole = format!("{token}\nuser = \"oauth2\"\nca = \"ca.pem\"");
    assert_eq!(said("https://git.example.com", &whole), [""; 0]);
    for here in ["http://127.0.0.1:3000", "http://localhost", "http://[::1]:3000/git"] {
        assert_eq!(said(here, token), [""; 0], "{here}");
    }
    insta::assert_debug_snapshot!([
        said("http://git.example.com", token),
        said("http://localhost.evil", &format!("{token}\nuser = \"oauth2\"")),
        said("http://127.0.0.1:3000", "ca = \"ca.pem\""),
        said("ssh://git@git.example.com", &whole),
        said("file:///srv/git", token),
        said("https://git.example.com", "user = \"oauth2\""),
        said("https://git.example.com", &format!("{token}\nuser = \"a:b\"")),
    ]);
}

#[test]
fn an_app_is_githubs_and_stands_in_for_a_token() {
    let said = |kind: &str, lines: &str| {
        let url = "url = \"https://git.example.com\"";
        sentences(&format!("[forge.work]\nkind = \"{kind}\"\n{url}\n{lines}\n{}", super::FLOW))
    };
    let app = "app = { id = 7, installation = 9, key = { file = \"app.pem\" } }";
    assert_eq!(said("github", app), [""; 0]);
    assert_eq!(said("github", &app.replace("= 7", "= \"Iv23liAbCdEfGhIjKlMn\"")), [""; 0]);
    insta::assert_debug_snapshot!([
        said("gitea", app),
        said("github", &format!("{app}\ntoken = {{ env = \"T\" }}")),
        said("github", &format!("{app}\nuser = \"oauth2\"")),
        said("github", &app.replace("git.example.com", "x").replace(", installation = 9", "")),
        said("github", "app = { id = true, installation = 0, key = \"hunter2\", secret = 1 }"),
        said("github", "app = \"7\""),
    ]);
}

#[test]
fn the_address_of_an_api_is_githubs_and_as_safe_as_the_url() {
    let said = |kind: &str, api: &str| {
        let url = "url = \"https://git.example.com\"\ntoken = { env = \"T\" }";
        sentences(&format!("[forge.work]\nkind = \"{kind}\"\n{url}\napi = \"{api}\"\n{}", super::FLOW))
    };
    for good in ["https://proxy.example.com/github/api/v3", "https://api.example.com/", "http://127.0.0.1:3000/x"] {
        assert_eq!(said("github", good), [""; 0], "{good}");
    }
    let good = "https://proxy.example.com/github/api/v3";
    for (kind, api, words) in [
        ("gitea", good, "the API of this forge is always below its `url`"),
        ("gitlab", good, "the API of this forge is always below its `url`"),
        ("git", good, "the API of this forge is always below its `url`"),
        ("github", "http://proxy.example.com/api/v3", "a token over `http://` can be read by anybody on the way"),
        ("github", "ssh://proxy.example.com/api/v3", "an API is called over `https://`"),
        ("github", "https://me:hunter2@proxy.example.com/", ""),
        ("github", "proxy", ""),
    ] {
        let found = said(kind, api);
        assert!(found.iter().any(|one| one.starts_with(words)), "{kind} {api}: {found:?}");
        assert!(!found.concat().contains("hunter2"), "{found:?}");
    }
}

#[test]
fn branches_are_moved_by_an_api_only_where_there_is_one() {
    let of = |kind: &str, moves: &str| {
        let url = "url = \"https://git.example.com\"\ntoken = { env = \"T\" }";
        format!("[forge.work]\nkind = \"{kind}\"\n{url}\n{moves}\n{}", super::FLOW)
    };
    for (kind, api, default) in [
        ("github", true, Moves::Api),
        ("gitea", true, Moves::Push),
        ("forgejo", false, Moves::Push),
        ("gitlab", false, Moves::Push),
        ("git", false, Moves::Push),
    ] {
        let moves = |line: &str| load(&of(kind, line)).expect("a config").forges["work"].moves;
        assert_eq!((moves(""), moves("moves = \"push\"")), (default, Moves::Push), "{kind}");
        let said = sentences(&of(kind, "moves = \"api\""));
        if api {
            assert_eq!(said, [""; 0], "{kind}");
            assert_eq!(moves("moves = \"api\""), Moves::Api, "{kind}");
            continue;
        }
        let words =
            format!("the API of a `{kind}` forge has no call that moves a branch -> remove `moves`, or write");
        assert!(matches!(&said[..], [one] if one.starts_with(&words)), "{kind}: {said:?}");
    }
    for bad in ["moves = \"graphql\"", "moves = true", "moves = [\"api\"]"] {
        assert_eq!(sentences(&of("github", bad)).len(), 1, "{bad}");
    }
    // Of an unknown kind it is the kind that is said.
    assert_eq!(sentences(&of("githab", "moves = \"api\"")).len(), 1);
}

#[test]
fn a_password_in_a_repository_is_refused_and_not_printed() {
    for repository in [
        "https://me:hunter2@example.com/a.git",
        "https://ghp_hunter2@example.com/a.git",
        "https://hunter2@example.com/a.git",
        "https://example.com/a.git?private_token=hunter2",
        "ssh://%68unter2:x@example.com/hunter",
        "me:hunter2@example.com:a.git",
        "ssh://git:hunter2@example.com/a.git",
    ] {
        let said = refused(&super::FLOW.replace("/srv/git/shop.git", repository));
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn unknown_keys_have_a_suggestion_or_the_list() {
    insta::assert_debug_snapshot!(each(&[
        "branhc = \"x\"",
        "lag = \"30m\"",
        "soak = \"30m\"",
        "zone = \"UTC\"",
        "gates.lagg = \"30m\"",
        "gates.soak = \"30m\"",
        "gates.ci = { check = [\"a\"] }",
        "gates.xyzzy = true",
        "gate.ci = { checks = [\"a\"] }",
        "xyzzy = 1",
    ]));
    insta::assert_debug_snapshot!(sentences(&format!("forges = 1\n[servcie]\n[notify]\n{}", super::FLOW)));
}

#[test]
fn values_of_the_wrong_type_show_the_right_one() {
    insta::assert_debug_snapshot!(each(&[
        "gates = \"ci\"",
        "gates.ci = true",
        "gates.ci = \"build\"",
        "gates.ci = { checks = \"build\" }",
        "gates.ci = { checks = [] }",
        "gates.ci = { checks = [1] }",
        "gates.ci = { checks = [\"a\", \"a\"] }",
        "gates.ci = { checks = [{ ref = \"any\" }] }",
        "gates.ci = { checks = [{ name = \"a\", ref = \"target\" }] }",
        "gates.ci = { checks = [\"a\"], missing_after = \"nevr\" }",
        "gates.ci = {}",
        "gates.lag = 30",
        "gates.lag = \"0m\"",
        "gates.lag = { since = \"deploy\" }",
        "gates.quiet = \"10 fortnights\"",
        "gates.window = {}",
        "gates.window = \"Mon-Fri\"",
        "gates.schedule = { cron = \"0 9 * * * *\" }",
        "gates.schedule = { catch_up = \"20m\" }",
        "gates.schedule = { cron = \"0 25 * * *\" }",
        "gates.schedule = { cron = \"0 0 31 2 *\" }",
        "gates.schedule = { cron = \"0 9 * * *\", catch_up = \"0s\" }",
        "gates.window = { allow = [\"Mon-Fri 9-25\", \"Mon-Fri 09:00-16:00\"], deny = [\"2026-13-01\"] }",
        "gates.approvals = { required = 0 }",
        "gates.approvals = { required = 1.5 }",
        "gates.approvals = { from = [\"@release\", \"ana\"] }",
        "gates.approvals = { required = 2, from = [\"os:ana@build1\"] }",
        "settle = 15",
        "rollback = \"yes\"",
        "mode = \"watch\"",
        "candidates = \"tip\"",
        "deployed = \"\"",
        "behind_alarm = 2026-01-01",
    ]));
}

#[test]
fn what_an_http_gate_asks_is_a_url_without_secrets_that_nobody_else_can_answer() {
    for url in [
        "https://gate.example.com",
        "https://gate.example.com:8443/towpath/shop?",
        "HTTPS://Gate.example.com/ä",
        "http://127.0.0.1:3000/gate",
        "http://localhost/gate",
        "http://[::1]:3000",
    ] {
        let url = url.trim_end_matches('?');
        assert_eq!(staging(&format!("gates.http = {{ url = \"{url}\" }}")), [""; 0], "{url}");
    }
    let with = |url: &str| staging(&format!("gates.http = {{ url = \"{url}\" }}"));
    insta::assert_debug_snapshot!([
        staging("gates.http = true"),
        staging("gates.http = \"https://gate.example.com\""),
        staging("gates.http = {}"),
        staging("gates.http = { url = 1, token = \"hunter2\", timeout = \"5s\" }"),
        staging("gates.http = { url = \"https://gate.example.com\", tokn = { env = \"T\" } }"),
        with("gate.example.com"),
        with("https://"),
        with("https://gate.example.com/a b"),
        with("ftp://gate.example.com"),
        with("file:///etc/passwd"),
        with("http://gate.example.com"),
        with("http://localhost.evil"),
        with("http://127.0.0.1@gate.example.com"),
        with("https://me:hunter2@gate.example.com"),
        with("https://gate.example.com/?key=hunter2"),
        with("https://gate.example.com/#hunter2"),
    ]);
    for secret in [
        "https://me:hunter2@gate.example.com",
        "https://hunter2@gate.example.com",
        "https://g.example/?k=hunter2",
        "https://g.example/#hunter2",
    ] {
        let said = refused(&format!("{}gates.http = {{ url = \"{secret}\" }}", super::FLOW));
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn environments_on_one_database_read_its_migrations_in_one_way() {
    let with = |staging: &str, production: &str| {
        let env = "[[flow.environment]]\nname = ";
        sentences(&format!(
            "[[flow]]\nrepository = \"shop.git\"\n{env}\"develop\"\n{env}\"staging\"\ndatabase = \"main\"\n\
             gates.migrations = {staging}\n{env}\"production\"\ndatabase = \"main\"\ngates.migrations = {production}\n"
        ))
    };
    assert_eq!(with("true", "{ review = \"allow\" }"), Vec::<String>::new());
    assert_eq!(with("{ paths = [\"db\"] }", "{ paths = [\"db\"] }"), Vec::<String>::new());
    for (staging, production) in [("{ paths = [\"db\"] }", "true"), ("true", "{ dialect = \"mysql\" }")] {
        let said = with(staging, production);
        assert!(said.len() == 1 && said[0].starts_with("`production` and `staging` share a database"), "{said:?}");
    }
}

#[test]
fn what_this_build_cannot_judge_is_an_error_that_says_so() {
    insta::assert_debug_snapshot!(each(&[
        "gates.ci = { checks = \"required\" }",
        "via = \"merge-request\"",
        "via = \"rebase\"",
        "database = \"main\"",
        "database = \"main\"\ngates.migrations = false",
        "gates.migrations = { review = \"alow\", schema = 3, paths = [] }",
        "gates.migrations = { framework = \"flyweigh\", dialect = \"postgers\" }",
        "gates.migrations = { framework = \"xyzzy\", dialect = \"xyzzy\" }",
        "gates.migrations = \"on\"",
        "request = { reviewers = [\"ana\"] }",
    ]));
    insta::assert_debug_snapshot!(["github", "gitlab", "gitea", "forgejo", "bitbucket", "gihub", "svn"].map(
        |kind| {
            sentences(&format!("[forge.work]\nkind = \"{kind}\"\nurl = \"https://example.com\"\n{}", super::FLOW))
        }
    ));
    insta::assert_debug_snapshot!(
        [
            "store = \"postgres://db\"",
            "store = \"towpath.db\"",
            "store = \"sqlite:\"",
            "store = \"sqlite://x\"",
            "heartbeat = \"https://example.com\"",
            "listen = \"8080\"",
            "listen = \"localhost:9\"",
            "listen = \"here\"",
            "look = \"@daily\"",
            "mode = \"off\""
        ]
        .map(|line| sentences(&format!("[service]\n{line}\n{}", super::FLOW)))
    );
}

#[test]
fn branches_of_requests_are_towpaths_alone_and_one_each() {
    let forge = "[forge.hub]\nkind = \"github\"\ntoken = { env = \"T\" }\n";
    let flow = |name: &str, env: &str| {
        let envs = format!("[[flow.environment]]\nname = \"develop\"\n[[flow.environment]]\nname = \"{env}\"\n");
        format!("[[flow]]\nrepository = \"hub:shop/web\"\nname = \"{name}\"\n{envs}via = \"merge-request\"\n")
    };
    let said = |text: &str| refused(&format!("{forge}{text}"));
    let equal = said(&format!("{}{}branch = \"one\"\n", flow("a/b", "c"), flow("a", "b/c")));
    assert!(
        equal.contains("its request branch would be `towpath/a/b/c`, which another environment has"),
        "{equal}"
    );
    let within = said(&format!("{}{}branch = \"one\"\n", flow("a", "b"), flow("a/b", "c")));
    assert!(within.contains("cannot both exist: one is a folder of the other"), "{within}");
    let own = said(&format!("{}branch = \"towpath/x\"\n", flow("a", "b")));
    assert!(own.contains("`towpath/x` is under `towpath/`, where Towpath moves the branches of requests"), "{own}");
}

#[test]
fn a_database_on_the_first_environment_is_a_warning() {
    let text = super::FLOW.replacen("name = \"develop\"", "name = \"develop\"\ndatabase = \"main\"", 1);
    let config = super::valid(&text);
    insta::assert_snapshot!(config.warnings.to_string());
    assert_eq!(config.flows[0].flow.environments[0].database.as_deref(), Some("main"));
}

#[test]
fn a_group_that_matches_nothing_is_a_warning() {
    let config = super::valid(&format!("[[group]]\nmatch = [\"shpo*\"]\nmode = \"observe\"\n{}", super::FLOW));
    insta::assert_snapshot!(config.warnings.to_string());
}

#[test]
fn names_are_held_to_their_rule() {
    let name = |name: &str| {
        let text = super::FLOW.replace("[[flow]]", &format!("[[flow]]\nname = {}", toml::Value::from(name)));
        (name.to_owned(), sentences(&text))
    };
    insta::assert_debug_snapshot!(
        ["all", "", "Shop", "a b", "-a", "_a", "a..b", "a/", "a//b", "a/.b", "a.lock", "a.", "zażółć", "a\u{1b}b"]
            .map(name)
    );
    for good in ["a", "0", "a-b_c.d/e", "shop/checkout", "a/-b"] {
        assert_eq!(name(good).1, Vec::<String>::new(), "{good}");
    }
}

#[test]
fn branches_may_be_odd_but_must_be_valid_for_git() {
    let branch = |branch: &str| staging(&format!("branch = {}", toml::Value::from(branch)));
    for odd in [
        "$(id)",
        "a;b",
        "-x",
        "--force",
        "ünï",
        "<b>",
        "a'b\"c",
        "x`y`",
        "@x",
        "feature/$(id)/x",
        "a&&b",
        "a|b",
        "#1",
    ] {
        assert_eq!(branch(odd), Vec::<String>::new(), "{odd}");
    }
    insta::assert_debug_snapshot!(
        [
            "",
            "a b",
            "a~b",
            "a^b",
            "a:b",
            "a?b",
            "a*b",
            "a[b",
            "a\\b",
            "a..b",
            ".a",
            "a/.b",
            "a.lock",
            "a/",
            "/a",
            "a//b",
            "a.",
            "@",
            "HEAD",
            "a@{b",
            "a\u{7f}",
            "a\u{1b}b",
            "refs/heads/a"
        ]
        .map(|b| (b, branch(b)))
    );
}

/// Our rules against git's own, where they are meant to be the same.
#[test]
fn branch_rules_are_those_of_git_check_ref_format() {
    let words = [
        "a", "b", ".", "..", "/", "-", "@", "@{", ".lock", " ", "~", "^", ":", "?", "*", "[", "\\", "$(id)", ";",
        "\u{7f}", "ü", "{",
    ];
    let mut cases: Vec<String> = Vec::new();
    for x in words {
        cases.extend(words.map(|y| format!("{x}{y}")));
        cases.push(format!("a{x}b"));
    }
    cases.sort();
    cases.dedup();
    for case in cases {
        let git = std::process::Command::new("git")
            .args(["check-ref-format", &format!("refs/heads/{case}")])
            .status()
            .expect("git");
        let ours = towpath::config::branch_fault(&case);
        assert_eq!(git.success(), ours.is_none(), "{case:?}: {ours:?}");
    }
}

#[test]
fn repositories_that_cannot_be_reached_say_what_to_write() {
    let repository = |repository: &str| {
        let text = format!("[forge.work]\nkind = \"git\"\nurl = \"https://git.example.com/\"\n{}", super::FLOW)
            .replace("/srv/git/shop.git", repository);
        (repository.to_owned(), sentences(&text))
    };
    insta::assert_debug_snapshot!(
        [
            "",
            " /srv/a",
            "-x",
            "--upload-pack=id",
            "ext::sh -c id",
            "ftp://example.com/a",
            "git://example.com/a",
            "file://host/a",
            "https://example.com",
            "https:///a",
            "ssh://-oProxyCommand=id/a",
            "work:",
            "work:/a",
            "work:../a",
            "wrok:shop/checkout",
            "gitlab:shop/checkout",
            "-host:a",
            "git@example.com:",
            "~/a.git",
            "/srv/Ünï.git",
            "/"
        ]
        .map(repository)
    );
    for good in [
        "work:shop/checkout",
        "git@example.com:shop/a.git",
        "build1:a.git",
        "ssh://git@example.com:22/a.git",
        "file:///srv/a.git",
        "./a",
        "a.git",
        "https://example.com/a",
        "http://[::1]:80/a",
    ] {
        assert_eq!(repository(good).1, Vec::<String>::new(), "{good}");
    }
}

#[test]
fn what_flows_and_environments_may_not_share() {
    let flow = |repository: &str, extra: &str, environments: &str| {
        format!("[[flow]]\nrepository = \"{repository}\"\n{extra}\nenvironment = [{environments}]\n")
    };
    let two = "{ name = \"develop\" }, { name = \"staging\" }";
    insta::assert_debug_snapshot!([
        sentences(&flow("/srv/a.git", "", "{ name = \"develop\" }")),
        sentences("[[flow]]\nrepository = \"/srv/a.git\"\n"),
        sentences("[service]\n"),
        sentences("flow = []\n"),
        sentences(&flow("/srv/a.git", "", "{ name = \"develop\" }, { name = \"develop\" }")),
        sentences(&flow("/srv/a.git", "", "{ name = \"develop\" }, { name = \"b\", branch = \"develop\" }")),
        sentences(&flow("/srv/staging.git", "", two)),
        sentences(&format!("{}{}", flow("/srv/a.git", "", two), flow("/opt/A.git", "", two))),
        sentences(&format!("{}{}", flow("/srv/a.git", "", two), flow("/srv/a", "name = \"other\"", two))),
        sentences(&format!(
            "{}{}",
            flow("/srv/a.git", "", two),
            flow("/srv/a.git/", "name = \"other\"", "{ name = \"staging\" }, { name = \"live\" }")
        )),
    ]);
}

#[test]
fn gates_on_the_first_environment_are_refused() {
    let text = super::FLOW.replacen(
        "name = \"develop\"",
        "name = \"develop\"\ngates.lag = \"1h\"\ngates.quiet = false",
        1,
    );
    insta::assert_debug_snapshot!(sentences(&text));
}

#[test]
fn very_long_lines_and_many_problems_stay_readable() {
    let long = format!("x = \"{}\"\n", "y".repeat(100_000));
    let said = refused(&format!("{long}{}", super::FLOW));
    assert!(said.len() < 2_000, "{}", said.len());
    let many: String = (0..5_000).map(|n| format!("key_{n} = {n}\n")).collect();
    let problems = load(&format!("{many}{}", super::FLOW)).expect_err("unknown keys");
    assert_eq!(problems.errors(), 5_000);
    assert!(problems.to_string().contains("… and 4900 more"));
    let deep = format!("x = {}1{}\n", "[".repeat(50_000), "]".repeat(50_000));
    load(&deep).expect_err("too deep");
}
