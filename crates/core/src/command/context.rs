//! Where something is said: a channel that belongs to a flow, the request of an edge.

use crate::model::{EnvName, Flow, FlowName};

/// What a place says about flow and environment, for those who leave them out. How it is used is the table
/// in `fill`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The flow.
    pub flow: Option<FlowName>,
    /// The environments of that flow: a word that names one of them means that one, not all of its name.
    pub environments: Vec<EnvName>,
    /// The environment; of the flow, if there is one.
    pub env: Option<EnvName>,
}

impl Context {
    /// A place that says nothing: everything has to be spelled out.
    pub const NOWHERE: Self = Self { flow: None, environments: Vec::new(), env: None };

    /// The channel of a flow.
    pub fn of_flow(flow: &Flow) -> Self {
        let environments = flow.environments.iter().map(|env| env.name.clone()).collect();
        Self { flow: Some(flow.name.clone()), environments, env: None }
    }

    /// The request that brings commits to an environment, or the channel of one.
    pub fn of_edge(flow: &Flow, env: &EnvName) -> Self {
        Self { env: Some(env.clone()), ..Self::of_flow(flow) }
    }

    /// The channel of an environment of every flow.
    pub fn of_environment(env: &EnvName) -> Self {
        Self { env: Some(env.clone()), ..Self::NOWHERE }
    }

    /// Whether a word names the context's flow: whole, or what follows a slash in it.
    pub(super) fn is_its_flow(&self, word: &str) -> bool {
        let ends = |name: &str| name.strip_suffix(word).is_some_and(|head| head.is_empty() || head.ends_with('/'));
        let is_env = self.environments.iter().any(|env| env.as_str() == word);
        !word.is_empty() && !is_env && self.flow.as_ref().is_some_and(|flow| ends(flow.as_str()))
    }

    /// The context's flow, where the word is one of its environments.
    pub(super) fn flow_of(&self, word: &str) -> Option<&str> {
        let known = self.environments.iter().any(|env| env.as_str() == word);
        self.flow.as_ref().filter(|_| known).map(FlowName::as_str)
    }
}
