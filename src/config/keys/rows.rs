//! The rows themselves. One a key; the order is that of the reference.

use towpath_core::model::Event;

use super::{Default, Kind, Place, Row};
use crate::config::chats::STRANGERS;
use crate::config::people::{MENTIONS, ROLES, SURFACES, VERB_WORDS};
use crate::tell::events::Severity;

const SERVICE: &[Place] = &[Place::Service];
const FORGE: &[Place] = &[Place::Forge];
const APP: &[Place] = &[Place::App];
const SINK: &[Place] = &[Place::Sink];
const CHAT: &[Place] = &[Place::Chat];
const CHANNEL: &[Place] = &[Place::Channel];
const PERSON: &[Place] = &[Place::Person];
const RULES: &[Place] = &[Place::Allow, Place::Deny];
const FLOW: &[Place] = &[Place::Flow];
const SHARED: &[Place] = &[Place::Defaults, Place::Group, Place::Flow];
const ENV: &[Place] = &[Place::Environment];
const GATES: &[Place] = &[Place::Gates];

const MODE: Kind = Kind::Word { words: &["act", "observe"], later: &[] };
const SPAN: Kind = Kind::Duration { zero: false };

const fn row(places: &'static [Place], key: &'static str, kind: Kind, default: Default) -> Row {
    Row { places, key, kind, default, meaning: "", example: "", later: None }
}

impl Row {
    const fn says(self, meaning: &'static str, example: &'static str) -> Self {
        Self { meaning, example, ..self }
    }

    #[expect(dead_code, reason = "no key is known before it is built now; the next one that is needs it")]
    const fn not_yet(self, why: &'static str, hint: &'static str) -> Self {
        Self { later: Some((why, hint)), ..self }
    }
}

const NO_FORGE_HINT: &str =
    "use `kind = \"git\"` with the forge's git URL, and `towpath report` for results of checks";

const LATER_FORGES: &[(&str, &str, &str)] =
    &[("bitbucket", "this build does not know Bitbucket yet", NO_FORGE_HINT)];

