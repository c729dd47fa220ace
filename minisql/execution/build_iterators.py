"""Iterators for an access path. Works out, from the top down, which columns each operator must give.

Iterative, for a plan may be a thousand joins deep: the paths are visited from the top with what is required of them,
then the iterators are made from the bottom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

from minisql.columnar.column import Batch
from minisql.datatypes import BOOLEAN, SqlType
from minisql.execution.aggregate import HashAggregateIterator
from minisql.execution.apply import ApplyIterator
from minisql.execution.counted_join import CountedJoin, CountedRows, is_counted
from minisql.execution.filter_project import FilterIterator, ProjectIterator
from minisql.execution.hash_join import HashJoinIterator
from minisql.execution.iterator import RowIterator
from minisql.execution.nested_loop_join import NestedLoopJoinIterator
from minisql.execution.profile import Profile, ProfilingIterator
from minisql.execution.progress import ScanProgress, current_progress
from minisql.execution.recursion import (
    Kept,
    KeptRowsIterator,
    Recursion,
    RecursiveUnionIterator,
    WorkingTableIterator,
)
from minisql.execution.scan import OneRowIterator, TableScanIterator, ValuesScanIterator
from minisql.execution.set_operations import SetOperationIterator, UnionAllIterator
from minisql.execution.shared import OwnerIterator, SharedRows, SharedScanIterator
from minisql.execution.single_row import SingleRowIterator
from minisql.execution.sort_limit import LimitIterator, SortIterator, TopNIterator
from minisql.expression.nodes import ColumnId, Expression
from minisql.expression.walk import aggregate_inputs, columns_of
from minisql.expression.window import window_inputs
from minisql.node_set import NodeSet
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
    inputs,
)
from minisql.optimizer.recursion import working_tables
from minisql.relational.relational_expression import JoinType, SetOperator
from minisql.settings import Settings

if TYPE_CHECKING:
    from minisql.execution.measured_join import MeasuredJoin


def build_iterators(
    path: AccessPath,
    required: Sequence[ColumnId],
    settings: Settings,
    profile: Profile | None = None,
    originals: Mapping[AccessPath, AccessPath] | None = None,
    joins: list[CountedJoin] | None = None,
    *,
    is_repeated: bool = False,
) -> RowIterator:
    """The iterator of a path. It gives the columns `required`, in this order, and no others.

    With a profile, every operator notes in it what it does; a path that was made of another one for a run, under the
    `originals` of these. With `joins`, the rows of joins that run once are counted there. `is_repeated`: a plan around
    runs it for many rows.
    """
    iterator = _Builder(settings, profile, originals or {}, joins, is_repeated).build(path, tuple(required))
    return iterator if iterator.columns == tuple(required) else ColumnsIterator(iterator, required)


class ColumnsIterator(RowIterator):
    """Passes some columns of its input, in any order."""

    def __init__(self, source: RowIterator, columns: Sequence[ColumnId]) -> None:
        self.columns = tuple(columns)
        self._source = source
        self._places = [source.columns.index(column) for column in columns]

    def open(self) -> None:
        self._source.open()

    def next(self) -> Batch | None:
        batch = self._source.next()
        return None if batch is None else batch.project(self._places)

    def close(self) -> None:
        self._source.close()


@dataclass(slots=True)
class _Visit:
    """A path, the columns that it must give, the recursion in whose step it is, and the visits of its inputs."""

    path: AccessPath
    required: tuple[ColumnId, ...]
    recursion: int | None
    inputs: list[int]


class _Builder:
    def __init__(
        self,
        settings: Settings,
        profile: Profile | None,
        originals: Mapping[AccessPath, AccessPath],
        joins: list[CountedJoin] | None,
        is_repeated: bool,
    ) -> None:
        self._settings = settings
        self._is_repeated = is_repeated
        self._progress = current_progress()
        self._batch_rows = settings.batch_rows
        self._profile = profile
        self._originals = originals
        self._joins = joins
        self._tables: dict[int, int] = {}
        self._types: dict[ColumnId, SqlType] = {}
        self._shared: dict[Shared, SharedRows] = {}
        self._recursions: dict[int, Recursion] = {}
        self._working_tables: dict[int, NodeSet] = {}  # known where there are recursions

    def build(self, path: AccessPath, required: tuple[ColumnId, ...]) -> RowIterator:
        root = self._build(path, required)
        if not self._shared:
            return root
        # What is shared is built once all scans have said which of its columns they read.
        for shared in _users_first(path):
            rows = self._shared[shared]
            rows.read_from(self._build(shared.input, rows.columns))
        return OwnerIterator(root, list(self._shared.values()))

    def _build(self, root: AccessPath, required: tuple[ColumnId, ...]) -> RowIterator:
        self._tables |= _visible_tables(root)
        visits = [_Visit(root, required, None, [])]
        for visit in visits:  # grows while it is walked over: inputs come after who needs them
            self._note_types(visit.path)
            for path, columns in self._inputs(visit):
                visit.inputs.append(len(visits))
                recursion = visit.recursion
                if isinstance(visit.path, RecursiveUnion) and path is visit.path.step:
                    recursion = visit.path.table
                visits.append(_Visit(path, columns, recursion, []))
        if any(isinstance(visit.path, RecursiveUnion) for visit in visits):
            self._working_tables |= working_tables(root)
        built: dict[int, RowIterator] = {}
        for number in range(len(visits) - 1, -1, -1):
            visit = visits[number]
            iterator = self._make(
                visit, [self._kept(visit, visits[input_].path, built.pop(input_)) for input_ in visit.inputs]
            )
            if self._profile is not None:
                iterator = ProfilingIterator(iterator, self._original(visit.path), self._profile)
            built[number] = iterator
        return built[0]

    def _inputs(self, visit: _Visit) -> list[tuple[AccessPath, tuple[ColumnId, ...]]]:
        """The inputs of a path, and the columns that it needs of them."""
        path, required = visit.path, visit.required
        match path:
            case TableScan() | ValuesScan() | OneRow() | SharedScan() | WorkingTableScan():
                return []
            case RecursiveUnion():
                self._recursions[path.table] = Recursion()
                return [(path.anchor, _distinct(path.anchor_columns)), (path.step, _distinct(path.step_columns))]
            case Filter():
                return [(path.input, _needed(required, path.conditions))]
            case HashJoin():
                keys = [side for key in path.keys for side in (key.left, key.right)]
                return self._sides(path, _needed(required, (*keys, *path.residual)))
            case NestedLoopJoin():
                return self._sides(path, _needed(required, path.conditions))
            case Apply():
                sides = self._sides(path, self._needed_of_apply(path, required))
                return sides[:1] if path.references else sides
            case Project():
                return [(path.input, _needed((), [path.expressions[column.position] for column in required]))]
            case HashAggregate():
                calls = [path.aggregates[c.position - len(path.keys)] for c in required if c.position >= len(path.keys)]
                arguments = [argument for call in calls for argument in aggregate_inputs(call)]
                return [(path.input, _needed((), (*path.keys, *arguments)))]
            case Window():
                own = [column for column in required if column.table == path.table]
                others = [column for column in required if column.table != path.table]
                reads = [input_ for column in own for input_ in window_inputs(path.calls[column.position])]
                return [(path.input, _needed(others, reads))]
            case SetOperation():
                if not _is_union_all(path):
                    return [(path.left, _distinct(path.left_columns)), (path.right, _distinct(path.right_columns))]
                return [(input_, _distinct(columns)) for input_, columns in self._union_inputs(path, required)]
            case Sort():
                return [(path.input, _needed(required, [key.expression for key in path.keys]))]
            case Limit() | SingleRow():
                return [(path.input, required)]
            case _:
                assert_never(path)

    def _needed_of_apply(self, path: Apply, required: Sequence[ColumnId]) -> tuple[ColumnId, ...]:
        """The columns that an Apply needs of its inputs."""
        keys = [side for key in path.keys for side in (key.left, key.right)]
        comparison = () if path.comparison is None else (path.comparison,)
        own = ColumnId(-1 if path.mark is None else path.mark, 0)
        needed = _needed([*required, *path.references], (*keys, *path.residual, *comparison))
        return tuple([column for column in needed if column != own])

    def _sides(
        self, path: HashJoin | NestedLoopJoin | Apply, needed: tuple[ColumnId, ...]
    ) -> list[tuple[AccessPath, tuple[ColumnId, ...]]]:
        left_tables = self._tables[id(path.left)]
        left = tuple(column for column in needed if left_tables >> column.table & 1)
        right = tuple(column for column in needed if not left_tables >> column.table & 1)
        return [(path.left, left), (path.right, right)]

    def _union_inputs(
        self, path: SetOperation, required: Sequence[ColumnId]
    ) -> list[tuple[AccessPath, list[ColumnId]]]:
        """The inputs of a chain of UNION ALL, and their columns that become those required."""
        inputs: list[tuple[AccessPath, list[ColumnId]]] = []
        columns, rest = list(required), True
        while rest:
            positions = [column.position for column in columns]
            inputs.append((path.right, [path.right_columns[position] for position in positions]))
            columns = [path.left_columns[position] for position in positions]
            # A profile has a line for every path, and so every path its own iterator.
            if self._profile is None and isinstance(path.left, SetOperation) and _is_union_all(path.left):
                path = path.left
            else:
                rest = False
        return [(path.left, columns), *reversed(inputs)]

    def _make(self, visit: _Visit, inputs: list[RowIterator]) -> RowIterator:
        path, required = visit.path, visit.required
        positions = [column.position for column in required]
        match path:
            case TableScan():
                scan = TableScanIterator(path.table, path.source, positions, path.filters, self._batch_rows)
                if self._progress is None:
                    return scan
                return ScanProgress(scan, self._progress, self._expected_rows(path))
            case ValuesScan():
                return ValuesScanIterator(path.table, path.types, path.values, positions, self._batch_rows)
            case OneRow():
                return OneRowIterator()
            case SharedScan():
                rows = self._shared.setdefault(path.shared, SharedRows(path.shared))
                return SharedScanIterator(path, rows, positions)
            case WorkingTableScan():
                return WorkingTableIterator(path, self._recursions[path.recursion], positions)
            case RecursiveUnion():
                recursion = self._recursions[path.table]
                return RecursiveUnionIterator(path, inputs[0], inputs[1], recursion, positions, self._settings)
            case Filter():
                return FilterIterator(inputs[0], path.conditions)
            case HashJoin():
                kept: Kept[Any] | None = None
                if visit.recursion is not None and self._keeps_table(visit):
                    kept = self._recursions[visit.recursion].keep(Kept())
                (left, right), measured = self._measured(path, inputs)
                if self._joins is None or visit.recursion is not None or not is_counted(path):
                    return HashJoinIterator(path, left, right, required, self._types, self._batch_rows, kept, measured)
                left, right = CountedRows(left), CountedRows(right)
                joined = CountedRows(
                    HashJoinIterator(path, left, right, required, self._types, self._batch_rows, kept, measured)
                )
                self._joins.append(CountedJoin(path, left, right, joined))
                return joined
            case NestedLoopJoin():
                (left, right), measured = self._measured(path, inputs)
                return NestedLoopJoinIterator(path, left, right, required, self._types, self._batch_rows, measured)
            case Apply():
                return self._apply(path, required, inputs)
            case Project():
                return ProjectIterator(inputs[0], path.table, path.expressions, positions)
            case HashAggregate():
                return HashAggregateIterator(path, inputs[0], positions, self._batch_rows)
            case Window():
                from minisql.execution.window import WindowIterator  # which few statements need

                return WindowIterator(path, inputs[0], required, self._batch_rows)
            case SetOperation():
                if not _is_union_all(path):
                    return SetOperationIterator(path, inputs[0], inputs[1], positions)
                return UnionAllIterator(
                    required, inputs, [columns for _, columns in self._union_inputs(path, required)]
                )
            case Sort():
                if path.limit is None:
                    return SortIterator(inputs[0], path.keys, required, self._batch_rows)
                return TopNIterator(inputs[0], path.keys, path.limit, required, self._batch_rows)
            case SingleRow():
                return SingleRowIterator(inputs[0], [self._types[column] for column in inputs[0].columns], path.span)
            case Limit():
                return LimitIterator(inputs[0], path.limit, path.offset)
            case _:
                assert_never(path)

    def _expected_rows(self, path: TableScan) -> int | None:
        """How many rows of a scan count as progress; how often the step of a recursion is run, nobody knows."""
        if self._is_repeated:
            return 0
        return None if self._recursions else path.source.row_count()

    def _apply(self, path: Apply, required: tuple[ColumnId, ...], inputs: list[RowIterator]) -> RowIterator:
        if path.references:
            for below in _all_paths(path.right):
                self._note_types(below)
        right_columns = self._sides(path, self._needed_of_apply(path, required))[1][1]
        inputs, measured = self._measured(path, inputs)
        left, right = inputs[0], None if path.references else inputs[1]
        run = partial(self._run_for_values, path.right)
        return ApplyIterator(path, left, right, required, right_columns, self._types, self._batch_rows, run, measured)

    def _run_for_values(self, path: AccessPath, bound: AccessPath, columns: tuple[ColumnId, ...]) -> RowIterator:
        """The iterator of a path whose outer references have values, `bound`."""
        if self._profile is None:
            return build_iterators(bound, columns, self._settings, is_repeated=True)
        originals = [self._original(each) for each in _all_paths(path)]
        originals_of = dict(zip(_all_paths(bound), originals, strict=True))
        return build_iterators(bound, columns, self._settings, self._profile, originals_of, is_repeated=True)

    def _original(self, path: AccessPath) -> AccessPath:
        """The path of the plan that this one is, but for the values of outer references."""
        return self._originals.get(path, path)

    def _measured(
        self, path: HashJoin | NestedLoopJoin | Apply, inputs: list[RowIterator]
    ) -> tuple[list[RowIterator], MeasuredJoin | None]:
        """The inputs of a join, and who is told its pairs, where its fan-out is to be measured."""
        if self._profile is None:
            return inputs, None
        from minisql.execution.measured_join import MeasuredJoin, is_measured  # which only EXPLAIN ANALYZE needs

        if not is_measured(path):
            return inputs, None
        measured = MeasuredJoin(path, self._profile)
        self._profile.add_join(self._original(path), measured)
        return measured.inputs(inputs), measured

    def _kept(self, visit: _Visit, path: AccessPath, input_: RowIterator) -> RowIterator:
        """An input of a part of a step, with its rows kept where it is the same in every round and the part is not."""
        recursion = visit.recursion
        if recursion is None or not self._changes(visit.path, recursion) or self._changes(path, recursion):
            return input_
        if isinstance(path, TableScan | ValuesScan | OneRow | SharedScan) or self._keeps_table(visit):
            return input_
        return KeptRowsIterator(input_, self._recursions[recursion].keep(Kept()), self._batch_rows)

    def _keeps_table(self, visit: _Visit) -> bool:
        """Whether this is a hash join in a step whose build side, and not the other, is the same in every round."""
        path, recursion = visit.path, visit.recursion
        if recursion is None or not isinstance(path, HashJoin):
            return False
        build, probe = (path.left, path.right) if path.build_left else (path.right, path.left)
        return not self._changes(build, recursion) and self._changes(probe, recursion)

    def _changes(self, path: AccessPath, recursion: int) -> bool:
        """Whether the rows of a path in a step may differ from round to round."""
        return bool(self._working_tables[id(path)] >> recursion & 1)

    def _note_types(self, path: AccessPath) -> None:
        """Notes the types of the columns that a path makes."""
        match path:
            case TableScan():
                types = [definition.type for definition in path.source.columns]
            case ValuesScan() | SetOperation() | RecursiveUnion() | WorkingTableScan():
                types = list(path.types)
            case SharedScan():
                types = list(path.shared.types)
            case Project():
                types = [expression.type for expression in path.expressions]
            case Apply() if path.mark is not None:
                self._types[ColumnId(path.mark, 0)] = BOOLEAN
                return
            case HashAggregate():
                types = [*(key.type for key in path.keys), *(call.type for call in path.aggregates)]
            case Window():
                types = [call.type for call in path.calls]
            case _:
                return
        self._types.update({ColumnId(path.table, position): type_ for position, type_ in enumerate(types)})


def _needed(required: Iterable[ColumnId], expressions: Iterable[Expression]) -> tuple[ColumnId, ...]:
    """The columns required and those that the expressions read, each once."""
    return _distinct([*required, *(column for expression in expressions for column in columns_of(expression))])


def _distinct(columns: Iterable[ColumnId]) -> tuple[ColumnId, ...]:
    return tuple(sorted(set(columns)))


def _is_union_all(path: SetOperation) -> bool:
    return path.all and path.operator is SetOperator.UNION


def _all_paths(path: AccessPath) -> list[AccessPath]:
    """The path and all below it, each before its inputs."""
    order = [path]
    for visited in order:
        order += inputs(visited)
    return order


def _visible_tables(path: AccessPath) -> dict[int, int]:
    """For every path below, by identity, the tables whose columns it gives, as bits."""
    tables: dict[int, int] = {}
    for visited in reversed(_all_paths(path)):
        match visited:
            case OneRow():
                own = 0
            case HashJoin() | NestedLoopJoin():
                own = tables[id(visited.left)]
                if visited.type not in (JoinType.SEMI, JoinType.ANTI):
                    own |= tables[id(visited.right)]
            case Apply():
                own = tables[id(visited.left)]
                own |= tables[id(visited.right)] if visited.mark is None else 1 << visited.mark
            case Filter() | Sort() | Limit() | SingleRow():
                own = tables[id(visited.input)]
            case Window():
                own = tables[id(visited.input)] | 1 << visited.table
            case _:
                own = 1 << visited.table
        tables[id(visited)] = own
    return tables


def _users_first(path: AccessPath) -> list[Shared]:
    """What is shared below a path, each after everything in which it is scanned."""
    scanned: dict[Shared, list[Shared]] = {}

    def scans(root: AccessPath) -> list[Shared]:
        order = [root]
        for visited in order:
            order += inputs(visited)
        return list(dict.fromkeys(each.shared for each in order if isinstance(each, SharedScan)))

    waiting = scans(path)
    for shared in waiting:
        if shared not in scanned:
            scanned[shared] = scans(shared.input)
            waiting += scanned[shared]
    found: list[Shared] = []
    users = Counter(used for inside in scanned.values() for used in inside)
    ready = [shared for shared in scanned if not users[shared]]
    for shared in ready:
        found.append(shared)
        for used in scanned[shared]:
            users[used] -= 1
            if not users[used]:
                ready.append(used)
    return found
