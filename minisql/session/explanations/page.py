"""EXPLAIN HTML: gathers what is known of a planned query into the model of a page (see `minisql.explain.page`).

What a page holds has bounds, and so has the time that it takes; each part says what it leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import minisql
from minisql.errors import InterfaceError, NotSupportedError, OperationalError, counted
from minisql.explain.page import SCHEMA, render_page, size_of
from minisql.explain.page.layout import place_nodes
from minisql.explain.plan_description import NodeDescription
from minisql.explain.regions import EdgeDescription, RegionDescription
from minisql.node import value_node
from minisql.optimizer.trace_records import Trace
from minisql.printable import cut
from minisql.session.explanations.hypergraph import describe_hypergraph
from minisql.session.explanations.orders import OrderList, list_orders
from minisql.session.explanations.page_forbidden import forbidden_answers, forbidden_model
from minisql.session.explanations.page_plan import finite, hottest_sentence, plan_model, summary
from minisql.session.explanations.page_search import search_model
from minisql.session.explanations.trace import trace_of
from minisql.session.pipeline import PlannedQuery, describe_with_warnings
from minisql.session.recursion import deep_recursion

Model = dict[str, Any]

MOST_BYTES: Final = 400_000
"""The most bytes of a model: page, style and script have the rest of 500 kB."""
_MOST_TEXT: Final = 20_000


@value_node
class Bounds:
    """How much of each part a page holds."""

    operators: int
    characters: int
    orders: int
    steps: int
    tables: int
    cases: int


_BOUNDS: Final = (
    Bounds(operators=1_000, characters=600, orders=200, steps=2_000, tables=100, cases=6),
    Bounds(operators=500, characters=200, orders=100, steps=800, tables=60, cases=6),
    Bounds(operators=200, characters=100, orders=40, steps=200, tables=30, cases=3),
    Bounds(operators=100, characters=60, orders=10, steps=50, tables=0, cases=1),
)
"""From generous to small: those are taken with which the page is not too large."""


def page_of(planned: PlannedQuery, text: str, *, analyze: bool) -> str:
    """The page of a query as HTML.

    Args:
        planned: the query.
        text: what the user wrote.
        analyze: whether the query is run, so that estimates stand beside what happened.
    """
    model = page_model(planned, text, analyze=analyze)
    return render_page(model, f"EXPLAIN {cut(' '.join(text.split()), 80)}")


def save_page(planned: PlannedQuery, path: str | Path, *, analyze: bool) -> None:
    """Writes the page of a query to a file, which is made or replaced.

    Raises:
        InterfaceError: the path is none.
        OperationalError: the file cannot be written.
    """
    if not isinstance(path, (str, Path)) or not str(path):
        raise InterfaceError(f"A plan is saved to the path of a file, not to {path!r}.")
    target = Path(path)
    try:
        if target.is_dir():
            raise OperationalError(f'"{target}" is a folder; the page is one file.')
        if not target.parent.is_dir():
            raise OperationalError(f'There is no folder "{target.parent}" to write the page to.')
        page = page_of(planned, planned.text, analyze=analyze)
        target.write_text(page, encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OperationalError(f'The page cannot be written to "{target}": {reason}.') from error


def page_model(planned: PlannedQuery, text: str, *, analyze: bool) -> Model:
    """The model of a page, small enough for it."""
    plan, warnings = describe_with_warnings(planned, analyze=analyze)
    with deep_recursion():
        regions = describe_hypergraph(planned)
        orders = _listed(planned)
        trace = trace_of(planned) if regions else None
        answers, has_more = forbidden_answers(planned) if regions else ([], False)
        for bounds in _BOUNDS:
            model = _model(planned, text, plan, regions, orders, trace, bounds)
            model["warnings"] = [" ".join(filter(None, [each.message, each.hint])) for each in warnings]
            model["forbidden"] = forbidden_model(answers, bounds.cases, bounds.characters, has_more=has_more)
            if size_of(model) <= MOST_BYTES:
                break
    return model


def _model(
    planned: PlannedQuery,
    text: str,
    plan: NodeDescription,
    regions: Sequence[RegionDescription],
    orders: OrderList | str,
    trace: Trace | None,
    bounds: Bounds,
) -> Model:
    headline, facts = summary(plan)
    left = len(text) - _MOST_TEXT
    return {
        "schema": SCHEMA,
        "version": minisql.__version__,
        "analyzed": plan.analyzed,
        "sql": text if left <= 0 else f"{text[:_MOST_TEXT]}\n... ({left:,} characters more)",
        "headline": headline,
        "lead": " ".join(filter(None, [_order_sentence(orders), hottest_sentence(plan)])),
        "facts": facts,
        "simplifications": [cut(str(step), bounds.characters) for step in planned.simplifications],
        "plan": plan_model(plan, bounds.operators, bounds.characters),
        "hypergraph": _hypergraph(regions, bounds),
        "orders": _orders(orders, bounds) if regions else None,
        "trace": None if trace is None else search_model(trace, bounds.steps, bounds.characters),
    }


def _listed(planned: PlannedQuery) -> OrderList | str:
    """The legal orders, or a sentence that says why they are not known."""
    try:
        return list_orders(planned, None)
    except NotSupportedError as error:
        return error.message


def _order_sentence(orders: OrderList | str) -> str | None:
    if isinstance(orders, str) or orders.count < 2:
        return None
    cheapest = next((line for line in orders.lines if line.chosen), None)
    written = next((line for line in orders.lines if line.as_written), None)
    said = f"The optimizer chose among {orders.count:,} legal orders of the joins"
    if cheapest is None or written is None or cheapest.cost <= 0:
        return f"{said}."
    if cheapest is written:
        return f"{said}, and took the order as written."
    times = written.cost / cheapest.cost
    how = f"{times:.2g} times" if times < 100 else f"{times:,.0f} times"
    if times >= 1.05:
        return f"{said}; the order as written would cost {how} as much."
    return f"{said}; the order as written would cost about the same."


def _orders(orders: OrderList | str, bounds: Bounds) -> Model:
    if isinstance(orders, str):
        return {"lines": [], "count": None, "reason": orders, "left_out": None}
    shown = [*orders.lines[: bounds.orders]]
    shown += [line for line in orders.lines[bounds.orders :] if line.chosen or line.as_written]
    listed = counted(len(shown), "order")
    return {
        "lines": [
            {
                "order": line.order,
                "cost": finite(line.cost),
                "rows": finite(line.rows),
                "chosen": line.chosen,
                "as_written": line.as_written,
            }
            for line in shown
        ],
        "count": orders.count,
        "reason": None,
        "left_out": f"{listed} of {orders.count:,}, the cheapest first." if len(shown) < orders.count else None,
    }


def _hypergraph(regions: Sequence[RegionDescription], bounds: Bounds) -> Model | None:
    drawn = [_region(region, bounds) for region in regions if len(region.nodes) <= bounds.tables]
    left_out = len(regions) - len(drawn)
    if not regions:
        return None
    groups = f"{counted(left_out, 'group')} of joins of more than {bounds.tables} tables"
    sentence = f"Not drawn: {groups}." if left_out else None
    return {"regions": drawn, "left_out": sentence}


def _region(region: RegionDescription, bounds: Bounds) -> Model:
    places = place_nodes([node.number for node in region.nodes], [_near(edge) for edge in region.edges])
    names = [node.name for node in region.nodes]
    made = region.to_dict()
    for node in made["nodes"]:
        node["rows"] = finite(node["rows"])
        node["x"], node["y"] = places[node["number"]]
    for part in (*made["nodes"], *made["edges"], *made["filters"]):
        part["conditions"] = [cut(each, bounds.characters) for each in part["conditions"]]
    return {"title": cut(f"Joins of {', '.join(names)}", 70), **made}


def _near(edge: EdgeDescription) -> tuple[Sequence[int], Sequence[int]]:
    """What an edge should bring together: the nodes that its conditions use, where there are some on each side."""
    left, right = (tuple(node for node in side if node in edge.ses) for side in (edge.left, edge.right))
    return left or edge.left, right or edge.right
