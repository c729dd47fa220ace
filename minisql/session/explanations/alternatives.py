"""EXPLAIN ALTERNATIVES: the plans that teach most beside the chosen one, and what each does differently.

The candidates are other orders of the outermost group of joins, from the cheapest on and evenly over all there are
(over the pair budget: those that a random walk from the chosen order comes to); the sides of joins exchanged; and the
best plans without hash joins, in the order as written, and without each of the rewrites. `optimizer.plan_selection`
takes those that differ most.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from minisql.datatypes import BIGINT, DOUBLE, VARCHAR
from minisql.errors import ProgrammingError, counted
from minisql.explain.numbers import six_digits
from minisql.hypergraph.leaves import tables_of_region
from minisql.node import node
from minisql.node_set import NodeSet
from minisql.optimizer.access_path import AccessPath, Filter, HashJoin, NestedLoopJoin, inputs
from minisql.optimizer.find_best_plan import find_best_plan, find_search_space
from minisql.optimizer.plan_selection import PlanFeatures, plan_features, select_plans
from minisql.optimizer.search_space import Order, SearchSpace, same_order
from minisql.query_block.query_block import OrderedJoin
from minisql.query_block.table_names import block_of_tables
from minisql.relational.relational_expression import Aggregate, Apply, JoinOrder, SharedScan, WorkingTable
from minisql.relational.relational_expression import inputs as relational_inputs
from minisql.relational.rewriting import nodes_of
from minisql.session.explanations.differences import Differences
from minisql.session.explanations.join_steps import intermediate_rows, join_steps, shape_of
from minisql.session.explanations.orders import table_names_of_region
from minisql.session.explanations.outermost_region import Region, cost_with, order_of, path_of_region
from minisql.session.pipeline import PlannedQuery, plan_relational
from minisql.session.result import Result
from minisql.session.result_of_rows import result_of_rows

DEFAULT_COUNT: Final = 5
"""How many alternatives EXPLAIN ALTERNATIVES gives where it is not told."""
MOST_WORK: Final = 800
"""About how many operators without inputs are planned for the candidates, all together."""
LEAST_CANDIDATES: Final = 24
"""How many orders are looked at even where each has many tables."""

SAME_COST: Final = 0.03
"""The share by which costs differ at most where a setting changes nothing worth showing."""

SWITCHES: Final[tuple[tuple[str, object], ...]] = (
    ("hash_join", False),
    ("join_order", "as_written"),
    ("simplify_outer_joins", False),
    ("unnest_subqueries", False),
    ("push_down_conditions", False),
    ("push_down_grouping", False),
    ("drop_joins", False),
    ("prune_branches", False),
    ("merge_derived_tables", False),
    ("derive_conditions", False),
    ("delay_expensive_conditions", False),
    ("materialize_common_tables", False),
)
"""The settings that are tried, each with the value that is not the default."""


@node
class Alternative:
    """A plan beside the chosen one.

    Attributes:
        planned: the plan.
        setting: what has to be SET for it, as `hash_join = off`; None where its order, given as a hint, will do.
        shape: that of its tree of joins.
        rows: the estimated rows of all its joins but the last, of the outermost group of joins.
        factor: its cost, that of the chosen plan being 1.
        difference: a sentence on what it does differently and what that costs.
    """

    planned: PlannedQuery
    setting: str | None
    shape: str
    rows: float
    factor: float
    difference: str


@node
class Alternatives:
    """The chosen plan, and those that teach most beside it. `notice` says what was not looked at, if anything."""

    chosen: Alternative
    others: tuple[Alternative, ...]
    notice: str | None


@node
class _Candidate:
    """A plan with another order, or under a setting, which has a value that is not its default."""

    features: PlanFeatures
    order: Order | None = None
    setting: tuple[str, object] | None = None


def find_alternatives(planned: PlannedQuery, count: int) -> Alternatives:
    """At most `count` plans that teach most beside that of the query; the same ones each time."""
    region = Region.outermost(planned.rewritten)
    space = None if region is None else find_search_space(planned.rewritten, region.region, planned.settings)
    candidates = list(_candidates(planned, region, space))
    chosen = plan_features(planned.path)
    taken = select_plans(chosen, [candidate.features for candidate in candidates], count)
    differences = Differences(planned, None if space is None else _as_written(space))
    return Alternatives(
        chosen=_alternative(planned, None, 1.0, "The chosen plan."),
        others=tuple([_described(planned, region, candidates[place], differences) for place in taken]),
        notice=None if space is None or space.is_complete else _over_budget(planned.settings.pair_budget),
    )


def _over_budget(pair_budget: int) -> str:
    pairs = counted(pair_budget, "pair")
    return f"The joins have more than {pairs} of sets of tables: the orders are some of those near the chosen one."


def _as_written(space: SearchSpace) -> Order:
    return tuple(OrderedJoin(left=each.left_tables, right=each.right_tables) for each in space.graph.operators)


def _candidates(planned: PlannedQuery, region: Region | None, space: SearchSpace | None) -> Iterator[_Candidate]:
    yield from _other_settings(planned)
    if region is None or space is None:
        return
    graph_nodes = space.graph.graph.nodes
    chosen = order_of(path_of_region(planned.path, graph_nodes), graph_nodes)
    planner = _OrderPlanner(planned, region)
    most = max(LEAST_CANDIDATES, MOST_WORK // planner.leaves)
    seen = {chosen}
    for order in islice(_orders(space, chosen, most), 2 * most):
        if order not in seen and len(seen) <= most:
            seen.add(order)
            if (candidate := planner.candidate(order)) is not None:
                yield candidate
    if space.is_complete:
        return
    rng, order = random.Random(0), chosen
    for _ in range(most):
        changed = _rotated(order, rng)
        candidate = planner.candidate(changed)
        if candidate is not None:
            order = changed
            if order not in seen:
                seen.add(order)
                yield candidate


class _OrderPlanner:
    """Plans a query with other orders of its outermost region.

    Only the region is planned anew, and the rest stays, unless it reads rows of the recursion around it.

    Attributes:
        leaves: how many operators of the region have no inputs.
    """

    def __init__(self, planned: PlannedQuery, region: Region) -> None:
        self._planned, self._region = planned, region
        self._names = table_names_of_region(planned, region)
        self._nodes = tables_of_region(region.region)
        before = path_of_region(planned.path, self._nodes)
        whole, part = plan_features(planned.path), plan_features(before)
        self._structure, self._content = whole.structure - part.structure, whole.content - part.content
        self._in_recursion = any(isinstance(node, WorkingTable) for node in nodes_of(region.region))
        self.leaves = _count_leaves(before)

    def candidate(self, order: Order) -> _Candidate | None:
        """The plan with an order; None where the order is illegal or, as the one as written may, makes a product."""
        try:
            if self._in_recursion:
                path = find_best_plan(self._region.ordered(order, self._names), self._planned.settings)
                return _Candidate(features=plan_features(path), order=order)
            region = JoinOrder(input=self._region.region, joins=order, names=self._names)
            path = find_best_plan(region, self._planned.settings)
        except ProgrammingError:
            return None
        part = plan_features(path)
        features = PlanFeatures(
            structure=self._structure + part.structure,
            content=self._content + part.content,
            cost=cost_with(self._planned.path, self._nodes, path.cost),
        )
        return _Candidate(features=features, order=order)


def _other_settings(planned: PlannedQuery) -> Iterator[_Candidate]:
    """The best plans under other settings, where they are other plans."""
    joins = _joins(planned)
    for name, value in SWITCHES:
        if getattr(planned.settings, name) == value or not _may_matter(name, planned):
            continue
        other = _with_setting(planned, name, value)
        if abs(other.cost - planned.cost) > SAME_COST * planned.cost or _joins(other) != joins:
            yield _Candidate(features=plan_features(other.path), setting=(name, value))


def _joins(planned: PlannedQuery) -> list[object]:
    return [(step.left.names, step.right.names, step.type, step.hashed) for step in join_steps(planned)]


def _may_matter(name: str, planned: PlannedQuery) -> bool:
    """Whether the plan can be another one under this setting: to plan a query again takes its time."""
    written = list(nodes_of(planned.as_written))
    match name:
        case "simplify_outer_joins":
            return bool(planned.simplifications)
        case "unnest_subqueries":
            return any(isinstance(each, Apply) for each in written)
        case "push_down_grouping":
            return any(isinstance(each, Aggregate) for each in written)
        case "drop_joins" | "prune_branches":
            return sum(not relational_inputs(each) for each in written) > _count_leaves(planned.path)
        case "merge_derived_tables":
            return len(set(map(id, block_of_tables(planned.query).values()))) > 1
        case "materialize_common_tables":
            return any(isinstance(each, SharedScan) for each in written)
        case "delay_expensive_conditions":
            return any(isinstance(each, Filter) and _is_above_join(each) for each in _operators(planned.path))
        case _:
            return True


def _is_above_join(path: Filter) -> bool:
    return isinstance(path.input, HashJoin | NestedLoopJoin)


def _with_setting(planned: PlannedQuery, name: str, value: object) -> PlannedQuery:
    change: dict[str, Any] = {name: value}
    return plan_relational(
        planned.query,
        planned.as_written,
        planned.table,
        planned.names,
        planned.types,
        replace(planned.settings, **change),
    )


def _operators(path: AccessPath) -> list[AccessPath]:
    found = [path]
    for each in found:
        found += inputs(each)
    return found


def _count_leaves(path: AccessPath) -> int:
    return sum(not inputs(each) for each in _operators(path))


def _orders(space: SearchSpace, chosen: Order, most: int) -> Iterator[Order]:
    """Orders to look at, `most` or a few more: first the chosen one with sides exchanged, then others."""
    yield from _commuted(chosen)
    written = _as_written(space)
    yield written
    yield from _linear(written)
    if space.count <= most // 2:
        others = [order for order, _ in space.cheapest()]
    else:
        others = [order for order, _ in islice(space.cheapest(), most // 4)]
        drawn = max(1, most // 3)
        others += [space.unrank(number * space.count // drawn) for number in range(drawn)]
    for order in others:
        if not same_order(order, chosen):
            yield order
    for order in others:
        yield from _linear(order)


def _commuted(order: Order) -> Iterator[Order]:
    """The order with the sides of one join exchanged, and with composite sides on the left, and on the right."""
    yield from _linear(order)
    for position in range(len(order) - 1, -1, -1):
        yield (*order[:position], _exchanged(order[position]), *order[position + 1 :])


def _linear(order: Order) -> Iterator[Order]:
    """Of an order in which each join has a table as a side, the left-deep and the right-deep form."""
    if any(_is_composite(join.left) and _is_composite(join.right) for join in order):
        return
    for on_left in (True, False):
        yield tuple(
            [
                _exchanged(join) if _is_composite(join.right if on_left else join.left) else replace(join, span=None)
                for join in order
            ]
        )


def _rotated(order: Order, rng: random.Random) -> Order:
    """The order with `(a b) c` somewhere in it changed into `(a c) b` or `(b c) a`."""
    made = {join.tables: place for place, join in enumerate(order)}
    above = rng.choice([join for join in order if join.left in made or join.right in made] or order)
    sides = [side for side in (above.left, above.right) if side in made]
    if not sides:
        return order
    inner = rng.choice(sides)
    other = above.right if inner == above.left else above.left
    below = order[made[inner]]
    kept, moved = (below.left, below.right) if rng.random() < 0.5 else (below.right, below.left)
    new = [OrderedJoin(left=kept, right=other), OrderedJoin(left=NodeSet(kept | other), right=moved)]
    # The first of the new joins comes where its sides have been made.
    rest = [join for join in order if join is not above and join is not below]
    place = max([0, *(position + 1 for position, join in enumerate(rest) if join.tables in (kept, other, moved))])
    return (*rest[:place], *new, *rest[place:])


def _is_composite(nodes: int) -> bool:
    return nodes & (nodes - 1) != 0


def _exchanged(join: OrderedJoin) -> OrderedJoin:
    return OrderedJoin(left=join.right, right=join.left)


def _described(
    planned: PlannedQuery, region: Region | None, candidate: _Candidate, differences: Differences
) -> Alternative:
    """A candidate as a whole plan, with its sentence."""
    if candidate.setting is not None:
        name, value = candidate.setting
        plan, setting = _with_setting(planned, name, value), f"{name} = {'off' if value is False else repr(value)}"
        difference = differences.of_setting(plan, name, _factor(planned, plan))
        return _alternative(plan, setting, _factor(planned, plan), difference)
    assert region is not None
    assert candidate.order is not None
    rewritten = region.ordered(candidate.order, table_names_of_region(planned, region))
    plan = replace(planned, rewritten=rewritten, path=find_best_plan(rewritten, planned.settings))
    difference = differences.of_order(plan, candidate.order, _factor(planned, plan))
    return _alternative(plan, None, _factor(planned, plan), difference)


def _factor(chosen: PlannedQuery, other: PlannedQuery) -> float:
    return other.cost / chosen.cost if chosen.cost else 1.0


def _alternative(planned: PlannedQuery, setting: str | None, factor: float, difference: str) -> Alternative:
    steps = join_steps(planned)
    return Alternative(
        planned=planned,
        setting=setting,
        shape=shape_of(steps),
        rows=intermediate_rows(steps),
        factor=factor,
        difference=difference,
    )


def explain_alternatives(planned: PlannedQuery, count: int | None) -> Result:
    """The result of EXPLAIN ALTERNATIVES, the chosen plan first as number 0. Estimates are cut to six digits."""
    found = find_alternatives(planned, DEFAULT_COUNT if count is None else count)
    rows = [found.chosen, *found.others]
    columns = {
        "number": BIGINT,
        "order": VARCHAR,
        "shape": VARCHAR,
        "cost": DOUBLE,
        "factor": DOUBLE,
        "rows": DOUBLE,
        "setting": VARCHAR,
        "difference": VARCHAR,
    }
    lines = [
        (
            number,
            row.planned.order,
            row.shape,
            six_digits(row.planned.cost),
            float(f"{row.factor:.3g}"),
            six_digits(row.rows),
            row.setting,
            row.difference,
        )
        for number, row in enumerate(rows)
    ]
    return result_of_rows(columns, lines, notice=found.notice)
