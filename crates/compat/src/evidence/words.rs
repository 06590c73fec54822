//! Names in pieces, and English singular and plural.
//!
//! Not here: which forms are looked for ([`super::forms`]).

/// The pieces of a name in lower case: at `_`, `-`, `.`, `$`, white space, and where the case says
/// that a word begins. `nick_name`, `nickName`, `NICK_NAME` and `NickName` all give `nick`, `name`.
pub(super) fn pieces(name: &str) -> Vec<String> {
    let mut pieces = vec![];
    let mut piece = String::new();
    let mut before: Option<char> = None;
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        if !letter.is_alphanumeric() {
            push(&mut pieces, &mut piece);
            before = None;
            continue;
        }
        let after_small = before.is_some_and(|before| before.is_lowercase() || before.is_numeric());
        // In `HTMLParser` the word begins at the `P`.
        let ends_capitals =
            before.is_some_and(char::is_uppercase) && letters.peek().is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_small || ends_capitals) {
            push(&mut pieces, &mut piece);
        }
        piece.extend(letter.to_lowercase());
        before = Some(letter);
    }
    push(&mut pieces, &mut piece);
    pieces
}

fn push(pieces: &mut Vec<String>, piece: &mut String) {
    if !piece.is_empty() {
        pieces.push(std::mem::take(piece));
    }
}

/// A name without case and separators, by which mappers' names are compared.
pub(super) fn compact(name: &str) -> String {
    letters(name).collect()
}

/// The same, letter by letter.
pub(super) fn letters(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase)
}

/// Words whose plural no ending tells.
const IRREGULAR: &[(&str, &str)] = &[
    ("person", "people"),
    ("child", "children"),
    ("man", "men"),
    ("woman", "women"),
    ("mouse", "mice"),
    ("goose", "geese"),
    ("foot", "feet"),
    ("tooth", "teeth"),
    ("ox", "oxen"),
    ("datum", "data"),
    ("medium", "media"),
    ("criterion", "criteria"),
    ("phenomenon", "phenomena"),
    ("curriculum", "curricula"),
    ("memorandum", "memoranda"),
    ("index", "indices"),
    ("matrix", "matrices"),
    ("vertex", "vertices"),
    ("appendix", "appendices"),
    ("quiz", "quizzes"),
    ("status", "statuses"),
    ("alias", "aliases"),
    ("bus", "buses"),
    ("virus", "viruses"),
    ("campus", "campuses"),
    ("bonus", "bonuses"),
    ("menu", "menus"),
    ("lens", "lenses"),
    ("axis", "axes"),
    ("crisis", "crises"),
    ("analysis", "analyses"),
    ("diagnosis", "diagnoses"),
    ("hypothesis", "hypotheses"),
    ("thesis", "theses"),
    ("basis", "bases"),
    ("synopsis", "synopses"),
    ("movie", "movies"),
    ("cookie", "cookies"),
    ("tie", "ties"),
    ("lie", "lies"),
    ("zombie", "zombies"),
    ("shoe", "shoes"),
    ("knife", "knives"),
    ("life", "lives"),
    ("wife", "wives"),
    ("leaf", "leaves"),
    ("half", "halves"),
    ("shelf", "shelves"),
    ("wolf", "wolves"),
    ("thief", "thieves"),
    ("loaf", "loaves"),
    ("calf", "calves"),
    ("hero", "heroes"),
    ("potato", "potatoes"),
    ("tomato", "tomatoes"),
    ("echo", "echoes"),
    ("cache", "caches"),
    ("ache", "aches"),
    ("move", "moves"),
    ("sleeve", "sleeves"),
    ("valve", "valves"),
    ("curve", "curves"),
    ("archive", "archives"),
    ("house", "houses"),
    ("purchase", "purchases"),
    ("expense", "expenses"),
    ("license", "licenses"),
    ("lease", "leases"),
    ("release", "releases"),
    ("database", "databases"),
    ("phase", "phases"),
    ("phrase", "phrases"),
    ("course", "courses"),
    ("response", "responses"),
    ("warehouse", "warehouses"),
    ("invoice", "invoices"),
    ("base", "bases"),
    ("case", "cases"),
    ("use", "uses"),
];