/// Every key there is.
pub(in crate::config) const ROWS: &[Row] = &[
    row(&[Place::Top], "service", Kind::Table(Place::Service), Default::Nothing)
        .says("What concerns the running program and not one flow.", "[service]"),
    row(&[Place::Top], "forge", Kind::Named(Place::Forge), Default::Nothing)
        .says("Where repositories are, by a name of your own that `repository` then uses as a prefix.", "[forge.work]"),
    row(&[Place::Top], "sink", Kind::Named(Place::Sink), Default::Nothing)
        .says("Who is told of what happens, by a name of your own. docs/tell.md explains them.", "[sink.deploys]"),
    row(&[Place::Top], "chat", Kind::Named(Place::Chat), Default::Nothing)
        .says("In which chat systems people talk to Towpath, by a name of your own. docs/chat.md explains them.", "[chat.work]"),
    row(&[Place::Top], "people", Kind::Named(Place::Person), Default::Nothing).says(
        "Who is who: people by a name of your own, with what surfaces know them by. docs/people.md says who may what.",
        "[people.ana]",
    ),
    row(&[Place::Top], "allow", Kind::Tables(Place::Allow), Default::Nothing)
        .says("What people may beyond what their role lets them.", "[[allow]]"),
    row(&[Place::Top], "deny", Kind::Tables(Place::Deny), Default::Nothing)
        .says("What people may not. It goes before everything that allows.", "[[deny]]"),
    row(&[Place::Top], "defaults", Kind::Table(Place::Defaults), Default::Nothing)
        .says("Keys for every flow. A group and the flow itself go before them.", "[defaults]"),
    row(&[Place::Top], "group", Kind::Tables(Place::Group), Default::Nothing).says(
        "Keys for the flows whose names match. A later group goes before an earlier one, the flow itself before all.",
        "[[group]]",
    ),
    row(&[Place::Top], "flow", Kind::Tables(Place::Flow), Default::From("none; at least one must be written unless a forge has `discover`"))
        .says("One repository and its ordered environments.", "[[flow]]"),
    // [sink.X]
    row(SINK, "kind", Kind::Word { words: &["webhook", "slack", "mattermost"], later: &[] }, Default::Required)
        .says("How it is told. `webhook` is a POST for each event, signed if there are `secrets`; `slack` and `mattermost` are one message for each promotion and problem in a channel of a `[chat.NAME]`, changed in place.", "kind = \"webhook\""),
    row(SINK, "url", Kind::OneOf(&[Kind::SinkUrl, Kind::Secret]), Default::From("none; a `webhook` must have it, chats have none")).says(
        "What is called. The address of a hook is often a secret itself: then say where it is, as with a token. What the preset or the template takes from the event may stand in it, as `{{ new }}`.",
        "url = { env = \"DEPLOY_HOOK_URL\" }",
    ),
    row(SINK, "secrets", Kind::ListOf(&Kind::Secret), Default::Nothing).says(
        "What each call is signed with, by the rules of Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`): `whsec_` and 24 to 64 bytes in base64. Several while one takes over from another: each signs.",
        "secrets = [{ file = \"/run/secrets/towpath-sink\" }]",
    ),
    row(SINK, "token", Kind::Secret, Default::Nothing)
        .says("What is sent as `Authorization: Bearer`. Never the token itself.", "token = { env = \"SENTRY_TOKEN\" }"),
    row(SINK, "preset", Kind::Word { words: &crate::tell::presets::NAMES, later: &[] }, Default::From("`\"generic\"`: everything that is known of the event"))
        .says("The form of what is sent, for a receiver that wants one of its own.", "preset = \"grafana\""),
    row(SINK, "template", Kind::File, Default::Nothing).says(
        "A file with the body, as a Jinja template over the event (docs/tell.md); it goes before the preset's. It has to be JSON for every event: write values as `{{ text | tojson }}`.",
        "template = \"deploy.json.j2\"",
    ),
    row(SINK, "image", Kind::Text, Default::Nothing)
        .says("With `preset = \"docker-hub\"`: the image without its tag, as the receiver pulls it.", "image = \"registry.example.com/shop/checkout\""),
    row(SINK, "tag", Kind::Text, Default::Nothing)
        .says("With `preset = \"docker-hub\"`: the tag. A receiver of Rancher takes only the one that it was made for.", "tag = \"production\""),
    row(SINK, "events", Kind::ListOf(&Kind::Word { words: &Event::WORDS, later: &[] }), Default::From("those of the preset; of chats all that are not quiet"))
        .says("Which events are told.", "events = [\"promoted\", \"rolled-back\"]"),
    row(SINK, "severity", Kind::ListOf(&Kind::Word { words: &Severity::WORDS, later: &[] }), Default::From("all"))
        .says("Of these events those of which severity.", "severity = [\"problem\"]"),
    row(SINK, "environments", Kind::ListOf(&Kind::Name), Default::From("all"))
        .says("In which environments.", "environments = [\"production\"]"),
    row(SINK, "flows", Kind::ListOf(&Kind::Glob), Default::From("all"))
        .says("Of which flows: patterns over their names, as in `match` of a `[[group]]`.", "flows = [\"shop/*\"]"),
    // [service]
    row(SERVICE, "store", Kind::Store, Default::Text("sqlite:towpath.db")).says(
        "Where the ledger is kept: `sqlite:` and a path, relative to the config file.",
        "store = \"sqlite:/var/lib/towpath/towpath.db\"",
    ),
    row(SERVICE, "look", Kind::Cron, Default::Text("*/5 * * * *")).says(
        "How often to look: a cron expression of five fields, in UTC. Reports, commands and times that come due are seen sooner.",
        "look = \"*/5 * * * *\"",
    ),
    row(SERVICE, "mode", MODE, Default::Text("act")).says(
        "`observe` decides, records and shows, and touches nothing outside its own store. Written here it holds for every flow, whatever the flow says.",
        "mode = \"observe\"",
    ),
    row(SERVICE, "listen", Kind::Listen, Default::Text("127.0.0.1:8080"))
        .says("Where `serve` listens: an IP address and a port.", "listen = \"127.0.0.1:8080\""),
    row(SERVICE, "at_once", Kind::Count { least: 1, most: 256 }, Default::Whole(4))
        .says("How many flows `serve` and `run` work on at once, which is also how many git programs run at once, or nearly.", "at_once = 8"),
    row(SERVICE, "heartbeat", Kind::Url, Default::Nothing).says(
        "A URL that `serve` calls with GET after each look at every flow in which at least one flow was looked at without a fault: for a service that tells you when the calls stop.",
        "heartbeat = \"https://hc-ping.com/0000\"",
    ),
    row(SERVICE, "webhook_secrets", Kind::ListOf(&Kind::Secret), Default::Nothing).says(
        "Secrets with which `POST /hooks/git/FLOW` may be signed; any of them counts, so that one can be replaced without a gap. Without any, unsigned and signed calls are refused alike.",
        "webhook_secrets = [{ file = \"/run/secrets/towpath-hook\" }]",
    ),
    row(SERVICE, "public_url", Kind::Url, Default::Nothing).says(
        "The address under which people reach `serve`, where that is another than `listen`: behind a proxy, say. Its host may then stand in the `Host` header.",
        "public_url = \"https://towpath.example.com\"",
    ),
    row(SERVICE, "hosts", Kind::ListOf(&Kind::Host), Default::Nothing).says(
        "Further names, without a port, that may stand in the `Host` header. `localhost` and loopback addresses always may; any other host is refused, so that no web page can reach `serve` by a name of its own.",
        "hosts = [\"towpath.internal\"]",
    ),
    row(SERVICE, "production", Kind::ListOf(&Kind::Name), Default::From("the last environment of each flow"))
        .says("Which environments are production: what steers them takes an operator. A flow that has none of them has its last one.", "production = [\"production\", \"live\"]"),
    row(SERVICE, "anonymous_read", Kind::Bool, Default::From("`true` where `listen` is loopback, else `false`")).says(
        "Whether the API may be read without a token, from this machine. Only while `listen` is loopback and the `Host` is; changing anything always needs a token. Write `false` behind a proxy on the same machine.",
        "anonymous_read = false",
    ),
    // [forge.X]
    row(FORGE, "kind", Kind::Word { words: &["git", "github", "gitlab", "gitea", "forgejo"], later: LATER_FORGES }, Default::Required)
        .says("What speaks there. `git` is any server that git can push to; it has no requests and no results of checks.", "kind = \"github\""),
    row(FORGE, "url", Kind::Url, Default::From("`https://github.com` and `https://gitlab.com` for these kinds; else it has to be written")).says(
        "What a repository's path is appended to. Without user name and password.",
        "url = \"https://git.example.com\"",
    ),
    row(FORGE, "api", Kind::Url, Default::From("`https://api.github.com` for github.com, else `/api/v3` below `url`")).says(
        "Where GitHub's REST API is, where a proxy has it elsewhere. GraphQL is then at `/api/graphql` beside an address that ends in `/api/v3`, and at `/graphql` below any other. The token is sent there, too. For `github` only.",
        "api = \"https://proxy.example.com/github/api/v3\"",
    ),
    row(FORGE, "token", Kind::Secret, Default::Nothing).says(
        "Where the token for git over HTTPS is to be found. Never the token itself. It is sent for repositories written as `NAME:PATH`, and for no others. A file is read anew before each call of git; the environment, once at the start. Only with an `https://` URL, or `http://` to this machine itself.",
        "token = { env = \"GIT_TOKEN\" }",
    ),
    row(FORGE, "user", Kind::User, Default::From("`\"x-access-token\"`")).says(
        "The user name that is sent with the token. GitHub, GitLab, Gitea and Forgejo take the default for a personal, project or app token; a deploy token of GitLab has a name of its own, and Bitbucket wants `x-token-auth`.",
        "user = \"gitlab+deploy-token-1\"",
    ),
    row(FORGE, "moves", Kind::Word { words: &["api", "push"], later: &[] }, Default::From("`\"api\"` for `github`, else `\"push\"`")).says(
        "How branches are moved forward. `api`: by GitHub's GraphQL (`updateRefs`), or by the call that Gitea has since 1.26, each from exactly the commit that was decided on and never forced; a server without that call is pushed to. `push`: by `git push` with a lease. Rules and protections bind both. Only for `github` and `gitea`; a rollback, and the branch of a request, is a push everywhere.",
        "moves = \"push\"",
    ),
    row(FORGE, "ca", Kind::File, Default::Nothing).says(
        "A file with the certificates (PEM) that are trusted for this forge, instead of those of the system: for an authority of your own. For calls of the forge's API too, which read it at the start. Only with an `https://` URL.",
        "ca = \"/etc/ssl/company-ca.pem\"",
    ),
    row(FORGE, "webhook_secrets", Kind::ListOf(&Kind::Secret), Default::Nothing).says(
        "What the forge's webhooks to `/hooks/NAME` are signed with. Several while one takes over from another; without any, `serve` has no such address. Files are read anew for each call. Not for `git`, which sends no webhooks of its own: there write them under `[service]`.",
        "webhook_secrets = [{ env = \"FORGE_HOOK_SECRET\" }]",
    ),
    row(FORGE, "app", Kind::Table(Place::App), Default::Nothing).says(
        "An installation of a GitHub App to sign in as, instead of `token`: for the API and for git over HTTPS. Towpath makes its tokens of an hour with the App's key.",
        "app = { id = 314159, installation = 27182818, key = { file = \"/run/secrets/towpath-app.pem\" } }",
    ),
    row(FORGE, "discover", Kind::Bool, Default::From("`false`")).says(
        "Whether the repositories that the token sees become flows by themselves: those whose flow would match at least one `[[group]]`, that have every branch of the environments that `[defaults]` and the groups give them, and that no `[[flow]]` names. Archived ones and forks are left to a `[[flow]]`. How it works is in docs/discover.md; `towpath doctor` says what was found and what was not taken, and why. Not for `git`, which has no list of repositories.",
        "discover = true",
    ),
    row(FORGE, "except", Kind::ListOf(&Kind::Glob), Default::Nothing).says(
        "With `discover`: patterns, as in `match` of a `[[group]]`, over the names of flows that are not made. One that was made already goes; what is stored of it stays.",
        "except = [\"shop/legacy-*\"]",
    ),
    row(APP, "id", Kind::OneOf(&[Kind::Count { least: 1, most: 999_999_999_999 }, Kind::Text]), Default::Required)
        .says("The App's id, or its client id; its settings page has both.", "id = \"Iv23liAbCdEfGhIjKlMn\""),
    row(APP, "installation", Kind::Count { least: 1, most: 999_999_999_999 }, Default::Required).says(
        "The number of its installation on the account that has the repositories: the end of the address of *Settings > GitHub Apps > Configure*.",
        "installation = 27182818",
    ),
    row(APP, "key", Kind::Secret, Default::Required)
        .says("Where the App's private key (PEM) is to be found. Read anew for each token.", "key = { file = \"/run/secrets/towpath-app.pem\" }"),
    row(&[Place::Secret], "env", Kind::EnvVar, Default::Nothing)
        .says("The environment variable that holds it.", "env = \"GIT_TOKEN\""),
    row(&[Place::Secret], "file", Kind::File, Default::Nothing)
        .says("The file that holds it, relative to the config file; a newline at its end is dropped.", "file = \"/run/secrets/git-token\""),
    // [[group]]
    row(&[Place::Group], "match", Kind::ListOf(&Kind::Glob), Default::Required).says(
        "Patterns over flow names: `*` stands for anything but a slash, `**` for anything, `?` for one character.",
        "match = [\"shop/*\"]",
    ),
    // [[flow]]
    row(FLOW, "repository", Kind::Repository, Default::Required).says(
        "`NAME:PATH` where `[forge.NAME]` exists; else a git URL, `user@host:path`, or a path, relative to the config file.",
        "repository = \"ssh://git@git.example.com/shop/checkout.git\"",
    ),
    row(FLOW, "name", Kind::Name, Default::From("the repository's path in lower case without `.git`; of a local path, its last part"))
        .says("What people call it. Commands also take any end of it that begins after a slash, if only one flow has it.", "name = \"checkout\""),
    row(SHARED, "zone", Kind::Zone, Default::Text("UTC"))
        .says("The time zone of windows and schedules, and of the times that people are shown.", "zone = \"Europe/Warsaw\""),
    row(SHARED, "mode", MODE, Default::Text("act")).says(
        "`observe` decides, records and shows, and touches nothing; `towpath compare` tells where people did otherwise. It holds for all environments of the flow, whatever they say.",
        "mode = \"observe\"",
    ),
    row(SHARED, "look_back", Kind::Count { least: 1, most: 10_000 }, Default::Whole(50)).says(
        "How many waiting commits of an environment may be judged, newest first, in one look.",
        "look_back = 50",
    ),
    row(SHARED, "environment", Kind::Tables(Place::Environment), Default::Nothing).says(
        "The environments, in the order in which commits move; at least two. Environments of several layers are merged by name.",
        "[[flow.environment]]",
    ),
    // [[flow.environment]]
    row(ENV, "name", Kind::Name, Default::Required).says("What people call it.", "name = \"production\""),
    row(ENV, "after", Kind::Name, Default::Nothing).says(
        "Places an environment that an earlier layer does not have directly after one that it has. Only there.",
        "after = \"staging\"",
    ),
    row(ENV, "branch", Kind::Branch, Default::From("the environment's name")).says(
        "Its branch. Everything that git allows is allowed, also a leading dash: git is only ever given the full name, `refs/heads/…`.",
        "branch = \"master\"",
    ),
    row(ENV, "via", Kind::Word { words: &["fast-forward", "merge-request"], later: &[] }, Default::Text("fast-forward"))
        .says("How commits enter: the branch is moved forward to the very commit, or a merge request (pull request) is opened, approved and merged. The latter needs a forge.", "via = \"merge-request\""),
    row(ENV, "candidates", Kind::Word { words: &["tips", "commits"], later: &[] }, Default::From("`commits` for the second environment, `tips` for later ones"))
        .says("Which commits may enter: only those that the environment before it has held as its tip, or also the ones between them.", "candidates = \"commits\""),
    row(ENV, "mode", MODE, Default::Text("act"))
        .says("As for the flow, for this environment alone.", "mode = \"observe\""),
    row(ENV, "settle", Kind::Duration { zero: true }, Default::Text("15m"))
        .says("How long the code of a commit may still be running after its place was taken.", "settle = \"15m\""),
    row(ENV, "deployed", Kind::Text, Default::Nothing)
        .says("The check that turns green when a commit has been deployed here.", "deployed = \"deploy-production\""),
    row(ENV, "rollback", Kind::Bool, Default::Bool(false))
        .says("Whether `towpath rollback` may move this branch back.", "rollback = true"),
    row(ENV, "behind_alarm", SPAN, Default::Nothing)
        .says("How long a commit of the environment before it may wait for this one before that is told: once when it begins, once when it is over.", "behind_alarm = \"1d\""),
    row(ENV, "blocked_alarm", Kind::OneOf(&[Kind::False, Kind::Duration { zero: true }]), Default::Text("10m"))
        .says("How long it may be blocked (nothing enters until somebody mends something) before that is told: once when it has been so for that long, once when it is over. What people order here, a pause or a hold, is no alarm. `false`: never.", "blocked_alarm = \"1h\""),
    row(ENV, "heads_up", SPAN, Default::Nothing)
        .says("How long before commits enter by themselves people are told: what enters, when, and how to stop it. It never delays a move, so what may enter at once enters untold.", "heads_up = \"10m\""),
    row(ENV, "database", Kind::Text, Default::Nothing).says(
        "The database that the environment's code uses. On the first environment it only says whose code runs there; on any other it needs `gates.migrations`. Environments with the same name here share one database; without it each has its own.",
        "database = \"main\"",
    ),
    row(ENV, "gates", Kind::Table(Place::Gates), Default::Nothing).says(
        "The conditions on entry; all must pass. The first environment has none. A gate written in a later layer replaces the whole gate.",
        "gates.lag = \"30m\"",
    ),
    row(ENV, "request", Kind::Table(Place::Request), Default::Nothing).says(
        "How requests into it are handled, with `via = \"merge-request\"`. A table in a later layer replaces the whole table.",
        "request = { reviewers = [\"ana\"] }",
    ),
    // gates
    row(GATES, "ci", Kind::OneOf(&[Kind::False, Kind::Table(Place::Ci)]), Default::Nothing)
        .says("Checks are green for exactly the commit. `false` removes the gate of an earlier layer.", "gates.ci = { checks = [\"build\", \"test\"] }"),
    row(GATES, "lag", Kind::OneOf(&[Kind::False, SPAN, Kind::Table(Place::Lag)]), Default::Nothing).says(
        "The commit has been on the branch of the environment before for this long, by the time at which Towpath saw it there. `false` removes.",
        "gates.lag = \"30m\"",
    ),
    row(GATES, "quiet", Kind::OneOf(&[Kind::False, SPAN]), Default::Nothing)
        .says("Nothing new has come onto the branch of the environment before for this long. `false` removes.", "gates.quiet = \"10m\""),
    row(GATES, "window", Kind::OneOf(&[Kind::False, Kind::Table(Place::Window)]), Default::Nothing).says(
        "Entry is open at certain times only, in the flow's zone. `false` removes.",
        "gates.window = { allow = [\"Mon-Fri 09:00-16:00\"] }",
    ),
    row(GATES, "schedule", Kind::OneOf(&[Kind::False, Kind::Table(Place::Schedule)]), Default::Nothing).says(
        "One promotion may enter at each of certain instants, in the flow's zone. `false` removes.",
        "gates.schedule = { cron = \"0 9,13,15 * * Mon-Fri\" }",
    ),
    row(GATES, "approvals", Kind::OneOf(&[Kind::False, Kind::Table(Place::Approvals)]), Default::Nothing)
        .says("People approved exactly the commit: its request where commits enter by request, else with `towpath approve`. `false` removes.", "gates.approvals = { required = 1 }"),
    row(GATES, "migrations", Kind::OneOf(&[Kind::Bool, Kind::Table(Place::Migrations)]), Default::Nothing).says(
        "The schema migrations that the commit brings break no code that runs on the database, and its own code can live with what the database has (docs/migrations.md). `true` is all that most repositories need; `false` removes.",
        "gates.migrations = true",
    ),
    row(GATES, "http", Kind::OneOf(&[Kind::False, Kind::Table(Place::Http)]), Default::Nothing).says(
        "A server of yours lets exactly the commit pass: it is asked by a POST once nothing else stands in the way (docs/http-gate.md). `false` removes.",
        "gates.http = { url = \"https://gate.example.com/towpath\" }",
    ),
    // request
    row(&[Place::Request], "open", Kind::Word { words: &["ready", "at-once"], later: &[] }, Default::Text("ready")).says(
        "When a request is opened: when every gate but approvals, window and schedule passes, or as soon as there is a commit that nothing blocks. Opened at once, it follows each newer commit until somebody approves; where nobody has to, a commit that every gate lets enter goes before newer ones that still wait.",
        "open = \"at-once\"",
    ),
    row(&[Place::Request], "merge", Kind::Word { words: &["towpath", "person"], later: &[] }, Default::Text("towpath"))
        .says("Who merges it when every gate passes.", "merge = \"person\""),
    row(&[Place::Request], "reviewers", Kind::ListOf(&Kind::Text), Default::Nothing)
        .says("Who is asked when it is opened: login names, and teams with an `@` before them.", "reviewers = [\"ana\", \"@release\"]"),
    row(&[Place::Request], "labels", Kind::ListOf(&Kind::Text), Default::Nothing)
        .says("Labels to put on it. They have to exist on the forge.", "labels = [\"promotion\"]"),
    row(&[Place::Request], "title", Kind::Text, Default::From("the environment and what comes"))
        .says("Its title.", "title = \"Release to production\""),
    // gates.ci
    row(&[Place::Ci], "checks", Kind::OneOf(&[Kind::Word { words: &["all", "required"], later: &[] }, Kind::ListOf(&Kind::OneOf(&[Kind::Text, Kind::Table(Place::Check)]))]), Default::Required).says(
        "The checks that must be green, by name; or `\"all\"`: everything that was reported, and at least one; or `\"required\"`: those that the forge's own rules require on the branch.",
        "checks = [\"build\", { name = \"deploy\", ref = \"source\" }]",
    ),
    row(&[Place::Ci], "missing_after", Kind::DurationOr("never"), Default::Text("30m")).says(
        "A commit that was pushed and got no result at all for this long is blocked instead of waiting, so that somebody hears of it. A result that comes later still counts.",
        "missing_after = \"1h\"",
    ),
    row(&[Place::Check], "name", Kind::Text, Default::Required).says("The check's name, compared exactly.", "name = \"deploy\""),
    row(&[Place::Check], "ref", Kind::Word { words: &["any", "source"], later: &[] }, Default::Text("any")).says(
        "On which branches its results count. `any`: green on some branch, and neither red nor running on the branch of the environment before. `source`: only on that branch.",
        "ref = \"source\"",
    ),
    // gates.lag
    row(&[Place::Lag], "for", SPAN, Default::Required).says("How long.", "for = \"30m\""),
    row(&[Place::Lag], "since", Kind::Text, Default::Nothing)
        .says("A check: the time counts from when it last turned green (on the branches that count for it in `gates.ci`), if that is later than when the commit came.", "since = \"deploy-staging\""),
    // gates.window
    row(&[Place::Window], "allow", Kind::ListOf(&Kind::Times), Default::From("always"))
        .says("When entry is open: days and hours.", "allow = [\"Mon-Fri 09:00-16:00\"]"),
    row(&[Place::Window], "deny", Kind::ListOf(&Kind::Times), Default::From("never"))
        .says("When it is not, whatever `allow` says: days and hours, or dates.", "deny = [\"2026-12-23/2027-01-02\"]"),
    // gates.schedule
    row(&[Place::Schedule], "cron", Kind::Cron, Default::Required)
        .says("The instants: a cron expression of five fields.", "cron = \"0 9,13,15 * * Mon-Fri\""),
    row(&[Place::Schedule], "catch_up", SPAN, Default::Text("10m"))
        .says("For how long after an instant its promotion may still enter.", "catch_up = \"20m\""),
    // gates.approvals
    row(&[Place::Approvals], "required", Kind::Count { least: 1, most: 100 }, Default::Whole(1))
        .says("How many different people.", "required = 2"),
    row(&[Place::Approvals], "from", Kind::ListOf(&Kind::Approver), Default::From("everybody who may approve"))
        .says("Who counts: with requests login names and, with an `@` before them, teams of the forge; else the names under which commands are recorded.", "from = [\"@release\", \"ana\"]"),
    row(&[Place::Approvals], "authors", Kind::Word { words: &["refuse", "allow"], later: &[] }, Default::Text("refuse"))
        .says("Whether the approval of somebody who wrote one of the commits counts.", "authors = \"allow\""),
    // gates.migrations
    row(&[Place::Migrations], "review", Kind::Word { words: &["block", "allow"], later: &[] }, Default::Text("block")).says(
        "What is done about what a person has to look at: something could not be read, or cannot be told. `block`: it blocks until it is accepted (`.towpath/accepted.toml`), the commit is let through by `override`, or another comes. `allow`: it is shown and passes.",
        "review = \"allow\"",
    ),
    row(&[Place::Migrations], "framework", Kind::Text, Default::From("what is found in the repository"))
        .says("Only migrations of this framework count: a name that `towpath check-migrations --framework` takes; `sql` for plain files, which `paths` then has to name.", "framework = \"flyway\""),
    row(&[Place::Migrations], "dialect", Kind::Text, Default::From("what the migrations themselves show"))
        .says("The database's SQL, whatever the files say: `postgres`, `mysql`, `sqlite`, `mssql` or `oracle`.", "dialect = \"postgres\""),
    row(&[Place::Migrations], "schema", Kind::Text, Default::From("what the migrations add up to"))
        .says("A file of the repository that holds the whole schema (SQL, or Rails' `schema.rb`), where the migrations do not tell it whole. It is read from the commit whose migrations the database has.", "schema = \"db/structure.sql\""),
    row(&[Place::Migrations], "paths", Kind::ListOf(&Kind::Text), Default::From("the whole repository"))
        .says("Only migrations under these paths count.", "paths = [\"services/checkout\"]"),
    // gates.http
    row(&[Place::Http], "url", Kind::GateUrl, Default::Required).says(
        "What is asked. Without user, password and query: what lets Towpath in there is `token`. Redirects are not followed.",
        "url = \"https://gate.example.com/towpath\"",
    ),
    row(&[Place::Http], "token", Kind::Secret, Default::Nothing).says(
        "Where the token is to be found that goes along as `Authorization: Bearer TOKEN`. Never the token itself. A file is read anew each time; the environment, once at the start.",
        "token = { env = \"GATE_TOKEN\" }",
    ),
    // [chat.X]
    row(CHAT, "kind", Kind::Word { words: &["slack", "mattermost"], later: &[] }, Default::Required)
        .says("What speaks there.", "kind = \"slack\""),
    row(CHAT, "teams", Kind::ListOf(&Kind::Text), Default::Required).says(
        "The ids of the workspaces (Slack, `T…`) or teams (Mattermost) whose people are listened to; nobody else is.",
        "teams = [\"T024BE7LD\"]",
    ),
    row(CHAT, "url", Kind::Url, Default::From("Slack's own; of Mattermost it must be written"))
        .says("The server: of Mattermost its Site URL.", "url = \"https://chat.example.com\""),
    row(CHAT, "token", Kind::Secret, Default::Nothing)
        .says("The bot's token, with which Towpath posts. Never the token itself.", "token = { env = \"SLACK_BOT_TOKEN\" }"),
    row(CHAT, "secrets", Kind::ListOf(&Kind::Secret), Default::Nothing).says(
        "What proves that a request comes from there: the app's signing secret (Slack), or the tokens of the slash commands (Mattermost, one for each team). Several while one takes over from another.",
        "secrets = [{ env = \"SLACK_SIGNING_SECRET\" }]",
    ),
    row(CHAT, "app_token", Kind::Secret, Default::Nothing).says(
        "Slack's app token (`xapp-…`): requests come by Socket Mode, and Slack needs no way to reach this machine.",
        "app_token = { env = \"SLACK_APP_TOKEN\" }",
    ),
    row(CHAT, "button_secrets", Kind::ListOf(&Kind::Secret), Default::Nothing).says(
        "What buttons of Mattermost are sealed with, which signs none itself: at least 16 bytes, made up by you. The first seals, each opens.",
        "button_secrets = [{ file = \"/run/secrets/towpath-buttons\" }]",
    ),
    row(CHAT, "strangers", Kind::Word { words: &STRANGERS, later: &[] }, Default::From("`\"read\"`")).says(
        "What somebody of these teams is answered who is linked to no person: with `read` whatever only looks, at every flow; with `none` how to be linked, and nothing else.",
        "strangers = \"none\"",
    ),
    row(CHAT, "channels", Kind::Tables(Place::Channel), Default::Nothing).says(
        "Channels that belong to a flow or an environment, which then need not be said there.",
        "channels = [{ id = \"C0123456789\", flow = \"checkout\" }]",
    ),
    row(CHANNEL, "id", Kind::Text, Default::Required).says("The channel's id, not its name.", "id = \"C0123456789\""),
    row(CHANNEL, "flow", Kind::Text, Default::Nothing).says("The flow, as in a command.", "flow = \"checkout\""),
    row(CHANNEL, "environment", Kind::Text, Default::Nothing)
        .says("The environment: of that flow, or else of every flow.", "environment = \"production\""),
    // [sink.X] of a chat
    row(SINK, "chat", Kind::Text, Default::From("none; `slack` and `mattermost` must have it"))
        .says("The NAME of the `[chat.NAME]` of the same kind, with whose server and token it is told.", "chat = \"work\""),
    row(SINK, "channel", Kind::Text, Default::From("none; `slack` and `mattermost` must have it"))
        .says("The channel's id, not its name. The bot has to be in it.", "channel = \"C0123456789\""),
    row(SINK, "mention", Kind::Word { words: &MENTIONS, later: &[] }, Default::From("`\"problems\"`"))
        .says("In a chat: for what people are called by name whose `[people.NAME]` does not say; else their name is plain text.", "mention = \"heads-up\""),
    row(SINK, "storm", Kind::Count { least: 1, most: 1_000 }, Default::From("`10`"))
        .says("In a chat: where more flows than this would have new messages within a minute, there is one summary.", "storm = 5"),
    row(SINK, "digest", Kind::Cron, Default::Nothing)
        .says("In a chat: when everything since the last time is told in one message. A cron expression of five fields.", "digest = \"0 9 * * Mon-Fri\""),
    row(SINK, "zone", Kind::Zone, Default::From("`\"UTC\"`"))
        .says("In a chat: the time zone of `digest`, and of the times in it and in summaries. Other messages have the flow's.", "zone = \"Europe/Warsaw\""),
    // [people.X], [[allow]], [[deny]]
    row(PERSON, "role", Kind::Word { words: &ROLES, later: &[] }, Default::Text("viewer"))
        .says("What they are trusted with.", "role = \"operator\""),
    row(PERSON, "identities", Kind::ListOf(&Kind::Text), Default::Nothing).says(
        "What surfaces know them by: `forge:NAME/LOGIN`, `mail:ADDRESS`, `slack:TEAM/USER`, `mattermost:USER` or `mattermost:TEAM/USER`, `oidc:ISSUER#SUBJECT`, `token:NAME`, `os:USER@HOST`. Each is one person's.",
        "identities = [\"forge:hub/ana\", \"mail:ana@example.com\"]",
    ),
    row(PERSON, "mention", Kind::Word { words: &MENTIONS, later: &[] }, Default::From("what the installation does"))
        .says("For what they are called by name; else their name is plain text.", "mention = \"problems\""),
    row(RULES, "name", Kind::Text, Default::From("its place in the file"))
        .says("What the rule is called where it decides.", "name = \"release day\""),
    row(RULES, "verbs", Kind::ListOf(&Kind::Word { words: &VERB_WORDS, later: &[] }), Default::From("every one that steers"))
        .says("Commands by their verbs; `steer` is all that change something. Looking is open to all who are known.", "verbs = [\"promote\", \"pause\"]"),
    row(RULES, "environments", Kind::ListOf(&Kind::Text), Default::From("all"))
        .says("Environments by name; `*` stands for any part of it.", "environments = [\"staging\"]"),
    row(RULES, "flows", Kind::ListOf(&Kind::Text), Default::From("all"))
        .says("Flows, likewise.", "flows = [\"shop/*\"]"),
    row(RULES, "surfaces", Kind::ListOf(&Kind::Word { words: &SURFACES, later: &[] }), Default::From("all"))
        .says("From where the command comes.", "surfaces = [\"chat\"]"),
    row(&[Place::Allow], "role", Kind::Word { words: &ROLES, later: &[] }, Default::Nothing)
        .says("For this role and those above it.", "role = \"developer\""),
    row(&[Place::Deny], "below", Kind::Word { words: &ROLES, later: &[] }, Default::Nothing)
        .says("To those below this role. With neither `below` nor `people` to everybody.", "below = \"admin\""),
    row(RULES, "people", Kind::ListOf(&Kind::Text), Default::Nothing)
        .says("For these people of `[people.NAME]`, whatever their role.", "people = [\"ana\"]"),
];
