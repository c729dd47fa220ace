"""Makes access paths of the cheapest plan of a region, which so far is entries that point to each other."""

from __future__ import annotations

from collections.abc import Mapping

from minisql.expression.nodes import Expression
from minisql.hypergraph.connections import Connections, JoinSite, condition_numbers
from minisql.node_set import NodeSet
from minisql.optimizer.access_path import AccessPath, Filter, HashJoin, NestedLoopJoin
from minisql.optimizer.cost_model import filter_cost
from minisql.optimizer.costing_receiver import BUILD_LEFT, NESTED_LOOP, CostingReceiver, Entry
from minisql.optimizer.join_conditions import split_conditions
from minisql.relational.relational_expression import JoinType


def finish_plan(
    best: Entry, leaves: Mapping[int, AccessPath], connections: Connections, receiver: CostingReceiver
) -> AccessPath:
    """The access path of an entry, on top of those of the leaves."""
    # Inputs first, without recursion: an order as written may be as deep as the query is long.
    entries, finished = [best], dict[int, AccessPath]()
    for entry in entries:
        entries += [input_ for input_ in (entry.left, entry.right) if input_ is not None]
    for entry in reversed(entries):
        if entry.nodes not in finished:
            finished[entry.nodes] = _finish(entry, leaves, finished, connections, receiver)
    return finished[best.nodes]


def _finish(
    entry: Entry,
    leaves: Mapping[int, AccessPath],
    finished: Mapping[int, AccessPath],
    connections: Connections,
    receiver: CostingReceiver,
) -> AccessPath:
    if entry.left is None or entry.right is None:
        leaf = leaves[entry.nodes]
        filters = _conditions(connections, condition_numbers(entry.complete))
        if not filters:
            return leaf
        return Filter(nodes=leaf.nodes, rows=entry.rows, cost=entry.cost, input=leaf, conditions=filters)
    first, second = entry.left, entry.right
    completed = entry.complete & ~(first.complete | second.complete)
    site = connections.find_join(entry.nodes, first.contained & second.swapped, completed)
    assert site is not None
    return _finish_join(entry, site, finished, connections, receiver)


def _finish_join(
    entry: Entry,
    site: JoinSite,
    finished: Mapping[int, AccessPath],
    connections: Connections,
    receiver: CostingReceiver,
) -> AccessPath:
    assert entry.left is not None
    assert entry.right is not None
    # A full join is the same either way, and keeps the sides as they are asked for.
    flipped = site.flipped and site.type is not JoinType.FULL
    first, second = (entry.right, entry.left) if flipped else (entry.left, entry.right)
    left, right = finished[first.nodes], finished[second.nodes]
    nodes = NodeSet(left.nodes | right.nodes)
    others = _conditions(connections, site.others)
    conditions = others if site.edge is None else _conditions(connections, (site.edge,))
    filters = () if site.edge is None else others
    rows, cost = entry.rows, entry.cost
    if filters:
        rows = receiver.rows_before_filters(entry, site.others)
        cost -= filter_cost(rows, len(site.others))
    keys, residual = split_conditions(conditions, NodeSet(first.nodes), NodeSet(second.nodes))
    path: AccessPath
    if entry.method == NESTED_LOOP:
        path = NestedLoopJoin(
            nodes=nodes, rows=rows, cost=cost, type=site.type, left=left, right=right, conditions=conditions
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
            residual=residual,
        )
    if filters:
        path = Filter(nodes=nodes, rows=entry.rows, cost=entry.cost, input=path, conditions=filters)
    return path


def _conditions(connections: Connections, numbers: tuple[int, ...]) -> tuple[Expression, ...]:
    return tuple(condition for number in numbers for condition in connections.conditions[number].conditions)
