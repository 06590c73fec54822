//! What a materialised view has that a plain one has not: rows of its own, and indexes.

use super::apply::How;
use super::{Mark, Schema, TookFrom, Touched};
use crate::operation::{Constraint, ConstraintKind, Ident, Name};

impl Schema {
    /// A unique index over a materialised view; whether it is one.
    pub(super) fn index_of_view(&mut self, name: &Name, constraint: &Constraint) -> bool {
        let (Some(view), ConstraintKind::Unique { partial: None, .. }) =
            (self.views.get_mut(name), &constraint.kind)
        else {
            return false;
        };
        view.unique.extend(constraint.name.clone().or_else(|| Some(name.name.clone())));
        view.took = view.took.filter(|(what, _)| *what != TookFrom::Unique);
        self.touch(Touched::View(name.clone()));
        true
    }

    /// DROP INDEX of a materialised view's unique index; whether it was one.
    pub(super) fn drop_index_of_view(&mut self, index: &Ident, by: Mark) -> bool {
        let Some((name, view)) = self.views.iter_mut().find(|(_, view)| view.unique.contains(index)) else {
            return false;
        };
        view.unique.retain(|known| known != index);
        if view.unique.is_empty() {
            view.took = Some((TookFrom::Unique, by));
        }
        let name = name.clone();
        self.touch(Touched::View(name));
        true
    }

    /// REFRESH MATERIALIZED VIEW: it has its rows, or has them no longer.
    pub(super) fn refresh(&mut self, how: How<'_>) {
        let skipped = ["refresh", "materialized", "view", "concurrently"];
        let word = how
            .text
            .split_whitespace()
            .find(|word| !skipped.iter().any(|skipped| word.eq_ignore_ascii_case(skipped)));
        let Some(word) = word else { return };
        let last = word.trim_end_matches(';').rsplit('.').next().unwrap_or(word).trim_matches('"');
        let Some((name, view)) = self.views.iter_mut().find(|(name, _)| name.name.key.eq_ignore_ascii_case(last))
        else {
            return;
        };
        if how.says_no_data() {
            view.took = Some((TookFrom::Rows, how.mark));
        } else {
            view.took = view.took.filter(|(what, _)| *what != TookFrom::Rows);
        }
        let name = name.clone();
        self.touch(Touched::View(name));
    }
}
