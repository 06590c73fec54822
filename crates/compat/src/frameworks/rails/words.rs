//! The English that Rails knows: what a table, a column, an index is called by default.
//!
//! After ActiveSupport's inflections. Not here: anything that a project adds to them.

/// Words that have no plural.
const UNCOUNTABLE: &[&str] =
    &["equipment", "information", "rice", "money", "species", "series", "fish", "sheep", "jeans", "police"];

/// Irregular words.
const IRREGULAR: &[(&str, &str)] = &[
    ("person", "people"),
    ("man", "men"),
    ("child", "children"),
    ("sex", "sexes"),
    ("move", "moves"),
    ("zombie", "zombies"),
    ("ox", "oxen"),
    ("mouse", "mice"),
    ("louse", "lice"),
    ("quiz", "quizzes"),
    ("matrix", "matrices"),
    ("vertex", "vertices"),
    ("index", "indices"),
    ("virus", "viri"),
    ("octopus", "octopi"),
    ("datum", "data"),
    ("medium", "media"),
    ("status", "statuses"),
    ("alias", "aliases"),
    ("axis", "axes"),
    ("bus", "buses"),
    ("crisis", "crises"),
    ("testis", "testes"),
    ("tomato", "tomatoes"),
    ("buffalo", "buffaloes"),
    ("movie", "movies"),
    ("shoe", "shoes"),
    ("news", "news"),
    ("database", "databases"),
    ("half", "halves"),
    ("life", "lives"),
    ("wife", "wives"),
    ("knife", "knives"),
    ("hive", "hives"),
    ("cache", "caches"),
    ("lens", "lenses"),
];

/// `UserProfile` as `user_profile`.
pub fn underscored(word: &str) -> String {
    let letters: Vec<char> = word.chars().collect();
    let mut out = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let starts = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            });
        if starts {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// The plural; of `user_profile`, that of its last word.
pub fn plural(word: &str) -> String {
    let (head, last) = split(word);
    if UNCOUNTABLE.contains(&last) || IRREGULAR.iter().any(|(_, many)| *many == last) {
        return word.to_owned();
    }
    if let Some((_, many)) = IRREGULAR.iter().find(|(one, _)| *one == last) {
        return format!("{head}{many}");
    }
    let vowel = |word: &str| word.ends_with(['a', 'e', 'i', 'o', 'u']);
    let many = if let Some(stem) = last.strip_suffix("sis") {
        format!("{stem}ses")
    } else if last.ends_with('s') && !last.ends_with("ss") {
        last.to_owned()
    } else if ["ss", "sh", "ch", "x"].iter().any(|end| last.ends_with(end)) {
        format!("{last}es")
    } else if let Some(stem) = last.strip_suffix('y').filter(|stem| !vowel(stem) || stem.ends_with("qu")) {
        format!("{stem}ies")
    } else if let Some(stem) = last.strip_suffix("lf").or_else(|| last.strip_suffix("rf")) {
        format!("{stem}{}ves", if last.ends_with("lf") { 'l' } else { 'r' })
    } else if let Some(stem) = last.strip_suffix("tum").or_else(|| last.strip_suffix("ium")) {
        format!("{stem}{}a", if last.ends_with("tum") { "t" } else { "i" })
    } else {
        format!("{last}s")
    };
    format!("{head}{many}")
}

/// The singular; of `user_profiles`, that of its last word.
pub fn singular(word: &str) -> String {
    let (head, last) = split(word);
    if UNCOUNTABLE.contains(&last) {
        return word.to_owned();
    }
    if let Some((one, _)) = IRREGULAR.iter().find(|(one, many)| *many == last || *one == last) {
        return format!("{head}{one}");
    }
    let one = if let Some(stem) = last.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        format!("{stem}y")
    } else if let Some(stem) = last.strip_suffix("lves").map(|stem| format!("{stem}l")) {
        format!("{stem}f")
    } else if let Some(stem) = last.strip_suffix("yses").or_else(|| last.strip_suffix("eses")) {
        format!("{stem}{}sis", if last.ends_with("yses") { 'y' } else { 'e' })
    } else if let Some(stem) = ["sses", "shes", "ches", "xes"]
        .iter()
        .any(|end| last.ends_with(end))
        .then(|| last.strip_suffix("es"))
        .flatten()
    {
        stem.to_owned()
    } else if last.ends_with("ss") || last.ends_with("us") {
        last.to_owned()
    } else {
        last.strip_suffix('s').unwrap_or(last).to_owned()
    };
    format!("{head}{one}")
}

fn split(word: &str) -> (&str, &str) {
    match word.rfind(['_', '.']) {
        Some(at) => word.split_at(at + 1),
        None => ("", word),
    }
}

/// A constant's name, if the text is one: `Admin::User`.
pub fn constant(text: &str) -> Option<&str> {
    let letters = text.chars().all(|char| char.is_alphanumeric() || char == '_' || char == ':');
    (letters && text.trim_start_matches(':').starts_with(|char: char| char.is_uppercase())).then_some(text)
}

/// The table that joins two: `a_b`, a prefix that both share said once.
pub fn join_table(one: &str, other: &str) -> String {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    let shared = first
        .char_indices()
        .filter(|(_, char)| matches!(char, '_' | '.'))
        .map(|(at, _)| at + 1)
        .filter(|at| *at < first.len() && second.len() > *at && second.get(..*at) == first.get(..*at))
        .max()
        .unwrap_or(0);
    format!("{first}_{}", second.get(shared..).unwrap_or(second))
}

/// The name of an index that was given none; unknown where Rails shortens it by a digest.
pub fn index_name(table: &str, columns: &[String], version: (u32, u32)) -> Option<String> {
    let columns: Vec<String> = columns
        .iter()
        .map(|column| {
            let words: Vec<&str> = column
                .split(|char: char| !char.is_alphanumeric() && char != '_')
                .filter(|word| !word.is_empty())
                .collect();
            words.join("_")
        })
        .collect();
    let name = format!("index_{table}_on_{}", columns.join("_and_"));
    (name.len() <= 62 || version < (7, 1)).then_some(name)
}
