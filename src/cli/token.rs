//! `token`: makes, lists and revokes what the API is used with.
//!
//! Made and revoked here only, beside the store: a token that leaks cannot make another.

use towpath_core::explain::shell_word;
use towpath_core::model::{FlowName, Span};
use towpath_core::text::one_line;

use super::Failure;
use super::args::{NewToken as Wanted, TokenVerb};
use super::exit::Exit;
use super::out::Out;
use super::session::{self, Need, Session};
use super::source::{Source, here_alone};
use crate::config::token_name_fault;
use crate::engine::World as _;
use crate::store::{Conflict, NewToken, StoreError};
use crate::views::{self, Code, NewTokenView, Problem, TokenView, Tokens};

/// Does one of them.
pub async fn run(source: &Source, verb: &TokenVerb, out: Out) -> Result<Exit, Failure> {
    match verb {
        TokenVerb::Create(wanted) => create(source, wanted, out).await,
        TokenVerb::List => {
            let view: Tokens = match source {
                Source::There(server) => server.get(&["tokens"], &[]).await?,
                Source::Here(path) => views::tokens(&session::open(path.as_deref(), Need::View).await?).await?,
            };
            out.show(&view, view.lines());
            Ok(Exit::Done)
        }
        TokenVerb::Revoke { id } => revoke(source, id, out).await,
    }
}

async fn create(source: &Source, wanted: &Wanted, out: Out) -> Result<Exit, Failure> {
    let Source::Here(path) = source else { return here_alone("`token create`") };
    let name = &wanted.name;
    if let Some(why) = token_name_fault(name) {
        let what = format!("`{}` cannot name a token: {why}", one_line(name, 80));
        return Err(Failure::Plain(Exit::Usage, what));
    }
    let length = match wanted.expires.as_str() {
        "never" => None,
        text => match Span::parse(text) {
            Ok(Span::ZERO) => return Err(Failure::Plain(Exit::Usage, "a token lasts for some time".to_owned())),
            Ok(length) => Some(length),
            Err(why) => return Err(Failure::Plain(Exit::Usage, format!("{why}; or write `never`"))),
        },
    };
    if let Some(email) = wanted.email.as_deref().filter(|email| !is_email(email)) {
        let what = format!("`{}` is no e-mail address", one_line(email, 80));
        return Err(Failure::Plain(Exit::Usage, what));
    }
    let setup = session::open(path.as_deref(), Need::Order).await?;
    let mut flows: Vec<FlowName> = Vec::new();
    for word in &wanted.flow {
        flows.push(setup.config.flow(word)?.flow.name.clone());
    }
    flows.sort();
    flows.dedup();
    let now = setup.world.now().await?;
    let mut command = format!("token create {name} --scope {} --expires {}", wanted.scope.word(), wanted.expires);
    for flow in &flows {
        command.push_str(&format!(" --flow {}", shell_word(flow.as_str())));
    }
    if let Some(email) = &wanted.email {
        command.push_str(&format!(" --email {}", shell_word(email)));
    }
    let new = NewToken {
        name: name.clone(),
        scope: wanted.scope,
        flows,
        expires: length.map(|l| now.wall + l),
        email: wanted.email.clone(),
    };
    let effect = format!("The token `{name}` was made.");
    let made = setup.world.store().create_token(new, session::audit(now, command, effect)).await;
    let (token, row) = made.map_err(|error| match error {
        StoreError::Conflict(Conflict::Exists { .. }) => {
            let what = format!("there is a token `{name}` already, expired or not");
            Problem::new(Code::Conflict, what)
                .hint("choose another name, or revoke that one first: `towpath token list`")
        }
        other => other.into(),
    })?;
    let view = NewTokenView { token, view: TokenView::new(row, now.wall) };
    out.show(&view, view.lines());
    Ok(Exit::Done)
}

/// Whether it could stand in a commit. That it is theirs is the word of whoever makes the token.
fn is_email(text: &str) -> bool {
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>');
    let parts = text.split_once('@');
    text.len() <= 254
        && !text.chars().any(odd)
        && parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
}

async fn revoke(source: &Source, id: &str, out: Out) -> Result<Exit, Failure> {
    let Source::Here(path) = source else { return here_alone("`token revoke`") };
    let setup: Session = session::open(path.as_deref(), Need::Order).await?;
    let now = setup.world.now().await?;
    let row =
        session::audit(now, format!("token revoke {}", one_line(id, 80)), "The token was revoked.".to_owned());
    let Some(row) = setup.world.store().revoke_token(id, row).await? else {
        let what = format!("there is no token with the id `{}` that is not revoked already", one_line(id, 80));
        return Err(Problem::new(Code::UnknownToken, what).hint("`towpath token list` shows the ids").into());
    };
    let view = TokenView::new(row, now.wall);
    let line = format!("The token `{}` ({}) is revoked and refused from now on.", view.name, view.id);
    out.show(&view, vec![views::Line::plain(0, line)]);
    Ok(Exit::Done)
}
