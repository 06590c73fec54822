//! What takes the answer of a SELECT *: does it count the columns, or know them by their numbers?
//!
//! Not here: which statements have such an answer ([`super::places`]).

use memchr::memmem;

use super::around::is_word;
use super::places::How;

/// Go: what scans an answer mostly asks for a place for each column.
pub(super) fn go(before: &str, after: &str, file: &[u8]) -> How {
    let has = |mark: &str| memmem::find(file, mark.as_bytes()).is_some();
    let by_struct = [".Get(", ".GetContext(", ".Select(", ".SelectContext("].iter().any(|call| {
        before.rsplit_once(call).is_some_and(|(_, arguments)| arguments.contains('&') && !arguments.contains(')'))
    });
    if by_struct || after.contains("StructScan(") {
        let forgives = before.contains("Unsafe()") || has(".Unsafe()") || has("AllowUnknownColumns");
        return if forgives { How::Every } else { How::Counts };
    }
    // GORM passes over columns for which a struct has no field.
    if before.contains(".Raw(") {
        return How::Every;
    }
    let by_field = ["RowToStructBy", "RowToAddrOfStructBy"].iter().any(|call| after.contains(call));
    if by_field || after.contains(".Scan(") { How::Counts } else { How::Every }
}

/// Python: a row taken apart into names, or spread over arguments.
pub(super) fn python(before: &str, after: &str, file: &[u8]) -> How {
    const LINES: usize = 14;
    let has = |mark: &str| memmem::find(file, mark.as_bytes()).is_some();
    // psycopg calls the class with what a row has; Pydantic's classes pass over what they do not know.
    let by_name = has("@dataclass") || has("@attr") || has("@define") || has("NamedTuple") || has("namedtuple(");
    let strict = by_name && !has("BaseModel");
    let rows = ["class_row(", "args_row("].iter().any(|factory| has(factory));
    if rows && !has("BaseModel") {
        return How::Counts;
    }
    // `[Guest(*row) for row in connection.execute("…")]`
    let around = [before, after.lines().next().unwrap_or_default()];
    if around.iter().any(|text| spreads(text, strict)) {
        return How::Counts;
    }
    let row = |text: &str| {
        ["row", "fetch", "rec", "cur", "result", "execute", "tup"].iter().any(|word| text.contains(word))
    };
    for line in after.lines().take(LINES).map(str::trim) {
        let spread =
            line.split("(*").skip(1).any(|rest| !rest.starts_with('*') && row(rest)) || spreads(line, strict);
        let frame = before.contains("read_sql") && line.contains(".columns = [");
        if spread || frame || line.contains("._make(") {
            return How::Counts;
        }
        let taken = match line.strip_prefix("for ").and_then(|rest| rest.split_once(" in ")) {
            Some(apart) => Some(apart),
            None => line.split_once(" = "),
        };
        if let Some((names, from)) = taken {
            let names = names.trim().trim_start_matches(['(', '[']).trim_end_matches([')', ']']);
            let rest = names.split(',').any(|name| name.trim().starts_with('*'));
            let apart = names.contains(',')
                && names.split(',').all(|name| name.trim().trim_start_matches('*').bytes().all(is_word))
                && !from.contains(".items()")
                && !from.starts_with("enumerate(")
                && !from.starts_with("zip(");
            // `a, b = 1, 2` and `a, b = f(x), g(x)` take no row apart.
            if apart && row(from) && !from.contains("),") {
                // `a, b, *rest = row` takes any number, and goes by the first places.
                return if rest { How::Numbers } else { How::Counts };
            }
        }
    }
    How::Every
}

