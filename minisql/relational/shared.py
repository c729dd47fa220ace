"""What is shared in a query: finding it, rewriting it, and putting copies of it in the places of its scans.

A query is a main expression and what it shares, which may share something in turn. A pass rewrites each of these alone
(`rewrite_all`); conditions are the only thing that passes from scans to what they read (`finish`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from minisql.errors import NotSupportedError
from minisql.expression.functions import is_volatile
from minisql.expression.nodes import ColumnId, ColumnRef, Expression, Or
from minisql.expression.walk import conjunction, outer_references, replace_columns
from minisql.query_block.environment import MAX_TABLES
from minisql.relational.push_down import push_down
from minisql.relational.relational_expression import (
    Filter,
    Limit,
    Project,
    RelationalExpression,
    Shared,
    SharedScan,
    Sort,
    Values,
    inputs,
    with_inputs,
)
from minisql.relational.renumber import renumbered, tables_inside

Rewrite: TypeAlias = Callable[[RelationalExpression], RelationalExpression]
Conditions: TypeAlias = tuple[Expression, ...]


def uses_in(root: RelationalExpression) -> Iterator[tuple[SharedScan, Conditions]]:
    """The scans of what is shared, those inside what is shared left out, each with the conditions directly above it.

    Conditions with outer references and volatile ones are left out: they have other values each time.
    """
    waiting: list[tuple[RelationalExpression, Conditions]] = [(root, ())]
    while waiting:
        node, above = waiting.pop()
        if isinstance(node, SharedScan):
            yield node, above
        elif isinstance(node, Filter):
            own = tuple([each for each in node.conditions if not outer_references(each) and not is_volatile(each)])
            waiting.append((node.input, own + above))
        else:
            waiting += [(input_, ()) for input_ in inputs(node)]


def shared_users_first(root: RelationalExpression) -> list[Shared]:
    """What is shared in a query, each after everything in which it is scanned."""
    used: dict[Shared, list[Shared]] = {}

    def inside(node: RelationalExpression) -> list[Shared]:
        return list(dict.fromkeys(scan.shared for scan, _ in uses_in(node)))

    waiting = inside(root)
    for shared in waiting:
        if shared not in used:
            used[shared] = inside(shared.input)
            waiting += used[shared]
    return in_order_of_use(used)


def in_order_of_use(used: dict[Shared, list[Shared]]) -> list[Shared]:
    """The keys, each after all that use it: `used` are those that each uses."""
    users = dict.fromkeys(used, 0)
    for each in (shared for inside in used.values() for shared in inside):
        users[each] += 1
    ready = [shared for shared in used if not users[shared]]
    for shared in ready:
        for each in used[shared]:
            users[each] -= 1
            if not users[each]:
                ready.append(each)
    return ready


def replace_scans(
    root: RelationalExpression, new: Callable[[SharedScan], RelationalExpression]
) -> RelationalExpression:
    """The expression with something in the place of each scan; itself where that is the scan."""
    if isinstance(root, SharedScan):
        return new(root)
    return with_inputs(root, tuple([replace_scans(input_, new) for input_ in inputs(root)]))


def rewrite_all(root: RelationalExpression, rewrite: Rewrite) -> RelationalExpression:
    """The query rewritten, and all that is shared in it."""
    return _rebuilt(rewrite(root), {shared: rewrite(shared.input) for shared in shared_users_first(root)})


def finish(root: RelationalExpression, rewrite: Rewrite, *, pushes_down: bool) -> RelationalExpression:
    """The same, with conditions that all scans have asked of what they read before it is rewritten, scans first."""
    finished = {None: rewrite(root)}
    inputs_of: dict[Shared, RelationalExpression] = {}
    for shared in shared_users_first(root):
        input_ = shared.input
        if pushes_down and shared.materialized is not True:
            everywhere = [*finished.values(), *inputs_of.values()]
            input_ = filtered(shared, [(scan, above) for tree in everywhere for scan, above in uses_in(tree)])
        inputs_of[shared] = rewrite(input_)
    return _rebuilt(finished[None], inputs_of)


def filtered(shared: Shared, uses: Iterable[tuple[SharedScan, Conditions]]) -> RelationalExpression:
    """What is shared, without the rows that no scan wants: one of these is where one has no conditions."""
    wanted: dict[Expression, None] = {}
    for scan, above in uses:
        if scan.shared is shared:
            condition = conjunction(on_shared(scan, above))
            if condition is None:
                return shared.input
            wanted[condition] = None
    if not wanted:
        return shared.input
    either = next(iter(wanted)) if len(wanted) == 1 else Or(operands=tuple(wanted))
    return push_down(Filter(input=shared.input, conditions=(either,)))


def on_shared(scan: SharedScan, conditions: Conditions) -> Conditions:
    """Conditions on a scan as conditions on what it reads."""
    shared = scan.shared
    new = {
        ColumnId(scan.table, position): ColumnRef(column=column, name=name, type=type_)
        for position, (column, name, type_) in enumerate(zip(shared.columns, shared.names, shared.types, strict=True))
    }
    return tuple([replace_columns(condition, new) for condition in conditions])


def _rebuilt(root: RelationalExpression, new_inputs: dict[Shared, RelationalExpression]) -> RelationalExpression:
    """The query over new inputs of what is shared; the keys come users first."""
    new: dict[Shared, Shared] = {}

    def scan(node: SharedScan) -> SharedScan:
        found = new[node.shared]
        return node if found is node.shared else replace(node, shared=found)

    for shared, input_ in reversed(new_inputs.items()):
        input_ = replace_scans(input_, scan)
        new[shared] = shared if input_ is shared.input else replace(shared, input=input_)
    return replace_scans(root, scan) if new else root


# --- copies -----------------------------------------------------------------------------------------------------------


class Copies:
    """Puts copies of what is shared in the places of its scans, with table numbers that are new in the query."""

    def __init__(self, root: RelationalExpression) -> None:
        self.tables: dict[int, dict[int, int]] = {}
        """For the table of each scan that became a copy, what became of the tables of what it read."""
        trees: Sequence[RelationalExpression] = [root, *(shared.input for shared in shared_users_first(root))]
        self._next = 1 + max(max(tables_inside(tree), default=-1) for tree in trees)

    def instead_of_scans(self, root: RelationalExpression, shared: Shared) -> RelationalExpression:
        """The query with a copy in the place of each scan, those inside what else is shared included."""

        def new(scan: SharedScan) -> RelationalExpression:
            return self._copy(scan) if scan.shared is shared else scan

        order = [each for each in shared_users_first(root) if each is not shared]
        new_inputs = {each: replace_scans(each.input, new) for each in order}
        return _rebuilt(replace_scans(root, new), new_inputs)

    def _copy(self, scan: SharedScan) -> RelationalExpression:
        shared = scan.shared
        numbers = {table: self._new_table() for table in sorted(tables_inside(shared.input))}
        self.tables[scan.table] = numbers
        own = shared.columns[0].table if shared.columns else None
        if own is not None and all(column == ColumnId(own, place) for place, column in enumerate(shared.columns)):
            numbers[own] = scan.table
            return _with_alias(renumbered(shared.input, numbers), scan.alias)
        columns = tuple(
            ColumnRef(column=ColumnId(numbers[column.table], column.position), name=name, type=type_)
            for column, name, type_ in zip(shared.columns, shared.names, shared.types, strict=True)
        )
        input_ = renumbered(shared.input, numbers)
        return Project(table=scan.table, alias=scan.alias, input=input_, names=shared.names, expressions=columns)

    def _new_table(self) -> int:
        if self._next >= MAX_TABLES:
            raise NotSupportedError(f"A statement has at most {MAX_TABLES} tables, each use of a view counted.")
        self._next += 1
        return self._next - 1


def _with_alias(node: RelationalExpression, alias: str) -> RelationalExpression:
    """The expression under another alias, where it has one."""
    if isinstance(node, Sort | Limit | Filter):
        return replace(node, input=_with_alias(node.input, alias))
    return replace(node, alias=alias) if isinstance(node, Project | Values) else node
