//! What each scope may, and when a token ends.

use super::place::{CONFIG, Place, Server};

/// Every route, with a body that does no harm, and what each scope gets: nobody, read, report,
/// steer, admin. `+` goes through (whatever the route then says), `-` is refused.
const MATRIX: &[(&str, &str, Option<&str>, &str)] = &[
    ("GET", "/flows", None, "++-++"),
    ("GET", "/flows/checkout", None, "++-++"),
    ("GET", "/flows/checkout/edges/staging", None, "++-++"),
    ("GET", "/flows/checkout/edges/staging/diff", None, "++-++"),
    ("GET", "/flows/checkout/compare", None, "++-++"),
    ("GET", "/commits/1111111", None, "++-++"),
    ("GET", "/commits/1111111/environments", None, "++-++"),
    ("GET", "/plan?flow=basket", None, "++-++"),
    ("GET", "/history", None, "++-++"),
    ("GET", "/promotions", None, "++-++"),
    ("GET", "/audit", None, "++-++"),
    // Whoever has no token is nobody.
    ("GET", "/whoami", None, "-+-++"),
    ("GET", "/openapi.json", None, "+++++"),
    ("GET", "/tokens", None, "----+"),
    ("POST", "/commands", Some("{\"command\": \"resume all\"}"), "---++"),
    ("POST", "/flows/basket/look", None, "---++"),
    ("POST", "/look?limit=1", None, "---++"),
    ("POST", "/flows/basket/checks", Some("{\"commit\": \"1\", \"name\": \"x\", \"state\": \"success\"}"), "--+++"),
];

const SCOPES: [&str; 5] = ["nobody", "read", "report", "steer", "admin"];

#[test]
fn each_scope_reaches_so_far_and_no_further() {
    let place = Place::new();
    let server = place.serve();
    for (at, scope) in SCOPES.iter().enumerate() {
        let token = (at > 0).then(|| place.token(&[scope, "--scope", scope]).0);
        for (method, path, body, expected) in MATRIX {
            let heard = server.call(method, path, token.as_deref(), *body);
            let refused = matches!(heard.status, 401 | 403);
            let wanted = expected.as_bytes()[at] == b'+';
            assert_eq!(!refused, wanted, "{scope}: {method} {path}: {heard:?}");
            if refused {
                let code = if token.is_none() { "token-missing" } else { "scope-too-small" };
                assert_eq!(heard.code(), code, "{heard:?}");
                assert!(token.is_some() || heard.head.to_lowercase().contains("www-authenticate: bearer"));
            }
        }
    }
}

#[test]
fn every_route_of_the_document_is_in_the_matrix() {
    let document = towpath::server::api::openapi::document();
    let fill = |path: &str| path.replace("{flow}", "F").replace("{env}", "E").replace("{sha}", "S");
    let known: Vec<(String, String)> = MATRIX
        .iter()
        .map(|(method, path, _, _)| {
            let path = path.split('?').next().unwrap();
            let path = path.replace("1111111", "S").replace("/edges/staging", "/edges/E");
            let path = path.replace("/flows/checkout", "/flows/F").replace("/flows/basket", "/flows/F");
            (method.to_lowercase(), format!("/api/v1{path}"))
        })
        .collect();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            assert!(known.contains(&(method.clone(), fill(path))), "{method} {path}");
        }
    }
}

fn flows(server: &Server, token: &str) -> (u16, String) {
    let heard = server.call("GET", "/flows", Some(token), None);
    (heard.status, heard.code())
}

#[test]
fn a_token_ends_at_once() {
    let place = Place::new();
    let server = place.serve();
    let (token, id) = place.token(&["short", "--scope", "read"]);
    assert_eq!(flows(&server, &token), (200, String::new()));
    let revoked = place.run(&["token", "revoke", &id], &[]);
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    assert_eq!(flows(&server, &token), (401, "token-revoked".to_owned()));
    let again = place.run(&["token", "revoke", &id], &[]);
    assert!(again.code == Some(1) && again.err.contains("no token with the id"), "{again:?}");
    // Nothing but the secret is wrong.
    let mut wrong = token.clone();
    let last = if wrong.pop() == Some('0') { '1' } else { '0' };
    wrong.push(last);
    assert_eq!(flows(&server, &wrong), (401, "token-unknown".to_owned()));
    for bad in ["", "tow_", "x", &token[..40]] {
        assert_eq!(flows(&server, bad).0, 401, "{bad}");
    }
    let (brief, _) = place.token(&["brief", "--scope", "read", "--expires", "1ms"]);
    assert_eq!(flows(&server, &brief), (401, "token-expired".to_owned()));
    let list = place.run(&["token", "list"], &[]).out;
    assert!(list.contains("revoked 2") && list.contains("expired 2") && list.contains("last used 2"), "{list}");
    assert!(!list.contains(&token) && !list.contains(&token[20..]), "{list}");
}