/// Words that are their own plural.
const UNCHANGED: &[&str] = &[
    "equipment",
    "information",
    "rice",
    "money",
    "species",
    "series",
    "fish",
    "sheep",
    "news",
    "police",
    "metadata",
    "staff",
    "software",
    "feedback",
    "evidence",
    "research",
];

/// What a word may be in the singular, itself among them. More than one where the ending allows it:
/// a wrong one costs nothing, a missing one does.
pub(super) fn singulars(word: &str) -> Vec<String> {
    let mut found = vec![word.to_owned()];
    if UNCHANGED.contains(&word) {
        return found;
    }
    for (singular, plural) in IRREGULAR {
        if word == *plural {
            found.push((*singular).to_owned());
        }
    }
    if found.len() > 1 || IRREGULAR.iter().any(|(singular, _)| word == *singular) {
        return found;
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        found.push(format!("{stem}y"));
    } else if let Some(stem) = word.strip_suffix("es").filter(|stem| takes_es(stem)) {
        found.push(stem.to_owned());
        if stem.ends_with('s') || stem.ends_with('z') {
            found.push(format!("{stem}e"));
        }
    } else if let Some(stem) =
        word.strip_suffix('s').filter(|stem| stem.len() > 1 && !stem.ends_with(['s', 'u', 'i']))
    {
        found.push(stem.to_owned());
    }
    found
}

/// What a word may be in the plural, itself among them.
pub(super) fn plurals(word: &str) -> Vec<String> {
    let mut found = vec![word.to_owned()];
    if UNCHANGED.contains(&word) {
        return found;
    }
    for (singular, plural) in IRREGULAR {
        if word == *singular {
            found.push((*plural).to_owned());
        }
    }
    let vowel_before_y = word.len() > 1 && "aeiou".contains(word.chars().rev().nth(1).unwrap_or(' '));
    let plural = if word.ends_with('y') && !vowel_before_y {
        format!("{}ies", &word[..word.len() - 1])
    } else if takes_es(word) {
        format!("{word}es")
    } else {
        format!("{word}s")
    };
    if !found.contains(&plural) {
        found.push(plural);
    }
    found
}

fn takes_es(stem: &str) -> bool {
    ["s", "x", "z", "ch", "sh"].iter().any(|ending| stem.ends_with(ending))
}

/// Every number of a name's last piece: `order`, `items` gives `order item` and `order items`.
pub(super) fn numbers(pieces: &[String]) -> Vec<Vec<String>> {
    let Some((last, before)) = pieces.split_last() else { return vec![] };
    let mut words = singulars(last);
    // A word that is a plural is not put into another one.
    let singular = if words.len() > 1 { words.get(1..).unwrap_or_default().to_vec() } else { words.clone() };
    for word in singular {
        for plural in plurals(&word) {
            if !words.contains(&plural) {
                words.push(plural);
            }
        }
    }
    words.into_iter().map(|word| before.iter().cloned().chain([word]).collect()).collect()
}

/// A table's name as classes are called by it: taken apart once, however many classes there are.
pub(super) struct TableName<'a> {
    /// As the database compares it.
    pub(super) name: &'a str,
    classes: Vec<String>,
    /// What they are called without the first word, and without the first two.
    behind_prefix: Vec<Vec<String>>,
    /// Its words in one, and where each begins but the first.
    whole: String,
    begins: Vec<usize>,
}

