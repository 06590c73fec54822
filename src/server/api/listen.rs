//! Whether the service may listen where the config says.

use crate::config::Config;

/// Why it may not, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {hint}")]
pub struct Refusal {
    /// What is so.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// On loopback always; beyond it only if somebody can authenticate (`has_tokens`: there is a token
/// that has neither expired nor been revoked), for otherwise nobody could do anything, and what is
/// open to read would be open to everybody.
///
/// # Errors
/// What to do instead.
pub fn may_listen(config: &Config, has_tokens: bool) -> Result<(), Refusal> {
    let (service, listen) = (&config.service, config.service.listen);
    if listen.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    if service.anonymous_read == Some(true) {
        return Err(Refusal {
            what: format!(
                "`listen = \"{listen}\"` is open to other machines, and `anonymous_read = true` would let everybody read"
            ),
            hint: "remove `anonymous_read`, or listen on 127.0.0.1".to_owned(),
        });
    }
    if !has_tokens {
        return Err(Refusal {
            what: format!(
                "`listen = \"{listen}\"` is open to other machines, and there is no token that can be used"
            ),
            hint: "make one with `towpath token create NAME --scope read`, or listen on 127.0.0.1".to_owned(),
        });
    }
    Ok(())
}
