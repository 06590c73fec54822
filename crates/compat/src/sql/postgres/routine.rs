//! CREATE FUNCTION and CREATE PROCEDURE: how they are called. Their bodies are not read here.

use squawk_syntax::ast::{self, AstNode};

use super::column::Tree;
use super::types;
use super::{Steps, called};
use crate::operation::{Kind, Maybe, Operation, Parameter, Signature, Unread};

/// CREATE FUNCTION, CREATE PROCEDURE.
pub(super) fn create(tree: Tree<'_>, steps: &mut Steps) {
    let node = &tree.parsed.node;
    let (kind, name) = match (ast::CreateFunction::cast(node.clone()), ast::CreateProcedure::cast(node.clone())) {
        (Some(function), _) => (Kind::Function, function.name().map(|it| it.syntax().clone())),
        (_, Some(procedure)) => (Kind::Procedure, procedure.name().map(|it| it.syntax().clone())),
        _ => (Kind::Function, None),
    };
    let Some(routine) = tree.name(name.as_ref()) else {
        return steps.unread(tree.words, Unread::UnknownStatement { head: tree.words.head(3) });
    };
    let list = node.children().find_map(ast::ParamList::cast);
    let (parameters, outputs) = parameters(tree, list.as_ref());
    let returns = node.children().find_map(ast::RetType::cast);
    let signature = Signature {
        parameters: list.map_or(Maybe::Unknown, |_| Maybe::Known(parameters)),
        returns: returns.and_then(|returns| returned(tree, &returns)).or(outputs),
    };
    let replace = node.children().any(|child| ast::OrReplace::can_cast(child.kind()));
    called::remember(tree.words, &routine, &signature, steps);
    steps.add(tree.words, Operation::CreateRoutine { kind, routine, signature, replace });
}

/// What a caller gives, and what comes out through OUT parameters.
fn parameters(tree: Tree<'_>, list: Option<&ast::ParamList>) -> (Vec<Parameter>, Option<String>) {
    let (mut parameters, mut outputs) = (vec![], vec![]);
    for parameter in list.iter().flat_map(|list| list.params()) {
        let Some(ty) = parameter.func_type() else { continue };
        let ty = types::line(tree.of(ty.syntax()));
        let name = tree.ident(parameter.name().as_ref().map(AstNode::syntax));
        let mode = parameter.mode();
        if matches!(mode, Some(ast::ParamMode::ParamOut(_) | ast::ParamMode::ParamInOut(_))) {
            let name = name.as_ref().map(|name| name.key.clone()).unwrap_or_default();
            outputs.push(format!("{name} {ty}").trim().to_owned());
        }
        if matches!(mode, Some(ast::ParamMode::ParamOut(_))) {
            continue;
        }
        let ty = if matches!(mode, Some(ast::ParamMode::ParamVariadic(_))) { format!("variadic {ty}") } else { ty };
        parameters.push(Parameter { name, ty, optional: parameter.param_default().is_some() });
    }
    let outputs = (!outputs.is_empty()).then(|| format!("table({})", outputs.join(", ")));
    (parameters, outputs)
}

/// RETURNS …, in one way of writing it.
fn returned(tree: Tree<'_>, returns: &ast::RetType) -> Option<String> {
    if let Some(list) = returns.return_table_arg_list() {
        let words = tree.of(list.syntax());
        let columns = words.until(words.tokens.len().saturating_sub(1)).from(1).parts();
        let columns: Vec<String> = columns
            .into_iter()
            .filter_map(|part| Some(format!("{} {}", part.ident(0)?.key, types::line(part.from(1)))))
            .collect();
        return Some(format!("table({})", columns.join(", ")));
    }
    Some(types::line(tree.of(returns.func_type()?.syntax())))
}