impl<'a> TableName<'a> {
    pub(super) fn new(name: &'a str) -> Self {
        let words = pieces(name);
        let behind_prefix = (1..words.len().min(3))
            .map(|prefix| class_names(&words.get(prefix..).unwrap_or_default().join("_")))
            .collect();
        let (mut whole, mut begins) = (String::with_capacity(name.len()), vec![]);
        for word in &words {
            if !whole.is_empty() {
                begins.push(whole.len());
            }
            whole.push_str(word);
        }
        Self { name, classes: class_names(name), behind_prefix, whole, begins }
    }

    /// Whether a class's name is the table's by convention: whatever the case, the separators and the
    /// number.
    pub(super) fn is_class(&self, class: &str) -> bool {
        self.classes.contains(&compact(class))
    }

    /// Whether it is, but for one or two words before it: a prefix of all tables, a module.
    pub(super) fn is_class_behind_prefix(&self, class: &str) -> bool {
        let class = compact(class);
        self.behind_prefix.iter().any(|classes| classes.contains(&class))
    }

    /// What stands before the table's last words, in one, where these are they in one.
    pub(super) fn before(&self, last: &str) -> Option<&str> {
        let before = self.whole.strip_suffix(last)?;
        self.begins.binary_search(&before.len()).is_ok().then_some(before)
    }
}

/// What a table's class may be called, compact.
fn class_names(table: &str) -> Vec<String> {
    let mut names: Vec<String> = numbers(&pieces(table)).iter().map(|form| form.concat()).collect();
    names.extend(numbers(&pieces(&table.to_lowercase())).iter().map(|form| form.concat()));
    names
}

#[cfg(test)]
mod tests {
    use super::{TableName, pieces};

    #[test]
    fn a_name_falls_into_its_pieces() {
        for (name, expected) in [
            ("nick_name", "nick name"),
            ("nickName", "nick name"),
            ("NickName", "nick name"),
            ("NICK_NAME", "nick name"),
            ("nick-name", "nick name"),
            ("HTMLParser", "html parser"),
            ("address2_line", "address2 line"),
            ("userID", "user id"),
            ("__x__", "x"),
            ("", ""),
            ("ÄrgerÖl", "ärger öl"),
        ] {
            assert_eq!(pieces(name).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn a_table_ends_in_whole_words() {
        let table = TableName::new("blog_post_tags");
        assert_eq!(
            ["tags", "posttags", "ags", "", "blogposttags"].map(|last| table.before(last)),
            [Some("blogpost"), Some("blog"), None, None, None]
        );
        assert!(table.is_class_behind_prefix("PostTag") && table.is_class_behind_prefix("tags"));
        assert!(!table.is_class_behind_prefix("BlogPostTag") && !table.is_class_behind_prefix("Blog"));
    }

    #[test]
    fn a_class_is_its_table_in_either_number() {
        for (class, table) in [
            ("User", "users"),
            ("User", "user"),
            ("Users", "users"),
            ("OrderItem", "order_items"),
            ("Person", "people"),
            ("Child", "children"),
            ("Datum", "data"),
            ("Data", "data"),
            ("Status", "statuses"),
            ("Status", "status"),
            ("Category", "categories"),
            ("Address", "addresses"),
            ("Box", "boxes"),
            ("Analysis", "analyses"),
            ("Branch", "branches"),
            ("Key", "keys"),
            ("Movie", "movies"),
            ("House", "houses"),
            ("Response", "responses"),
            ("Base", "bases"),
            ("Series", "series"),
            ("News", "news"),
            ("Metadata", "metadata"),
            ("Quiz", "quizzes"),
            ("ApiKey", "apiKeys"),
            ("orderitem", "OrderItems"),
        ] {
            assert!(TableName::new(table).is_class(class), "{class} is {table}");
        }
        for (class, table) in [
            ("User", "user_profiles"),
            ("Address", "addres"),
            ("Glass", "glas"),
            ("Item", "order_items"),
            ("", "users"),
        ] {
            assert!(!TableName::new(table).is_class(class), "{class} is not {table}");
        }
    }
}
