//! The app that an administrator creates in Slack (docs.slack.dev/reference/app-manifest).

use serde_json::json;

/// What the bot is given, which is what is used: commands, and to write.
pub(super) const SCOPES: [&str; 2] = ["commands", "chat:write"];

/// The app's manifest, as JSON that Slack's page "Create New App, From a manifest" takes.
///
/// `url` is where Slack reaches us (`https://towpath.example.com/chat/slack`), for commands and buttons alike;
/// without one the app uses Socket Mode, which needs no open port but an app token (scope `connections:write`).
pub fn manifest(url: Option<&str>) -> String {
    let mut command = json!({
        "command": "/towpath",
        "description": "Asks and steers Towpath",
        "usage_hint": "status | explain FLOW ENVIRONMENT | pause FLOW --for 2h --reason …",
        // People and channels that are typed come with their ids.
        "should_escape": true,
    });
    let mut interactivity = json!({ "is_enabled": true });
    if let Some(url) = url {
        command["url"] = json!(url);
        interactivity["request_url"] = json!(url);
    }
    let manifest = json!({
        "_metadata": { "major_version": 1, "minor_version": 1 },
        "display_information": {
            "name": "Towpath",
            "description": "Says what moves along your environments, and lets you steer it",
            "background_color": "#1f4e5f",
        },
        "features": {
            "bot_user": { "display_name": "Towpath", "always_online": true },
            "slash_commands": [command],
        },
        "oauth_config": {
            "scopes": { "bot": SCOPES },
        },
        "settings": {
            "interactivity": interactivity,
            "org_deploy_enabled": false,
            "socket_mode_enabled": url.is_none(),
            "token_rotation_enabled": false,
        },
    });
    format!("{manifest:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_whole_with_and_without_an_address() {
        let read = |url| serde_json::from_str::<serde_json::Value>(&manifest(url)).unwrap();
        let open = read(Some("https://t.example/chat/slack\"},\n"));
        let command = &open["features"]["slash_commands"][0];
        assert_eq!(command["command"], "/towpath");
        assert_eq!(command["url"], "https://t.example/chat/slack\"},\n");
        assert_eq!(open["settings"]["interactivity"]["request_url"], command["url"]);
        assert_eq!(open["settings"]["socket_mode_enabled"], false);
        let closed = read(None);
        assert_eq!(closed["settings"]["socket_mode_enabled"], true);
        assert_eq!(closed["settings"]["interactivity"], json!({ "is_enabled": true }));
        assert_eq!(closed["features"]["slash_commands"][0].get("url"), None);
        for app in [open, closed] {
            let scopes = &app["oauth_config"]["scopes"]["bot"];
            assert_eq!(scopes, &json!(["commands", "chat:write"]));
            assert!(app["features"]["slash_commands"][0]["usage_hint"].as_str().unwrap().chars().count() <= 1_000);
            assert!(app["display_information"]["description"].as_str().unwrap().len() <= 140);
        }
    }
}
