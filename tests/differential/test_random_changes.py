"""Random changes of a table under constraints, against SQLite and DuckDB: what fails, and what is there after.

SQLite decides which statements fail; DuckDB is left out where an update moves keys, which it refuses more often
(https://duckdb.org/docs/sql/indexes, over-eager constraint checking), and of ON CONFLICT.
"""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

import duckdb
import pytest

import minisql
from tests.differential.peers import Rows, bag

COLUMNS = ("k", "a", "b", "s")
TABLE = """CREATE TABLE t (k INT PRIMARY KEY NOT NULL, a INTEGER DEFAULT 3 CHECK (a < 20), b INTEGER NOT NULL,
    s VARCHAR UNIQUE, UNIQUE (a, b), CHECK (a + b < 25 OR s IS NULL))"""
CHILD = "CREATE TABLE c (k INTEGER REFERENCES t (k), n INTEGER)"


class Statements:
    """Makes random statements."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def number(self) -> str:
        return self._rng.choice([*map(str, range(12)), *map(str, range(12)), "NULL", "19", "21"])

    def text(self) -> str:
        return self._rng.choice(["NULL", "NULL", *(f"'{letter}'" for letter in "abcdefghij")])

    def row(self) -> str:
        return f"({self.number()}, {self.number()}, {self.number()}, {self.text()})"

    def condition(self) -> str:
        column = self._rng.choice("kab")
        return self._rng.choice([
            f"{column} = {self._rng.randrange(12)}",
            f"{column} < {self._rng.randrange(12)}",
            f"{column} IS NULL",
            f"s = {self.text()}",
            f"{column} > {self._rng.randrange(9)} AND b < {self._rng.randrange(12)}",
        ])  # fmt: skip

    def assignment(self, column: str) -> str:
        if column == "s":
            return f"s = {self._rng.choice([self.text(), 's', 'NULL'])}"
        other = self._rng.choice("ab")
        value = self._rng.choice([self.number(), f"{other} + {self._rng.randrange(4)}", f"{self.number()} - {other}"])
        return f"{column} = {value}"

    def insert(self) -> str:
        rows = ", ".join(self.row() for _ in range(self._rng.choice([1, 1, 2, 4])))
        return self._rng.choice([
            f"INSERT INTO t VALUES {rows}",
            f"INSERT INTO t (b, k) VALUES ({self.number()}, {self.number()})",
            f"INSERT INTO t (k, a, b) SELECT k + {self._rng.randrange(1, 9)}, b, a FROM t WHERE {self.condition()}",
        ])  # fmt: skip

    def on_conflict(self) -> str:
        text = self._rng.choice(["t.s", "excluded.s"])
        if self._rng.random() < 0.5:
            return f"INSERT INTO t VALUES {self.row()}, {self.row()} ON CONFLICT DO NOTHING"
        return f"INSERT INTO t VALUES {self.row()} ON CONFLICT (k) DO UPDATE SET a = excluded.a, s = {text}"

    def change(self) -> str:
        columns = self._rng.sample("abs", self._rng.choice([1, 2]))
        return f"UPDATE t SET {', '.join(map(self.assignment, columns))} WHERE {self.condition()}"

    def child(self) -> str:
        key = self.number()
        return self._rng.choice([f"INSERT INTO c VALUES ({key}, 1)", f"UPDATE c SET k = {key}", "DELETE FROM c"])

    def next(self) -> str:
        kind = self._rng.random()
        if kind < 0.5:
            return self.insert()
        if kind < 0.6:
            return self.on_conflict()
        if kind < 0.8:
            return self.change()
        if kind < 0.87:
            return self.child()
        if kind < 0.9:
            return f"UPDATE t SET k = 40 - k WHERE {self.condition()}"
        return f"DELETE FROM t WHERE {self.condition()}"


def rows_of(connection: sqlite3.Connection | minisql.Connection, table: str) -> Rows:
    return bag(connection.execute(f"SELECT * FROM {table}").fetchall())


@pytest.mark.parametrize("seed", range(12))
def test_random_changes_are_those_of_sqlite(seed: int) -> None:
    statements = Statements(random.Random(seed))
    failed = done = 0
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as peer, minisql.connect() as connection:
        peer.execute("PRAGMA foreign_keys = ON")
        for statement in (TABLE, CHILD):
            connection.execute(statement)
            peer.execute(statement)
        for _ in range(150):
            statement = statements.next()
            expected: int | None = None
            try:
                expected = peer.execute(statement).rowcount
            except sqlite3.IntegrityError:
                failed += 1
            try:
                found: int | None = connection.execute(statement).rowcount
            except minisql.IntegrityError:
                found = None
            if expected is None and found is not None and statement.startswith("UPDATE t SET"):
                # SQLite checks keys row by row: a value may be taken only until its row is changed, too.
                peer.execute("DELETE FROM c")
                peer.execute("DELETE FROM t")
                peer.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", connection.execute("SELECT * FROM t"))
                peer.executemany("INSERT INTO c VALUES (?, ?)", connection.execute("SELECT * FROM c"))
                continue
            assert found == expected, statement
            done += expected is not None
            assert rows_of(connection, "t") == rows_of(peer, "t"), statement
            assert rows_of(connection, "c") == rows_of(peer, "c"), statement
    peer.close()
    assert failed > 20
    assert done > 20


@pytest.mark.parametrize("seed", range(6))
def test_random_changes_are_those_of_duckdb(seed: int) -> None:
    rng = random.Random(seed)
    statements = Statements(rng)
    table = "CREATE TABLE t (k INTEGER, a INTEGER DEFAULT 3 CHECK (a < 20), b INTEGER NOT NULL, s VARCHAR)"
    definitions = [
        "ALTER TABLE t ADD COLUMN n{0} INTEGER DEFAULT {0}",
        "ALTER TABLE t RENAME COLUMN n{0} TO m{0}",
        "ALTER TABLE t DROP COLUMN m{0}",
        "ALTER TABLE t ALTER b SET DEFAULT {0}",
        "ALTER TABLE t ALTER b DROP NOT NULL",
        "ALTER TABLE t ALTER b SET NOT NULL",
        "ALTER TABLE t ALTER s DROP DEFAULT",
        "UPDATE t SET a = v.y FROM (VALUES ({0}, 9), (5, 7)) AS v(x, y) WHERE t.k = v.x",
        "DELETE FROM t USING (VALUES ({0}), (5)) AS v(x) WHERE t.k = v.x",
    ]
    failed = done = 0
    with minisql.connect() as connection, duckdb.connect() as peer:
        connection.execute(table)
        peer.execute(table)
        for number in range(120):
            statement = statements.insert() if rng.random() < 0.5 else statements.change()
            if rng.random() < 0.3:
                statement = rng.choice(definitions).format(rng.randrange(4))
            outcomes = []
            for engine in (connection, peer):
                try:
                    engine.execute(statement)
                    outcomes.append(True)
                except (minisql.SqlError, duckdb.Error):
                    outcomes.append(False)
            assert outcomes[0] == outcomes[1], f"{number}: {statement}"
            done += outcomes[0]
            failed += not outcomes[0]
            names = [name for name, *_ in connection.execute("SELECT * FROM t").description or ()]
            assert names == [name for name, *_ in peer.execute("SELECT * FROM t").description or ()]
            assert bag(connection.execute("SELECT * FROM t").fetchall()) == bag(
                peer.execute("SELECT * FROM t").fetchall()
            ), statement
    assert failed > 10
    assert done > 20
