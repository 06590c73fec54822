//! Comments, and the command in them.

use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};
use proptest::{collection, sample};

use super::super::{Context, Problem, Said};
use super::{find, said};
use crate::model::EnvName;

fn found(body: &str) -> Option<&str> {
    find(body, "/towpath").unwrap()
}

#[test]
fn a_line_that_begins_with_the_trigger_is_a_command() {
    for body in [
        "/towpath status",
        "/towpath status\n",
        "\u{feff}/towpath status",
        "/towpath\tstatus\t",
        "/Towpath  status",
        "/towpath\u{a0}status",
        "Thanks!\n/towpath status",
        "Thanks!\r\n/towpath status\r\nand bye",
        "Thanks!\r/towpath status\rand bye",
        "> quoted\n\n/towpath status",
        "> quoted\r\n\r\n/towpath status",
        "> ```\n> code\n\n/towpath status",
        "> quoted\n>\n/towpath status",
        ">>>\nquoted\n>>>\n/towpath status",
        "```\n/towpath pause all\n```\n/towpath status",
        "~~~sh\n```\n~~~\n/towpath status",
        "``` not a fence ``` really\n/towpath status",
        "- a\n- b\n\n/towpath status",
        "- a\n/towpath status",
        "- ```\n  code\n  ```\n/towpath status",
        "1. one\n   ```\n   code\n   ```\n2. two\n\n/towpath status",
        "# Title\n/towpath status\n---",
        "<!-- a template -->\n/towpath status",
        "<!--\na template\n-->\n/towpath status",
        "text <!-- hidden --> text\n/towpath status",
        "<https://x.example>\n/towpath status",
        "<details>\n<summary>Log</summary>\n\nlines\n\n</details>\n\n/towpath status",
        "<p>hello</p>\n\n/towpath status",
        "in `code` here\n/towpath status",
        "one ` back quote\n/towpath status",
        "one ` back quote\n/towpath status\n\nand ` another",
        "an escaped \\` back quote\n/towpath status\n`code`",
        "``a ` b``\n/towpath status\n`code`",
        ">>>\nquoted\n>>>\n\n/towpath status",
        "a < b\n/towpath status",
    ] {
        assert_eq!(found(body), Some("status"), "{body}");
    }
    assert_eq!(found("/towpath"), Some(""));
    assert_eq!(found("hello\n/towpath   "), Some(""));
}

/// No command is in any of them.
const HIDDEN: &[&str] = &[
    "",
    "hello",
    "please /towpath status",
    "//towpath status",
    "/towpathstatus",
    "/towpath: status",
    "/tow",
    "/töwpath status",
    // Anything before it.
    " /towpath status",
    "\t/towpath status",
    "    /towpath status",
    "\u{a0}/towpath status",
    "- /towpath status",
    "1. /towpath status",
    "# /towpath status",
    "| /towpath status |",
    "`/towpath status`",
    "**/towpath status**",
    "[x](y) /towpath status",
    "text\u{2028}/towpath status",
    // Quotations.
    "> /towpath status",
    ">/towpath status",
    "> > /towpath status",
    ">> quoted\n/towpath status",
    "> quoted\n/towpath status",
    "> quoted\nlazy\n/towpath status",
    "> quoted\r\n/towpath status\r\n",
    "- > quoted\n/towpath status",
    "> - quoted\n/towpath status",
    "> ```\n/towpath status",
    ">>>\nquoted\n\n/towpath status\n>>>",
    ">>>\nnever closed\n\n/towpath status",
    ">>>\n```\n>>>\n```\n\n/towpath status\n\n>>>",
    // Fences.
    "```\n/towpath status\n```",
    "```",
    "~~~\n/towpath status\n~~~",
    "~~~\n```\n/towpath status\n~~~",
    "````\n```\n/towpath status\n````",
    "```\nnever closed\n\n/towpath status",
    "```\r\n/towpath status\r\n```\r\n",
    "```\n``` no closing fence\n/towpath status\n```",
    "```\n    ```\n/towpath status\n```",
    "```\n\t```\n/towpath status\n```",
    "  ```\n/towpath status\n  ```",
    "- ```\n/towpath status\n  ```",
    "1. one\n    ```\n/towpath status\n    ```",
    "> quoted\n```\n/towpath status\n```",
    "    ```\n```\n/towpath status\n```",
    "foo\n2. ```\nbar\n```\n/towpath status\n```",
    "~~~ `\n/towpath status\n~~~",
    // Code over several lines.
    "`\n/towpath status\n`",
    "see `foo\n/towpath status\nbar` there",
    "see ``foo ` \n/towpath status\nbar`` there",
    "a `\n/towpath status `",
    // HTML.
    "<!--\n/towpath status\n-->",
    "<!-- \n\n/towpath status\n",
    "text <!--\n/towpath status\n-->",
    "<!-- a --> <!--\n/towpath status\n-->",
    "<pre>\n/towpath status\n</pre>",
    "<PRE>\n\n/towpath status\n\n</PRE>",
    "<div>\n/towpath status\n</div>",
    "</div>\n/towpath status",
    "<blockquote>\n\n/towpath status\n\n</blockquote>",
    "<blockquote>\n<blockquote>\n</blockquote>\n\n/towpath status\n\n</blockquote>",
    "<details><summary>x</summary>\n\n/towpath status\n\n</details>",
    "<script>\n\n/towpath status\n</script>",
    "<?php\n\n/towpath status\n?>",
    "<![CDATA[\n\n/towpath status\n]]>",
    "<!DOCTYPE\n/towpath status\n>",
    "<textarea>\n\n/towpath status",
    // What one reading would let out, another keeps in.
    "    ```\n\n/towpath status\n\n    ```\n",
    "foo\n<span>\n```\n\n/towpath status\n```",
    "<pre>\n```\n</pre>\n/towpath status\n```",
    "<!--\n```\n-->\n/towpath status\n```",
    // What was found by comparing with another reader of CommonMark.
    "\t- ```\n  ```\n/towpath status",
    "2) ```\n  ```\n/towpath status",
    "foo\n2) ```\n   ```\n/towpath status",
    "a ` b\n10. x\n/towpath status\n`",
    "<b>x</b> y\n<!--\n\n/towpath status",
    "<p>\n<!--\n\n/towpath status\n-->",
    "- a\n  ```\n- > x\n-->\n````\n/towpath status\n    ```",
    "-\nx\n\n    ```\n  ```\n/towpath status",
    "-\n\n  ```\n/towpath status",
    "a ` b\n\n`\n-\n` c ` d\n/towpath status\n`",
];

