"""The cost of what stays an `Apply` after unnesting, and which of its conditions are keys."""

from __future__ import annotations

from minisql.node_set import NodeSet, single
from minisql.optimizer import access_path
from minisql.optimizer.access_path import AccessPath
from minisql.optimizer.cardinality import MOST_ROWS
from minisql.optimizer.cost_model import build_cost, output_cost, probe_cost_of_row, residual_cost
from minisql.optimizer.join_conditions import split_conditions
from minisql.optimizer.statistics import Statistics
from minisql.relational.relational_expression import Apply, ApplyType, output_tables
from minisql.relational.rewriting import outer_columns


def apply_path(apply: Apply, left: AccessPath, right: AccessPath, statistics: Statistics) -> access_path.Apply:
    """The path of an `Apply` over the paths of its inputs; the statistics get to know the column of its mark."""
    left_tables, right_tables = output_tables(apply.left), output_tables(apply.right)
    references = [column for column in outer_columns(apply.right) if left_tables >> column.table & 1]
    keys: tuple[access_path.JoinKey, ...] = ()
    residual = apply.conditions
    if not references:
        keys, residual = split_conditions(apply.conditions, left_tables, right_tables)
    runs = 1.0
    for column in references:
        runs = min(runs * statistics.of_column(column).distinct_count, max(1.0, left.rows))
    pairs = left.rows * right.rows
    for key in keys:
        pairs /= max(statistics.of(key.left).distinct_count, statistics.of(key.right).distinct_count)
    rows = left.rows if apply.type in (ApplyType.SINGLE, ApplyType.MARK) else max(pairs, 1.0)
    if apply.type is ApplyType.LEFT:
        rows = max(rows, left.rows)
    if apply.mark is not None:
        statistics.add_derived(apply.mark, rows, (None,))
    work = build_cost(right.rows) + left.rows * probe_cost_of_row(right.rows) + residual_cost(pairs)
    return access_path.Apply(
        nodes=NodeSet(left.nodes | (right.nodes if apply.mark is None else single(apply.mark))),
        rows=min(rows, MOST_ROWS),
        cost=left.cost + runs * right.cost + work + output_cost(rows),
        type=apply.type,
        left=left,
        right=right,
        runs=runs,
        references=tuple(references),
        keys=keys,
        residual=residual,
        mark=apply.mark,
        comparison=apply.comparison,
        span=apply.span,
    )
