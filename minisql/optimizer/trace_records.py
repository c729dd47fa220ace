"""A search as records that JSON can hold: the events of a trace with tables, joins, conditions and reasons.

docs/explain.md describes the records field by field, docs/schemas/trace.schema.json for a program.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from minisql.expression.format import format_conditions
from minisql.hypergraph.connections import Connections, JoinSite
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.why_not import explain_why_not
from minisql.node import node
from minisql.node_set import NodeSet, members
from minisql.optimizer.costing_receiver import NESTED_LOOP, Entry
from minisql.optimizer.finish_plan import conditions_of_join
from minisql.optimizer.trace import Event, NodeFound, PairFound, PhaseBegan, Verdict, join_of
from minisql.relational.relational_expression import JoinType

SCHEMA: Final = "minisql.trace/1"
"""The name and version of the form of the records. A field may be added; what else changes, changes the version."""

Record: TypeAlias = Mapping[str, object]


@node
class Trace:
    """A search, as records; `pairs` is the number of all pairs, of which the first ones are listed."""

    records: tuple[Record, ...]
    pairs: int

    def lines(self) -> Iterator[str]:
        """Each record as a line of JSON."""
        for record in self.records:
            yield json.dumps(record, ensure_ascii=False, allow_nan=False)

    @property
    def notice(self) -> str | None:
        """What is not listed, as a sentence."""
        listed = sum(record["event"] == "pair" for record in self.records)
        return f"The first {listed:,} of {self.pairs:,} pairs." if listed < self.pairs else None


class RegionWords:
    """The words for the joins of a region: names of tables, joins, conditions and reasons."""

    def __init__(
        self,
        graph: JoinHypergraph,
        connections: Connections,
        entries: Mapping[int, Entry],
        names: Mapping[int, str],
        *,
        has_methods: bool,
    ) -> None:
        """`names` are those of the nodes by number; `has_methods` says that joins are hash or nested-loop joins."""
        self._graph = graph
        self._connections = connections
        self._entries = entries
        self._names = names
        self._has_methods = has_methods

    @property
    def tables(self) -> list[Record]:
        """The nodes with their names."""
        return [{"number": number, "name": self._names[number]} for number in members(self._graph.graph.nodes)]

    def joined(self, pair: PairFound) -> Record:
        """What a pair that may be joined is joined by, its sides as they are shown."""
        connections, entries = self._connections, self._entries
        left, right = entries[pair.left], entries[pair.right]
        site, flipped = join_of(connections, entries, left, right, pair.method)
        filters = connections.filter_conditions(site)
        return {
            "left": _numbers(pair.right if flipped else pair.left),
            "right": _numbers(pair.left if flipped else pair.right),
            "operator": self._operator(site, pair.method, keeps_right=site.flipped is not flipped),
            "condition": format_conditions(conditions_of_join(connections, site, left, right)),
            "filter": format_conditions(filters) if filters else None,
            "reason": None,
        }

    def type_of(self, left: Entry, right: Entry) -> JoinType:
        """The type of the join of two sets that may be joined."""
        return join_of(self._connections, self._entries, left, right, left.method)[0].type

    def _operator(self, site: JoinSite, method: int, *, keeps_right: bool) -> str:
        if not self._has_methods:
            return f"{site.type.value} join"
        text = f"{site.type.value} {'nested-loop' if method == NESTED_LOOP else 'hash'} join"
        is_one_sided = site.type not in (JoinType.INNER, JoinType.FULL)
        return f"{text}, keeping rows of the hashed side" if is_one_sided and keeps_right else text

    def forbidden(self, pair: PairFound) -> Record:
        """Why a pair may not be joined."""
        left, right = NodeSet(pair.left), NodeSet(pair.right)
        reason = explain_why_not(self._graph, left, right, self._names).text
        return {
            "left": _numbers(left),
            "right": _numbers(right),
            "operator": None,
            "condition": None,
            "filter": None,
            "reason": reason,
        }


def search_records(events: Sequence[Event], words: RegionWords, end: Record) -> Iterator[Record]:
    """The records of a search; `end` is what its last one says."""
    yield {"event": "begin", "schema": SCHEMA, "tables": words.tables}
    for step, event in enumerate(events, 1):
        match event:
            case PhaseBegan():
                yield {"event": "phase", "step": step, "phase": event.phase, "reason": event.reason}
            case NodeFound():
                yield table_record(step, event.node, event.rows, event.cost)
            case PairFound():
                yield _pair_record(step, event, words)
    yield {"event": "end", **end}


def table_record(step: int, nodes: int, rows: float, cost: float) -> Record:
    """A leaf of the search."""
    return {"event": "table", "step": step, "tables": _numbers(nodes), "rows": number(rows), "cost": number(cost)}


def _pair_record(step: int, pair: PairFound, words: RegionWords) -> Record:
    is_forbidden = pair.verdict is Verdict.FORBIDDEN
    factor: float | None = None
    if pair.verdict in (Verdict.BETTER, Verdict.DEARER):
        cheaper, dearer = sorted((pair.cost, pair.beaten))
        factor = number(dearer / cheaper) if cheaper > 0 else None
    return {
        "event": "pair",
        "step": step,
        **(words.forbidden(pair) if is_forbidden else words.joined(pair)),
        "rows": None if is_forbidden else number(pair.rows),
        "cost": number(pair.cost),
        "verdict": pair.verdict.value,
        "best": number(min(pair.cost, pair.beaten)),
        "beaten": number(pair.beaten),
        "factor": factor,
    }


def number(value: float) -> float | None:
    """An estimate with nine digits; None where there is none."""
    return float(f"{value:.9g}") if math.isfinite(value) else None


def _numbers(nodes: int) -> list[int]:
    return list(members(NodeSet(nodes)))
