//! Which statements squawk's grammar accepts without a second look.
//!
//! `Parse::errors` looks at every node of a tree once more, for what its parser lets pass: that was a third of the
//! time that reading takes. Nearly every statement has nothing of what it looks for, which can be told while the tree is
//! built. Whatever is in doubt is parsed again by the grammar's own door, with that second look: this file decides no
//! statement to be wrong. It knows `validation.rs` of the very version that `Cargo.toml` pins; a debug build holds
//! every tree against that second look, and so do the tests and fuzz targets.

use rowan::GreenNodeBuilder;
use squawk_parser::{
    EntryPoint, LexedStr, StrStep, is_col_name_keyword, is_reserved_keyword, is_type_func_name_keyword,
};
use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode};

/// The tree of a text that is certain to have no error; `None` is no verdict.
pub(super) fn tree(text: &str) -> Option<SyntaxNode> {
    let lexed = LexedStr::new(text);
    if lexed.errors().next().is_some() {
        return None;
    }
    let output = EntryPoint::SourceFile.parse(&lexed.to_input());
    let mut watch = Watch::default();
    let mut builder = GreenNodeBuilder::new();
    lexed.intersperse_trivia(&output, &mut |step| {
        watch.step(&step);
        // A tree in doubt is not used.
        if !watch.doubt {
            match step {
                StrStep::Token { kind, text } => builder.token(rowan::SyntaxKind(kind.into()), text),
                StrStep::Enter { kind } => builder.start_node(rowan::SyntaxKind(kind.into())),
                StrStep::Exit => builder.finish_node(),
                StrStep::Error { .. } => {}
            }
        }
    });
    (!watch.doubt).then(|| SyntaxNode::new_root(builder.finish()))
}

/// What has been seen of a tree, from its beginning.
#[derive(Default)]
struct Watch {
    /// The open nodes.
    open: Vec<Node>,
    doubt: bool,
    after_in: After,
}

/// An open node.
struct Node {
    kind: SyntaxKind,
    /// Its own, with white space.
    tokens: u32,
    children: u32,
    /// A token of it or of its children was seen.
    begun: bool,
    /// The child was seen without which it is wrong.
    whole: bool,
    /// It is within the brackets of a type.
    modifies: bool,
}

/// What has to follow IN.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum After {
    #[default]
    Nothing,
    /// The operand.
    In,
    /// The bracket of a list.
    List,
    /// The first expression of a list.
    First,
}

impl Watch {
    fn step(&mut self, step: &StrStep<'_>) {
        match step {
            _ if self.doubt => {}
            StrStep::Token { kind, text } => self.token(*kind, text),
            StrStep::Enter { kind } => self.enter(*kind),
            StrStep::Exit => self.exit(),
            StrStep::Error { .. } => self.doubt = true,
        }
    }

    fn enter(&mut self, kind: SyntaxKind) {
        self.doubt |= is_doubtful(kind);
        self.after_in = match (self.after_in, kind) {
            (After::Nothing, _) | (After::In, SyntaxKind::PAREN_EXPR) => After::Nothing,
            (After::In, SyntaxKind::TUPLE_EXPR) => After::List,
            (After::First, SyntaxKind::LITERAL | SyntaxKind::NAME_REF | SyntaxKind::CAST_EXPR) => After::Nothing,
            (After::In | After::List | After::First, _) => {
                self.doubt = true;
                After::Nothing
            }
        };
        let mut modifies = false;
        if let Some(parent) = self.open.last_mut() {
            parent.children += 1;
            parent.whole |= match parent.kind {
                SyntaxKind::SELECT => kind == SyntaxKind::SELECT_CLAUSE && parent.children == 1,
                SyntaxKind::SELECT_CLAUSE => kind == SyntaxKind::TARGET_LIST,
                SyntaxKind::JOIN => matches!(kind, SyntaxKind::ON_CLAUSE | SyntaxKind::JOIN_USING_CLAUSE),
                SyntaxKind::SET_COLUMN_LIST => kind == SyntaxKind::SET_SINGLE_COLUMN,
                SyntaxKind::COLUMN => ast::Type::can_cast(kind),
                _ => true,
            };
            self.doubt |= parent.kind == SyntaxKind::TUPLE_EXPR && kind == SyntaxKind::SELECT;
            let simple = matches!(kind, SyntaxKind::ARG | SyntaxKind::LITERAL | SyntaxKind::NAME_REF);
            self.doubt |= parent.modifies && !simple;
            modifies = parent.modifies || kind == SyntaxKind::ARG_LIST && ast::Type::can_cast(parent.kind);
        }
        self.open.push(Node { kind, tokens: 0, children: 0, begun: false, whole: false, modifies });
    }

