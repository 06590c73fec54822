//! Where a list goes on: a word that clients hand back as they got it.

use std::str::FromStr;

/// A place in a list. Its text is opaque: it may change with any release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// Behind the row with this number.
    Row(i64),
    /// Behind the flow of this name.
    Flow(String),
}

/// No name is longer than this; longer texts are not even decoded.
const LONGEST: usize = 2_048;

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Row(number) => write!(f, "r{number:x}"),
            Self::Flow(name) => {
                f.write_str("f")?;
                name.bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let plain = text.len() <= LONGEST && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'z'));
        let (kind, rest) = text.split_at_checked(1).filter(|_| plain).ok_or(())?;
        match kind {
            "r" => i64::from_str_radix(rest, 16).ok().filter(|row| *row >= 0).map(Self::Row).ok_or(()),
            "f" if rest.len().is_multiple_of(2) && !rest.is_empty() => {
                let byte = |at: usize| u8::from_str_radix(rest.get(at..at + 2)?, 16).ok();
                let bytes: Option<Vec<u8>> = (0..rest.len()).step_by(2).map(byte).collect();
                bytes.and_then(|bytes| String::from_utf8(bytes).ok()).map(Self::Flow).ok_or(())
            }
            _ => Err(()),
        }
    }
}

impl Cursor {
    /// The row it stands behind, for lists of rows.
    pub const fn row(&self) -> Option<i64> {
        match self {
            Self::Row(row) => Some(*row),
            Self::Flow(_) => None,
        }
    }

    /// The flow it stands behind, for lists of flows.
    pub fn flow(&self) -> Option<&str> {
        match self {
            Self::Flow(name) => Some(name),
            Self::Row(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_nothing_else_is() {
        for cursor in [Cursor::Row(0), Cursor::Row(i64::MAX), Cursor::Flow("shop/checkout".to_owned())] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in ["", "r", "r-1", "r+1", "rffffffffffffffff", "f", "f0", "fzz", "fff", "x12", "é", "r 1", "R1"]
        {
            assert_eq!(text.parse::<Cursor>(), Err(()), "{text}");
        }
        assert_eq!(format!("f{}", "61".repeat(5_000)).parse::<Cursor>(), Err(()));
    }
}
