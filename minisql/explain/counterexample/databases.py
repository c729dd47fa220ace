"""Tiny databases by the thousand: the tables of all of them in one table, whose rows know which database they are in.

Values are numbers into a domain: NULL is 0, and the others are ordered by how easy they are to read. Columns that are
compared with each other have one domain: small numbers, the constants that they are compared with, and the neighbours
of those.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np

from minisql.columnar.column import Array, Batch, Column
from minisql.columnar.python_values import from_values
from minisql.datatypes import INTEGER, INTEGER_RANGE, SqlType, TypeKind
from minisql.explain.counterexample.script_table import ScriptRegion, ScriptTable, conditions_in
from minisql.expression.nodes import (
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    InList,
    IsDistinctFrom,
    Like,
    Literal,
    Value,
)
from minisql.expression.walk import walk
from minisql.hypergraph.leaves import leaves_of
from minisql.partition import Partition
from minisql.relational.relational_expression import BaseTable, Filter

MOST_VALUES: Final = 8
"""The most values of a domain beside NULL."""

NULL: Final = 0
Row = tuple[int, ...]
Database = tuple[tuple[Row, ...], ...]
"""The rows of each table, their values as numbers into the domains of its columns."""

_Field = tuple[int, int]
"""A column of a table, both by position."""


@dataclass(frozen=True)
class Domains:
    """The values of each column of each table, NULL first, and which class of compared columns it is in."""

    values: tuple[tuple[tuple[Value, ...], ...], ...]
    classes: tuple[tuple[int, ...], ...]
    not_null: tuple[tuple[bool, ...], ...]


def find_domains(region: ScriptRegion) -> Domains:
    """The domains of a region's columns."""
    places = {id(table): place for place, table in enumerate(region.tables)}
    fields: dict[ColumnId, _Field] = {}
    for scan in _scans(region):
        for position in range(len(scan.source.columns) - 1):
            fields[ColumnId(scan.table, position)] = places[id(scan.source)], position
    together: Partition[_Field] = Partition()
    constants: dict[_Field, list[Value]] = {}
    for condition in (*conditions_in(region.tree), *region.expressions):
        for part in walk(condition):
            if isinstance(part, Comparison | IsDistinctFrom | InList | Like):
                inside = [fields[each.column] for each in walk(part) if isinstance(each, ColumnRef)]
                for field in inside[1:]:
                    together.join(inside[0], field)
                if inside:
                    constants.setdefault(inside[0], []).extend(_constants(part))
    of_class: dict[_Field, list[Value]] = {}
    for field, found in constants.items():
        of_class.setdefault(together.find(field), []).extend(found)
    numbers: dict[_Field, int] = {}
    values, classes = [], []
    for place, table in enumerate(region.tables):
        roots = [together.find((place, position)) for position in range(len(table.definitions))]
        classes.append(tuple([numbers.setdefault(root, len(numbers)) for root in roots]))
        values.append(
            tuple(
                [
                    (None, *_domain(column.type, of_class.get(root, ())))
                    for column, root in zip(table.definitions, roots, strict=True)
                ]
            )
        )
    not_null = tuple(tuple(_is_not_null(table, i) for i in range(len(table.definitions))) for table in region.tables)
    return Domains(tuple(values), tuple(classes), not_null)


def _is_not_null(table: ScriptTable, position: int) -> bool:
    return table.definitions[position].not_null or any(
        key.is_primary and position in key.columns for key in table.unique
    )


def _scans(region: ScriptRegion) -> Iterable[BaseTable]:
    for leaf in leaves_of(region.tree):
        while isinstance(leaf, Filter):
            leaf = leaf.input
        assert isinstance(leaf, BaseTable)
        yield leaf


def _constants(predicate: Expression) -> Iterable[Value]:
    for part in walk(predicate):
        if isinstance(part, Literal) and part.value is not None:
            yield part.value
        if isinstance(part, Like) and isinstance(part.pattern, Literal) and isinstance(part.pattern.value, str):
            yield part.pattern.value.replace("%", "").replace("_", "a")