    fn token(&mut self, kind: SyntaxKind, text: &str) {
        self.doubt |= match kind {
            SyntaxKind::LATERAL_KW | SyntaxKind::NATURAL_KW | SyntaxKind::OVERLAPS_KW | SyntaxKind::UESCAPE_KW => {
                true
            }
            SyntaxKind::IDENT => text.as_bytes().get(1) == Some(&b'&'),
            _ => false,
        };
        if !matches!(kind, SyntaxKind::WHITESPACE | SyntaxKind::COMMENT) {
            self.doubt |= matches!(self.after_in, After::In | After::First);
            self.doubt |= self.after_in == After::List && kind != SyntaxKind::L_PAREN;
            self.after_in = match self.after_in {
                After::List => After::First,
                _ if kind == SyntaxKind::IN_KW => After::In,
                _ => After::Nothing,
            };
        }
        for node in self.open.iter_mut().rev().take_while(|node| !node.begun) {
            node.begun = true;
            self.doubt |= !may_begin(node.kind, kind);
        }
        if let Some(node) = self.open.last_mut() {
            node.tokens += 1;
            self.doubt |= match node.kind {
                SyntaxKind::LITERAL if node.modifies => {
                    !matches!(kind, SyntaxKind::INT_NUMBER | SyntaxKind::NUMERIC_NUMBER | SyntaxKind::STRING)
                }
                SyntaxKind::LITERAL => matches!(kind, SyntaxKind::DEFAULT_KW | SyntaxKind::UNICODE_ESC_STRING),
                SyntaxKind::SET_EXPR => kind == SyntaxKind::DEFAULT_KW,
                SyntaxKind::ARG if node.modifies => !matches!(kind, SyntaxKind::WHITESPACE | SyntaxKind::COMMENT),
                _ => false,
            };
        }
    }

    fn exit(&mut self) {
        let Some(node) = self.open.pop() else { return };
        let within = self.open.last().map(|node| node.kind);
        self.doubt |= match node.kind {
            SyntaxKind::SELECT | SyntaxKind::SELECT_CLAUSE | SyntaxKind::JOIN | SyntaxKind::SET_COLUMN_LIST => {
                !node.whole
            }
            SyntaxKind::COLUMN => !node.whole && within == Some(SyntaxKind::TABLE_ARG_LIST),
            // Strings that go on are several tokens.
            SyntaxKind::LITERAL => node.tokens != 1 || node.children != 0,
            // Between statements a semicolon may be missing.
            SyntaxKind::SOURCE_FILE => node.children != 1,
            _ => false,
        };
    }
}

/// Whether a node may begin with this token: names that are words of the language.
fn may_begin(node: SyntaxKind, token: SyntaxKind) -> bool {
    match node {
        SyntaxKind::NAME_REF | SyntaxKind::TABLE_NAME => !is_type_func_name_keyword(token),
        SyntaxKind::CALL_EXPR => !is_col_name_keyword(token) && !is_reserved_keyword(token),
        _ => true,
    }
}

/// Whether the second look at such a node is left to the grammar. Kinds that [`Watch`] judges are not among them.
fn is_doubtful(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::AGGREGATE
            | SyntaxKind::ALL_FN
            | SyntaxKind::ANY_FN
            | SyntaxKind::ARRAY_EXPR
            | SyntaxKind::ATOMIC_BODY
            | SyntaxKind::CREATE_AGGREGATE
            | SyntaxKind::CREATE_FUNCTION
            | SyntaxKind::CREATE_PROCEDURE
            | SyntaxKind::CUSTOM_OP
            | SyntaxKind::DISTINCT_ON
            | SyntaxKind::DO
            | SyntaxKind::EMPTY_STMT
            | SyntaxKind::ERROR
            | SyntaxKind::EXCEPT_TABLE_CLAUSE
            | SyntaxKind::FUNCTION_FROM_ITEM
            | SyntaxKind::FUNCTION_SIG
            | SyntaxKind::FUNC_OPTION_LIST
            | SyntaxKind::JOIN_CROSS
            | SyntaxKind::JSON_ARRAY_FN
            | SyntaxKind::JSON_OBJECT_FN
            | SyntaxKind::NON_STANDARD_PARAM
            | SyntaxKind::PAREN_FROM_ITEM
            | SyntaxKind::PARTITION_FOR_VALUES_WITH
            | SyntaxKind::PERCENT_TYPE
            | SyntaxKind::PROCEDURE_SIG
            | SyntaxKind::ROUTINE_SIG
            | SyntaxKind::RULE_STMT_LIST
            | SyntaxKind::SELECT_INTO
            | SyntaxKind::SOME_FN
            | SyntaxKind::STORAGE_MODE
            | SyntaxKind::TO_CONFIG_VALUE
    )
}

