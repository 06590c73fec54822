//! Tables that belong to a library: its models are not in the tree.
//!
//! Not here: models of the tree itself ([`super::mappers`]).

/// A library: what its name is in a manifest, and its tables, `*` for whatever follows.
struct Library {
    mark: &'static str,
    tables: &'static [&'static str],
}

const LIBRARIES: &[Library] = &[
    Library {
        mark: "doorkeeper",
        tables: &["oauth_applications", "oauth_access_grants", "oauth_access_tokens", "oauth_openid_requests"],
    },
    Library { mark: "delayed_job", tables: &["delayed_jobs"] },
    Library { mark: "good_job", tables: &["good_job*"] },
    Library { mark: "solid_queue", tables: &["solid_queue_*"] },
    Library { mark: "solid_cache", tables: &["solid_cache_*"] },
    Library { mark: "solid_cable", tables: &["solid_cable_*"] },
    Library { mark: "que", tables: &["que_jobs", "que_lockers", "que_values"] },
    Library { mark: "paper_trail", tables: &["versions", "version_associations"] },
    Library { mark: "audited", tables: &["audits"] },
    Library { mark: "acts-as-taggable-on", tables: &["tags", "taggings"] },
    Library { mark: "acts_as_votable", tables: &["votes"] },
    Library { mark: "friendly_id", tables: &["friendly_id_slugs"] },
    Library { mark: "flipper", tables: &["flipper_features", "flipper_gates"] },
    Library { mark: "ahoy_matey", tables: &["ahoy_*"] },
    Library { mark: "blazer", tables: &["blazer_*"] },
    Library { mark: "rolify", tables: &["roles", "users_roles"] },
    Library { mark: "impressionist", tables: &["impressions"] },
    Library { mark: "pghero", tables: &["pghero_*"] },
    Library {
        mark: "rails",
        tables: &[
            "active_storage_*",
            "action_text_*",
            "action_mailbox_*",
            "ar_internal_metadata",
            "schema_migrations",
        ],
    },
    Library { mark: "activerecord-session_store", tables: &["sessions"] },
    Library {
        mark: "django",
        tables: &[
            "auth_user*",
            "auth_group*",
            "auth_permission",
            "django_session",
            "django_content_type",
            "django_admin_log",
            "django_migrations",
            "django_site",
        ],
    },
    Library { mark: "celery", tables: &["django_celery_*", "celery_taskmeta", "celery_tasksetmeta"] },
    Library { mark: "oauth2_provider", tables: &["oauth2_provider_*"] },
    Library { mark: "oauth-toolkit", tables: &["oauth2_provider_*"] },
    Library { mark: "allauth", tables: &["account_email*", "socialaccount_*"] },
    Library { mark: "authtoken", tables: &["authtoken_token"] },
    Library { mark: "djangorestframework", tables: &["authtoken_token"] },
    Library { mark: "wagtail", tables: &["wagtail*"] },
    Library { mark: "simple-history", tables: &["*_historical*"] },
    Library {
        mark: "laravel/framework",
        tables: &[
            "jobs",
            "job_batches",
            "failed_jobs",
            "sessions",
            "cache",
            "cache_locks",
            "password_resets",
            "password_reset_tokens",
            "notifications",
            "migrations",
        ],
    },
    Library { mark: "laravel/sanctum", tables: &["personal_access_tokens"] },
    Library { mark: "laravel/passport", tables: &["oauth_*"] },
    Library { mark: "laravel/cashier", tables: &["subscriptions", "subscription_items"] },
    Library { mark: "laravel/telescope", tables: &["telescope_*"] },
    Library { mark: "laravel/pulse", tables: &["pulse_*"] },
    Library {
        mark: "spatie/laravel-permission",
        tables: &["permissions", "roles", "model_has_permissions", "model_has_roles", "role_has_permissions"],
    },
    Library { mark: "spatie/laravel-medialibrary", tables: &["media"] },
    Library { mark: "spatie/laravel-activitylog", tables: &["activity_log"] },
    Library { mark: "symfony/messenger", tables: &["messenger_messages"] },
    Library { mark: "symfony/doctrine-messenger", tables: &["messenger_messages"] },
    Library { mark: "stof/doctrine-extensions", tables: &["ext_log_entries", "ext_translations"] },
    Library { mark: "spring-session", tables: &["spring_session", "spring_session_attributes"] },
    Library { mark: "spring-batch", tables: &["batch_*"] },
    Library { mark: "quartz", tables: &["qrtz_*"] },
    Library { mark: "shedlock", tables: &["shedlock"] },
    Library { mark: "hangfire", tables: &["hangfire*"] },
    Library { mark: "aspnetcore.identity", tables: &["aspnet*"] },
    Library { mark: "oban", tables: &["oban_*"] },
    Library { mark: "connect-pg-simple", tables: &["session"] },
    Library { mark: "pg-boss", tables: &["pgboss*"] },
    Library { mark: "graphile-worker", tables: &["graphile_worker*"] },
    Library { mark: "tower-sessions", tables: &["session", "tower_sessions"] },
];

