"""The joins of a plan's outermost group, as explanations speak of them: by the names of tables, with their rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from minisql.errors import counted, enumerated
from minisql.explain.numbers import number_text
from minisql.hypergraph.leaves import tables_of_region
from minisql.node import node
from minisql.node_set import NodeSet, members
from minisql.optimizer.access_path import AccessPath, Filter, HashJoin, NestedLoopJoin
from minisql.relational.relational_expression import JoinType
from minisql.session.explanations.orders import table_names_of_region
from minisql.session.explanations.outermost_region import Region, path_of_region
from minisql.session.pipeline import PlannedQuery


@node
class Side:
    """A side of a join: the names of its tables, and its estimated rows."""

    names: tuple[str, ...]
    rows: float

    @property
    def is_table(self) -> bool:
        """Whether nothing is joined in it."""
        return len(self.names) == 1

    def __str__(self) -> str:
        return listed(self.names)


@node
class JoinStep:
    """A join. Where it is `hashed`, the left side probes and the right one is hashed. `rows` are those it gives."""

    left: Side
    right: Side
    type: JoinType
    hashed: bool
    rows: float

    @property
    def names(self) -> frozenset[str]:
        """The tables that are joined once this join is made."""
        return frozenset((*self.left.names, *self.right.names))


def join_steps(planned: PlannedQuery) -> tuple[JoinStep, ...]:
    """The joins of the outermost group, each after those in its sides; nothing where nothing is joined."""
    region = Region.outermost(planned.rewritten)
    if region is None:
        return ()
    nodes = tables_of_region(region.region)
    names = _unique_names(table_names_of_region(planned, region), nodes)
    steps: list[JoinStep] = []
    waiting: list[tuple[AccessPath, float | None]] = [(path_of_region(planned.path, nodes), None)]
    while waiting:
        path, rows = waiting.pop()
        inside = path.nodes & nodes
        if inside & (inside - 1) == 0:
            continue
        if isinstance(path, Filter):
            waiting.append((path.input, path.rows if rows is None else rows))
            continue
        assert isinstance(path, HashJoin | NestedLoopJoin)
        left, right = path.left, path.right
        if isinstance(path, HashJoin) and path.build_left:
            left, right = right, left
        steps.append(
            JoinStep(
                left=_side(left, nodes, names),
                right=_side(right, nodes, names),
                type=path.type,
                hashed=isinstance(path, HashJoin),
                rows=path.rows if rows is None else rows,
            )
        )
        waiting += [(path.left, None), (path.right, None)]
    steps.reverse()
    return tuple(steps)


def _unique_names(names: Mapping[int, str], nodes: NodeSet) -> dict[int, str]:
    """What sentences call the tables of a region: those without a name by their number, where there are several."""
    found = {table: names.get(table, "the subquery") for table in members(nodes)}
    uses = Counter(found.values())
    return {table: name if uses[name] == 1 else f"{name} #{table}" for table, name in found.items()}


def _side(path: AccessPath, nodes: NodeSet, names: Mapping[int, str]) -> Side:
    return Side(names=tuple([names[table] for table in members(NodeSet(path.nodes & nodes))]), rows=path.rows)


def intermediate_rows(steps: Sequence[JoinStep]) -> float:
    """The rows of the results of all joins but the last."""
    return sum(step.rows for step in steps[:-1])


def shape_of(steps: Sequence[JoinStep]) -> str:
    """The shape of the tree: where the joins stand that are inputs of joins."""
    if len(steps) <= 1:
        return "one join" if steps else "no join"
    left = any(not step.left.is_table for step in steps)
    right = any(not step.right.is_table for step in steps)
    if any(not step.left.is_table and not step.right.is_table for step in steps):
        return "bushy"
    if left and right:
        return "zigzag"
    return "left-deep" if left else "right-deep"


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`; of many the first and their number."""
    known = list(names)
    if len(known) > 5:
        return f"{', '.join(known[:3])} and {counted(len(known) - 3, 'more table')}"
    return enumerated(known)


def factor_text(factor: float) -> str:
    """What a ratio of costs means: `at 3.1 times the cost`, `for 8% more`."""
    if 0.995 <= factor <= 1.005:
        return "at the same cost"
    if factor < 1:
        return f"for {(1 - factor) * 100:.0f}% less by the estimates"
    if factor < 1.15:
        return f"for {(factor - 1) * 100:.0f}% more"
    return f"at {factor:.3g} times the cost" if factor < 10 else f"at {number_text(round(factor))} times the cost"
