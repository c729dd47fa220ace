"""Random databases and random join queries in the SQL that minisql, SQLite and DuckDB have in common."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

COLUMNS = ("k", "x", "y", "s")
JOIN_KINDS = ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "FULL OUTER JOIN")


@dataclass(frozen=True)
class Database:
    """Tables t0, t1, ... with three integer columns and a string, all of them full of NULLs and duplicates."""

    rows: tuple[tuple[tuple[int | str | None, ...], ...], ...]

    def script(self) -> list[str]:
        """The statements that make the database, one by one."""
        statements = []
        for number, rows in enumerate(self.rows):
            statements.append(f"CREATE TABLE t{number} (k INTEGER, x INTEGER, y INTEGER, s VARCHAR)")
            if rows:
                values = ", ".join("(" + ", ".join(_literal(value) for value in row) + ")" for row in rows)
                statements.append(f"INSERT INTO t{number} VALUES {values}")
        return statements


def _literal(value: int | str | None) -> str:
    if value is None:
        return "NULL"
    return f"'{value}'" if isinstance(value, str) else str(value)


def random_database(rng: random.Random, tables: int) -> Database:
    """Tables of 0 to 7 rows over a handful of values."""

    def row() -> tuple[int | str | None, ...]:
        numbers = [None if rng.random() < 0.2 else rng.randrange(4) for _ in range(3)]
        return (*numbers, None if rng.random() < 0.2 else rng.choice(("", "a", "b", "ab")))

    return Database(tuple(tuple(row() for _ in range(rng.choice((0, 1, 2, 3, 5, 7)))) for _ in range(tables)))


class QueryGenerator:
    """Makes queries over the tables of a random database."""

    def __init__(self, rng: random.Random, tables: int) -> None:
        self._rng = rng
        self._tables = tables

    def query(self) -> str:
        """A random query; its rows have no order."""
        roll = self._rng.random()
        if roll < 0.12:
            return self._using_chain()
        if roll < 0.2:
            operator = self._rng.choice(("UNION", "UNION ALL", "INTERSECT", "EXCEPT"))
            return f"{self._narrow_select()} {operator} {self._narrow_select()}"
        return self._select()

    def partitionable(self) -> tuple[str, str]:
        """A query with `{}` in the place of a condition, and a condition that may stand there."""
        from_, aliases = self._from()
        columns = ", ".join(f"{alias}.{column}" for alias in aliases for column in self._columns(alias))
        roll = self._rng.random()
        if roll < 0.6:
            return f"SELECT {columns} FROM {from_} WHERE {{}}", self._predicate(aliases)
        if roll < 0.8:
            key, value = self._integer_column(aliases), self._integer(aliases, 1)
            test = self._rng.choice((f"sum({value}) > 2", f"{key} = max({value})", f"{key} IN (1, NULL)"))
            return f"SELECT {key}, count(*) FROM {from_} GROUP BY {key} HAVING {{}}", test
        table = f"t{self._tables}"
        on = self._join_condition(aliases, [table])
        other = self._rng.randrange(self._tables)
        return f"SELECT {columns}, {table}.k FROM {from_} JOIN t{other} AS {table} ON {{}}", on

    # --- FROM ---------------------------------------------------------------------------------------------------------

    def _from(self) -> tuple[str, list[str]]:
        """A FROM clause and the aliases in it; an alias that starts with d is a derived table of columns k and x."""
        count = self._rng.randint(2, min(6, self._tables))
        names = [f"t{number}" for number in self._rng.sample(range(self._tables), count)]
        leaves = [self._leaf(name) for name in names]
        return self._tree(leaves)

    def _leaf(self, name: str) -> tuple[str, list[str]]:
        roll = self._rng.random()
        if roll < 0.85:
            return name, [name]
        alias = f"d{name[1:]}"
        if roll < 0.9:
            where = f" WHERE {self._predicate([name])}"
            return f"(SELECT {name}.k AS k, {name}.x AS x FROM {name}{where}) AS {alias}", [alias]
        if roll < 0.95:
            return f"(SELECT {name}.k AS k, count({name}.x) AS x FROM {name} GROUP BY {name}.k) AS {alias}", [alias]
        if roll < 0.98:
            return f"(SELECT DISTINCT {name}.k AS k, {name}.y AS x FROM {name}) AS {alias}", [alias]
        shift = f"coalesce({name}.k, 1) AS k, {name}.x + 1 AS x"
        return f"(SELECT {shift} FROM {name}) AS {alias}", [alias]

    def _tree(self, leaves: Sequence[tuple[str, list[str]]]) -> tuple[str, list[str]]:
        if len(leaves) == 1:
            return leaves[0]
        cut = self._rng.randint(1, len(leaves) - 1)
        if self._rng.random() < 0.5:
            cut = len(leaves) - 1
        left, left_aliases = self._tree(leaves[:cut])
        right, right_aliases = self._tree(leaves[cut:])
        if len(right_aliases) > 1:
            right = f"({right})"
        aliases = left_aliases + right_aliases
        if self._rng.random() < 0.06:
            return f"{left} CROSS JOIN {right}", aliases
        kind = self._rng.choice(JOIN_KINDS)
        return f"{left} {kind} {right} ON {self._join_condition(left_aliases, right_aliases)}", aliases

    def _join_condition(self, left: list[str], right: list[str]) -> str:
        roll = self._rng.random()
        if roll < 0.06:
            return self._rng.choice(("TRUE", "FALSE", "1 = 1", "NULL = 1"))
        # Often by k, so that equalities meet in classes, cycles and merged keys.
        x, y = (self._rng.choice(left), self._rng.choice(right)) if self._rng.random() < 0.5 else ("", "")
        equal = f"{x}.k = {y}.k" if x else f"{self._integer_column(left)} = {self._integer_column(right)}"
        if 0.06 <= roll < 0.12:
            return f"{self._key(left)} = {self._key(right)}"
        if roll < 0.45:
            return equal
        if roll < 0.6:
            return f"{equal} AND {self._predicate(left + right)}"
        if roll < 0.7:
            return f"{self._integer_column(left)} IS NOT DISTINCT FROM {self._integer_column(right)}"
        if roll < 0.78:
            return f"{self._string_or_integer_equality(left, right)}"
        return self._predicate(left + right)

    def _string_or_integer_equality(self, left: list[str], right: list[str]) -> str:
        left = [alias for alias in left if alias.startswith("t")]
        right = [alias for alias in right if alias.startswith("t")]
        if not left or not right:
            return "TRUE"
        return f"{self._rng.choice(left)}.s = {self._rng.choice(right)}.s"

    # --- expressions --------------------------------------------------------------------------------------------------

    def _integer_column(self, aliases: Sequence[str]) -> str:
        alias = self._rng.choice(aliases)
        return f"{alias}.{self._rng.choice(('k', 'x', 'y') if alias.startswith('t') else ('k', 'x'))}"

    def _key(self, aliases: Sequence[str]) -> str:
        """A column k, or the merged one of several tables."""
        chosen = self._rng.sample(aliases, min(len(aliases), self._rng.choice((1, 2, 2, 3))))
        keys = ", ".join(f"{alias}.k" for alias in chosen)
        return keys if len(chosen) == 1 else f"coalesce({keys})"

    def _key_predicate(self, aliases: Sequence[str]) -> str:
        """A condition on a key alone, which may hold of others as well."""
        test = self._rng.choice(("= 1", "= 2", "> 1", "IN (0, 2)", "IS NULL", "NOT IN (1, 3)", "BETWEEN 1 AND 2"))
        return f"{self._key(aliases)} {test}"

    def _integer(self, aliases: Sequence[str], depth: int = 2) -> str:
        roll = self._rng.random()
        if depth == 0 or roll < 0.6:
            return self._integer_column(aliases)
        if roll < 0.7:
            return str(self._rng.randrange(4))
        if roll < 0.78:
            operator = self._rng.choice(("+", "-", "*"))
            return f"({self._integer(aliases, depth - 1)} {operator} {self._integer(aliases, depth - 1)})"
        if roll < 0.9:
            return f"coalesce({self._integer(aliases, depth - 1)}, {self._integer(aliases, depth - 1)})"
        if roll < 0.95:
            return f"nullif({self._integer(aliases, depth - 1)}, {self._rng.randrange(4)})"
        condition = self._predicate(aliases, depth - 1)
        other = self._integer(aliases, depth - 1)
        return f"CASE WHEN {condition} THEN {self._integer(aliases, depth - 1)} ELSE {other} END"

    def _predicate(self, aliases: Sequence[str], depth: int = 2) -> str:
        roll = self._rng.random()
        if depth > 0 and roll < 0.25:
            operator = self._rng.choice(("AND", "OR"))
            return f"({self._predicate(aliases, depth - 1)} {operator} {self._predicate(aliases, depth - 1)})"
        if depth > 0 and roll < 0.32:
            return f"NOT ({self._predicate(aliases, depth - 1)})"
        if roll < 0.65:
            operator = self._rng.choice(("=", "=", "<", "<=", ">", ">=", "<>"))
            return f"{self._integer(aliases, 1)} {operator} {self._integer(aliases, 1)}"
        if roll < 0.75:
            return f"{self._integer(aliases, 1)} IS {self._rng.choice(('', 'NOT '))}NULL"
        if roll < 0.83:
            negated = self._rng.choice(("", "NOT "))
            return f"{self._integer(aliases, 1)} IS {negated}DISTINCT FROM {self._integer(aliases, 1)}"
        if roll < 0.9:
            items = ", ".join(self._rng.choice(("0", "1", "2", "3", "NULL")) for _ in range(self._rng.randint(1, 3)))
            return f"{self._integer(aliases, 1)} {self._rng.choice(('', 'NOT '))}IN ({items})"
        if roll < 0.95:
            return f"{self._integer(aliases, 1)} BETWEEN {self._integer(aliases, 0)} AND {self._integer(aliases, 0)}"
        tables = [alias for alias in aliases if alias.startswith("t")]
        if not tables:
            return "TRUE"
        return f"{self._rng.choice(tables)}.s LIKE {self._rng.choice(('%a%', 'a%', '_', '%', ''))!r}"

    # --- SELECT -------------------------------------------------------------------------------------------------------

    def _select(self) -> str:
        from_, aliases = self._from()
        where = f" WHERE {self._predicate(aliases)}" if self._rng.random() < 0.35 else ""
        if self._rng.random() < 0.25:
            where += f"{' AND' if where else ' WHERE'} {self._key_predicate(aliases)}"
        roll = self._rng.random()
        if roll < 0.6:
            columns = ", ".join(f"{alias}.{column}" for alias in aliases for column in self._columns(alias))
            return f"SELECT {columns} FROM {from_}{where}"
        if roll < 0.7:
            columns = f"{self._integer(aliases)} AS p, {self._integer(aliases)} AS q"
            return f"SELECT DISTINCT {columns} FROM {from_}{where}"
        if roll < 0.85:
            key = self._integer_column(aliases)
            value = self._integer(aliases, 1)
            having = f" HAVING {self._rng.choice(('count(*) > 1', f'sum({value}) > 2'))}"
            having = having if self._rng.random() < 0.3 else ""
            return (
                f"SELECT {key}, count(*), count({value}), sum({value}), min({value}), max({value}), "
                f"count(DISTINCT {value}) FROM {from_}{where} GROUP BY {key}{having}"
            )
        value = self._integer(aliases, 1)
        condition = self._predicate(aliases, 1)
        return f"SELECT count(*), sum({value}), min({value}), count(*) FILTER (WHERE {condition}) FROM {from_}{where}"

    def _narrow_select(self) -> str:
        from_, aliases = self._from()
        where = f" WHERE {self._predicate(aliases)}" if self._rng.random() < 0.5 else ""
        return f"SELECT {self._integer_column(aliases)} AS p, {self._integer_column(aliases)} AS q FROM {from_}{where}"

    def _using_chain(self) -> str:
        """Joins over merged columns: a chain of USING (k), read through the merged column and through the tables'."""
        count = self._rng.randint(2, min(5, self._tables))
        names = [f"t{number}" for number in self._rng.sample(range(self._tables), count)]
        using = self._rng.choice(("k", "k", "k, x"))
        from_ = names[0]
        for name in names[1:]:
            from_ += f" {self._rng.choice(JOIN_KINDS)} {name} USING ({using})"
        columns = ", ".join(f"{name}.{column}" for name in names for column in ("k", "y"))
        where = ""
        if self._rng.random() < 0.5:
            conditions = (
                "k = 1",
                "k > 1",
                "k IN (0, 2)",
                "k IS NULL",
                self._predicate(names),
                self._key_predicate(names),
            )
            where = f" WHERE {self._rng.choice(conditions)}"
        return f"SELECT k, {columns} FROM {from_}{where}"

    @staticmethod
    def _columns(alias: str) -> tuple[str, ...]:
        return COLUMNS if alias.startswith("t") else ("k", "x")
