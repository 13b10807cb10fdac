"""Questions about PromQL expressions, answered from the syntax tree and never from the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser


@dataclass(frozen=True)
class Selector:
    """One selector of an expression: the metric and its matchers as (label, operator, value)."""

    metric: str
    matchers: frozenset[tuple[str, str, str]]

    def equals(self, label: str, value: str) -> bool:
        return (label, "=", value) in self.matchers


_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


def selectors(expr: str) -> list[Selector]:
    """Every selector of an expression. Raises ValueError when the expression does not parse."""
    return [_selector(node) for node in _nodes(promql_parser.parse(expr)) if isinstance(node, promql_parser.VectorSelector)]


def metric_names(expr: str) -> set[str]:
    return {selector.metric for selector in selectors(expr)}


def calls(expr: str) -> Iterator[tuple[str, set[str]]]:
    """Each function call of an expression with the metrics anywhere within its arguments."""
    for node in _nodes(promql_parser.parse(expr)):
        if isinstance(node, promql_parser.Call):
            within = {s.metric for arg in node.args for s in map(_selector, filter(_is_selector, _nodes(arg)))}
            yield node.func.name, within


def grouping_labels(expr: str) -> set[str]:
    """The labels that any aggregation of an expression keeps."""
    modifiers = [node.modifier for node in _nodes(promql_parser.parse(expr)) if isinstance(node, promql_parser.AggregateExpr)]
    return {label for modifier in modifiers if modifier for label in modifier.labels}


def _is_selector(node: object) -> bool:
    return isinstance(node, promql_parser.VectorSelector)


def _selector(node: promql_parser.VectorSelector) -> Selector:
    matchers = {(m.name, _OPERATORS[str(m.op).rsplit(".", 1)[-1]], m.value) for m in node.matchers.matchers}
    return Selector(node.name or "", frozenset(matchers))


def _nodes(expression: promql_parser.Expr) -> list[object]:
    nodes: list[object] = []

    def visit(node: object) -> bool:
        nodes.append(node)
        return True

    promql_parser.walk(expression, visit)
    return nodes
