"""Random queries with subqueries in every place that takes one, over the tables of `generator.Database`.

Subqueries are scalar, EXISTS, IN, ANY and ALL, of one column or of two, in SELECT, WHERE, HAVING, ON, ORDER BY, CASE
and inside aggregates; they refer to the queries around them over several levels, and have joins, groupings, DISTINCT,
set operations, LIMIT, derived tables and LATERAL inside. All columns are integers.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.differential.generator import JOIN_KINDS

MOST_DEPTH = 3
OPERATORS = ("=", "=", "<>", "<", "<=", ">", ">=")
COLUMNS = ("k", "x", "y")


@dataclass(frozen=True)
class _Table:
    """A table in FROM and its columns."""

    alias: str
    columns: tuple[str, ...] = COLUMNS


@dataclass(frozen=True)
class _Scope:
    """What a place sees: the tables of its FROM, and those of the queries around it."""

    tables: tuple[_Table, ...]
    outer: tuple[_Table, ...] = ()

    @property
    def all(self) -> tuple[_Table, ...]:
        """All tables."""
        return self.tables + self.outer


class SubqueryGenerator:
    """Makes queries with subqueries."""

    def __init__(self, rng: random.Random, tables: int) -> None:
        """`tables` is the number of tables t0, t1, ..."""
        self._rng = rng
        self._tables = tables
        self._aliases = 0

    def query(self) -> str:
        """A random query; its rows have no order, but for a LIMIT, which stands above one that is complete."""
        self._aliases = 0
        from_, tables = self._from((), 0, lateral=True)
        scope = _Scope(tables)
        where = self._where(scope, 0, 0.75)
        roll = self._rng.random()
        if roll < 0.55:
            columns = [self._column(scope) for _ in range(2)]
            columns += [self._value(scope, 0) for _ in range(self._rng.choice((0, 1, 2)))]
            order = ""
            if self._rng.random() < 0.2:
                keys = [self._value(scope, 0), *[str(place + 1) for place in range(len(columns))]]
                order = f" ORDER BY {', '.join(f'{key} NULLS LAST' for key in keys)} LIMIT {self._rng.randint(1, 6)}"
                # A number alone would be a place in the select list.
                order = order.replace("ORDER BY ", "ORDER BY 0 + ", 1)
            distinct = "DISTINCT " if not order and self._rng.random() < 0.1 else ""
            return f"SELECT {distinct}{_named(columns)} FROM {from_}{where}{order}"
        if roll < 0.9:
            return self._grouped(from_, scope, where)
        columns = [self._aggregate(scope, 0) for _ in range(2)]
        return f"SELECT {_named(columns)} FROM {from_}{where}"

    def partitionable(self) -> tuple[str, str]:
        """A query with `{}` in the place of a condition, and a condition that may stand there."""
        self._aliases = 0
        from_, tables = self._from((), 0, lateral=True)
        scope = _Scope(tables)
        columns = _named([*[self._column(scope) for _ in range(2)], self._value(scope, 0)])
        roll = self._rng.random()
        if roll < 0.5:
            return f"SELECT {columns} FROM {from_}{_and(self._where(scope, 0, 0.3))}{{}}", self._condition(scope, 0)
        if roll < 0.75:
            keys = [self._column(scope)]
            own = _Scope((_Table("", tuple(keys)),))
            query = f"SELECT {keys[0]} AS c0, count(*) AS c1 FROM {from_}{self._where(scope, 0, 0.3)}"
            return f"{query} GROUP BY {keys[0]} HAVING {{}}", self._condition(own, 0)
        alias, table = self._new_table()
        both = _Scope((*tables, table))
        return f"SELECT {columns} FROM {from_} JOIN {alias} ON {{}}", self._condition(both, 0)

    def _grouped(self, from_: str, scope: _Scope, where: str) -> str:
        key = self._column(scope)
        own = _Scope((_Table("", (key,)),))
        columns = [key, self._aggregate(scope, 0)]
        if self._rng.random() < 0.6:
            columns.append(self._value(own, 0))
        having = f" HAVING {self._condition(own, 0)}" if self._rng.random() < 0.5 else ""
        return f"SELECT {_named(columns)} FROM {from_}{where} GROUP BY {key}{having}"

    # --- FROM ---------------------------------------------------------------------------------------------------------

    def _alias(self, letter: str) -> str:
        self._aliases += 1
        return f"{letter}{self._aliases}"

    def _new_table(self) -> tuple[str, _Table]:
        alias = self._alias("a")
        return f"t{self._rng.randrange(self._tables)} AS {alias}", _Table(alias)

    def _from(self, outer: tuple[_Table, ...], depth: int, *, lateral: bool = False) -> tuple[str, tuple[_Table, ...]]:
        """A FROM and its tables; `outer` are those of the queries around it."""
        text, first = self._leaf(outer, depth)
        tables = (first,)
        for _ in range(self._rng.choice((0, 0, 0, 0, 1, 1) if depth else (0, 0, 1, 1, 2))):
            if lateral and self._rng.random() < 0.2:
                more, table = self._lateral(tables, outer, depth)
                text, tables = f"{text} {more}", (*tables, table)
                continue
            leaf, table = self._leaf(outer, depth)
            kind = self._rng.choice(("CROSS JOIN", "JOIN", "JOIN", *JOIN_KINDS))
            on = ""
            if kind != "CROSS JOIN":
                sides = _Scope((*tables, table), outer)
                on = f" ON {self._on(kind, tables, table, sides, depth)}"
            text, tables = f"{text} {kind} {leaf}{on}", (*tables, table)
        return text, tables

    def _on(self, kind: str, left: tuple[_Table, ...], right: _Table, both: _Scope, depth: int) -> str:
        equal = f"{self._column(_Scope(left))} = {self._column(_Scope((right,)))}"
        roll = self._rng.random()
        if roll < 0.5:
            return equal
        if roll < 0.65:
            return f"{equal} AND {self._simple_condition(both)}"
        if kind == "JOIN":
            return f"{equal} AND {self._condition(both, depth + 1)}"
        # A subquery in the condition of a full join refers to one side of it.
        sides = (left, (right,), both.tables) if kind in ("LEFT JOIN", "RIGHT JOIN") else (left, (right,))
        side = self._rng.choice(sides)
        return f"{equal} AND {self._condition(_Scope(side, both.outer), depth + 1)}"

    def _leaf(self, outer: tuple[_Table, ...], depth: int) -> tuple[str, _Table]:
        if self._rng.random() < 0.85 or depth >= MOST_DEPTH:
            return self._new_table()
        alias = self._alias("d")
        return f"({self._two_columns(outer, depth + 1)}) AS {alias}", _Table(alias, ("p", "q"))

    def _lateral(self, left: tuple[_Table, ...], outer: tuple[_Table, ...], depth: int) -> tuple[str, _Table]:
        alias = self._alias("l")
        table = _Table(alias, ("p", "q"))
        query = f"LATERAL ({self._two_columns(left + outer, depth + 1)}) AS {alias}"
        roll = self._rng.random()
        if roll < 0.4:
            return f"CROSS JOIN {query}", table
        on = "TRUE" if self._rng.random() < 0.7 else self._simple_condition(_Scope((*left, table), outer))
        return f"{'JOIN' if roll < 0.6 else 'LEFT JOIN'} {query} ON {on}", table

    # --- subqueries ---------------------------------------------------------------------------------------------------

    def _select(self, outer: tuple[_Table, ...], depth: int, width: int) -> str:
        """A query of this many columns p, q; `depth` is that of the query."""
        roll = self._rng.random()
        if roll < 0.1 and depth < MOST_DEPTH:
            operator = self._rng.choice(("UNION", "UNION ALL", "INTERSECT", "EXCEPT"))
            return f"{self._block(outer, depth, width)} {operator} {self._block(outer, depth, width)}"
        return self._block(outer, depth, width)

    def _block(self, outer: tuple[_Table, ...], depth: int, width: int) -> str:
        from_, tables = self._from(outer, depth, lateral=self._rng.random() < 0.2)
        scope = _Scope(tables, outer)
        where = self._where(scope, depth, 0.9)
        names = ("p", "q")[:width]
        roll = self._rng.random()
        if roll < 0.2:
            columns = [self._aggregate(scope, depth) for _ in names]
            having = f" HAVING count(*) {self._rng.choice(('> 1', '= 0', '>= 1'))}" if self._rng.random() < 0.2 else ""
            return f"SELECT {_as(columns, names)} FROM {from_}{where}{having}"
        if roll < 0.35:
            key = self._column(_Scope(tables))
            columns = [key, self._aggregate(scope, depth)][:width]
            if self._rng.random() < 0.4:
                columns.reverse()
            having = f" HAVING count(*) > {self._outer_or_number(outer)}" if self._rng.random() < 0.3 else ""
            return f"SELECT {_as(columns, names)} FROM {from_}{where} GROUP BY {key}{having}"
        columns = [self._value(scope, depth) if self._rng.random() < 0.2 else self._term(scope) for _ in names]
        distinct = "DISTINCT " if self._rng.random() < 0.15 else ""
        limit = ""
        if self._rng.random() < 0.1:
            # Complete, so that every engine takes the same rows.
            keys = ", ".join(f"{place + 1} NULLS LAST" for place in range(width))
            limit = f" ORDER BY {keys} LIMIT {self._rng.choice((1, 1, 2))}"
            if not distinct and self._rng.random() < 0.2:
                limit += " OFFSET 1"
            return f"SELECT * FROM (SELECT {distinct}{_as(columns, names)} FROM {from_}{where}{limit}) AS w"
        return f"SELECT {distinct}{_as(columns, names)} FROM {from_}{where}"

    def _two_columns(self, outer: tuple[_Table, ...], depth: int) -> str:
        return self._select(outer, depth, 2)

    def _outer_or_number(self, outer: tuple[_Table, ...]) -> str:
        return self._column(_Scope(outer)) if outer and self._rng.random() < 0.5 else str(self._rng.randrange(3))

    def _scalar_query(self, scope: _Scope, depth: int) -> str:
        """A subquery of one row at most, mostly."""
        outer = scope.all
        roll = self._rng.random()
        from_, tables = self._from(outer, depth + 1)
        inner = _Scope(tables, outer)
        where = self._where(inner, depth + 1, 0.9)
        if roll < 0.65:
            having = f" HAVING count(*) {self._rng.choice(('> 1', '= 0', '< 3'))}" if self._rng.random() < 0.1 else ""
            return f"(SELECT {self._aggregate(inner, depth + 1)} FROM {from_}{where}{having})"
        if roll < 0.8:
            return f"(SELECT {self._term(inner)} AS p FROM {from_}{where} ORDER BY p NULLS LAST LIMIT 1)"
        if roll < 0.9:
            aggregate = self._rng.choice(("max", "min", "sum", "count"))
            return f"(SELECT {aggregate}(p) FROM ({self._select(outer, depth + 1, 1)}) AS {self._alias('d')})"
        if roll < 0.95:
            return f"(SELECT {self._term(scope)})"
        return f"({self._select(outer, depth + 1, 1)})"

    def _subquery_condition(self, scope: _Scope, depth: int) -> str:
        outer = scope.all
        roll = self._rng.random()
        if roll < 0.3:
            negated = "NOT " if self._rng.random() < 0.4 else ""
            return f"{negated}EXISTS ({self._select(outer, depth + 1, self._rng.choice((1, 2)))})"
        if roll < 0.55:
            query = self._select(outer, depth + 1, 1)
            return f"{self._term(scope)} {self._rng.choice(('', 'NOT '))}IN ({query})"
        if roll < 0.65:
            row = f"({self._term(scope)}, {self._term(scope)})"
            return f"{row} {self._rng.choice(('', 'NOT '))}IN ({self._select(outer, depth + 1, 2)})"
        if roll < 0.8:
            quantifier = f"{self._rng.choice(OPERATORS)} {self._rng.choice(('ANY', 'ALL'))}"
            return f"{self._term(scope)} {quantifier} ({self._select(outer, depth + 1, 1)})"
        return f"{self._term(scope)} {self._rng.choice(OPERATORS)} {self._scalar_query(scope, depth)}"

    # --- conditions and values ----------------------------------------------------------------------------------------

    def _where(self, scope: _Scope, depth: int, share: float) -> str:
        if self._rng.random() > share:
            return ""
        conditions = [self._condition(scope, depth)]
        if scope.outer and self._rng.random() < 0.8:
            inner, outer = self._column(_Scope(scope.tables)), self._column(_Scope(scope.outer))
            operator = self._rng.choice(("=", "=", "=", "=", "<", "<>", "IS NOT DISTINCT FROM"))
            correlation = f"{inner} {operator} {outer}"
            if self._rng.random() < 0.1:
                correlation = f"({correlation} OR {self._simple_condition(scope)})"
            conditions.append(correlation)
            if self._rng.random() < 0.5:
                conditions.pop(0)
        return f" WHERE {' AND '.join(conditions)}"

    def _condition(self, scope: _Scope, depth: int) -> str:
        """A condition, with subqueries where these are not too deep."""
        if depth >= MOST_DEPTH or self._rng.random() < (0.15, 0.55, 0.8)[min(depth, 2)]:
            return self._simple_condition(scope)
        roll = self._rng.random()
        if roll < 0.55:
            return self._subquery_condition(scope, depth)
        if roll < 0.65:
            return f"NOT ({self._subquery_condition(scope, depth)})"
        if roll < 0.75:
            return f"({self._subquery_condition(scope, depth)} OR {self._simple_condition(scope)})"
        if roll < 0.85:
            return f"({self._subquery_condition(scope, depth)} AND {self._condition(scope, depth)})"
        if roll < 0.92:
            return f"({self._subquery_condition(scope, depth)}) IS {self._rng.choice(('', 'NOT '))}NULL"
        condition, then = self._simple_condition(scope), self._subquery_condition(scope, depth)
        return f"CASE WHEN {condition} THEN {then} ELSE {self._simple_condition(scope)} END"

    def _simple_condition(self, scope: _Scope) -> str:
        roll = self._rng.random()
        if roll < 0.55:
            return f"{self._term(scope)} {self._rng.choice(OPERATORS)} {self._term(scope)}"
        if roll < 0.7:
            return f"{self._column(scope)} IS {self._rng.choice(('', 'NOT '))}NULL"
        if roll < 0.85:
            return f"{self._column(scope)} IN ({self._rng.randrange(3)}, {self._rng.choice(('1', '2', 'NULL'))})"
        return f"({self._column(scope)} = {self._column(scope)} OR {self._column(scope)} > {self._rng.randrange(3)})"

    def _column(self, scope: _Scope) -> str:
        """A column, more often of the own FROM than of those around it."""
        tables: Sequence[_Table] = scope.tables
        if scope.outer and (not tables or self._rng.random() < 0.3):
            tables = scope.outer
        table = self._rng.choice(tables)
        column = self._rng.choice(table.columns)
        return f"{table.alias}.{column}" if table.alias else column

    def _term(self, scope: _Scope) -> str:
        roll = self._rng.random()
        if roll < 0.75:
            return self._column(scope)
        if roll < 0.85:
            return str(self._rng.randrange(4))
        if roll < 0.9:
            return f"coalesce({self._column(scope)}, {self._rng.randrange(4)})"
        if roll < 0.93:
            return f"nullif({self._column(scope)}, {self._rng.randrange(3)})"
        return f"{self._column(scope)} + {self._column(scope)}"

    def _value(self, scope: _Scope, depth: int) -> str:
        """A number that comes from a subquery, where this is not too deep."""
        if depth >= MOST_DEPTH:
            return self._term(scope)
        roll = self._rng.random()
        if roll < 0.5:
            return self._scalar_query(scope, depth)
        if roll < 0.6:
            return f"coalesce({self._scalar_query(scope, depth)}, {self._term(scope)})"
        if roll < 0.7:
            return f"{self._column(scope)} + {self._scalar_query(scope, depth)}"
        condition = self._condition(scope, depth)
        return f"CASE WHEN {condition} THEN 1 WHEN NOT ({condition}) THEN 0 END"

    def _aggregate(self, scope: _Scope, depth: int) -> str:
        """An aggregate over the own tables, at times in an expression with columns of the queries around."""
        own = _Scope(scope.tables)
        roll = self._rng.random()
        argument = self._column(own)
        if roll < 0.1 and scope.outer:
            argument = f"{argument} + {self._column(_Scope(scope.outer))}"
        elif roll < 0.17 and depth == 0:
            argument = self._scalar_query(own, MOST_DEPTH - 2)
        name = self._rng.choice(("count", "sum", "min", "max", "count(DISTINCT", "*"))
        if name == "*":
            call = "count(*)"
        else:
            call = f"{name} {argument})" if name.endswith("DISTINCT") else f"{name}({argument})"
        roll = self._rng.random()
        if roll < 0.1:
            call = f"{call} FILTER (WHERE {self._simple_condition(own)})"
        if roll > 0.9:
            return f"coalesce({call}, {self._rng.randrange(4)})"
        if roll > 0.8 and scope.outer:
            return f"{call} + {self._column(_Scope((), scope.outer))}"
        return call


def _named(columns: Sequence[str]) -> str:
    return ", ".join(f"{column} AS c{place}" for place, column in enumerate(columns))


def _as(columns: Sequence[str], names: Sequence[str]) -> str:
    return ", ".join(f"{column} AS {name}" for column, name in zip(columns, names, strict=True))


def _and(where: str) -> str:
    """The text before one more condition."""
    return f"{where} AND " if where else " WHERE "
