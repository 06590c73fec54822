//! The document is that of the routes, and the one that is committed.

use std::path::Path;

use super::place::Place;

fn fresh(file: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
        std::fs::write(&path, made).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == made,
        "{file} is stale; `INSTA_UPDATE=always cargo nextest run --test it http` writes it anew"
    );
}

#[test]
fn the_committed_document_is_fresh_and_served() {
    let text = towpath::server::api::openapi::text();
    fresh("docs/openapi.json", &text);
    let place = Place::new();
    let heard = place.serve().get("/openapi.json");
    assert_eq!((heard.status, heard.text.as_str()), (200, text.as_str()));
}

#[test]
fn the_table_of_codes_in_the_docs_is_fresh() {
    const MARKS: (&str, &str) = ("<!-- codes: made by a test -->\n", "<!-- end of codes -->");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut table = "| code | HTTP | exit code | meaning |\n|---|---|---|---|\n".to_owned();
    for row in towpath::views::CODES {
        table.push_str(&format!("| `{}` | {} | {} | {} |\n", row.word, row.status, row.exit as u8, row.meaning));
    }
    let (head, rest) = text.split_once(MARKS.0).unwrap();
    let (_, tail) = rest.split_once(MARKS.1).unwrap();
    fresh("docs/api.md", &format!("{head}{}{table}{}{tail}", MARKS.0, MARKS.1));
}
