//! Reading JSON that others write: what is absent or null is the default, what is unknown stays a
//! word.
//!
//! Structs that decide something have no enums of their own for the forge's words: a closed list
//! breaks on the day a forge adds a word. They hold the word, and the table of the adapter says what
//! it means, with "not understood" as the last row.

use serde::{Deserialize, Deserializer};

/// For fields of a struct: `null` is read as the default. With `#[serde(default, deserialize_with =
/// "…::or_default")]` so is absence.
///
/// # Errors
/// If it is there and of another type.
pub fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(reader: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(reader).map(Option::unwrap_or_default)
}

/// An item of a list, or what stands in its place: one that is odd does not take the others away.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OrOdd<T> {
    /// As it has to be.
    Sound(T),
    /// Anything else.
    Odd(serde_json::Value),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Odd {
        #[serde(default, deserialize_with = "or_default")]
        items: Vec<u32>,
    }

    #[test]
    fn one_that_is_odd_stands_among_the_others() {
        let all: Vec<OrOdd<Odd>> = serde_json::from_str(r#"[{"items":[1]},7,{"items":"1"},{}]"#).expect("a list");
        let sound = |one: &OrOdd<Odd>| matches!(one, OrOdd::Sound(_));
        assert_eq!(all.iter().map(sound).collect::<Vec<_>>(), [true, false, false, true]);
        assert!(serde_json::from_str::<Vec<OrOdd<Odd>>>("7").is_err());
    }

    #[test]
    fn null_and_absence_are_the_default_and_another_type_is_not() {
        for text in ["{}", r#"{"items":null}"#, r#"{"items":[],"new":1}"#] {
            assert_eq!(serde_json::from_str::<Odd>(text).expect(text), Odd { items: Vec::new() });
        }
        assert!(serde_json::from_str::<Odd>(r#"{"items":"1"}"#).is_err());
    }
}
