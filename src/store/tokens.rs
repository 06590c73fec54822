//! Tokens for the API: made, found by their hash, revoked. The token itself is never stored.
//!
//! Not here: what a scope allows, and HTTP (`server::api`).

use std::hint::black_box;
use std::str::FromStr;

use rustix::rand::{GetRandomFlags, getrandom};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::SqliteRow;
use towpath_core::model::{Actor, AuditRow, Change, FlowName, Instant, OrderId};
use towpath_core::text::hex;

use super::error::{Conflict, Fault, StoreError};
use super::load::read;
use super::rows::{Fields, json};
use super::sqlite::{Durability, SqliteStore};
use super::{apply, sql};

/// What every token begins with, so that scanners for leaked secrets know it.
pub const PREFIX: &str = "tow_";

/// How much chance is in a token: 256 bits.
const SECRET_BYTES: usize = 32;

/// How much of it names the token, in bytes.
const ID_BYTES: usize = 6;

/// What a token may do. Which routes that is, is the server's matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum TokenScope {
    /// Look at everything.
    Read,
    /// Report results of checks, and nothing else.
    Report,
    /// Look, report, and give commands.
    Steer,
    /// Everything, and see which tokens there are.
    Admin,
}

impl TokenScope {
    /// The word in the store, on the command line and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Report => "report",
            Self::Steer => "steer",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for TokenScope {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let all = [Self::Read, Self::Report, Self::Steer, Self::Admin];
        all.into_iter().find(|scope| scope.word() == word).ok_or_else(|| format!("`{word}` is no scope"))
    }
}

/// What is stored of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// Names it: the part of the token that is no secret.
    pub id: String,
    /// What its commands are recorded under, as `token:NAME`.
    pub name: String,
    /// What it may do.
    pub scope: TokenScope,
    /// The flows it is limited to; none: every flow.
    pub flows: Vec<FlowName>,
    /// When it was made.
    pub created: Instant,
    /// By whom.
    pub by: Actor,
    /// When it ends, if it does.
    pub expires: Option<Instant>,
    /// When it was revoked, if it was.
    pub revoked: Option<Instant>,
    /// The day on which it was last used, from midnight UTC.
    pub used: Option<Instant>,
    /// The e-mail by which git knows whoever holds it, if that is a person.
    pub email: Option<String>,
}

impl TokenRow {
    /// Whether it can be used at that instant.
    pub fn is_usable(&self, wall: Instant) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| wall < expires)
    }
}

/// A token that is to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// See [`TokenRow::name`].
    pub name: String,
    /// See [`TokenRow::scope`].
    pub scope: TokenScope,
    /// See [`TokenRow::flows`].
    pub flows: Vec<FlowName>,
    /// See [`TokenRow::expires`].
    pub expires: Option<Instant>,
    /// See [`TokenRow::email`].
    pub email: Option<String>,
}

const DAY_MS: i64 = 86_400_000;

impl SqliteStore {
    /// Makes a token and returns it; it cannot be had again. The audit row is made with it, in one
    /// transaction.
    ///
    /// # Errors
    /// [`Conflict::Exists`] if a token that was not revoked has that name;
    /// [`StoreError::NoChance`] if the system gives no random bytes; those of any write.
    pub async fn create_token(&self, new: NewToken, audit: AuditRow) -> Result<(String, TokenRow), StoreError> {
        let (token, id) = chance()?;
        let row = TokenRow {
            id,
            name: new.name,
            scope: new.scope,
            flows: new.flows,
            created: audit.at,
            by: audit.by.clone(),
            expires: new.expires,
            revoked: None,
            used: None,
            email: new.email,
        };
        let mut writing = self.write(Durability::Full).await?;
        let done = async {
            let conn = writing.conn();
            let added = sqlx::query(sql::ADD_TOKEN)
                .bind(row.id.clone())
                .bind(row.name.clone())
                .bind(hash(&token).to_vec())
                .bind(row.scope.word())
                .bind(json(&row.flows))
                .bind(row.created.0)
                .bind(row.by.to_string())
                .bind(row.expires.map(|at| at.0))
                .bind(row.email.clone())
                .execute(&mut *conn)
                .await?;
            if added.rows_affected() == 0 {
                let id = OrderId::new(row.name.clone());
                return Err(Fault::from(Conflict::Exists { table: "tokens", id: id.to_string() }));
            }
            apply::commit(conn, None, None, &[Change::Audit(audit)]).await?;
            Ok(())
        }
        .await;
        writing.end(done).await?;
        Ok((token, row))
    }

