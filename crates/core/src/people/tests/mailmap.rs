use proptest::prelude::*;

use crate::people::Mailmap;

const FILE: &str = "# Ana <no@x.example> <comment@x.example>\n\
    Ana Nowak <ana@x.example>\n\
    Ana <Ana@X.example> <OLD@y.example>\n\
    <ana@x.example> <older@y.example> and what else is there\r\n\
    Bo <bo@x.example> Bo B <shared@x.example>\n\
    Cy <cy@x.example> CY <shared@x.example>\n\
    nothing\n<> <nobody@x.example>\nEmpty <> <gone@x.example>\nOpen <open@x.example\n\
    Zoe <zoe@x.example> <later@x.example>\nEve <eve@x.example> <later@x.example>\n";

#[test]
fn names_and_addresses_are_mapped_as_git_maps_them() {
    let file = Mailmap::parse(FILE);
    for (name, email, is) in [
        ("a", "ana@x.example", Some(("Ana Nowak", "ana@x.example"))),
        ("a", "old@Y.example", Some(("Ana", "Ana@X.example"))),
        ("a", "older@y.example", Some(("a", "ana@x.example"))),
        ("bo b", "shared@x.example", Some(("Bo", "bo@x.example"))),
        ("cy", "shared@x.example", Some(("Cy", "cy@x.example"))),
        ("dan", "shared@x.example", None),
        ("a", "comment@x.example", None),
        ("a", "nobody@x.example", None),
        ("a", "gone@x.example", None),
        ("a", "open@x.example", None),
        ("a", "later@x.example", Some(("Eve", "eve@x.example"))),
        ("", "", None),
    ] {
        assert_eq!(file.of(name, email), is, "{name} <{email}>");
    }
}

#[test]
fn all_addresses_of_one_person_are_found_from_each() {
    let file = Mailmap::parse(FILE);
    let all = |name, email| file.addresses([(name, email)]).into_iter().collect::<Vec<_>>().join(" ");
    let ana = "ana@x.example old@y.example older@y.example";
    for email in ["ANA@x.example", "old@y.example", "older@y.example"] {
        assert_eq!(all("whoever", email), ana, "{email}");
    }
    assert_eq!(all("Bo B", "shared@x.example"), "bo@x.example shared@x.example");
    assert_eq!(all("x", "shared@x.example"), "shared@x.example");
    assert_eq!(all("x", "bo@x.example"), "bo@x.example shared@x.example", "rather one too many");
    assert_eq!(all("x", "x@x.example"), "x@x.example");
    assert_eq!(file.addresses([]), [].into());
    assert_eq!(Mailmap::parse("").addresses([("A", "A@x")]), ["a@x".to_owned()].into());
}

#[test]
fn a_large_file_with_one_address_many_times_is_no_work() {
    let many: String = (0..40_000).map(|n| format!("<a@x> <{n}@x>\n<{n}@y> N{n} <a@x>\n")).collect();
    let file = Mailmap::parse(&many);
    let wrote: Vec<(String, String)> = (0..40_000).map(|n| (format!("n{n}"), format!("{n}@x"))).collect();
    let all = file.addresses(wrote.iter().map(|(name, email)| (name.as_str(), email.as_str())));
    assert_eq!(all.len(), 40_001);
}

proptest! {
    /// Whatever stands in a file, whoever wrote a commit is found by the address in it.
    #[test]
    fn nothing_is_taken_away(text in "(?s)([a-b <>@#\r\n\u{85}\0]{0,60}|.{0,60})", name in ".{0,5}", email in "[abAB@]{0,3}|.{0,9}") {
        let file = Mailmap::parse(&text);
        let all = file.addresses([(name.as_str(), email.as_str())]);
        prop_assert!(all.contains(&email.to_lowercase()));
        if let Some((_, mapped)) = file.of(&name, &email) {
            prop_assert!(all.contains(&mapped.to_lowercase()));
        }
    }
}
