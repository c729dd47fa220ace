"""EXPLAIN: what a statement would do, and what else is asked about it, each by a module of `session.explanations`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from minisql.errors import NotSupportedError
from minisql.parser import parse_tree
from minisql.parser import statement_tree as st
from minisql.session.pipeline import PlannedQuery, plan_query
from minisql.session.result import Result
from minisql.session.result_of_rows import text_of_lines
from minisql.session.statements import changes
from minisql.session.statements.context import Context


def explain(context: Context, statement: st.Explain, parameters: Sequence[object]) -> Result:
    """The result of an EXPLAIN statement."""
    if statement.analyze and not isinstance(statement.statement, parse_tree.QueryExpression):
        hint = "EXPLAIN FORMAT=HTML does not run what it shows." if statement.format == "HTML" else None
        raise NotSupportedError(
            "EXPLAIN ANALYZE takes a query: a change is explained without being made.", statement.span, hint=hint
        )
    if statement.analyze and statement.format in ("HYPERGRAPH", "ORDERS", "TRACE"):
        raise NotSupportedError(f"EXPLAIN {statement.format} does not execute the query.", statement.format_span)
    planned = _planned(context, statement.statement, parameters)
    match statement.format:
        case "TREE" | "JSON" | "DOT" | "MERMAID":
            return text_of_lines([planned.explain(analyze=statement.analyze, format=statement.format)])
        case "HYPERGRAPH":
            from minisql.session.explanations.hypergraph import explain_hypergraph

            return explain_hypergraph(planned)
        case "ORDERS":
            from minisql.session.explanations.orders import explain_orders

            return explain_orders(planned, statement.format_span)
        case "HTML":
            from minisql.session.explanations.page import page_of

            return text_of_lines([page_of(planned, statement.statement.span.source, analyze=statement.analyze)])
        case "TRACE":
            from minisql.session.explanations.trace import explain_trace

            return explain_trace(planned)
        case "ALTERNATIVES":
            from minisql.session.explanations.alternatives import explain_alternatives

            return explain_alternatives(planned, statement.count)
        case "WHY NOT":
            from minisql.session.explanations.why_not import explain_why_not

            assert statement.order is not None
            return explain_why_not(planned, statement.order, statement.format_span)
        case _:
            from minisql.explain.formats import PLAN_FORMATS, unknown_format

            raise unknown_format(
                statement.format, (*PLAN_FORMATS, "HTML", "HYPERGRAPH", "ORDERS", "TRACE"), statement.format_span
            )


def _planned(context: Context, tree: st.Explained, parameters: Sequence[object]) -> PlannedQuery:
    """The plan of a query, or that for the rows that a change adds, changes or removes."""
    match tree:
        case parse_tree.QueryExpression():
            return plan_query(tree, context.environment(parameters), context.settings)
        case st.Insert():
            return changes.plan_insert(context, tree, parameters)
        case st.Update():
            return changes.plan_update(context, tree, parameters).planned
        case st.Delete():
            return changes.plan_delete(context, tree, parameters)
        case _:
            assert_never(tree)