#[cfg(test)]
mod tests {
    use squawk_syntax::SourceFile;

    use super::tree;

    /// What migrations mostly consist of is not looked at twice.
    #[test]
    fn what_is_common_is_told_to_be_sound() {
        for text in [
            "CREATE TABLE a (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, b varchar(255) NOT NULL DEFAULT '', c numeric(12, 2))",
            "CREATE TABLE a (d timestamp with time zone DEFAULT now(), CONSTRAINT e FOREIGN KEY (b) REFERENCES f (id) ON DELETE CASCADE)",
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON a (b, id)",
            "ALTER TABLE a ADD COLUMN b timestamp NULL, DROP COLUMN c, ALTER COLUMN d TYPE text, ALTER e SET NOT NULL",
            "ALTER TABLE a ADD CONSTRAINT c CHECK (char_length(b) <= 200 AND b <> '' AND d IN ('x', 'y'))",
            "ALTER TABLE a ALTER COLUMN b SET DEFAULT CURRENT_TIMESTAMP",
            "ALTER TYPE a ADD VALUE 'b'",
            "DROP TABLE IF EXISTS a, b CASCADE",
            "INSERT INTO a (b, c) VALUES ('it''s', 1), (NULL, 2)",
            "UPDATE a SET b = CASE WHEN c > 1 THEN 'x' ELSE d END WHERE id IN (SELECT o.id FROM o JOIN n ON n.id = o.id)",
            "DELETE FROM a WHERE b IS NULL AND c NOT IN (1, 2)",
            "CREATE VIEW v AS SELECT a, count(*) FROM t LEFT JOIN u USING (id) GROUP BY a",
        ] {
            assert!(tree(text).is_some(), "{text}");
            assert!(SourceFile::parse(text).errors().is_empty(), "{text}");
        }
    }

    /// What squawk's parser lets pass and its second look does not.
    #[test]
    fn what_is_wrong_is_never_told_to_be_sound() {
        for text in [
            "SELECT 1 IN 2",
            "SELECT 1 IN ()",
            "SELECT 1 NOT IN a",
            "SELECT (1, 2, 3) OVERLAPS (1, 2)",
            "CREATE TABLE t (a)",
            "CREATE TABLE left (a int)",
            "CREATE TABLE t (a varchar(b + 1))",
            "CREATE TABLE t (a numeric(f(1)))",
            "SELECT * FROM a JOIN b",
            "SELECT * FROM a CROSS JOIN b USING (c)",
            "SELECT * FROM a NATURAL JOIN b USING (c)",
            "SELECT * FROM LATERAL a",
            "SELECT * FROM (a)",
            "SELECT DISTINCT FROM t",
            "SELECT DISTINCT ON () a FROM t",
            "FROM t SELECT c",
            "FROM t",
            "SELECT 'a' 'b'",
            "SELECT U&'\\00'",
            "SELECT U&\"\\00\" FROM t",
            "SELECT DEFAULT",
            "UPDATE t SET a[1] = DEFAULT",
            "UPDATE t SET",
            "SELECT nullif(1)",
            "SELECT coalesce()",
            "SELECT left",
            "SELECT any(a)",
            "SELECT [1]",
            "SELECT 1 SELECT 2",
            "ALTER TABLE t ALTER a SET STORAGE somewhere",
            "CREATE TABLE t PARTITION OF p FOR VALUES WITH (modulus 1)",
        ] {
            assert!(!SourceFile::parse(text).errors().is_empty(), "the grammar lets {text} pass");
            assert!(tree(text).is_none(), "{text}");
        }
    }
}
