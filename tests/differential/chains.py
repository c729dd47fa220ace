"""Random queries about merged keys: chains of joins by USING and NATURAL, over keys of every type.

What the queries of `generator` have little of: several columns in USING, keys of different types in one chain, views
and derived tables around chains, merged columns beside those of the tables, conditions on merged keys, cycles of
equalities, constants, and ON that looks at one side alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tests.differential.generator import JOIN_KINDS

VIEWS = 2
FAMILIES = {
    "number": ("INTEGER", "INTEGER", "BIGINT", "DOUBLE"),
    "string": ("VARCHAR",),
    "date": ("DATE",),
}
"""Types whose values compare with each other in every engine."""

TESTS = (
    "= {0}",
    "= {0}",
    "<> {0}",
    "> {0}",
    "<= {1}",
    "IN ({0}, {1})",
    "NOT IN ({0}, {1})",
    "IN ({0}, NULL)",
    "BETWEEN {0} AND {1}",
    "IS NULL",
    "IS NOT NULL",
    "IS DISTINCT FROM {0}",
    "IS NOT DISTINCT FROM {1}",
)


@dataclass(frozen=True)
class KeyedDatabase:
    """Tables t0, t1, ... of columns k and x, which are keys of one family, y and z; and views over chains of them."""

    family: str
    types: tuple[tuple[str, str], ...]
    rows: tuple[tuple[tuple[int | None, ...], ...], ...]
    views: tuple[str, ...]

    def script(self) -> list[str]:
        """The statements that make the database, one by one."""
        statements = []
        for number, (types, rows) in enumerate(zip(self.types, self.rows, strict=True)):
            statements.append(f"CREATE TABLE t{number} (k {types[0]}, x {types[1]}, y INTEGER, z{number} INTEGER)")
            if rows:
                statements.append(f"INSERT INTO t{number} VALUES {', '.join(map(self._row, rows))}")
        return [*statements, *self.views]

    def _row(self, row: Sequence[int | None]) -> str:
        keys = [_key_literal(self.family, value) for value in row[:2]]
        return f"({', '.join(keys + ['NULL' if value is None else str(value) for value in row[2:]])})"


def _key_literal(family: str, value: int | None) -> str:
    """The literal of a key: the same number is the same key in every table."""
    if value is None:
        return "NULL"
    if family == "string":
        return f"'{'abcd'[value]}'" if value else "''"
    return f"DATE '2024-01-0{value + 1}'" if family == "date" else str(value)


def random_keyed_database(rng: random.Random, tables: int) -> KeyedDatabase:
    """Tables of 0 to 5 rows over three keys, and two views."""

    def row() -> tuple[int | None, ...]:
        return tuple(None if rng.random() < 0.2 else rng.randrange(3) for _ in range(4))

    family = rng.choice(("number", "number", "number", "string", "date"))
    types = tuple((rng.choice(FAMILIES[family]), rng.choice(FAMILIES[family])) for _ in range(tables))
    rows = tuple(tuple(row() for _ in range(rng.choice((0, 1, 2, 3, 4, 5)))) for _ in range(tables))
    generator = ChainGenerator(rng, tables, family)
    views = tuple(f"CREATE VIEW v{number} AS {generator.keyed_query()}" for number in range(VIEWS))
    return KeyedDatabase(family, types, rows, views)


@dataclass
class _Tables:
    """A part of FROM: its text, the columns of each alias, and the column names that mean one thing."""

    text: str
    columns: dict[str, tuple[str, ...]]
    unqualified: set[str] = field(default_factory=set)
    is_single: bool = True

    @property
    def names(self) -> set[str]:
        """All the names of columns."""
        return {name for columns in self.columns.values() for name in columns}


class ChainGenerator:
    """Makes queries over the tables of a `KeyedDatabase`."""

    def __init__(self, rng: random.Random, tables: int, family: str, *, views: int = 0) -> None:
        """`family` is that of the keys, `views` the number of views."""
        self._rng = rng
        self._family = family
        self._tables = [f"t{number}" for number in range(tables)]
        self._views = [f"v{number}" for number in range(views)]
        self._aliases = 0

    def query(self) -> str:
        """A random query; its rows have no order."""
        self._aliases = 0
        if self._rng.random() < 0.12:
            operator = self._rng.choice(("UNION", "UNION ALL", "INTERSECT", "EXCEPT"))
            return f"{self.keyed_query(2)} {operator} {self.keyed_query(2)}"
        tables = self._from(self._rng.choice((2, 3, 3, 4, 4, 5)), depth=1)
        where = self._where(tables)
        roll = self._rng.random()
        if roll < 0.6:
            return f"SELECT {', '.join(self._all_columns(tables))} FROM {tables.text}{where}"
        if roll < 0.7:
            return f"SELECT DISTINCT {self._key(tables)} AS p, {self._number(tables)} AS q FROM {tables.text}{where}"
        key, number = self._key(tables), self._number(tables)
        if roll < 0.9:
            having = f" HAVING {key} {self._test()}" if self._rng.random() < 0.3 else ""
            aggregates = f"count(*), count({number}), sum({number}), count(DISTINCT {self._key(tables)})"
            return f"SELECT {key} AS p, {aggregates} FROM {tables.text}{where} GROUP BY {key}{having}"
        return f"SELECT count(*), max({key}), count({number}), min({number}) FROM {tables.text}{where}"

    def partitionable(self) -> tuple[str, str]:
        """A query with `{}` in the place of a condition, and a condition that may stand there."""
        self._aliases = 0
        tables = self._from(self._rng.choice((2, 3, 3, 4)), depth=1)
        if self._rng.random() < 0.7:
            columns = ", ".join(self._all_columns(tables))
            return f"SELECT {columns} FROM {tables.text} WHERE {{}}", self._test_of(tables)
        key = self._key(tables)
        return f"SELECT {key} AS p, count(*) FROM {tables.text} GROUP BY {key} HAVING {{}}", f"{key} {self._test()}"

    def keyed_query(self, most_tables: int = 3) -> str:
        """A query of columns k, x and y."""
        tables = self._from(self._rng.randint(1, most_tables), depth=0)
        select = "SELECT DISTINCT" if self._rng.random() < 0.15 else "SELECT"
        columns = f"{self._key(tables, 'k')} AS k, {self._key(tables, 'x')} AS x, {self._number(tables)} AS y"
        return f"{select} {columns} FROM {tables.text}{self._where(tables, 0.3)}"

    # --- FROM ---------------------------------------------------------------------------------------------------------

    def _from(self, count: int, *, depth: int) -> _Tables:
        leaves = [self._leaf(name, depth) for name in self._rng.sample(self._tables, count)]
        style = self._rng.choice(("k", "k", "k", "k, x", "mixed", "mixed"))
        kinds = self._rng.choice((("FULL JOIN",), ("FULL JOIN", "FULL JOIN", *JOIN_KINDS), JOIN_KINDS))
        return self._tree(leaves, style, kinds)

    def _leaf(self, name: str, depth: int) -> _Tables:
        own = ("k", "x", "y", f"z{name[1:]}")
        roll = self._rng.random()
        self._aliases += 1
        alias = f"a{self._aliases}"
        if roll < 0.7 or depth == 0:
            if roll < 0.5:
                return _Tables(name, {name: own}, set(own))
            return _Tables(f"{name} AS {alias}", {alias: own}, set(own))
        if roll < 0.78:
            columns = self._rng.choice((("k",), ("k", "x"), ("k", own[3])))
            return _Tables(f"(SELECT {', '.join(columns)} FROM {name}) AS {alias}", {alias: columns}, set(columns))
        if roll < 0.86 and self._views:
            return _Tables(f"{self._rng.choice(self._views)} AS {alias}", {alias: own[:3]}, set(own[:3]))
        if roll < 0.93:
            aggregate = f"SELECT k, max(x) AS x, count(*) AS y FROM {name} GROUP BY k"
            return _Tables(f"({aggregate}) AS {alias}", {alias: own[:3]}, set(own[:3]))
        return _Tables(f"({self.keyed_query()}) AS {alias}", {alias: own[:3]}, set(own[:3]))

    def _tree(self, leaves: Sequence[_Tables], style: str, kinds: Sequence[str]) -> _Tables:
        if len(leaves) == 1:
            return leaves[0]
        cut = len(leaves) - 1 if self._rng.random() < 0.6 else self._rng.randint(1, len(leaves) - 1)
        left, right = self._tree(leaves[:cut], style, kinds), self._tree(leaves[cut:], style, kinds)
        shared = left.names & right.names
        usable = left.unqualified & right.unqualified & {"k", "x"}
        right_text = right.text if right.is_single else f"({right.text})"
        kind = self._rng.choice(kinds)
        roll = self._rng.random()
        merged: set[str] = set()
        if shared == usable and shared and roll < 0.25:
            merged, condition = shared, ""
            kind = f"NATURAL {kind}"
        elif roll < 0.75 and "k" in usable:
            both = style == "k, x" or (style == "mixed" and self._rng.random() < 0.3)
            merged = {"k", "x"} if both and "x" in usable else {"k"}
            condition = f" USING ({', '.join(sorted(merged, reverse=self._rng.random() < 0.3))})"
        else:
            condition = f" ON {self._condition(left, right)}"
        return _Tables(
            f"{left.text} {kind} {right_text}{condition}",
            left.columns | right.columns,
            (left.unqualified | right.unqualified) - shared | merged,
            is_single=False,
        )

    def _condition(self, left: _Tables, right: _Tables) -> str:
        # A name that both sides have means nothing here.
        left = replace(left, unqualified=left.unqualified - right.names)
        right = replace(right, unqualified=right.unqualified - left.names)
        both = _Tables("", left.columns | right.columns, left.unqualified | right.unqualified)
        roll = self._rng.random()
        if roll < 0.08:
            return self._rng.choice(("TRUE", "FALSE", "1 = 1"))
        equality = f"{self._key(left)} = {self._key(right)}"
        if roll < 0.5:
            return equality
        if roll < 0.6:
            return f"{equality} AND {self._key(left)} = {self._key(right)}"
        if roll < 0.8:
            return f"{equality} AND {self._test_of(self._rng.choice((left, right)))}"
        if roll < 0.9:
            return f"{equality} AND {self._test_of(both)} AND {self._number(left)} <= {self._number(right)}"
        return f"{self._test_of(left)} AND {self._test_of(right)}"

    # --- conditions and terms -----------------------------------------------------------------------------------------

    def _where(self, tables: _Tables, share: float = 0.6) -> str:
        if self._rng.random() > share:
            return ""
        conditions = [self._test_of(tables)]
        while self._rng.random() < 0.4:
            roll = self._rng.random()
            if roll < 0.5:
                conditions.append(self._test_of(tables))
            elif roll < 0.8:
                conditions.append(f"{self._key(tables)} = {self._key(tables)}")
            else:
                conditions.append(f"({self._test_of(tables)} OR {self._test_of(tables)})")
        return f" WHERE {' AND '.join(conditions)}"

    def _test_of(self, tables: _Tables) -> str:
        if self._rng.random() < 0.15:
            return f"{self._number(tables)} {self._rng.choice(('= 1', '> 0', 'IS NULL', '<> 2', 'IN (0, 2)'))}"
        return f"{self._key(tables)} {self._test()}"

    def _test(self) -> str:
        literals = [_key_literal(self._family, self._rng.randrange(3)) for _ in range(2)]
        return self._rng.choice(TESTS).format(*literals)

    def _key(self, tables: _Tables, name: str = "") -> str:
        """A key, merged or of one table, at times in an expression."""
        name = name or self._rng.choice(("k", "k", "k", "x"))
        owners = [alias for alias, columns in tables.columns.items() if name in columns]
        if not owners:
            name, owners = "k", list(tables.columns)
        roll = self._rng.random()
        if name in tables.unqualified and roll < 0.4:
            return name
        chosen = self._rng.sample(owners, min(len(owners), self._rng.choice((1, 1, 2, 3))))
        terms = ", ".join(f"{alias}.{name}" for alias in chosen)
        term = terms if len(chosen) == 1 else f"coalesce({terms})"
        if roll > 0.93:
            return f"coalesce({term}, {_key_literal(self._family, 1)})"
        if roll > 0.88 and self._family == "number":
            return f"({term} + {self._rng.choice(owners)}.{name})"
        return term

    def _number(self, tables: _Tables) -> str:
        columns = [f"{a}.{c}" for a, names in tables.columns.items() for c in names if c[0] in "yz"]
        if not columns:
            return "1"
        first, second = self._rng.choice(columns), self._rng.choice(columns)
        return first if self._rng.random() < 0.8 else f"coalesce({first}, {second})"

    def _all_columns(self, tables: _Tables) -> list[str]:
        qualified = [f"{alias}.{name}" for alias, names in tables.columns.items() for name in names]
        return sorted(tables.unqualified & {"k", "x"}) + qualified
