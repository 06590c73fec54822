//! What is read of the answers of GraphQL, which is asked for the accounts of authors.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::User;

/// What GraphQL answers.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::forge::gitlab) struct Graph {
    /// Null, or not there, where it could not be answered.
    #[serde(default)]
    pub data: Option<GraphData>,
    /// What was wrong; none where nothing was. Answered with 200 all the same.
    #[serde(default)]
    pub errors: Option<Vec<GraphError>>,
}

/// See [`Graph`].
#[derive(Debug, Clone, Deserialize)]
pub(in crate::forge::gitlab) struct GraphError {
    /// In GitLab's words.
    #[serde(default)]
    pub message: Option<String>,
}

/// See [`Graph`].
#[derive(Debug, Clone, Deserialize)]
pub(in crate::forge::gitlab) struct GraphData {
    /// Null where there is none, or it may not be seen.
    #[serde(default)]
    pub project: Option<GraphProject>,
}

/// See [`Graph`].
#[derive(Debug, Clone, Deserialize)]
pub(in crate::forge::gitlab) struct GraphProject {
    /// By the names that the query gave: `c0`, `c1`, …
    #[serde(default)]
    pub repository: Option<BTreeMap<String, Option<GraphCommit>>>,
}

/// See [`Graph`].
#[derive(Debug, Clone, Deserialize)]
pub(in crate::forge::gitlab) struct GraphCommit {
    /// Whose account the author's e-mail is; null where it is nobody's.
    #[serde(default)]
    pub author: Option<User>,
}
