"""Plans of the steps of recursions, which run once a round: what is the same in every round comes first.

A part of a step that does not read the working table gives the same rows in every round, so its rows are kept
(`execution.recursion`). A hash join of such a part with one that does read it has its table over the former, which is
then built once: the cost model, which sees one round, would rather build on the few rows of the latter.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, assert_never

from minisql.node_set import EMPTY, NodeSet, single
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
    SharedScan,
    SingleRow,
    Sort,
    TableScan,
    ValuesScan,
    Window,
    WorkingTableScan,
    inputs,
)

EXPECTED_ROUNDS: Final = 10.0
"""How many rounds a recursion takes, and how many times the rows of the anchor its working table has: nothing is known
of it, and this is what PostgreSQL assumes (src/backend/optimizer/path/costsize.c, `cost_recursive_union`)."""


def working_tables(path: AccessPath) -> dict[int, NodeSet]:
    """For every path below, by identity, the numbers of the recursions whose working table its rows depend on."""
    order = [path]
    for visited in order:
        order += inputs(visited)
    found: dict[int, NodeSet] = {}
    for visited in reversed(order):
        recursions = EMPTY
        for input_ in inputs(visited):
            recursions = NodeSet(recursions | found[id(input_)])
        if isinstance(visited, WorkingTableScan):
            recursions = single(visited.recursion)
        elif isinstance(visited, RecursiveUnion):
            recursions = NodeSet(recursions & ~single(visited.table))
        found[id(visited)] = recursions
    return found


def build_on_constant_sides(step: AccessPath, recursion: int) -> AccessPath:
    """The step with the tables of its hash joins over the sides that are the same in every round."""
    own = single(recursion)
    depends = {number for number, recursions in working_tables(step).items() if recursions & own}

    def built(path: AccessPath) -> AccessPath:
        if id(path) not in depends:
            return path
        match path:
            case TableScan() | ValuesScan() | OneRow() | SharedScan() | WorkingTableScan():
                return path
            case HashJoin():
                build_left = path.build_left
                if (id(path.left) in depends) is not (id(path.right) in depends):
                    build_left = id(path.right) in depends
                return replace(path, left=built(path.left), right=built(path.right), build_left=build_left)
            case NestedLoopJoin() | Apply() | SetOperation():
                return replace(path, left=built(path.left), right=built(path.right))
            case RecursiveUnion():
                return replace(path, anchor=built(path.anchor), step=built(path.step))
            case Filter() | Project() | HashAggregate() | Window() | Sort() | Limit() | SingleRow():
                return replace(path, input=built(path.input))
            case _:
                assert_never(path)

    return built(step)
