//! Names longer than any database takes that has a limit: of those the beginning is looked for.

use super::{ask, column, table};
use crate::Grade;
use crate::evidence::Asked;
use crate::operation::{Ident, Name};

/// So many bytes of `quay_1_quay_2_…`.
fn long(bytes: usize) -> String {
    let mut name = String::new();
    for number in 1.. {
        if name.len() >= bytes {
            break;
        }
        name += &format!("quay_{number}_");
    }
    name.truncate(bytes);
    name
}

#[test]
fn a_long_name_is_found_in_all_its_forms() {
    for bytes in [250, 256, 257, 300, 12_000] {
        let name = long(bytes);
        let camel: String = name
            .split('_')
            .flat_map(|piece| piece.chars().take(1).flat_map(char::to_uppercase).chain(piece.chars().skip(1)))
            .collect();
        for text in [
            format!("db.Query(\"SELECT {name} FROM users\")\n"),
            format!("db.Query(\"SELECT \\\"{name}\\\" FROM users WHERE {name} = 1\")\n"),
            format!("user.Get{camel}()\n"),
            format!("user[\"{}\"]\n", name.to_uppercase()),
        ] {
            let found = ask(&[("src/user.go", &text)], column("users", &name));
            assert_eq!(found.grade, Grade::E3, "{bytes} {text:.60}");
        }
        let text = format!("db.Query(\"SELECT id FROM {name}\")\n");
        assert_eq!(ask(&[("src/a.go", &text)], table(&name)).grade, Grade::E3, "{bytes}");
        let text = format!("class A(Base):\n    __tablename__ = '{name}'\n");
        let mapped = ask(&[("src/a.py", &text)], table(&name));
        assert_eq!(mapped.grade, Grade::E3, "{bytes}");
        assert!(mapped.mapper.is_some(), "{bytes}");
        let text = format!("db.Query(\"SELECT {name}()\")\n");
        let object = Asked::Object(Name::plain(Ident::exact(&name)));
        assert_eq!(ask(&[("src/a.go", &text)], object).grade, Grade::E3, "{bytes}");
    }
}

#[test]
fn a_long_name_that_nothing_says_is_not_found() {
    for bytes in [257, 300, 12_000] {
        let name = long(bytes);
        for text in [
            "db.Query(\"SELECT nick_name FROM users\")\n".to_owned(),
            // Only a part of it, or a piece of another name.
            format!("db.Query(\"SELECT {} FROM users\")\n", long(200)),
            format!("db.Query(\"SELECT old{name} FROM users\")\n"),
        ] {
            let found = ask(&[("src/user.go", &text)], column("users", &name));
            assert_eq!(found.grade, Grade::E0, "{bytes} {text:.60}");
        }
    }
}

#[test]
fn what_begins_as_a_long_name_is_taken_for_it() {
    let text = format!("db.Query(\"SELECT {}_other FROM users\")\n", long(300));
    assert_eq!(ask(&[("src/user.go", &text)], column("users", &long(12_000))).grade, Grade::E3);
    // Of a name that is looked for whole it is another one.
    let text = format!("db.Query(\"SELECT {}_other FROM users\")\n", long(250));
    assert_eq!(ask(&[("src/user.go", &text)], column("users", &long(250))).grade, Grade::E0);
}