/// Whether a column is taken by its number: `.getString(1)`, `.get::<_, i64>(0)`.
pub(super) fn by_number(text: &str, calls: &[&str]) -> bool {
    calls.iter().any(|call| {
        text.match_indices(call).take(100).any(|(at, _)| {
            let rest = text.get(at + call.len()..).unwrap_or_default();
            let rest = rest.trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_');
            let rest = match rest.strip_prefix("::<") {
                Some(rest) => rest.split_once(">(").map_or("", |(_, rest)| rest),
                None => rest.strip_prefix('(').unwrap_or_default(),
            };
            let digits = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
            digits.len() < rest.len() && digits.starts_with([')', ',', '?'])
        })
    })
}

/// Whether a row is indexed by a number: `row[2]` of a loop's own name, `fetchone()[0]`. `rows[0]` is the first
/// of several rows, so only names that stand for one count.
pub(super) fn by_index(text: &str) -> bool {
    const ONE: &[&str] = &["fetchone()", "fetch()", "row", "rec", "record", "reader", "rdr", "tup"];
    let loops = text.match_indices("for ").filter_map(|(at, word)| {
        let (name, _) = text.get(at + word.len()..)?.split_once(" in ")?;
        is_name(name).then_some(name)
    });
    let blocks = text.match_indices('|').filter_map(|(at, bar)| {
        let (name, _) = text.get(at + bar.len()..)?.split_once('|')?;
        is_name(name).then_some(name)
    });
    let assigned = text.lines().filter_map(|line| {
        let (name, from) = line.split_once(" = ")?;
        let one =
            ["fetchone()", ".first()", ".one()", "get_first_row", ".next()"].iter().any(|call| from.contains(call));
        (one && is_name(name.trim())).then_some(name.trim())
    });
    let names: Vec<&str> = loops.chain(blocks).chain(assigned).chain(ONE.iter().copied()).take(100).collect();
    text.match_indices('[').take(200).any(|(at, _)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        let digits = after.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let numbered = digits.len() < after.len() && digits.starts_with(']');
        numbered
            && names.iter().any(|name| {
                before
                    .strip_suffix(name)
                    .is_some_and(|rest| !rest.ends_with(|last: char| last.is_alphanumeric() || last == '_'))
            })
    })
}

/// Whether a text is one name.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_word)
}

/// Whether a class or function is called with each value of a row: `Guest(*row)`; where classes are
/// strict about names, `Guest(**row)` too. `dict(**row)` takes any.
fn spreads(line: &str, strict: bool) -> bool {
    line.match_indices("(*").any(|(at, _)| {
        let rest = line.get(at + 2..).unwrap_or_default();
        let (names, rest) = rest.strip_prefix('*').map_or((false, rest), |rest| (true, rest));
        let class = line.get(..at).unwrap_or_default();
        let class = class.rsplit(|letter: char| !(letter.is_alphanumeric() || letter == '_')).next();
        let class = class.is_some_and(|class| class.starts_with(char::is_uppercase) || class == "cls");
        let row = ["row", "rec", "r)", "tup", "cur"].iter().any(|word| rest.starts_with(word));
        class && row && (!names || strict)
    })
}

/// Ruby: a block that takes a row apart, `|id, name, plan|`. One of two names may be a key and its value.
pub(super) fn taken_apart(text: &str) -> bool {
    [".each do |", ".each { |", ".map do |", ".map { |", ".each_row do |"].iter().any(|call| {
        text.split(call).skip(1).take(20).any(|rest| {
            let names: Vec<&str> = rest.split('|').next().unwrap_or_default().split(',').map(str::trim).collect();
            names.len() > 2 && names.iter().all(|name| is_name(name))
        })
    })
}

/// Dapper: `Query<Guest>` of a record with a list of parameters asks for a constructor of exactly the columns.
pub(super) fn fills_a_record(before: &str, file: &[u8]) -> bool {
    let Some((_, rest)) = before.rsplit_once(".Query").filter(|(_, rest)| rest.contains('<')) else { return false };
    let class = rest.split('<').nth(1).and_then(|rest| rest.split('>').next()).unwrap_or_default();
    is_name(class) && memmem::find(file, format!("record {class}(").as_bytes()).is_some()
}
