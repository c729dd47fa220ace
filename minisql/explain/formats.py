"""The formats in which EXPLAIN prints a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from minisql.errors import InternalError, NotSupportedError, QueryWarning, Span, did_you_mean, enumerated
from minisql.explain.node_details import Json
from minisql.explain.plan_description import NodeDescription

PLAN_FORMATS: Final = ("TREE", "JSON", "DOT", "MERMAID")


def format_plan(
    name: str,
    plan: NodeDescription,
    simplifications: Sequence[str],
    warnings: Sequence[QueryWarning],
    settings: Mapping[str, Json],
) -> str:
    """The plan in the format of this name, one of `PLAN_FORMATS`, without a newline at its end.

    `simplifications` say what became of the query before it was planned, and need no warning that says so, too.
    `settings` are those that are not as they are by default.
    """
    others = [f"WARNING: {warning}" for warning in warnings if warning.code != "outer_join_undone"]
    notes = [*simplifications, *others]
    match name:
        case "TREE":
            from minisql.explain.tree import format_tree

            return "\n".join([*notes, format_tree(plan)])
        case "JSON":
            from minisql.explain.json_format import format_json

            return format_json(plan, simplifications, [str(warning) for warning in warnings], settings)
        case "DOT":
            from minisql.explain.dot import format_dot

            return format_dot(plan, notes)
        case "MERMAID":
            from minisql.explain.mermaid import format_mermaid

            return format_mermaid(plan, notes)
        case _:
            raise InternalError(f"{name} is no format of plans.")


def unknown_format(name: str, known: Sequence[str], span: Span | None = None) -> NotSupportedError:
    """The error of a format that there is not."""
    return NotSupportedError(
        f"EXPLAIN has no format {name}, only {enumerated(known)}.", span, hint=did_you_mean(name, known)
    )