#[test]
fn what_is_quoted_or_code_or_hidden_is_none() {
    for body in HIDDEN {
        assert_eq!(found(body), None, "{body}");
    }
}

#[test]
fn one_comment_one_command() {
    let body = "/towpath pause all --reason x\n\n/towpath status";
    assert_eq!(find(body, "/towpath"), Err(Problem::ManyCommands { count: 2 }));
    let quoted = "> /towpath pause all --reason x\n\n/towpath status\n\n```\n/towpath resume all\n```\n";
    assert_eq!(find(quoted, "/towpath"), Ok(Some("status")));
    assert_eq!(
        Problem::ManyCommands { count: 2 }.to_string(),
        "there are 2 commands in this comment; write each in a comment of its own"
    );
}

#[test]
fn another_word_may_be_the_trigger() {
    assert_eq!(find("@towpath-bot why?", "@towpath-bot"), Ok(Some("why?")));
    assert_eq!(find("/towpath status", "@towpath-bot"), Ok(None));
    assert_eq!(find("anything", ""), Ok(None));
}

#[test]
fn a_comment_is_read_where_it_stands() {
    let nowhere = |body| said(body, "/towpath", &Context::NOWHERE);
    assert_eq!(nowhere("thanks"), Ok(None));
    assert_eq!(nowhere("/towpath"), Err(Problem::Empty));
    let parsed = nowhere("ok\n\n/towpath Explain Checkout production?\n").unwrap().unwrap();
    assert_eq!(parsed, Said::parse("explain checkout production").unwrap());
    let context = Context {
        flow: Some("shop/checkout".into()),
        environments: vec![EnvName::from("staging"), EnvName::from("production")],
        env: Some("production".into()),
    };
    let there = said("/towpath rollback --reason \"errors\"", "/towpath", &context).unwrap().unwrap();
    assert_eq!(there.to_string(), "rollback shop/checkout production --reason \"errors\"");
}

/// Lines that mean something to Markdown.
const LINES: &[&str] = &[
    "",
    " ",
    "\t",
    "text",
    "> q",
    ">",
    ">>>",
    "```",
    "````",
    "~~~",
    "``` x",
    "    ```",
    "  ```",
    "- ```",
    "- a",
    "1. b",
    "2) ```",
    "# h",
    "---",
    "`",
    "``",
    "a ` b",
    "\\`",
    "<!--",
    "-->",
    "x <!-- y",
    "<div>",
    "</div>",
    "<pre>",
    "</pre>",
    "<blockquote>",
    "</blockquote>",
    "<?",
    "?>",
    "<![CDATA[",
    "]]>",
    "<",
    "> ```",
    "- > x",
    "/towpath pause all",
    "    /towpath x",
    "é",
    "\u{a0}",
    "<é",
];

fn bodies() -> impl Strategy<Value = String> {
    let line = sample::select(LINES);
    let end = sample::select(&["\n", "\r\n", "\r", "\n\n"][..]);
    collection::vec((line, end), 0..14)
        .prop_map(|pieces| pieces.into_iter().map(|(line, end)| format!("{line}{end}")).collect())
}

proptest! {
    #[test]
    fn no_comment_panics(body in "[\\s>`~<!\\-/a-zé]{0,80}|.{0,80}") {
        let _ = find(&body, "/towpath");
    }

    #[test]
    fn a_fence_around_it_hides_everything(body in bodies()) {
        for fence in ["``````", "~~~~~~"] {
            let fenced = format!("{fence}\n{body}\n{fence}\n");
            prop_assert_eq!(find(&fenced, "/towpath"), Ok(None));
        }
    }

    #[test]
    fn a_quotation_hides_everything(body in bodies()) {
        let quoted: String = super::lines(&body).iter().map(|line| format!("> {line}\n")).collect();
        prop_assert_eq!(find(&quoted, "/towpath"), Ok(None));
        // And leaves what comes after it alone, but for GitLab's own mark.
        if !body.contains(">>>") {
            let answered = format!("{quoted}\n/towpath x");
            prop_assert_eq!(find(&answered, "/towpath"), Ok(Some("x")));
        }
    }

    #[test]
    fn what_comes_after_does_not_matter_but_for_code(body in bodies(), more in bodies()) {
        let alone = find(&body, "/towpath");
        let longer = format!("{body}\n\n{more}");
        if let (Ok(None), Ok(Some(_))) = (&alone, find(&longer, "/towpath")) {
            // It then stands in the part that was added.
            prop_assert!(more.contains("/towpath"));
        }
    }
}
