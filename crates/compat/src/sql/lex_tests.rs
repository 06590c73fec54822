use proptest::prelude::{ProptestConfig, any, prop, prop_oneof, proptest};
use proptest::strategy::{Just, Strategy};

use super::lex::{Kind, tokens};
use super::lex_split::statements;
use super::{Dialect, read};
use crate::migration::Limits;

/// The dialects that are read here.
const OURS: [Dialect; 4] = [Dialect::MySql, Dialect::Sqlite, Dialect::MsSql, Dialect::Oracle];

/// Each statement of a text, as the text between its first and its last token.
fn split(text: &str, dialect: Dialect) -> Vec<&str> {
    let tokens = tokens(text, dialect);
    let found = statements(text, &tokens, dialect);
    let slice = |range: &std::ops::Range<usize>| {
        let held = &tokens[range.clone()];
        &text[held[0].start..held[held.len() - 1].end]
    };
    found.iter().map(|statement| slice(&statement.tokens)).collect()
}

#[test]
fn statements_end_where_their_dialect_ends_them() {
    let rows: &[(Dialect, &str, &[&str])] = &[
        (Dialect::MySql, "a;b;;c", &["a", "b", "c"]),
        (Dialect::MySql, "DELIMITER $$\na;b$$\nc$$\nDELIMITER ;\nd;e", &["a;b", "c", "d", "e"]),
        (Dialect::MySql, "delimiter ;;\na;;b;;\ndelimiter ;\nc", &["a", "b", "c"]),
        (Dialect::MySql, "a 'x\\';y' ; b", &["a 'x\\';y'", "b"]),
        (Dialect::MySql, "a 1--1; b -- c; d\n; e", &["a 1--1", "b", "e"]),
        (Dialect::MySql, "a `x``;y`; b", &["a `x``;y`", "b"]),
        (Dialect::MySql, "a /*!50100 b; c */; d", &["a /*!50100 b", "c", "d"]),
        (Dialect::Sqlite, "a 'x\\'; b [y;z]; c \"d;\"", &["a 'x\\'", "b [y;z]", "c \"d;\""]),
        (Dialect::Sqlite, "a /* b /* c */; d", &["a", "d"]),
        (
            Dialect::MsSql,
            "a; b\nGO\nc\n go 3 \nd GO e\n/* /* x */ GO\nGO */ f",
            &["a; b", "c", "d GO e\n/* /* x */ GO\nGO */ f"],
        ),
        (Dialect::MsSql, "a N'it''s\nGO\n'\nGO", &["a N'it''s\nGO\n'"]),
        (
            Dialect::Oracle,
            "a q'[it's; ]';\nb\n/\nc; -- d;\nREM it's\ne",
            &["a q'[it's; ]'", "b", "c", "REM it's", "e"],
        ),
        (Dialect::Oracle, "BEGIN a; IF b THEN c; END IF; END;\n/\nd", &["BEGIN a; IF b THEN c; END IF; END", "d"]),
        (Dialect::Oracle, "a / b; c", &["a / b", "c"]),
    ];
    for (dialect, text, expected) in rows {
        assert_eq!(split(text, *dialect), *expected, "{dialect:?}: {text}");
    }
}

#[test]
fn lines_are_those_of_the_text() {
    let text = "-- a\n/* b\n */ c\n'd\n\ne' f";
    let lines: Vec<u32> = tokens(text, Dialect::MySql).iter().map(|token| token.line).collect();
    assert_eq!(lines, [3, 4, 6]);
}

#[test]
fn what_never_ends_is_said() {
    for text in ["a 'b", "a /* b", "a `b", "a \"b"] {
        let last = tokens(text, Dialect::MySql).last().map(|token| token.kind);
        assert_eq!(last, Some(Kind::Broken), "{text}");
    }
}

#[test]
fn limits_are_said_and_not_passed() {
    let few = Limits { statements: 3, nesting: 4, file_bytes: 100, ..Limits::default() };
    for dialect in OURS {
        let said = |text: &str| format!("{:?}", read(dialect, text, few));
        assert!(said("SELECT ((((((1))))))").contains("Limit"), "{dialect:?}");
        assert!(said(&"x ".repeat(60)).contains("Limit"), "{dialect:?}");
        let many = if dialect == Dialect::MsSql { "COMMIT\nGO\n" } else { "COMMIT;" };
        assert!(said(&many.repeat(9)).contains("Limit"), "{dialect:?}");
    }
    let nested = format!("{}DROP TABLE a{}", "BEGIN ".repeat(9), " END".repeat(9));
    assert!(format!("{:?}", read(Dialect::MsSql, &nested, few)).contains("Limit"));
}

