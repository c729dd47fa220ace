"""The search in the model of a page: the steps of EXPLAIN TRACE, as many as a page can hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minisql.optimizer.trace_records import Record, Trace
from minisql.printable import cut
from minisql.session.explanations.page_plan import Model, finite

_KEPT = ("first", "better")


def search_model(trace: Trace, most: int, longest: int) -> Model:
    """The model of a search.

    Args:
        trace: the search.
        most: how many steps there may be: those that kept a plan first, then others, evenly.
        longest: how many characters of a condition or reason.
    """
    begin, *events, end = trace.records
    steps = [events[place] for place in chosen_steps(events, most)]
    texts: dict[str, int] = {}

    def text(value: object) -> int | None:
        return None if value is None else texts.setdefault(cut(str(value), longest), len(texts))

    rows: list[list[object]] = []
    for step in steps:
        kind = step["verdict"] if step["event"] == "pair" else step["event"]
        if kind == "phase":
            rows.append([kind, [], [], text(step["phase"]), text(step["reason"]), None, None, None])
        elif kind == "table":
            rows.append([kind, step["tables"], [], None, None, _short(step["rows"]), _short(step["cost"]), None])
        else:
            said = step["reason"] if kind == "forbidden" else step["condition"]
            beaten = _short(step["beaten"]) if kind in ("better", "dearer") else None
            numbers = [_short(step["rows"]), _short(step["cost"]), beaten]
            rows.append([kind, step["left"], step["right"], text(step["operator"]), text(said), *numbers])
    shown = sum(step["event"] == "pair" for step in steps)
    left_out = None
    if shown < trace.pairs:
        what = "first of all those that gave a set its first or a better plan"
        left_out = f"{shown:,} of {trace.pairs:,} pairs: {what}."
    return {
        "tables": begin["tables"],
        "texts": list(texts),
        "steps": rows,
        "pairs": trace.pairs,
        "order": end["order"],
        "left_out": left_out,
    }


def chosen_steps(events: Sequence[Record], most: int) -> list[int]:
    """The places of at most `most` steps: all that kept a plan where there is room for them, others evenly."""
    if len(events) <= most:
        return list(range(len(events)))
    kept = [place for place, event in enumerate(events) if event.get("verdict", "first") in _KEPT]
    if len(kept) >= most:
        return _evenly(kept, most)
    others = [place for place, event in enumerate(events) if event.get("verdict", "first") not in _KEPT]
    return sorted(kept + _evenly(others, most - len(kept)))


def _evenly(places: Sequence[int], most: int) -> list[int]:
    """So many of the places, the first and the last among them."""
    if most >= len(places):
        return list(places)
    if most < 2:
        return list(places[:most])
    return [places[number * (len(places) - 1) // (most - 1)] for number in range(most)]


def _short(value: Any) -> float | int | None:
    return None if value is None else finite(value, 4)