    /// Every token, oldest first.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let mut looking = self.look().await?;
        let rows = sqlx::query(sql::TOKENS).fetch_all(&mut looking.conn).await.map_err(Fault::from);
        looking.end(rows.and_then(|rows| Ok(read(&rows, "tokens", token)?))).await
    }

    /// Whether somebody can authenticate at all at that instant.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn has_usable_token(&self, wall: Instant) -> Result<bool, StoreError> {
        Ok(self.tokens().await?.iter().any(|row| row.is_usable(wall)))
    }

    /// What is known of a token that somebody presents; nothing if it is none of ours. It may have
    /// expired or been revoked.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn find_token(&self, presented: &str) -> Result<Option<TokenRow>, StoreError> {
        let Some(id) = id_of(presented) else { return Ok(None) };
        let mut looking = self.look().await?;
        let row = sqlx::query(sql::TOKEN).bind(id.to_owned()).fetch_optional(&mut looking.conn).await;
        let found = row.map_err(Fault::from).and_then(|row| Ok(row.as_ref().map(with_hash).transpose()?));
        let found: Option<(TokenRow, Vec<u8>)> = looking.end(found).await?;
        Ok(found.filter(|(_, stored)| same(stored, &hash(presented))).map(|(row, _)| row))
    }

    /// Notes that a token was used; writes once a day at most.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn token_used(&self, row: &TokenRow, wall: Instant) -> Result<(), StoreError> {
        let day = wall.0.div_euclid(DAY_MS);
        if row.used.is_some_and(|used| used.0.div_euclid(DAY_MS) >= day) {
            return Ok(());
        }
        let mut writing = self.write(Durability::Light).await?;
        let query = sqlx::query(sql::USE_TOKEN).bind(row.id.clone()).bind(day);
        let done = query.execute(writing.conn()).await.map(|_| ()).map_err(Fault::from);
        writing.end(done).await
    }

    /// Revokes a token at once and for good, with the audit row; says which it was, or nothing if
    /// there is none with that id that is not revoked already.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn revoke_token(&self, id: &str, audit: AuditRow) -> Result<Option<TokenRow>, StoreError> {
        let mut writing = self.write(Durability::Full).await?;
        let done = async {
            let conn = writing.conn();
            let query = sqlx::query(sql::REVOKE_TOKEN).bind(id.to_owned()).bind(audit.at.0);
            if query.execute(&mut *conn).await?.rows_affected() == 0 {
                return Ok(None);
            }
            let row = sqlx::query(sql::TOKEN).bind(id.to_owned()).fetch_one(&mut *conn).await?;
            apply::commit(conn, None, None, &[Change::Audit(audit)]).await?;
            Ok(Some(token(&Fields::new(&row, "tokens"))?))
        }
        .await;
        writing.end(done).await
    }
}

/// A new token and its id.
fn chance() -> Result<(String, String), StoreError> {
    let mut bytes = [0_u8; ID_BYTES + SECRET_BYTES];
    let mut filled = 0;
    while filled < bytes.len() {
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(StoreError::NoChance(error.into())),
        }
    }
    let (id, secret) = bytes.split_at(ID_BYTES);
    let id = hex(id);
    Ok((format!("{PREFIX}{id}_{}", hex(secret)), id))
}

/// The id in a token, if it has the form of one of ours.
fn id_of(presented: &str) -> Option<&str> {
    let (id, secret) = presented.strip_prefix(PREFIX)?.split_once('_')?;
    let hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let fits = id.len() == 2 * ID_BYTES && secret.len() == 2 * SECRET_BYTES;
    (fits && hex(id) && hex(secret)).then_some(id)
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Compares without telling by its time how much agrees.
fn same(stored: &[u8], given: &[u8; 32]) -> bool {
    let differing = stored.iter().zip(given).fold(0, |all, (a, b)| black_box(all | (a ^ b)));
    stored.len() == given.len() && black_box(differing) == 0
}

fn token(f: &Fields<'_>) -> Result<TokenRow, StoreError> {
    let instant = |column| Ok::<_, StoreError>(f.get::<Option<i64>>(column)?.map(Instant));
    Ok(TokenRow {
        id: f.get("id")?,
        name: f.get("name")?,
        scope: f.parsed("scope")?,
        flows: f.json("flows")?,
        created: f.wall("created_wall")?,
        by: Actor::new(f.get::<String>("created_by")?),
        expires: instant("expires_wall")?,
        revoked: instant("revoked_wall")?,
        used: f.get::<Option<i64>>("used_day")?.map(|day| Instant(day.saturating_mul(DAY_MS))),
        email: f.get("email")?,
    })
}

fn with_hash(row: &SqliteRow) -> Result<(TokenRow, Vec<u8>), StoreError> {
    let fields = Fields::new(row, "tokens");
    Ok((token(&fields)?, fields.get("hash")?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_differ_and_carry_their_id() {
        let (a, b) = (chance().unwrap(), chance().unwrap());
        assert_ne!(a.0, b.0);
        assert_eq!(id_of(&a.0), Some(a.1.as_str()));
        assert_eq!(a.0.len(), PREFIX.len() + 12 + 1 + 64);
        let upper = a.0.to_uppercase();
        for bad in ["", "tow_", &a.0[..a.0.len() - 1], &format!("{}0", a.0), upper.as_str(), &a.0.replace('_', "-")]
        {
            assert_eq!(id_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_equal_hashes_are_the_same() {
        let hashed = hash("a");
        assert!(same(&hashed, &hashed));
        assert!(!same(&hash("b"), &hashed));
        assert!(!same(&hashed[..31], &hashed));
        assert!(!same(&[], &hashed));
    }
}
