"""A plan as a tree of descriptions: what every format of EXPLAIN prints, worked out once.

Estimates come from the path, what happened from a profile. Nothing here recurses, for plans may be a thousand joins
deep.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias, assert_never

from minisql.execution.fan_out import FanOut
from minisql.execution.profile import OperatorProfile, Profile
from minisql.explain.node_details import Details, Json, details_of, operator_name
from minisql.explain.titles import title_of
from minisql.expression.nodes import Value
from minisql.node import record
from minisql.optimizer.access_path import (
    AccessPath,
    Apply,
    Filter,
    HashAggregate,
    HashJoin,
    Limit,
    NestedLoopJoin,
    OneRow,
    Project,
    RecursiveUnion,
    SetOperation,
    Shared,
    SharedScan,
    SingleRow,
    Sort,
    TableScan,
    ValuesScan,
    Window,
    WorkingTableScan,
)
from minisql.optimizer.q_error import q_error

Role: TypeAlias = Literal["root", "input", "probe", "build", "left", "right", "anchor", "step", "shared"]


@record
class Actual:
    """What an operator did.

    Attributes:
        rows: the rows that came out, of all its runs.
        loops: how often it ran: more than once in the step of a recursion, and below an Apply.
        batches: the batches that came out, of all its runs.
        seconds: the time on the clock, its inputs' included.
        own_seconds: the same without them.
        held_bytes: the bytes of rows that it held at most, its inputs' not included.
        complete: whether every run went to its end. A LIMIT above may stop an operator early.
        q_error: how far the estimate is off, see `q_error`; the rows are those of a run on average. None where it
            did not run to its end.
    """

    rows: int
    loops: int
    batches: int
    seconds: float
    own_seconds: float
    held_bytes: int
    complete: bool
    q_error: float | None


@dataclass(frozen=True, slots=True, eq=False)
class NodeDescription:
    """One node of a plan.

    Attributes:
        path: what is described.
        operator: the name of the operator, which is the same in every version: "hash join", "table scan".
        title: the line of the node in TREE, without numbers.
        role: what the node is to the one above it.
        heading: the line above the node in TREE, where it has one ("Hash").
        tables: what its rows are made of: aliases of tables, derived tables and common table expressions.
        details: what else is known of it, by the operator; field names and values of JSON.
        rows: the estimated number of rows.
        cost: the estimated cost, its inputs' included, in microseconds (`optimizer.cost_constants`).
        analyzed: whether the query was run.
        actual: what happened; None where the query or this node was not run.
        fan_out: of a join that was run.
        hottest: whether no other node took as much time of its own.
        inputs: in the order of TREE.
    """

    path: AccessPath
    operator: str
    title: str
    role: Role
    heading: str | None
    tables: tuple[str, ...]
    details: Details
    rows: float
    cost: float
    analyzed: bool
    actual: Actual | None
    fan_out: FanOut | None
    hottest: bool
    inputs: tuple[NodeDescription, ...]

    def walk(self) -> Iterator[tuple[int, NodeDescription]]:
        """This node and those below it with their depths, each before its inputs."""
        stack = [(0, self)]
        while stack:
            depth, node = stack.pop()
            yield depth, node
            stack += [(depth + 1, below) for below in reversed(node.inputs)]

    def fields(self) -> dict[str, Json]:
        """What JSON says of this node, its inputs excepted."""
        return {
            "operator": self.operator,
            "title": self.title,
            "role": self.role,
            "tables": self.tables,
            **self.details,
            "estimate": {"rows": _finite(self.rows), "cost": _finite(self.cost)},
            "actual": None if self.actual is None else _actual_fields(self.actual),
            "fan_out": None if self.fan_out is None else _fan_out_fields(self.fan_out),
            "hottest": self.hottest,
        }

    def to_json(self) -> dict[str, Json]:
        """The node and those below it as `docs/explain.md` defines them, of dicts, lists, strings and numbers."""
        made: dict[NodeDescription, dict[str, Json]] = {}
        for _, node in reversed(list(self.walk())):
            made[node] = {**node.fields(), "inputs": [made.pop(below) for below in node.inputs]}
        return made[self]


@dataclass(slots=True)
class _Visit:
    path: AccessPath
    role: Role
    heading: str | None
    inputs: list[int] = field(default_factory=list)


def describe_plan(path: AccessPath, profile: Profile | None = None) -> NodeDescription:
    """Describes a plan; with what happened, where it was run with this profile."""
    visits = _visits(path)
    hottest = None if profile is None else _hottest(visits, profile)
    described: dict[int, NodeDescription] = {}
    for number in range(len(visits) - 1, -1, -1):  # inputs come after who reads them
        visit = visits[number]
        inputs = tuple([described.pop(input_) for input_ in visit.inputs])
        actual = None if profile is None else profile.get(visit.path)
        fan_out = None if profile is None or actual is None else profile.fan_out(visit.path)
        described[number] = NodeDescription(
            path=visit.path,
            operator=operator_name(visit.path),
            title=title_of(visit.path),
            role=visit.role,
            heading=visit.heading,
            tables=_tables(visit.path, inputs),
            details=details_of(visit.path),
            rows=visit.path.rows,
            cost=visit.path.cost,
            analyzed=profile is not None,
            actual=None if actual is None else _actual(visit.path, actual),
            fan_out=fan_out,
            hottest=visit.path is hottest,
            inputs=inputs,
        )
    return described[0]


def _visits(path: AccessPath) -> list[_Visit]:
    """The nodes of the tree in the order of TREE. What is shared stands below the first of its scans."""
    visits: list[_Visit] = []
    stack: list[tuple[AccessPath, Role, str | None, int | None]] = [(path, "root", None, None)]
    shown = set[Shared]()
    while stack:
        visited, role, heading, parent = stack.pop()
        number = len(visits)
        visits.append(_Visit(visited, role, heading))
        if parent is not None:
            visits[parent].inputs.append(number)
        stack += [(*input_, number) for input_ in reversed(_inputs(visited))]
        if isinstance(visited, SharedScan) and visited.shared not in shown:
            shown.add(visited.shared)
            stack.append((visited.shared.input, "shared", f"Compute {visited.shared.name} once", number))
    return visits


def _inputs(path: AccessPath) -> list[tuple[AccessPath, Role, str | None]]:
    """The inputs in the order of TREE, each with its role and heading."""
    match path:
        case TableScan() | ValuesScan() | OneRow() | SharedScan() | WorkingTableScan():
            return []
        case RecursiveUnion():
            return [(path.anchor, "anchor", None), (path.step, "step", "Repeat until it gives no new rows")]
        case Filter() | Project() | HashAggregate() | Sort() | Limit() | SingleRow() | Window():
            return [(path.input, "input", None)]
        case HashJoin():
            probe, build = (path.right, path.left) if path.build_left else (path.left, path.right)
            return [(probe, "probe", None), (build, "build", "Hash")]
        case NestedLoopJoin() | Apply() | SetOperation():
            return [(path.left, "left", None), (path.right, "right", None)]
        case _:
            assert_never(path)


def _tables(path: AccessPath, inputs: Sequence[NodeDescription]) -> tuple[str, ...]:
    match path:
        case TableScan() | ValuesScan() | WorkingTableScan():
            return (path.alias,) if path.alias else ()
        case SharedScan():
            return (path.alias or path.shared.name,)
        case RecursiveUnion():
            return (path.name,)
        case Project() if path.alias:
            return (path.alias,)
        case HashJoin() if path.build_left:
            return inputs[1].tables + inputs[0].tables
        case _:
            return tuple([table for input_ in inputs for table in input_.tables])


def _hottest(visits: Sequence[_Visit], profile: Profile) -> AccessPath | None:
    """The path with the most time of its own, the first of those with the same."""
    most, hottest = 0.0, None
    for visit in visits:
        actual = profile.get(visit.path)
        if actual is not None and actual.own_seconds > most:
            most, hottest = actual.own_seconds, visit.path
    return hottest


def _actual(path: AccessPath, own: OperatorProfile) -> Actual:
    most_rows = path.limit if isinstance(path, Sort | Limit) else None
    # Who has all the rows that there can be need not ask for more.
    complete = own.ended == own.loops or own.rows == most_rows
    return Actual(
        rows=own.rows,
        loops=own.loops,
        batches=own.batches,
        seconds=own.seconds,
        own_seconds=own.own_seconds,
        held_bytes=own.held_bytes,
        complete=complete,
        q_error=q_error(path.rows, own.rows / own.loops) if complete else None,
    )


def _actual_fields(actual: Actual) -> dict[str, Json]:
    return {
        "rows": actual.rows,
        "loops": actual.loops,
        "batches": actual.batches,
        "seconds": actual.seconds,
        "own_seconds": actual.own_seconds,
        "held_bytes": actual.held_bytes,
        "complete": actual.complete,
        "q_error": None if actual.q_error is None else _finite(actual.q_error),
    }


def _fan_out_fields(fan_out: FanOut) -> dict[str, Json]:
    return {
        "kind": fan_out.kind,
        "pairs": fan_out.pairs,
        "left_rows": fan_out.left_rows,
        "right_rows": fan_out.right_rows,
        "left_most": fan_out.left_most,
        "right_most": fan_out.right_most,
        "left_unmatched": fan_out.left_unmatched,
        "right_unmatched": fan_out.right_unmatched,
        "left_null_keys": fan_out.left_null_keys,
        "right_null_keys": fan_out.right_null_keys,
        "worst_keys": [
            {
                "values": [_json_value(value) for value in key.values],
                "left_rows": key.left_rows,
                "right_rows": key.right_rows,
                "pairs": key.pairs,
            }
            for key in fan_out.worst_keys
        ],
        "complete": fan_out.complete,
    }


def _json_value(value: Value) -> Json:
    """A value of a key: numbers that JSON has as numbers, everything else as text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Decimal():
            return f"{value:f}"
        case bytes():
            return value.hex()
        case _:
            return str(value)


def _finite(number: float) -> float | None:
    """A number; None where it is beyond what a double holds, which JSON cannot say."""
    return number if math.isfinite(number) else None