def _domain(type_: SqlType, constants: Sequence[Value]) -> list[Value]:
    """Values of a type, the plainest first: those that occur, their neighbours, and a few more."""
    make = _MAKERS.get(type_.kind)
    if make is None:
        return []
    found = [value for value in dict.fromkeys(make(list(constants))) if _fits(value, type_)]
    return found[:MOST_VALUES]


def _fits(value: Value, type_: SqlType) -> bool:
    if type_.kind is TypeKind.INTEGER:
        return isinstance(value, int) and INTEGER_RANGE[0] <= value <= INTEGER_RANGE[1]
    if type_.kind is TypeKind.DECIMAL:
        return isinstance(value, Decimal) and abs(value) < 10 ** (type_.precision - type_.scale)
    return True


def _integers(constants: Iterable[Value]) -> list[int]:
    known = [each for each in constants if isinstance(each, int | float | Decimal)]
    numbers = {int(each) for each in known if -(10**15) < each < 10**15}
    near = {number + step for number in numbers for step in (0, 1, -1)}
    plain = [1, 2, 0] if len(near) < MOST_VALUES - 1 else [1, 2]
    others = sorted(near.difference(plain), key=lambda number: (number not in numbers, abs(number)))
    chosen = {*others[: MOST_VALUES - len(plain)], *plain}
    return sorted(chosen, key=_plainness)


def _plainness(number: int) -> tuple[bool, bool, int]:
    return number == 0, number < 0, abs(number)


def _texts(constants: Iterable[Value]) -> list[str]:
    known = [each for each in constants if isinstance(each, str)]
    return [*known[:4], "a", "b", *[f"{each}a" for each in known[:2]], "", "ab"]


def _days(constants: Iterable[Value]) -> list[datetime.date]:
    known = [each for each in constants if isinstance(each, datetime.date)]
    days = [each.date() if isinstance(each, datetime.datetime) else each for each in known][:3]
    near = [day + datetime.timedelta(step) for day in days for step in (0, 1, -1) if 1 < day.toordinal() < 3_000_000]
    return [*near, datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)]


def _moments(constants: Iterable[Value]) -> list[datetime.datetime]:
    known = [each for each in constants if isinstance(each, datetime.datetime) and each.tzinfo is None][:3]
    near = [each + datetime.timedelta(seconds=step) for each in known for step in (0, 1, -1)]
    return [*near, *[datetime.datetime(day.year, day.month, day.day) for day in _days(())]]


def _moments_with_zone(constants: Iterable[Value]) -> list[datetime.datetime]:
    known = [each for each in constants if isinstance(each, datetime.datetime) and each.tzinfo is not None][:3]
    return [*known, *[each.replace(tzinfo=datetime.UTC) for each in _moments(())]]


def _of_kind(kind: type, *others: Value) -> Callable[[list[Value]], list[Any]]:
    return lambda constants: [*[each for each in constants if isinstance(each, kind)][:4], *others]


_MAKERS: Final[dict[TypeKind, Callable[[list[Value]], list[Any]]]] = {
    TypeKind.BOOLEAN: lambda _: [True, False],
    TypeKind.INTEGER: _integers,
    TypeKind.BIGINT: _integers,
    TypeKind.DECIMAL: lambda constants: [Decimal(number) for number in _integers(constants)],
    TypeKind.DOUBLE: lambda constants: [
        *[float(number) for number in _integers(constants)],
        *[float(each) for each in constants if isinstance(each, float | Decimal) and each != int(each)][:2],
    ],
    TypeKind.VARCHAR: _texts,
    TypeKind.DATE: _days,
    TypeKind.TIMESTAMP: _moments,
    TypeKind.TIMESTAMPTZ: _moments_with_zone,
    TypeKind.TIME: _of_kind(datetime.time, datetime.time(1), datetime.time(2)),
    TypeKind.BLOB: _of_kind(bytes, b"a", b"b"),
}
"""What makes the values of a type of the constants that occur. Of other types there is only NULL."""


