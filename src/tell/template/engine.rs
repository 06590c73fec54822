//! The template engine as it is set up here: what a template may use, and how values are printed.
//!
//! Not here: what a result has to be (`super`).

use std::io;

use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, filters, tests};

use super::super::json;
use super::{FUEL, Kind};

/// The filters that there are, with what they do.
pub const FILTERS: [(&str, &str); 9] = [
    ("tojson", "the value as JSON, its quotes included; nothing in it acts on terminals or pages"),
    ("urlencode", "percent-encoded; in a URL everything is by itself"),
    ("default", "another value where there is none: `{{ url | default(\"-\", true) }}`"),
    ("upper", "in capitals"),
    ("lower", "in small letters"),
    ("trim", "without white space around it"),
    ("replace", "with one text put in place of another"),
    ("join", "the parts of a list as one text"),
    ("length", "how many characters or parts"),
];

/// An engine with nothing loaded.
pub(super) fn environment(kind: Kind) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(50);
    environment.set_formatter(if kind == Kind::Url { print_encoded } else { print });
    environment.add_filter("tojson", to_json);
    environment.add_filter("urlencode", url_encode);
    environment.add_filter("default", filters::default);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("replace", filters::replace);
    environment.add_filter("join", filters::join);
    environment.add_filter("length", filters::length);
    environment.add_test("none", tests::is_none);
    environment.add_test("string", tests::is_string);
    environment.add_test("number", tests::is_number);
    environment
}

/// Prints a value into a body. Where there is none, that is said, and not `none` written.
fn print(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = scalar(value)?;
    out.write_str(&text).map_err(|_| Error::from(ErrorKind::WriteFailure))
}

/// Prints a value into a URL.
fn print_encoded(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = percent_encoded(&scalar(value)?);
    out.write_str(&text).map_err(|_| Error::from(ErrorKind::WriteFailure))
}

/// A text or a number as it is written.
fn scalar(value: &Value) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    if value.is_none() {
        let words = "there is no such value for this event; write `{% if … %}` around it, or `| tojson` for `null`";
        return Err(Error::new(ErrorKind::InvalidOperation, words));
    }
    if value.as_str().is_none() && !value.is_number() && value.as_object().is_some() {
        return Err(Error::new(ErrorKind::InvalidOperation, "this is a list, not a text; write `| tojson`"));
    }
    Ok(value.to_string())
}

fn to_json(value: &Value) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let text = json::inert(value)
        .map_err(|error| Error::new(ErrorKind::BadSerialization, "this cannot be JSON").with_source(error))?;
    Ok(Value::from_safe_string(text))
}

fn url_encode(value: &Value) -> Result<String, Error> {
    scalar(value).map(|text| percent_encoded(&text))
}

/// Everything but the unreserved characters of RFC 3986, section 2.3, byte by byte.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A buffer that takes so much and no more.
#[derive(Debug)]
pub(super) struct Bounded {
    bytes: Vec<u8>,
    most: usize,
    over: bool,
}

impl Bounded {
    pub(super) const fn new(most: usize) -> Self {
        Self { bytes: Vec::new(), most, over: false }
    }

    /// Whether something did not fit.
    pub(super) const fn is_over(&self) -> bool {
        self.over
    }

    /// What was written, which is text: the engine writes nothing else.
    pub(super) fn into_text(self) -> String {
        String::from_utf8(self.bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            self.over = true;
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
