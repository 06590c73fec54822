//! The language of a file, by its name.
//!
//! Not here: what a language's comments and strings are ([`super::text`]).

/// The language a file is written in, as far as comments, strings and mappers are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Language {
    Ruby,
    Python,
    Php,
    /// JavaScript and TypeScript.
    Script,
    Java,
    CSharp,
    Rust,
    Go,
    Elixir,
    Sql,
    Prisma,
    /// HTML with code in it: outside of the code are words for people.
    Markup,
    /// XML: what stands between its tags may be SQL.
    Xml,
    /// YAML, TOML, shell: `#` begins a comment.
    Hash,
    /// C and its relatives, and what else has `//` and `/* */`.
    Slashes,
    /// Nothing is known of it: no comments, no strings.
    Plain,
}

/// The language, and whether it is a program's.
pub(super) fn language(name: &str, ending: &str) -> (Language, bool) {
    match ending {
        "rb" | "rake" | "jbuilder" | "ru" | "builder" | "arb_" | "rabl" => (Language::Ruby, true),
        "py" | "pyi" | "pyx" => (Language::Python, true),
        "php" | "phtml" | "module" | "inc" => (Language::Php, true),
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" | "svelte" | "astro" => {
            (Language::Script, true)
        }
        "java" | "kt" | "kts" | "scala" | "groovy" => (Language::Java, true),
        "cs" | "vb" | "fs" | "cshtml" | "razor" => (Language::CSharp, true),
        "rs" => (Language::Rust, true),
        "go" | "templ" | "tmpl" => (Language::Go, true),
        "ex" | "exs" | "heex" | "eex" | "leex" => (Language::Elixir, true),
        "sql" | "psql" | "pgsql" | "plsql" | "pks" | "pkb" | "prc" | "tsql" | "cypher" => (Language::Sql, true),
        "prisma" => (Language::Prisma, true),
        "html" | "htm" | "erb" | "twig" | "jinja" | "jinja2" | "j2" | "mustache" | "hbs" | "ejs" | "liquid"
        | "ftl" | "jsp" | "jspx" | "xhtml" | "mjml" => (Language::Markup, true),
        "haml" | "slim" | "pug" => (Language::Plain, true),
        "xml" => (Language::Xml, true),
        "c" | "h" | "cc" | "cpp" | "hpp" | "m" | "mm" | "swift" | "dart" | "proto" | "zig" | "d" | "pas"
        | "cfc" | "cfm" => (Language::Slashes, ending != "proto"),
        "pl" | "pm" | "sh" | "bash" | "zsh" | "r" | "jl" | "nim" | "cr" | "tcl" | "lua" | "hs" | "ml" | "erl"
        | "clj" | "cljs" | "edn" | "fsx" | "ps1" | "awk" | "cob" | "cbl" | "graphql_" => (Language::Hash, true),
        "yml" | "yaml" | "toml" | "ini" | "cfg" | "conf" | "env" | "properties" | "graphql" | "gql"
        | "graphqls" => (Language::Hash, false),
        _ => match name {
            "rakefile" | "gemfile" => (Language::Ruby, true),
            "makefile" | "dockerfile" | "justfile" | "procfile" => (Language::Hash, false),
            _ => (Language::Plain, false),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Language, language};

    #[test]
    fn languages_are_known_by_their_endings() {
        for (name, ending, expected) in [
            ("a.rb", "rb", Language::Ruby),
            ("a.tsx", "tsx", Language::Script),
            ("a.kt", "kt", Language::Java),
            ("rakefile", "", Language::Ruby),
            ("mapper.xml", "xml", Language::Xml),
            ("a.html.erb", "erb", Language::Markup),
            ("a", "", Language::Plain),
        ] {
            assert_eq!(language(name, ending).0, expected, "{name}");
        }
    }
}
