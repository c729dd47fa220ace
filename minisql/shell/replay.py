"""The search for the cheapest order of joins as people read it: each step of a trace, and what was kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

SCHEMA: Final = "minisql.trace/1"
"""The form of the traces that are understood, as docs/schemas has it."""

_Record = dict[str, Any]
_Tables = frozenset[int]


def replay_lines(trace: Iterable[str]) -> Iterator[str]:
    """A line for each line of a trace; of traces in a form that is not known, the lines themselves."""
    lines = iter(trace)
    first = next(lines, None)
    if first is None:
        return
    begin = _record(first)
    if begin.get("schema") != SCHEMA:
        yield first
        yield from lines
        return
    search = _Search(begin)
    for line in lines:
        yield search.step(_record(line))


def _record(line: str) -> _Record:
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


class _Search:
    """What has been kept so far: for each set of tables the order of its best plan."""

    def __init__(self, begin: _Record) -> None:
        self._names = {table["number"]: str(table["name"]) for table in begin["tables"]}
        self._best: dict[_Tables, str] = {}

    def step(self, record: _Record) -> str:
        """What a record says."""
        match record.get("event"):
            case "phase":
                return f"{record['step']:>5}  {record['phase']}: {record['reason']}"
            case "table":
                order = self._order(record["tables"])
                return f"{record['step']:>5}  {order}: {_estimates(record)}"
            case "pair":
                return self._pair(record)
            case "end":
                pairs = f"{record['pairs']:,} pairs" if record["pairs"] != 1 else "1 pair"
                cost = "" if record["cost"] is None else f", cost {record['cost']:.6g}"
                return f"{'':>5}  The order is {record['order']}{cost}, after {pairs}."
        return json.dumps(record, ensure_ascii=False)

    def _pair(self, record: _Record) -> str:
        left, right = self._order(record["left"]), self._order(record["right"])
        start = f"{record['step']:>5}  {left} + {right}: "
        tables = frozenset((*record["left"], *record["right"]))
        before = self._best.get(tables)
        if record["verdict"] in ("first", "better"):
            self._best[tables] = f"({left} {right})"
        factor = f"{record['factor'] or 1:.4g}"
        times = "" if factor == "1" else f"{factor} times "
        match record["verdict"]:
            case "first":
                verdict = "kept, as the first plan"
            case "better":
                verdict = f"kept, {times}cheaper than {before}"
            case "dearer":
                verdict = f"dropped, {times}dearer than {before}" if times else f"dropped, no cheaper than {before}"
            case _:
                return f"{start}not allowed: {record['reason']}"
        return f"{start}{record['operator']} on {record['condition']}, {_estimates(record)} -- {verdict}"

    def _order(self, numbers: Iterable[int]) -> str:
        """The best order of these tables so far."""
        tables = frozenset(numbers)
        known = self._best.get(tables)
        return known or " ".join(self._names.get(number, f"#{number}") for number in sorted(tables))


def _estimates(record: _Record) -> str:
    return f"rows {record['rows']:.6g}, cost {record['cost']:.6g}"
