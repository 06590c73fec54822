//! Presets: what is told, in the form that another system wants, one row for each.
//!
//! A row's facts are of its `source`, as read in November 2026; what could not be read there stands in
//! `unverified`. Nothing was sent to any of these systems: only the forms were compared.
//!
//! Not here: chat (Slack and its like are sinks of their own), and where secrets are read.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::events::{ROWS, Row, not_quiet};
use super::template::{Kind, Template, TemplateError};

/// One form.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// Its word in the config.
    pub name: &'static str,
    /// What it is for, in one line.
    pub means: &'static str,
    /// Of which events it tells where nobody says which.
    pub events: Events,
    /// The body, a template; without one, all of the notice.
    pub body: Option<&'static str>,
    /// How the token is sent, where there is one.
    pub token: Token,
    /// Headers beside `Content-Type: application/json`, the token and the signature.
    pub headers: &'static [(&'static str, &'static str)],
    /// What has to be said besides: each with what it means. See [`Preset::body_with`].
    pub values: &'static [(&'static str, &'static str)],
    /// A URL as one writes it: a template, which may be one for every preset.
    pub url: &'static str,
    /// Where the receiver's documentation is.
    pub source: &'static str,
    /// What one should know, and what is not certain about it.
    pub unverified: &'static str,
}

/// Of which events a preset tells by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Events {
    /// All that are not quiet.
    NotQuiet,
    /// These.
    These(&'static [&'static str]),
}

/// How a token is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// `Authorization: Bearer TOKEN`.
    Bearer,
    /// As the whole of this header.
    Header(&'static str),
}

/// Why there is no body of a preset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PresetError {
    /// Something that has to be said was not.
    #[error("the preset `{preset}` needs `{name}`: {means}")]
    Missing {
        /// The preset.
        preset: &'static str,
        /// What is missing.
        name: &'static str,
        /// What it means.
        means: &'static str,
    },
    /// Something was said that it does not know.
    #[error("the preset `{preset}` has no `{name}`")]
    Unknown {
        /// The preset.
        preset: &'static str,
        /// What it does not know.
        name: String,
    },
    /// A preset's template is wrong, which a test excludes.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl Events {
    /// Their words.
    pub fn words(self) -> Vec<&'static str> {
        match self {
            Self::NotQuiet => not_quiet().collect(),
            Self::These(words) => words.to_vec(),
        }
    }

    /// Their rows, for [`Template::check`].
    pub fn rows(self) -> impl Iterator<Item = &'static Row> {
        let words = self.words();
        ROWS.iter().filter(move |row| words.contains(&row.word))
    }
}

impl Preset {
    /// The template of the body with what has to be said besides; nothing where all of the notice is
    /// sent ([`Notice::body`](super::notice::Notice::body)).
    ///
    /// # Errors
    /// If something that is needed is missing, or something is not known.
    pub fn body_with(&self, values: &BTreeMap<String, String>) -> Result<Option<Template>, PresetError> {
        if let Some(name) = values.keys().find(|name| !self.values.iter().any(|(known, _)| known == name)) {
            return Err(PresetError::Unknown { preset: self.name, name: name.clone() });
        }
        let Some(body) = self.body else { return Ok(None) };
        // On the first line, so that the lines of errors are those of the template.
        let mut source = String::new();
        for &(name, means) in self.values {
            let missing = || PresetError::Missing { preset: self.name, name, means };
            let value = values.get(name).filter(|value| !value.is_empty()).ok_or_else(missing)?;
            source.push_str(&format!("{{% set {name} = \"{}\" %}}", as_literal(value)));
        }
        Ok(Some(Template::new(&(source + body), Kind::Json)?))
    }
}

/// A text inside a quoted literal of a template: nothing in it ends the literal or the tag.
fn as_literal(text: &str) -> String {
    let units =
        |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_string() } else { units(c) }).collect()
}

/// The preset with that name.
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// The names, in the order of the rows: the words of `preset = …`.
pub const NAMES: [&str; PRESETS.len()] = {
    let mut names = [""; PRESETS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = PRESETS[at].name;
        at += 1;
    }
    names
};

/// After these, the branch is where `new` says, and is there to be deployed.
const ARRIVED: Events = Events::These(&["promoted", "rolled-back", "moved-by-hand", "rewound", "put-back"]);

/// The same, and what somebody should look at.
const ARRIVED_AND_PROBLEMS: Events = Events::These(&[
    "promoted",
    "rolled-back",
    "moved-by-hand",
    "rewound",
    "put-back",
    "withdrawn",
    "refused",
    "called-off",
    "behind",
    "caught-up",
    "blocked",
    "unblocked",
]);

/// Every preset, the one that is meant where nobody says which first.
pub const PRESETS: [Preset; 5] = [GENERIC, SENTRY, GRAFANA, DATADOG, DOCKER_HUB];

const GENERIC: Preset = Preset {
    name: "generic",
    means: "Everything that is known of the event, for a receiver of your own.",
    events: Events::NotQuiet,
    body: None,
    token: Token::Bearer,
    headers: &[],
    values: &[],
    url: "https://hooks.example.com/towpath",
    source: "docs/tell.md",
    unverified: "",
};