/// Pieces that meet in migrations, and what breaks careless readers.
fn piece() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "ALTER",
        "TABLE",
        "DROP",
        "COLUMN",
        "ADD",
        "CREATE",
        "a",
        "b",
        "(",
        ")",
        ",",
        ";",
        "'",
        "\"",
        "`",
        "[",
        "]",
        "--",
        "/*",
        "*/",
        "/*!50100",
        "\n",
        "\nGO\n",
        "\n/\n",
        "DELIMITER //\n",
        "//",
        "BEGIN",
        "END",
        "IF",
        "CASE",
        "THEN",
        "ELSE",
        "NOT",
        "NULL",
        "DEFAULT",
        "MODIFY",
        "CHANGE",
        "RENAME",
        "TO",
        "VIEW",
        "AS",
        "SELECT",
        "FROM",
        "PROCEDURE",
        "TRIGGER",
        "EXEC",
        "sp_rename",
        "'t.a'",
        "@s",
        "=",
        "SET",
        "PREPARE",
        "EXECUTE",
        "IMMEDIATE",
        "CONCAT",
        "WHERE",
        "UNIQUE",
        "INDEX",
        "ON",
        "REFERENCES",
        "CHECK",
        "int",
        "${x}",
        "{{y}}",
        "\\",
        "é",
        "\u{feff}",
        "CALL",
        "WITH",
        "PRIMARY",
        "KEY",
        "q'[",
        "N'",
        "+",
        "||",
        ":=",
        ".",
        "DECLARE",
        "CONSTRAINT",
        "SET UNUSED",
    ]);
    prop_oneof![9 => words.prop_map(str::to_owned), 1 => any::<String>(), 1 => Just(" ".to_owned())]
}

/// Whether a text holds more than blanks, comments and what only ends statements.
fn says_something(text: &str, dialect: Dialect) -> bool {
    tokens(text, dialect).iter().any(|token| !matches!(token.kind, Kind::Semicolon | Kind::Stop))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_and_none_is_passed_over(pieces in prop::collection::vec(piece(), 0..40)) {
        let spaced = pieces.join(" ");
        for text in [spaced.as_str(), pieces.concat().as_str()] {
            for dialect in OURS {
                let steps = read(dialect, text, Limits::default());
                assert_eq!(steps.is_empty(), !says_something(text, dialect), "{dialect:?}: {text:?}");
                let lines = text.lines().count().max(1) as u32 + 1;
                assert!(steps.iter().all(|step| step.line >= 1 && step.line <= lines));
            }
        }
    }

    #[test]
    fn tokens_follow_each_other(text in any::<String>()) {
        for dialect in OURS {
            let mut end = 0;
            for token in tokens(&text, dialect) {
                assert!(token.start >= end && token.end > token.start || token.kind == Kind::Broken);
                assert!(text.get(token.start..token.end).is_some());
                end = token.end;
            }
        }
    }
}

/// Twice the text takes about twice the steps of a reader, whatever it is made of: a text that is
/// hostile to a reader with loops in loops would not end within a test run.
#[test]
fn hostile_texts_are_read_in_linear_time() {
    let size = 1 << 12;
    let pieces = [
        "(",
        ")",
        "/*",
        "*/",
        "'",
        "\"",
        "[",
        "{{",
        "${",
        "BEGIN ",
        "IF ",
        "IF x ",
        "CASE ",
        "ALTER TABLE a DROP b,",
        "a,",
        "a.",
        "DECLARE ",
        " ",
        "\n",
        "@a=",
        "SELECT a FROM b UNION ",
        "SET @a = CONCAT(@a, @a, 'x');",
        "PREPARE p FROM @a; EXECUTE p;",
        "q'[",
        "||",
        "CREATE TABLE a (b int,",
        "DROP TABLE a, ",
        "ELSE ",
        "END ",
        "\\",
        "x",
        "/*!1 ",
        "WITH a AS (",
        "UPDATE a SET ",
    ];
    for dialect in OURS {
        for piece in pieces {
            let text = piece.repeat(size / piece.len());
            let _ = read(dialect, &text, Limits::default());
            let _ = read(dialect, &format!("BEGIN {text} END"), Limits::default());
            let _ = read(dialect, &format!("CREATE TABLE t ({text})"), Limits::default());
        }
    }
}
