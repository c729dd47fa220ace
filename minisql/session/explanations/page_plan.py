"""The plan in the model of a page: a row for each operator, and sentences on what was noticed of it."""

from __future__ import annotations

import math
from typing import Any, Final

from minisql.errors import counted
from minisql.execution.fan_out import FanOut
from minisql.explain.plan_description import NodeDescription
from minisql.printable import cut
from minisql.session.value_text import text_of

Model = dict[str, Any]

TIMES: Final = "\u00d7"

_ROLES: Final = {
    "root": "",
    "input": "",
    "probe": "",
    "left": "",
    "build": "hashed",
    "anchor": "first",
    "step": "repeated",
    "shared": "once",
}
"""What the page calls the inputs; those that run straight down need no word."""


def plan_model(plan: NodeDescription, most: int, longest: int) -> Model:
    """The operators in the order in which the page has them: what an operator holds, then what it reads row by row.

    Args:
        plan: the plan.
        most: how many operators there may be; of a larger plan those are left out that come last.
        longest: how many characters of the title of an operator.
    """
    nodes: list[Model] = []
    waiting: list[tuple[NodeDescription, int | None]] = [(plan, None)]
    left_out = 0
    while waiting:
        node, parent = waiting.pop()
        if len(nodes) == most:
            left_out = sum(1 for waits, _ in [*waiting, (node, parent)] for _ in waits.walk())
            break
        number = len(nodes)
        nodes.append(_operator(node, parent, longest))
        waiting += [(input_, number) for input_ in node.inputs[:1]]
        waiting += [(input_, number) for input_ in reversed(node.inputs[1:])]
    sentence = f"The page shows {most:,} operators; {left_out:,} below them are left out." if left_out else None
    return {"analyzed": plan.analyzed, "nodes": nodes, "left_out": sentence}


def finite(number: float, digits: int = 5) -> float | int:
    """A number with some of its digits, the largest double for what is beyond it: JSON has no infinity."""
    if not math.isfinite(number):
        return 1.7e308
    return int(number) if number == int(number) and abs(number) < 1e15 else float(f"{number:.{digits}g}")


def _operator(node: NodeDescription, parent: int | None, longest: int) -> Model:
    actual = node.actual
    return {
        "parent": parent,
        "role": _ROLES.get(node.role, node.role),
        "title": cut(node.title, longest),
        "rows": finite(node.rows),
        "cost": finite(node.cost),
        "actual": None
        if actual is None
        else {
            "rows": actual.rows,
            "loops": actual.loops,
            "ms": finite(actual.seconds * 1000),
            "own_ms": finite(actual.own_seconds * 1000),
            "batches": actual.batches,
            "bytes": actual.held_bytes,
        },
        "q_error": None if actual is None or actual.q_error is None else finite(actual.q_error),
        "hottest": node.hottest,
        "notes": _notes(node),
        "fan_out": None if node.fan_out is None else _fan_out(node, node.fan_out, longest),
    }


def _notes(node: NodeDescription) -> list[str]:
    notes = []
    if node.role == "shared" and node.heading is not None:
        notes.append(f"{node.heading}.")
    if node.analyzed and node.actual is None:
        notes.append("Never run: nothing above asked for a row.")
    if node.actual is not None and not node.actual.complete:
        notes.append("Stopped before its end, since nothing above needed more rows; so its estimate is not judged.")
    if node.actual is not None and node.actual.loops > 1:
        notes.append(f"Run {node.actual.loops:,} times; the estimate is for one run.")
    return notes


def _fan_out(node: NodeDescription, fan: FanOut, longest: int) -> Model:
    left, right = node.inputs[:2]
    if node.details.get("build") == "left":
        left, right = right, left
    names = [cut(_tables(side), 60) for side in (left, right)]
    return {
        "kind": "no match" if fan.kind == "none" else fan.kind,
        "sentence": _fan_out_sentence(fan, *names),
        "sides": names,
        "keys": [
            {
                "key": cut(", ".join(map(text_of, key.values)), longest),
                "left": key.left_rows,
                "right": key.right_rows,
                "pairs": key.pairs,
            }
            for key in fan.worst_keys
        ],
    }


def _fan_out_sentence(fan: FanOut, left: str, right: str) -> str:
    if fan.pairs == 0:
        said = f"No row of {left} matches a row of {right}."
    else:
        said = (
            f"A row of {left} matches at most {_rows(fan.left_most)} of {right}, a row of {right} at most "
            f"{_rows(fan.right_most)} of {left}: {fan.pairs:,} {'pair' if fan.pairs == 1 else 'pairs'} in all."
        )
        lonely = [(left, fan.left_unmatched, fan.left_null_keys), (right, fan.right_unmatched, fan.right_null_keys)]
        parts = [
            f"{_rows(count)} of {name}" + (f" ({nulls:,} with a NULL key)" if nulls else "")
            for name, count, nulls in lonely
            if count
        ]
        if parts:
            rows = sum(count for _, count, _ in lonely)
            said += f" {' and '.join(parts)} {'match' if rows > 1 else 'matches'} none."
    return said if fan.complete else f"{said} Not all rows were read."


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def _tables(node: NodeDescription) -> str:
    if not node.tables:
        return "the input"
    return node.tables[0] if len(node.tables) == 1 else f"{{{', '.join(node.tables)}}}"


def summary(plan: NodeDescription) -> tuple[str, list[list[str | None]]]:
    """The headline of a plan, and facts on it."""
    root = plan.actual
    if root is None:
        return f"Planned, not run: estimated cost {_number(plan.cost)}", [
            ["Estimated rows", _number(plan.rows), None],
            ["Estimated cost", _number(plan.cost), None],
        ]
    nodes = [node for _, node in plan.walk()]
    facts: list[list[str | None]] = [
        ["Rows", f"{root.rows:,}", None],
        ["Time", *_time(root.seconds)],
        ["Estimated cost", _number(plan.cost), None],
    ]
    errors = [(node.actual.q_error, node) for node in nodes if node.actual is not None and node.actual.q_error]
    if errors:
        worst = max(error for error, _ in errors)
        facts.append(["Largest q-error", f"{_number(worst)}{TIMES}" if worst >= 1.05 else "exact", None])
    held = max((node.actual.held_bytes for node in nodes if node.actual is not None), default=0)
    if held:
        facts.append(["Most memory held", *_size(held)])
    value, unit = _time(root.seconds)
    return f"{counted(root.rows, 'row') if root.rows < 1000 else _rows(root.rows)} in {value} {unit}", facts


def hottest_sentence(plan: NodeDescription) -> str | None:
    """Where the time went."""
    for _, node in plan.walk():
        if node.hottest and node.actual is not None and plan.actual is not None and plan.actual.seconds > 0:
            share = min(1.0, node.actual.own_seconds / plan.actual.seconds)
            return None if share < 0.25 else f"{share:.0%} of the time went into one operator: {cut(node.title, 90)}."
    return None


def _number(value: float) -> str:
    if not math.isfinite(value) or value >= 1e9:
        return f"{value:.3g}"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def _time(seconds: float) -> tuple[str, str]:
    if seconds >= 10:
        return f"{seconds:.3g}", "s"
    return (f"{seconds * 1000:,.0f}" if seconds >= 1 else f"{seconds * 1000:.3g}"), "ms"


def _size(size: int) -> tuple[str, str]:
    for unit, name in ((2**30, "GB"), (2**20, "MB"), (2**10, "kB")):
        if size >= unit:
            return f"{size / unit:.3g}", name
    return str(size), "B"
