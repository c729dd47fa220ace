"""Decides what is computed once for all its scans, and what for each of them: by cost.

Computing once costs keeping the rows and reading them again. Computing for each scan lets the conditions on the scan
go further down, and its tables be joined in another order with those around it, of which only the former is estimated
here: by planning what is shared under the conditions of each scan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from minisql.optimizer.cost_constants import CONDITION_ROW
from minisql.optimizer.cost_model import output_cost, scan_cost
from minisql.optimizer.find_best_plan import cost_and_rows
from minisql.relational.push_down import push_down
from minisql.relational.relational_expression import Filter, RelationalExpression, Shared, SharedScan
from minisql.relational.shared import (
    Conditions,
    Copies,
    Rewrite,
    filtered,
    on_shared,
    rewrite_all,
    shared_users_first,
    uses_in,
)
from minisql.settings import Settings

MOST_PLANNED: Final = 6
"""How many different conditions on scans are planned with; more are taken to cost what these do on average."""


def choose_shared(
    root: RelationalExpression, settings: Settings, rewrite: Rewrite
) -> tuple[RelationalExpression, Mapping[int, Mapping[int, int]]]:
    """The query with copies in the place of scans where that is cheaper, and the tables of these (`Copies.tables`).

    Conditions stand directly above the scans by now. `rewrite` does what is done to expressions before they are
    planned. Of the settings, `materialize_common_tables` decides, and those of the plans.
    """
    decided = set[object]()
    copies: Copies | None = None
    while True:
        # Copies may bring conditions to scans further down: what is scanned is decided after its users. What must be
        # copied is so first of all: it may read the working table of a recursion that is to be copied.
        order = [shared for shared in shared_users_first(root) if shared.columns not in decided]
        if not order:
            return root, {} if copies is None else copies.tables
        shared = min(order, key=lambda each: each.materialized is not False)
        decided.add(shared.columns)
        if not _is_computed_once(root, shared, settings, rewrite):
            copies = copies or Copies(root)
            root = rewrite_all(copies.instead_of_scans(root, shared), partial(_pushed, settings=settings))


def _pushed(root: RelationalExpression, settings: Settings) -> RelationalExpression:
    return push_down(root) if settings.push_down_conditions else root


def _is_computed_once(root: RelationalExpression, shared: Shared, settings: Settings, rewrite: Rewrite) -> bool:
    trees = [root, *(each.input for each in shared_users_first(root))]
    uses = [(scan, above) for tree in trees for scan, above in uses_in(tree) if scan.shared is shared]
    if not settings.materialize_common_tables or shared.materialized is False:
        return False
    if shared.materialized is True:
        return True
    return len(uses) > 1 and _once(shared, uses, settings, rewrite) < _each(shared, uses, settings, rewrite)


def _once(shared: Shared, uses: Sequence[tuple[SharedScan, Conditions]], settings: Settings, rewrite: Rewrite) -> float:
    """The cost of computing it once and of reading it in each scan."""
    cost, rows = cost_and_rows(rewrite(filtered(shared, uses)), settings)
    conditions = sum(len(above) for _, above in uses)
    return cost + output_cost(rows) + len(uses) * scan_cost(rows) + CONDITION_ROW * rows * conditions


def _each(shared: Shared, uses: Sequence[tuple[SharedScan, Conditions]], settings: Settings, rewrite: Rewrite) -> float:
    """The cost of computing it for each scan."""
    costs: dict[Conditions, float] = {}
    total, planned = 0.0, 0
    for scan, above in uses:
        conditions = on_shared(scan, above)
        if conditions not in costs:
            if len(costs) == MOST_PLANNED:
                continue
            input_ = shared.input
            if conditions:
                input_ = _pushed(Filter(input=input_, conditions=conditions), settings)
            costs[conditions], _ = cost_and_rows(rewrite(input_), settings)
        total += costs[conditions]
        planned += 1
    return total * len(uses) / planned
