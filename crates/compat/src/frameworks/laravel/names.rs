//! The names that Laravel makes up: of indexes, of tables that a column or a model points to.

/// `users_mail_unique`.
pub fn index(table: &str, columns: &[String], kind: &str) -> String {
    let table = table.rsplit('.').next().unwrap_or(table);
    format!("{table}_{}_{kind}", columns.join("_")).to_lowercase().replace(['-', '.'], "_")
}

/// `BlogPost` as `blog_post`.
pub fn snake(class: &str) -> String {
    let class = class.rsplit('\\').next().unwrap_or(class);
    let mut name = String::new();
    let mut small = false;
    for char in class.chars() {
        if char.is_uppercase() && small {
            name.push('_');
        }
        small = !char.is_uppercase();
        name.extend(char.to_lowercase());
    }
    name
}

/// A word as English has it of several.
pub fn plural(word: &str) -> String {
    let (before, last) = word.rsplit_once('_').map_or(("", word), |(before, last)| (before, last));
    let many = match last {
        "person" => "people".to_owned(),
        "child" => "children".to_owned(),
        "man" => "men".to_owned(),
        "woman" => "women".to_owned(),
        "media" | "data" | "equipment" | "information" | "series" | "news" | "feedback" | "staff" | "metadata" => {
            last.to_owned()
        }
        _ => regular(last),
    };
    if before.is_empty() { many } else { format!("{before}_{many}") }
}

fn regular(word: &str) -> String {
    let vowel = |char: Option<char>| char.is_some_and(|char| matches!(char, 'a' | 'e' | 'i' | 'o' | 'u'));
    if let Some(stem) = word.strip_suffix('y').filter(|stem| !vowel(stem.chars().last())) {
        return format!("{stem}ies");
    }
    if let Some(stem) = word.strip_suffix("sis") {
        return format!("{stem}ses");
    }
    if ["s", "x", "z", "ch", "sh"].iter().any(|end| word.ends_with(end)) {
        return format!("{word}es");
    }
    format!("{word}s")
}

/// The table that `blog_post_id` points to.
pub fn pointed(column: &str) -> String {
    let stem = column.rsplit_once('_').map_or(column, |(stem, _)| stem);
    plural(stem)
}

#[cfg(test)]
mod tests {
    use super::{index, plural, pointed, snake};

    #[test]
    fn names_are_those_that_laravel_makes_up() {
        assert_eq!(
            index("users", &["mail".to_owned(), "team_id".to_owned()], "unique"),
            "users_mail_team_id_unique"
        );
        assert_eq!(snake("BlogPost"), "blog_post");
        assert_eq!(snake("App\\Models\\User"), "user");
        let words = [
            ("user", "users"),
            ("category", "categories"),
            ("box", "boxes"),
            ("day", "days"),
            ("sales_person", "sales_people"),
        ];
        for (one, many) in words {
            assert_eq!(plural(one), many);
        }
        assert_eq!(pointed("blog_post_id"), "blog_posts");
    }
}