class Databases:
    """Many databases: for each table the database and the values of each row."""

    def __init__(self, domains: Domains, tables: Sequence[tuple[Array, Array]], count: int) -> None:
        """`tables` are, for each, the databases of its rows, ascending, and their values, a row a line."""
        self.domains = domains
        self.tables = tables
        self.count = count

    @classmethod
    def of(cls, domains: Domains, databases: Sequence[Database]) -> Databases:
        """These databases, in their order."""
        tables = []
        for place, columns in enumerate(domains.values):
            rows = [(number, row) for number, database in enumerate(databases) for row in database[place]]
            numbers = np.array([number for number, _ in rows], np.int32)
            tables.append((numbers, np.array([row for _, row in rows], np.int64).reshape(len(rows), len(columns))))
        return cls(domains, tables, len(databases))

    def __getitem__(self, number: int) -> Database:
        """One of the databases."""
        return tuple(tuple(tuple(row) for row in values[numbers == number].tolist()) for numbers, values in self.tables)

    def slice(self, start: int, stop: int) -> Databases:
        """The databases from `start` up to `stop`."""
        tables = []
        for numbers, values in self.tables:
            chosen = (numbers >= start) & (numbers < stop)
            tables.append((numbers[chosen] - np.int32(start), values[chosen]))
        return Databases(self.domains, tables, stop - start)

    def load(self, tables: Sequence[ScriptTable]) -> None:
        """Puts the rows into the tables of a script."""
        for table, (numbers, values), domains in zip(tables, self.tables, self.domains.values, strict=True):
            columns = [
                from_values(domain, column.type).take(values[:, position])
                for position, (domain, column) in enumerate(zip(domains, table.definitions, strict=True))
            ]
            bounds = (0, max(0, self.count - 1))
            table.rows = Batch([*columns, Column(INTEGER, numbers, None, None, bounds)], len(numbers))

    def sizes(self) -> Array:
        """The rows of each database."""
        found = np.zeros(self.count, np.int64)
        for numbers, _ in self.tables:
            found += np.bincount(numbers, minlength=self.count)
        return found


def random_databases(
    domains: Domains, tables: Sequence[ScriptTable], count: int, most_rows: int, rng: np.random.Generator
) -> Databases:
    """Databases of up to so many rows a table, in which compared columns have few values, so that rows meet."""
    classes = max((number for each in domains.classes for number in each), default=-1) + 1
    sizes = np.ones(classes, np.int64)
    for own_classes, columns in zip(domains.classes, domains.values, strict=True):
        for number, domain in zip(own_classes, columns, strict=True):
            sizes[number] = max(sizes[number], len(domain) - 1)
    # Two values of each class for each database, often the same one twice.
    active = rng.integers(0, sizes[None, :, None], (count, classes, 2))
    active[rng.random((count, classes)) < 0.35, 1] = 0
    found = []
    for place, table in enumerate(tables):
        numbers = np.repeat(np.arange(count, dtype=np.int32), rng.integers(0, most_rows + 1, count))
        values = np.zeros((len(numbers), len(table.definitions)), np.int64)
        for position, domain in enumerate(domains.values[place]):
            values[:, position] = _random_values(
                active[numbers, domains.classes[place][position]], len(domain) - 1, rng
            )
            if not domains.not_null[place][position]:
                values[rng.random(len(numbers)) < 0.2, position] = NULL
        found.append(_with_keys(table, numbers, values))
    return Databases(domains, found, count)


def _random_values(active: Array, others: int, rng: np.random.Generator) -> Array:
    """For each row one of its two active values mostly, any of the `others` at times; counted from 1."""
    count = len(active)
    if not others:
        return np.zeros(count, np.int64)
    chosen = active[np.arange(count), rng.integers(0, 2, count)]
    anything = rng.random(count) < 0.15
    chosen[anything] = rng.integers(0, others, int(anything.sum()))
    return np.minimum(chosen, others - 1) + 1


def _with_keys(table: ScriptTable, numbers: Array, values: Array) -> tuple[Array, Array]:
    """The rows without those that would break a key."""
    for key in table.unique:
        columns = values[:, list(key.columns)]
        known = (columns != NULL).all(axis=1)
        identity = np.where(known, 0, np.arange(len(values)) + 1)
        _, first = np.unique(np.column_stack([numbers, columns, identity]), axis=0, return_index=True)
        first.sort()
        numbers, values = numbers[first], values[first]
    return numbers, values