#[test]
fn a_token_is_stored_as_its_hash_alone_and_audited() {
    let place = Place::new();
    let (token, id) = place.token(&["ci", "--scope", "report", "--flow", "checkout", "--expires", "90d"]);
    let secret = token.rsplit('_').next().unwrap();
    for entry in std::fs::read_dir(place.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let raw: Vec<u8> =
                (0..64).step_by(2).map(|at| u8::from_str_radix(&secret[at..at + 2], 16).unwrap()).collect();
            for needle in [token.as_bytes(), secret.as_bytes(), &raw] {
                assert!(!bytes.windows(needle.len()).any(|found| found == needle), "{}", path.display());
            }
        }
    }
    place.run(&["token", "revoke", &id], &[]);
    let history = place.run(&["history"], &[]).out;
    assert!(history.contains("token create ci --scope report --expires 90d --flow shop/checkout"), "{history}");
    assert!(history.contains(&format!("token revoke {id}")), "{history}");
    for (args, said) in [
        (&["Upper", "--scope", "read"][..], "cannot name a token"),
        (&["x", "--scope", "read", "--expires", "soon"], "no duration"),
        (&["x", "--scope", "read", "--expires", "0s"], "some time"),
        (&["x", "--scope", "read", "--flow", "nothing"], "no flow"),
    ] {
        let args: Vec<&str> = ["token", "create"].iter().chain(args).copied().collect();
        let ran = place.run(&args, &[]);
        assert!(ran.code != Some(0) && ran.err.contains(said), "{ran:?}");
    }
    place.token(&["twice", "--scope", "read"]);
    let twice = place.run(&["token", "create", "twice", "--scope", "read"], &[]);
    assert!(twice.code == Some(1) && twice.err.contains("there is a token `twice` already"), "{twice:?}");
}

