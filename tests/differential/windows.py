"""Random queries with window functions, in the SQL that minisql, SQLite and DuckDB have in common.

Rows that are peers come in no order, so what depends on it (ROW_NUMBER, LAG, frames of ROWS ...) is ordered by every
column: peers are equal rows then.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

COLUMNS = ("k", "x", "y", "s")
NUMBERS = ("k", "x", "y")


class WindowGenerator:
    """Makes queries over the tables of a `generator.random_database`."""

    def __init__(self, rng: random.Random, tables: int) -> None:
        self._rng = rng
        self._tables = tables

    def query(self) -> str:
        """A random query; its rows have no order."""
        roll = self._rng.random()
        if roll < 0.45:
            return self._select()
        if roll < 0.6:
            return self._grouped()
        return self._filtered()

    def _select(self) -> str:
        columns, from_ = self._from()
        listed = [f"{column} AS c{number}" for number, column in enumerate(columns)]
        calls = [f"{self._in_expression(self._call(columns))} AS w{i}" for i in range(self._rng.randint(1, 3))]
        where = f" WHERE {self._condition(columns)}" if self._rng.random() < 0.3 else ""
        named = ""
        if self._rng.random() < 0.3:
            partition = self._rng.choice(columns)
            calls.append(f"sum({self._number(columns)}) OVER w AS w8")
            calls.append(f"rank() OVER (w ORDER BY {self._key(self._rng.choice(columns))}) AS w9")
            named = f" WINDOW w AS (PARTITION BY {partition})"
        return f"SELECT {', '.join([*listed, *calls])} FROM {from_}{where}{named}"

    def _filtered(self) -> str:
        """A condition on a derived table: on a key that some of its windows partition by, or on a window."""
        inner = self._select()
        columns = inner.count(" AS c")
        conditions = []
        for _ in range(self._rng.randint(1, 2)):
            column = self._rng.choice(["d.w0", *(f"d.c{number}" for number in range(columns))])
            test = self._rng.choice(("= 1", "> 0", "IS NULL", "IS NOT NULL", "<= 2", "IN (1, 2)"))
            conditions.append(f"{column} {test}" if not self._is_string(inner, column) else f"{column} IS NOT NULL")
        text = f"SELECT d.c0, d.w0 FROM ({inner}) AS d"
        if self._rng.random() < 0.5:
            kind = self._rng.choice(("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"))
            table = self._rng.randrange(self._tables)
            text = f"SELECT d.c0, d.w0, e.x FROM ({inner}) AS d {kind} t{table} AS e ON d.c0 = e.k"
        return f"{text} WHERE {' AND '.join(conditions)}"

    def _is_string(self, inner: str, column: str) -> bool:
        """Whether a column has strings, or may have."""
        if column == "d.w0":
            return "s)" in inner or "s," in inner
        return f".s AS {column.removeprefix('d.')}" in inner

    def _grouped(self) -> str:
        columns, from_ = self._from()
        key = self._rng.choice([column for column in columns if not column.endswith(".s")])
        total = f"sum({self._number(columns)})"
        over = self._rng.choice(
            (
                f"ORDER BY {self._key(total)}",
                f"ORDER BY {self._key(key)} RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING",
                f"PARTITION BY count(*) ORDER BY {self._key(key)}",
                "",
            )
        )
        call = self._rng.choice((f"sum({total})", "rank()" if over else "count(*)", "max(count(*))", "count(*)"))
        having = " HAVING count(*) > 1" if self._rng.random() < 0.3 else ""
        return f"SELECT {key} AS c0, {total} AS c1, {call} OVER ({over}) AS w0 FROM {from_} GROUP BY {key}{having}"

    def _from(self) -> tuple[list[str], str]:
        first, second = self._rng.randrange(self._tables), self._rng.randrange(self._tables)
        columns = [f"a.{column}" for column in COLUMNS]
        if self._rng.random() < 0.5:
            return columns, f"t{first} AS a"
        kind = self._rng.choice(("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"))
        columns += [f"b.{column}" for column in COLUMNS]
        on = f"a.{self._rng.choice(NUMBERS)} = b.{self._rng.choice(NUMBERS)}"
        return columns, f"t{first} AS a {kind} t{second} AS b ON {on}"

    def _call(self, columns: Sequence[str]) -> str:
        partition = ""
        if self._rng.random() < 0.6:
            partition = "PARTITION BY " + ", ".join(self._rng.sample(columns, self._rng.randint(1, 2)))
        keys = self._rng.sample(columns, self._rng.randint(0, 2))
        whole = [*keys, *(column for column in columns if column not in keys)]
        value = self._rng.choice(columns)
        roll = self._rng.random()
        if roll < 0.15 and keys:
            rank = self._rng.choice(("rank", "dense_rank", "percent_rank", "cume_dist"))
            return f"{rank}() OVER ({partition} ORDER BY {self._keys(keys)})"
        if roll < 0.4:
            function = self._rng.choice(
                (
                    "row_number()", "ntile(2)", "ntile(3)", f"lag({value})", f"lead({value}, 2)",
                    f"lag({value}, 1, {value})", f"lead({value}, 0)",
                )
            )  # fmt: skip
            return f"{function} OVER ({partition} ORDER BY {self._keys(whole)})"
        number = self._number(columns)
        function = self._rng.choice(
            (
                "count(*)", f"count({value})", f"sum({number})", f"avg({number})", f"min({value})", f"max({value})",
                f"sum({number}) FILTER (WHERE {self._condition(columns)})",
            )
        )  # fmt: skip
        if roll < 0.5:
            return f"{function} OVER ({partition})"
        if roll < 0.75:
            frame = self._frame("ROWS")
            if self._rng.random() < 0.3:
                function = self._rng.choice((f"first_value({value})", f"last_value({value})", f"nth_value({value}, 2)"))
            return f"{function} OVER ({partition} ORDER BY {self._keys(whole)} {frame})"
        if roll < 0.85:
            return f"{function} OVER ({partition} ORDER BY {self._keys(keys or columns)} {self._frame('GROUPS')})"
        return f"{function} OVER ({partition} ORDER BY {self._key(number)} {self._frame('RANGE')})"

    def _frame(self, unit: str) -> str:
        places = [
            "UNBOUNDED PRECEDING",
            "2 PRECEDING",
            "1 PRECEDING",
            "CURRENT ROW",
            "1 FOLLOWING",
            "UNBOUNDED FOLLOWING",
        ]
        start = self._rng.randrange(len(places) - 1)
        kind = ("UNBOUNDED PRECEDING", "PRECEDING", "PRECEDING", "CURRENT ROW", "FOLLOWING", "UNBOUNDED FOLLOWING")
        ends = [i for i in range(1, len(places)) if i >= start or kind[i] == kind[start]]
        exclusion = self._rng.choice(
            ("", "", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES", " EXCLUDE NO OTHERS")
        )
        return f"{unit} BETWEEN {places[start]} AND {places[self._rng.choice(ends)]}{exclusion}"

    def _keys(self, columns: Sequence[str]) -> str:
        return ", ".join(self._key(column) for column in columns)

    def _key(self, column: str) -> str:
        return f"{column} {self._rng.choice(('ASC', 'DESC'))} NULLS {self._rng.choice(('FIRST', 'LAST'))}"

    def _number(self, columns: Sequence[str]) -> str:
        return self._rng.choice([column for column in columns if not column.endswith(".s")])

    def _condition(self, columns: Sequence[str]) -> str:
        column = self._number(columns)
        return f"{column} {self._rng.choice(('> 0', '= 1', 'IS NOT NULL', '< 3'))}"

    def _in_expression(self, call: str) -> str:
        return f"coalesce({call}, NULL)" if self._rng.random() < 0.1 else call
