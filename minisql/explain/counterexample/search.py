"""Searches a database on which two forms of a region give other rows, and makes it small.

The databases are random, small ones first, in large batches; see `databases` for their values. Of those of a batch that
tell the two forms apart the smallest is taken. It loses rows as long as it tells them apart with one row less, and its
values are replaced by plainer ones.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from minisql.explain.counterexample.compare import FormComparison
from minisql.explain.counterexample.databases import (
    NULL,
    Database,
    Databases,
    Domains,
    find_domains,
    random_databases,
)
from minisql.explain.counterexample.script_table import ScriptRegion, ScriptTable
from minisql.expression.nodes import Value
from minisql.relational.relational_expression import RelationalExpression

BATCHES: Final = ((300, 1), (700, 2), (2000, 2), (3000, 3), (3000, 2), (4000, 3), (4000, 3))
"""How many databases are tried at once, and the most rows of a table in them."""

SECONDS: Final = 1.0
"""No batch is begun that will probably take longer than up to here, but the first."""

Rows = tuple[tuple[tuple[Value, ...], ...], ...]
"""The rows of each table."""


@dataclass(frozen=True)
class Found:
    """The rows of the smallest database that tells the forms apart (None: there is none), and how many were tried."""

    rows: Rows | None
    tried: int


def find_database(
    region: ScriptRegion,
    other: RelationalExpression,
    *,
    batches: Sequence[tuple[int, int]] = BATCHES,
    seconds: float = SECONDS,
    seed: int = 1,
) -> Found:
    """A database on which the region and another form of it give other rows.

    `batches` and `seconds` are as `BATCHES` and `SECONDS`.
    """
    domains = find_domains(region)
    comparison = FormComparison(region, other)
    rng = np.random.default_rng(seed)
    start = batch_start = time.monotonic()
    tried, expected = 0, 0.0
    for count, most_rows in batches:
        # With more rows, products of several tables take far longer.
        if tried and batch_start + expected * most_rows**2 * count > start + seconds:
            break
        databases = random_databases(domains, region.tables, count, most_rows, rng)
        tried += count
        differing = comparison.differing(databases)
        if differing:
            sizes = databases.sizes()
            smallest = min(differing, key=lambda number: sizes[number])
            database = _Shrinking(comparison, domains, region.tables).shrunk(databases[smallest])
            return Found(_values(database, domains), tried)
        batch_end = time.monotonic()
        batch_start, expected = batch_end, (batch_end - batch_start) / (count * most_rows**2)
    return Found(None, tried)


def _values(database: Database, domains: Domains) -> Rows:
    return tuple(
        tuple(tuple(domain[value] for domain, value in zip(columns, row, strict=True)) for row in rows)
        for rows, columns in zip(database, domains.values, strict=True)
    )


class _Shrinking:
    def __init__(self, comparison: FormComparison, domains: Domains, tables: tuple[ScriptTable, ...]) -> None:
        self._comparison = comparison
        self._domains = domains
        self._tables = tables

    def shrunk(self, database: Database) -> Database:
        """A part of the database without a row that can go, in plain values."""
        while True:
            smaller = self._fewest_rows(database)
            plainer = self._plainest_values(smaller)
            if plainer == database:
                return database
            database = plainer

    def _fewest_rows(self, database: Database) -> Database:
        while True:
            rows = [(place, number) for place, table in enumerate(database) for number in range(len(table))]
            differing = self._differing([_without(database, [row]) for row in rows])
            if not differing:
                return database
            # As many as can go together of those that can go alone.
            can_go = [rows[number] for number in differing]
            parts = [_without(database, can_go[:count]) for count in range(len(can_go), 1, -1)]
            database = self._first_that_differs(parts) or _without(database, can_go[:1])

    def _plainest_values(self, database: Database) -> Database:
        # First a value wherever compared columns have it, so that equal values stay equal.
        used = {
            (number, value)
            for numbers, rows in zip(self._domains.classes, database, strict=True)
            for row in rows
            for number, value in zip(numbers, row, strict=True)
        }
        for number, value in sorted(used):
            exchanged = [self._exchanged(database, number, value, plainer) for plainer in range(1, value)]
            database = self._first_that_differs(each for each in exchanged if each is not None) or database
        for place, rows in enumerate(database):
            for number, row in enumerate(rows):
                for position in range(len(row)):
                    candidates = self._with_plainer_value(database, place, number, position)
                    database = self._first_that_differs(candidates) or database
        return database

    def _exchanged(self, database: Database, number: int, value: int, other: int) -> Database | None:
        """The database with one value for another in all columns of a class; None where a column cannot have it."""
        tables = []
        for place, rows in enumerate(database):
            classes, domains = self._domains.classes[place], self._domains.values[place]
            changed = tuple(
                tuple(
                    other if each == value and own == number else each for each, own in zip(row, classes, strict=True)
                )
                for row in rows
            )
            fits = all(each < len(domain) for row in changed for each, domain in zip(row, domains, strict=True))
            if not fits or not self._keeps_keys(self._tables[place], changed):
                return None
            tables.append(changed)
        return tuple(tables)

    def _with_plainer_value(self, database: Database, place: int, number: int, position: int) -> Iterator[Database]:
        """The database with other values in one place, the plainest first: NULL is the last of them."""
        rows = database[place]
        value = rows[number][position]
        values = range(1, len(self._domains.values[place][position]) if value == NULL else value)
        for plainer in values:
            row = (*rows[number][:position], plainer, *rows[number][position + 1 :])
            changed = (*rows[:number], row, *rows[number + 1 :])
            if self._keeps_keys(self._tables[place], changed):
                yield (*database[:place], changed, *database[place + 1 :])

    @staticmethod
    def _keeps_keys(table: ScriptTable, rows: tuple[tuple[int, ...], ...]) -> bool:
        for key in table.unique:
            values = [tuple(row[column] for column in key.columns) for row in rows]
            known = [each for each in values if NULL not in each]
            if len(known) != len(set(known)):
                return False
        return True

    def _first_that_differs(self, candidates: Iterable[Database]) -> Database | None:
        listed = list(candidates)
        differing = self._differing(listed)
        return listed[differing[0]] if differing else None

    def _differing(self, databases: Sequence[Database]) -> list[int]:
        """The numbers of those that tell the forms apart."""
        return self._comparison.differing(Databases.of(self._domains, databases)) if databases else []


def _without(database: Database, rows: Collection[tuple[int, int]]) -> Database:
    """The database without these rows, each the place of its table and its number."""
    return tuple(
        tuple(row for number, row in enumerate(table) if (place, number) not in rows)
        for place, table in enumerate(database)
    )