/// The manifests in which libraries are named.
pub(super) fn is_manifest(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    matches!(
        name.as_str(),
        "gemfile"
            | "gemfile.lock"
            | "composer.lock"
            | "package.json"
            | "composer.json"
            | "pyproject.toml"
            | "pipfile"
            | "setup.py"
            | "setup.cfg"
            | "pom.xml"
            | "build.gradle"
            | "build.gradle.kts"
            | "mix.exs"
            | "cargo.toml"
            | "go.mod"
    ) || name.ends_with(".gemspec")
        || name.ends_with(".csproj")
        || name.starts_with("requirements") && name.ends_with(".txt")
}

/// Marks of the libraries that have a table of this name.
pub(super) fn marks(table: &str) -> Vec<&'static str> {
    let table = table.to_ascii_lowercase();
    let fits = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(start) => {
            start.strip_prefix('*').map_or_else(|| table.starts_with(start), |middle| table.contains(middle))
        }
        None => table == **pattern,
    };
    LIBRARIES.iter().filter(|library| library.tables.iter().any(fits)).map(|library| library.mark).collect()
}

/// Whether a manifest names the library, by its whole name.
pub(super) fn names(manifest: &str, mark: &str) -> bool {
    let manifest = manifest.to_ascii_lowercase();
    manifest.match_indices(mark).any(|(at, _)| {
        let before = manifest[..at].chars().next_back().unwrap_or(' ');
        let after = manifest[at + mark.len()..].chars().next().unwrap_or(' ');
        let whole = mark.len() <= 6;
        !before.is_alphanumeric() && (!whole || !after.is_alphanumeric() && after != '_' && after != '-')
    })
}

#[cfg(test)]
mod tests {
    use super::{is_manifest, marks, names};

    #[test]
    fn a_librarys_tables_are_known() {
        assert_eq!(marks("oauth_access_tokens"), ["doorkeeper", "laravel/passport"]);
        assert_eq!(marks("Django_Session"), ["django"]);
        assert!(marks("django_prices_rate").is_empty());
        assert_eq!(marks("shop_historicalorder"), ["simple-history"]);
        assert!(marks("orders").is_empty());
    }

    #[test]
    fn a_manifest_names_a_library_or_not() {
        assert!(names("gem \"doorkeeper\", \"~> 4\"", "doorkeeper"));
        assert!(names("gem 'delayed_job_active_record'", "delayed_job"));
        assert!(names("gem \"rails\"", "rails") && !names("gem \"rails-i18n\"", "rails"));
        assert!(!names("gem \"unique\"", "que"));
        assert!(is_manifest("a/requirements-dev.txt") && is_manifest("Gemfile") && !is_manifest("yarn.lock"));
    }
}
