"""Makes access paths of the cheapest plan of a region, which so far is entries that point to each other."""

from __future__ import annotations

from collections.abc import Mapping

from minisql.expression.nodes import Expression
from minisql.hypergraph.connections import Connections, JoinSite, condition_numbers
from minisql.node_set import NodeSet
from minisql.optimizer.access_path import AccessPath, Filter, HashJoin, NestedLoopJoin
from minisql.optimizer.costing_receiver import BUILD_LEFT, NESTED_LOOP, CostingReceiver, Entry
from minisql.optimizer.join_conditions import is_of_class, split_conditions, without_implied
from minisql.optimizer.predicate_rank import by_rank
from minisql.optimizer.statistics import Statistics
from minisql.relational.relational_expression import JoinType


def finish_plan(
    best: Entry,
    leaves: Mapping[int, AccessPath],
    connections: Connections,
    receiver: CostingReceiver,
    statistics: Statistics,
) -> AccessPath:
    """The access path of an entry, on top of those of the leaves."""
    # Inputs first, without recursion: an order as written may be as deep as the query is long.
    entries, finished = [best], dict[int, AccessPath]()
    for entry in entries:
        entries += [input_ for input_ in (entry.left, entry.right) if input_ is not None]
    for entry in reversed(entries):
        if entry.nodes not in finished:
            finished[entry.nodes] = _finish(entry, leaves, finished, connections, receiver, statistics)
    return finished[best.nodes]


def _finish(
    entry: Entry,
    leaves: Mapping[int, AccessPath],
    finished: Mapping[int, AccessPath],
    connections: Connections,
    receiver: CostingReceiver,
    statistics: Statistics,
) -> AccessPath:
    if entry.left is None or entry.right is None:
        leaf = leaves[entry.nodes]
        filters = by_rank(connections.conditions_of(condition_numbers(entry.complete)), statistics)
        if not filters:
            return leaf
        return Filter(nodes=leaf.nodes, rows=entry.rows, cost=entry.cost, input=leaf, conditions=filters)
    first, second = entry.left, entry.right
    completed = entry.complete & ~(first.complete | second.complete)
    site = connections.join_site(first.contained & second.swapped, completed)
    return _finish_join(entry, site, completed, finished, connections, receiver, statistics)


def conditions_of_join(connections: Connections, site: JoinSite, first: Entry, second: Entry) -> tuple[Expression, ...]:
    """The conditions of the join of two sets, those left out that follow from what was applied below it."""
    conditions = connections.join_conditions(site)
    if not site.edges and any(map(is_of_class, conditions)):
        applied = connections.conditions_of(condition_numbers(first.complete | second.complete))
        return without_implied(conditions, applied)
    return conditions


def _finish_join(
    entry: Entry,
    site: JoinSite,
    completed: int,
    finished: Mapping[int, AccessPath],
    connections: Connections,
    receiver: CostingReceiver,
    statistics: Statistics,
) -> AccessPath:
    assert entry.left is not None
    assert entry.right is not None
    # A full join is the same either way, and keeps the sides as they are asked for.
    flipped = site.flipped and site.type is not JoinType.FULL
    first, second = (entry.right, entry.left) if flipped else (entry.left, entry.right)
    left, right = finished[first.nodes], finished[second.nodes]
    nodes = NodeSet(left.nodes | right.nodes)
    conditions = conditions_of_join(connections, site, first, second)
    filters = by_rank(connections.filter_conditions(site), statistics)
    rows, cost = entry.rows, entry.cost
    if filters:
        above = completed & ~connections.non_inner
        rows = receiver.rows_before_filters(entry, above)
        cost -= receiver.filter_cost(entry, above)
    keys, residual = split_conditions(conditions, left.nodes, right.nodes)
    path: AccessPath
    if entry.method == NESTED_LOOP:
        path = NestedLoopJoin(
            nodes=nodes,
            rows=rows,
            cost=cost,
            type=site.type,
            left=left,
            right=right,
            conditions=by_rank(conditions, statistics),
        )
    else:
        path = HashJoin(
            nodes=nodes,
            rows=rows,
            cost=cost,
            type=site.type,
            left=left,
            right=right,
            build_left=(entry.method == BUILD_LEFT) is not flipped,
            keys=keys,
            residual=by_rank(residual, statistics),
        )
    if filters:
        path = Filter(nodes=nodes, rows=entry.rows, cost=entry.cost, input=path, conditions=filters)
    return path
