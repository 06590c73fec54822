//! Times in answers. Always the forge's own clock, and ages by it: its `Date` minus its stamp.

use chrono::DateTime;
use towpath_core::model::{Instant, Span};

/// A `Date` header, or a `Retry-After` that names a date.
pub fn http_date(text: &str) -> Option<Instant> {
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|at| Instant(at.timestamp_millis()))
}

/// A stamp in a body, `2026-11-21T10:00:00Z` or with an offset. Nothing for the year 1, which stands
/// for "never" in Go's JSON.
pub fn stamp(text: &str) -> Option<Instant> {
    let at = DateTime::parse_from_rfc3339(text.trim()).ok()?.timestamp_millis();
    (at > 0).then_some(Instant(at))
}

/// How long before its answer something happened, by the forge's clock alone. A stamp after the
/// answer's own date is no age.
pub fn ago(date: Option<Instant>, stamped: Option<Instant>) -> Option<Span> {
    let (date, stamped) = (date?, stamped?);
    // `Date` has whole seconds and stamps may have thousandths.
    (stamped.0 <= date.0 + 999).then(|| date.since(stamped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_ages_are_never_negative() {
        let date = http_date("Sat, 21 Nov 2026 10:00:00 GMT");
        assert_eq!(date, stamp("2026-11-21T10:00:00Z"));
        assert_eq!(date, stamp("2026-11-21T11:00:00.000+01:00"));
        assert_eq!(stamp("0001-01-01T00:00:00Z"), None);
        assert_eq!(stamp("yesterday"), None);
        assert_eq!(http_date("120"), None);
        assert_eq!(ago(date, stamp("2026-11-21T09:59:00Z")), Some(Span::from_secs(60)));
        assert_eq!(ago(date, stamp("2026-11-21T10:00:00.500Z")), Some(Span::ZERO));
        assert_eq!(ago(date, stamp("2026-11-21T10:00:30Z")), None);
        assert_eq!(ago(None, date), None);
    }
}
