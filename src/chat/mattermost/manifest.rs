//! What an administrator does once in Mattermost, as lines to copy (docs.mattermost.com, "mmctl command line tool").

/// The steps, with `url` as where the server reaches us (`https://towpath.example.com/chat/mattermost`). Below it
/// buttons go to `/press`.
pub fn manifest(url: &str) -> String {
    let url = word(url);
    format!(
        r#"# Mattermost for Towpath. Run it with mmctl, logged in as a system administrator; TEAM and ADMIN are yours.
# 1. In the System Console:
#    Environment > Web Server > Site URL is set: Towpath answers there, and `url` of its config is the same.
#    Integrations > Integration Management: custom slash commands and bot accounts are enabled.
#    Environment > Developer > Allow untrusted internal connections: Towpath's host, if its address is an internal one.
# 2. The bot that posts. Its token is shown once: it is `token` of the config.
mmctl bot create towpath --display-name Towpath --description 'Says what moves along your environments' --with-token
mmctl team users add TEAM towpath
# 3. The slash command, once in each team. Its token is one of `secrets` of the config; see it with
#    `mmctl command list TEAM --json`.
mmctl command create TEAM --title Towpath --description 'Asks and steers Towpath' --trigger-word towpath --url {url} --creator ADMIN --response-username towpath --autocomplete --autocompleteDesc 'Asks and steers Towpath' --autocompleteHint 'status | explain FLOW ENVIRONMENT | help' --post
#    In the config too, without which nothing can be confirmed: `button_secrets`, made up by you (`openssl rand -hex 32`),
#    and `public_url` of [service], where the server reaches Towpath.
# 4. The bot in each channel where it is to post: without, whoever gives an order there is told alone, by a direct message.
mmctl channel users add TEAM:CHANNEL towpath
# 5. The ids that the config wants.
mmctl team search TEAM --json
mmctl channel search CHANNEL --team TEAM --json
"#
    )
}

/// One word of a shell, whatever it holds.
fn word(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_one_word_whatever_it_holds() {
        let made = manifest("https://t.example/chat/mattermost");
        assert!(made.contains(" --url 'https://t.example/chat/mattermost' --creator "));
        let lines = made.lines().count();
        let hostile = manifest("x'; rm -rf /; echo '\n$(id)");
        assert!(hostile.contains(r"--url 'x'\''; rm -rf /; echo '\''$(id)' --creator"), "{hostile}");
        assert_eq!(hostile.lines().count(), lines);
    }
}