#[test]
fn a_token_of_one_flow_sees_and_steers_that_flow_alone() {
    let place = Place::new();
    place.run(&["pause", "basket", "--reason", "not for others"], &[]);
    place.run(&["pause", "checkout", "--reason", "for me"], &[]);
    let server = place.serve();
    let (token, _) = place.token(&["mine", "--scope", "admin", "--flow", "checkout"]);
    let get = |path: &str| server.call("GET", path, Some(&token), None);
    let post = |path: &str, body: &str| server.call("POST", path, Some(&token), Some(body));
    let names: Vec<String> = get("/flows").json()["flows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flow| flow["flow"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["shop/checkout"]);
    for path in [
        "/flows/basket",
        "/flows/shop%2Fbasket/edges/staging",
        "/plan?flow=basket",
        "/history?flow=basket",
        "/tokens",
    ] {
        assert_eq!(get(path).code(), "other-flow", "{path}");
    }
    for path in ["/history", "/audit", "/promotions", "/plan", "/flows/checkout"] {
        let heard = get(path);
        assert_eq!(heard.status, 200, "{path} {heard:?}");
        assert!(!heard.text.contains("basket") && !heard.text.contains("not for others"), "{path} {}", heard.text);
    }
    assert!(get("/audit").text.contains("for me"));
    for command in [
        "pause basket --reason x",
        "pause all --reason x",
        "pause staging --reason x",
        "resume all",
        "hold 1111111 --reason x",
        "unhold 1111111",
        "retry basket staging",
    ] {
        let heard = post("/commands", &format!("{{\"command\": \"{command}\"}}"));
        assert_eq!((heard.status, heard.code().as_str()), (403, "other-flow"), "{command} {heard:?}");
    }
    let check = "{\"commit\": \"1111111\", \"name\": \"x\", \"state\": \"success\"}";
    assert_eq!(post("/flows/basket/checks", check).code(), "other-flow");
    assert_eq!(server.call("POST", "/flows/basket/look", Some(&token), None).code(), "other-flow");
    let heard = post("/commands", "{\"command\": \"pause checkout --reason mine\"}");
    assert_eq!(heard.status, 200, "{heard:?}");
    assert!(place.run(&["status", "checkout"], &[]).out.contains("by `token:mine`: mine"));
}

#[test]
fn without_a_token_only_this_machine_may_look() {
    let closed = Place::with(&CONFIG.replace("listen = \"127.0.0.1:0\"", "anonymous_read = false"));
    assert_eq!(closed.serve().get("/flows").code(), "token-missing");
    let wide = Place::with(&CONFIG.replace("127.0.0.1:0", "0.0.0.0:0").replace(
        "[[flow]]\nrepository = \"checkout.git\"",
        "hosts = [\"towpath.internal\"]\n\n[[flow]]\nrepository = \"checkout.git\"",
    ));
    let server = wide.serve();
    assert_eq!(server.get("/flows").code(), "token-missing");
    let (token, _) = wide.token(&["x", "--scope", "read"]);
    let host = [("Host", "towpath.internal:8080")];
    assert_eq!(server.call_with("GET", "/flows", Some(&token), None, &host).status, 200);
    let place = Place::new();
    let server = place.serve();
    assert_eq!(server.get("/flows").status, 200);
    for header in [
        "Forwarded",
        "Via",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Port",
        "X-Forwarded-Server",
        "X-Forwarded",
        "X-Real-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
        "X-Original-For",
        "X-Original-Forwarded-For",
        "X-Original-Host",
        "X-Original-Proto",
        "X-Original-URL",
        "X-ProxyUser-IP",
        "X-AppEngine-User-IP",
        "X-Azure-ClientIP",
        "X-Azure-FDID",
        "Fly-Client-IP",
        "X-Envoy-External-Address",
        "True-Client-IP",
        "Fastly-Client-IP",
        "CF-Connecting-IP",
        "CF-Ray",
        "CDN-Loop",
        "x-forwarded-for",
    ] {
        let heard = server.call_with("GET", "/flows", None, None, &[(header, "10.0.0.1")]);
        assert_eq!(heard.code(), "token-missing", "{header}");
        // An empty one says as much.
        assert_eq!(
            server.call_with("GET", "/flows", None, None, &[(header, "")]).code(),
            "token-missing",
            "{header}"
        );
    }
    for header in ["X-Request-Id", "User-Agent", "Accept", "Referer"] {
        assert_eq!(server.call_with("GET", "/flows", None, None, &[(header, "x")]).status, 200, "{header}");
    }
    // A token that is none is not as good as no token.
    assert_eq!(server.call("GET", "/flows", Some("tow_x"), None).status, 401);
}

#[test]
fn beyond_loopback_without_a_token_nothing_is_started() {
    use towpath::config::Config;
    use towpath::server::api::may_listen;
    let load = |listen: &str| {
        let text = CONFIG.replace("listen = \"127.0.0.1:0\"", listen);
        Config::from_text(&text, std::path::Path::new("/etc/towpath/towpath.toml")).unwrap()
    };
    for listen in ["listen = \"127.0.0.1:80\"", "listen = \"[::1]:80\"", "listen = \"[::ffff:127.0.0.1]:80\"", ""] {
        assert_eq!(may_listen(&load(listen), false), Ok(()), "{listen}");
    }
    for listen in ["listen = \"0.0.0.0:80\"", "listen = \"[::]:80\"", "listen = \"10.1.2.3:80\""] {
        let refusal = may_listen(&load(listen), false).unwrap_err().to_string();
        assert!(refusal.contains("towpath token create"), "{refusal}");
        assert_eq!(may_listen(&load(listen), true), Ok(()));
        let open = may_listen(&load(&format!("{listen}\nanonymous_read = true")), true).unwrap_err().to_string();
        assert!(open.contains("remove `anonymous_read`"), "{open}");
    }
}

#[test]
fn the_answer_to_an_approval_says_whether_it_counts_and_why_not() {
    let place = Place::with(&CONFIG.replace(", authors = \"allow\"", ""));
    let server = place.serve();
    let second = place.sha(1);
    let body = format!("{{\"command\": \"approve checkout production {second}\"}}");
    let approve = |args: &[&str]| {
        let (token, _) = place.token(args);
        let heard = server.call("POST", "/commands", Some(&token), Some(&body));
        assert_eq!(heard.status, 200, "{heard:?}");
        heard.json()["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let short = &second[..9];
    let recorded = format!("The approval of exactly {short} for `production` of `shop/checkout` is recorded.");
    assert_eq!(
        approve(&["machine", "--scope", "steer"]),
        [
            recorded.as_str(),
            "It does not count, because authors may not approve here, and without an e-mail it cannot be told whether \
             you are one. A token made by `towpath token create` with `--email` can approve.",
        ]
    );
    let author = approve(&["author", "--scope", "steer", "--email", "Ana@Example.com"]);
    let why = "It does not count, because you wrote one of the commits. Somebody else has to approve.";
    assert_eq!(author, [recorded.as_str(), why]);
    let waits = server.get("/flows/checkout/edges/production").text;
    assert!(!waits.contains("approved by"), "{waits}");
    let local = place.run(&["approve", "checkout", "production", &second], &[]);
    assert!(local.out.contains("`git config --global user.email ADDRESS`"), "{local:?}");
    let olga = approve(&["olga", "--scope", "steer", "--email", "olga@example.com"]);
    assert_eq!(olga, [format!("Approved exactly {short} for `production` of `shop/checkout`.")]);
    let passes = server.get("/flows/checkout/edges/production").text;
    assert!(passes.contains("approved by `token:olga`"), "{passes}");
    let list = place.run(&["token", "list"], &[]);
    assert!(list.out.contains("olga <olga@example.com>") && !list.out.contains("machine <"), "{list:?}");
    for bad in ["olga", "@example.com", "olga@", "a b@example.com", "<olga@example.com>"] {
        let ran = place.run(&["token", "create", "bad", "--scope", "steer", "--email", bad], &[]);
        assert!(ran.code == Some(2) && ran.err.contains("is no e-mail address"), "{bad}: {ran:?}");
    }
    // Where nobody can tell who the authors are, that is said.
    std::fs::rename(place.path().join("checkout.git"), place.path().join("away.git")).unwrap();
    let unknown = approve(&["jan", "--scope", "steer", "--email", "jan@example.com"]);
    assert!(unknown[1].contains("the branches cannot be read now"), "{unknown:?}");
}
