//! Frames under snapshot, at three widths, with texts that were written to break them.

use towpath_core::explain::Mark;
use towpath_core::text::one_line;

use super::super::scene::{Commit, Edge, Lane, Scene};
use super::super::stage::Told;
use super::super::text::width;
use super::{COLUMNS_MIN, Paint, ROWS_MIN, Size, frame};

/// As `scene` makes it: from outside by `one_line` only.
fn commit(id: &str, subject: &str, author: &str) -> Commit {
    Commit { id: id.to_owned(), subject: one_line(subject, 120), author: one_line(author, 40) }
}

fn told(mark: Mark, under: bool, text: &str) -> Told {
    Told { mark, under, text: one_line(text, 400) }
}

fn scene() -> Scene {
    let hotfix =
        commit("7344a7c3b", "Hotfix: \u{1b}[2J\u{1b}[31mall your screen\u{7}\r\nSigned-off-by: nobody", "Olga");
    let emoji = commit(
        "4ded3d88d",
        "🎉🎉 Ship it 👩‍👩‍👧‍👦 東京 大阪 京都 and all the other cities of the list that nobody reads",
        "Łukasz Żółć",
    );
    let rtl = commit("26a24d2b1", "תיקון \u{202e}gnihtemos\u{202c} שלום", "\u{202e}ana");
    let mut scene = Scene {
        clock: "06:29".to_owned(),
        minute: (33, 73),
        speed: "a second each".to_owned(),
        say: "Olga pushes straight to master: a hotfix. Staging does not have it. Towpath names it, says the way out, and does not force anything.".to_owned(),
        lanes: vec![
            Lane { name: "develop".to_owned(), tip: Some(emoji.clone()), ..Lane::default() },
            Lane {
                name: "staging".to_owned(),
                tip: Some(rtl.clone()),
                edge: Some(Edge {
                    mark: Mark::Wait,
                    verdict: "staging: waits for check `build`, which has no result yet: `4ded3d88d` \"🎉🎉 Ship it\" (Łukasz Żółć); no time is known, because CI does not say when it will be done".to_owned(),
                    todo: None,
                    waiting: vec![(Mark::Wait, emoji), (Mark::Block, rtl)],
                }),
                ..Lane::default()
            },
            Lane {
                name: "production".to_owned(),
                branch: Some("master".to_owned()),
                tip: Some(hotfix),
                edge: Some(Edge {
                    mark: Mark::Block,
                    verdict: "production: blocked: `master` has 1 commit that `staging` lacks: `7344a7c3b`, a change made on `master` itself; whoever may push to `develop` can mend it".to_owned(),
                    todo: Some(("Merge `master` back into `develop` with a merge commit, neither squashed nor rebased:".to_owned(), Some("towpath unhold 7344a7c3b demo production --fixed-by FIX".to_owned()))),
                    waiting: Vec::new(),
                }),
            },
        ],
        past: Vec::new(),
    };
    scene.remember(
        "06:21",
        &[
            told(Mark::Note, false, "CI: `test` of 26a24d2b1 is recorded as success."),
            told(
                Mark::Pass,
                false,
                "staging: moves `9b1744beb` -> `26a24d2b1` \"תיקון\" (Ana), the newest of 2 commits",
            ),
            told(Mark::Note, true, "ci: both required checks are green"),
        ],
    );
    scene
        .remember("06:29", &[told(Mark::Note, false, "Olga pushed `7344a7c3b` \"Hotfix: \u{1b}[2J\" to `master`")]);
    scene
}

fn snapshot(columns: usize, rows: usize) {
    let lines = frame(&scene(), Size { columns, rows }, Paint::Plain);
    insta::assert_snapshot!(format!("frame_{columns}x{rows}"), lines.join("\n"));
}

#[test]
fn a_narrow_frame() {
    snapshot(60, 24);
}

#[test]
fn a_usual_frame() {
    snapshot(80, 24);
}

#[test]
fn a_wide_and_high_frame() {
    snapshot(120, 40);
}

#[test]
fn no_line_is_wider_than_the_terminal_and_none_acts_on_it() {
    let acts = |text: &str| text.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
    for columns in [1, 20, COLUMNS_MIN, 79, 80, 81, 120, 300] {
        for rows in [1, ROWS_MIN, 24, 30, 60] {
            let lines = frame(&scene(), Size { columns, rows }, Paint::Plain);
            assert!(lines.len() < rows.max(2), "{columns}x{rows}: {} lines", lines.len());
            for line in &lines {
                assert!(!acts(line), "{line:?}");
                // Narrower than any terminal that frames are drawn for, a name may stick out.
                assert!(columns < COLUMNS_MIN || width(line) <= columns, "{columns}x{rows}: {line}");
            }
        }
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    let size = Size { columns: 80, rows: 24 };
    let (plain, coloured) = (frame(&scene(), size, Paint::Plain), frame(&scene(), size, Paint::Colour));
    assert!(coloured.iter().any(|line| line.contains('\u{1b}')));
    for (plain, coloured) in plain.iter().zip(&coloured) {
        let mut bare = String::new();
        let mut pieces = coloured.split("\u{1b}[");
        bare.push_str(pieces.next().unwrap());
        for piece in pieces {
            let (code, text) = piece.split_once('m').unwrap();
            assert!(code.chars().all(|c| c.is_ascii_digit() || c == ';'), "{code}");
            bare.push_str(text);
        }
        assert_eq!(bare.trim_end(), plain);
    }
}
