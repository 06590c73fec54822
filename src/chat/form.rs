//! The forms in which platforms send what was typed (`application/x-www-form-urlencoded`).

use super::incoming::Refused;

/// The fields of a form that somebody asks for; all others are not looked at.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(&'static str, String)>);

impl Form {
    /// Reads those of these names. A field that stands there twice could be read as the other one by somebody else: such
    /// a form is none.
    ///
    /// # Errors
    /// [`Refused::Unreadable`].
    pub(super) fn read(body: &[u8], names: &'static [&'static str]) -> Result<Self, Refused> {
        let mut fields: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            let Some(name) = names.iter().copied().find(|known| *known == name) else { continue };
            if fields.iter().any(|(had, _)| *had == name) {
                return Err(Refused::Unreadable);
            }
            fields.push((name, value.into_owned()));
        }
        Ok(Self(fields))
    }

    /// A field, if it is there.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(had, _)| *had == name).map(|(_, value)| value.as_str())
    }

    /// A field; empty if it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_once_or_not_at_all() {
        let names = &["a", "b"];
        let form = Form::read(b"a=1+2%26&x=9&x=9&b=", names).unwrap();
        assert_eq!((form.text("a"), form.get("b"), form.get("x")), ("1 2&", Some(""), None));
        assert_eq!(Form::read(b"", names).unwrap().text("a"), "");
        for twice in [&b"a=1&a=1"[..], b"a&a", b"a=1&b=2&%61=1"] {
            assert_eq!(Form::read(twice, names).unwrap_err(), Refused::Unreadable, "{twice:?}");
        }
    }
}