const SENTRY: Preset = Preset {
    name: "sentry",
    means: "A deploy of a release in Sentry, for commits whose releases are named by the commit.",
    events: ARRIVED,
    body: Some(
        r#"{
  "environment": {{ environment | tojson }},
  "name": {{ flow[:64] | tojson }},
  {% if url %}"url": {{ url | tojson }},{% endif %}
  "dateFinished": {{ at | tojson }}
}"#,
    ),
    token: Token::Bearer,
    headers: &[],
    values: &[],
    url: "https://sentry.io/api/0/organizations/ORG/releases/{{ new }}/deploys/",
    source: "https://docs.sentry.io/api/releases/create-a-deploy/",
    unverified: "Read in Sentry's source (`release_deploys.py`, a version of about 2025) and not in its documentation: \
                 the release has to be there under the full commit id as its version, else 404, so where versions are \
                 others, write another template for the URL; `name` and `environment` have at most 64 characters; each \
                 call makes a deploy, so one whose answer was lost is there twice. Not read: which hosts Sentry takes for \
                 a URL (Django's form of a host without a dot is refused, we think), and which characters in the name \
                 of an environment (`/` is refused, we think).",
};

const GRAFANA: Preset = Preset {
    name: "grafana",
    means: "An annotation of the organisation in Grafana, shown on each dashboard that asks for its tags.",
    events: ARRIVED_AND_PROBLEMS,
    body: Some(
        r#"{
  "time": {{ at_ms }},
  "tags": ["towpath", {{ event | tojson }}, {{ ("flow:" ~ flow) | tojson }}, {{ ("environment:" ~ environment) | tojson }}],
  "text": {{ text | tojson }}
}"#,
    ),
    token: Token::Bearer,
    headers: &[],
    values: &[],
    url: "https://grafana.example.com/api/annotations",
    source: "https://grafana.com/docs/grafana/v12.4/developer-resources/api-reference/http-api/annotations/",
    unverified: "From Grafana 13 on the documentation calls `/api` the older of two APIs, which stays; the newer one, \
                 `v0alpha1`, has another form and is not made. Whether Grafana shows `text` as HTML was not read: \
                 `tojson` does not change what it parses.",
};

const DATADOG: Preset = Preset {
    name: "datadog",
    means: "An event in Datadog.",
    events: ARRIVED_AND_PROBLEMS,
    body: Some(
        r#"{
  "title": {{ (flow[:40] ~ ": " ~ event ~ " (" ~ environment[:40] ~ ")") | tojson }},
  "text": {{ text[:4000] | tojson }},
  "date_happened": {{ at_ms // 1000 }},
  "alert_type": {% if severity == "problem" %}"warning"{% else %}"info"{% endif %},
  "aggregation_key": {{ ("towpath:" ~ flow ~ ":" ~ environment)[:100] | tojson }},
  "tags": ["source:towpath", {{ ("event:" ~ event) | tojson }}, {{ ("flow:" ~ flow) | tojson }}, {{ ("env:" ~ environment) | tojson }}]
}"#,
    ),
    token: Token::Header("dd-api-key"),
    headers: &[],
    values: &[],
    url: "https://api.datadoghq.com/api/v1/events",
    source: "https://docs.datadoghq.com/api/latest/events/post-an-event/",
    unverified: "The documentation takes events of the last 18 hours only, so the last tries of one that was refused \
                 for longer come too late. The header of the key is from a published script, not from the page itself, \
                 and a limit of 100 characters for the title from examples there only.",
};

const DOCKER_HUB: Preset = Preset {
    name: "docker-hub",
    means: "What Docker Hub sends for a pushed image, for receivers that deploy on it, such as those of Rancher 1.6.",
    events: Events::These(&["promoted", "rolled-back"]),
    body: Some(
        r#"{
  "push_data": {"pushed_at": {{ at_ms // 1000 }}, "pusher": "towpath", "tag": {{ tag | tojson }}},
  "repository": {"repo_name": {{ image | tojson }}}
}"#,
    ),
    token: Token::Bearer,
    headers: &[],
    values: &[
        (
            "image",
            "the image without its tag, as the receiver pulls it, such as `registry.example.com/shop/checkout`",
        ),
        ("tag", "the tag, such as `production`; a receiver of Rancher takes only the one it was made for"),
    ],
    url: "https://rancher.example.com/v1-webhooks/endpoint?key=KEY&projectId=1a5",
    source: "https://docs.docker.com/docker-hub/webhooks and \
             https://github.com/rancher/webhook-service/blob/master/drivers/service_upgrade.go",
    unverified: "Read in the source of Rancher's receiver: it wants `push_data.tag` and `repository.repo_name`, does \
                 nothing for another tag than its own, and else makes the service run `repo_name:tag`; public scripts \
                 send these two and no more. Other fields of Docker Hub (`callback_url`, counts, dates) are left out; \
                 receivers that want them were not looked for.",
};
