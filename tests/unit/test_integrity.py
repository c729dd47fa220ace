from __future__ import annotations

import pytest

import minisql
from minisql.catalog.memory_table import MemoryTable
from minisql.catalog.table import Key


def fails(connection: minisql.Connection, statement: str, *parts: str) -> None:
    with pytest.raises(minisql.IntegrityError) as caught:
        connection.execute(statement)
    assert caught.value.span is not None
    for part in parts:
        assert part in caught.value.message


@pytest.fixture
def connection() -> minisql.Connection:
    connection = minisql.connect()
    connection.execute(
        "CREATE TABLE t (a INTEGER NOT NULL, b VARCHAR UNIQUE, c DOUBLE CONSTRAINT positive CHECK (c > 0),"
        " d INTEGER CONSTRAINT dd NULL, CONSTRAINT pair UNIQUE (a, d), CHECK (a + d < 100), PRIMARY KEY (a, b))"
    )
    connection.execute("INSERT INTO t VALUES (1, 'x', 1.5, 1), (1, 'y', NULL, NULL), (1, 'z', 2, NULL)")
    return connection


def test_errors_name_the_constraint_and_the_row(connection: minisql.Connection) -> None:
    fails(connection, "INSERT INTO t VALUES (NULL, 'q', 1, 1)", '"a" of "t" is NOT NULL', "(NULL, 'q', 1.0e0, 1)")
    fails(connection, "INSERT INTO t VALUES (2, NULL, 1, 1)", '"b" of "t" is NOT NULL')
    fails(connection, "INSERT INTO t VALUES (2, 'x', 1, 1)", "(b) = ('x')", '"t_b_key" (UNIQUE)')
    fails(connection, "INSERT INTO t VALUES (1, 'q', 1, 1)", "(a, d) = (1, 1)", '"pair"')
    fails(connection, "INSERT INTO t VALUES (2, 'q', 1, 1), (3, 'r', 0, 7)", "(3, 'r', 0", '"positive"', "CHECK (c > ")
    fails(connection, "INSERT INTO t VALUES (98, 'q', 1, 2)", '"t_check"', "CHECK (a + d < 100)")
    fails(connection, "UPDATE t SET c = -c WHERE b = 'z'", "'z'", '"positive"')
    fails(connection, "UPDATE t SET b = 'x' WHERE b = 'z'", "('x')", '"t_b_key"')
    fails(connection, "UPDATE t SET b = NULL WHERE b = 'z'", "NOT NULL")
    assert connection.execute("SELECT count(*), max(a) FROM t").fetchone() == (3, 1)


def test_a_null_equals_no_key_and_breaks_no_check(connection: minisql.Connection) -> None:
    connection.execute("INSERT INTO t VALUES (1, 'n', NULL, NULL), (99, 'm', NULL, NULL)")
    connection.execute("INSERT INTO t (b, a) VALUES ('o', 1)")
    assert connection.execute("SELECT count(*) FROM t WHERE a = 1").fetchone() == (5,)


def test_the_catalog_knows_the_keys(connection: minisql.Connection) -> None:
    connection.execute("CREATE UNIQUE INDEX i ON t (c)")
    table = connection._executor.open_catalog().find("t")
    assert isinstance(table, MemoryTable)
    assert table.keys == (
        Key((1,), not_null=True),
        Key((0, 3), not_null=False),
        Key((0, 1), not_null=True),
        Key((2,), not_null=False),
    )


def test_doubles_and_strings_are_keys() -> None:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE k (d DOUBLE UNIQUE, w DECIMAL(38,2) UNIQUE, e DATE UNIQUE)")
        connection.execute("INSERT INTO k VALUES (0.0, 12345678901234567890123456789.25, '2020-01-01')")
        fails(connection, "INSERT INTO k (d) VALUES (-0e0)", '"k_d_key"')
        fails(connection, "INSERT INTO k (w) VALUES (12345678901234567890123456789.25)", '"k_w_key"')
        fails(connection, "INSERT INTO k (e) VALUES ('2020-01-01')", '"k_e_key"')


def test_a_failed_statement_leaves_no_key_behind(connection: minisql.Connection) -> None:
    fails(connection, "INSERT INTO t VALUES (5, 'five', 1, 1), (6, 'five', 1, 1)")
    fails(connection, "INSERT INTO t VALUES (5, 'five', 1, 1), (6, 'six', -1, 1)")
    with pytest.raises(minisql.DataError):
        connection.execute("INSERT INTO t VALUES (5, 'five', 1, 1) RETURNING 1 / 0")
    connection.execute("INSERT INTO t VALUES (5, 'five', 1, 1)")
    connection.execute("DELETE FROM t WHERE b = 'five'; INSERT INTO t VALUES (5, 'five', 1, 1)")
    connection.execute("UPDATE t SET b = 'FIVE' WHERE b = 'five'; INSERT INTO t VALUES (6, 'five', 1, 1)")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("CREATE TABLE n (a INTEGER, A VARCHAR)", "Two columns are named"),
        ("CREATE TABLE n (a INTEGER PRIMARY KEY, b INTEGER PRIMARY KEY)", "a primary key already"),
        ("CREATE TABLE n (a INTEGER, UNIQUE (b))", 'no column "b"'),
        ("CREATE TABLE n (a INTEGER, UNIQUE (a, a))", "a column twice"),
        ("CREATE TABLE n (a INTEGER CHECK (b > 0))", 'no column "b"'),
        ("CREATE TABLE n (a INTEGER CHECK (a + 1))", "CHECK takes a BOOLEAN"),
        ("CREATE TABLE n (a INTEGER CHECK (sum(a) > 1))", "CHECK takes no aggregates"),
        ("CREATE TABLE n (a INTEGER DEFAULT a)", 'no column "a"'),
        ("CREATE TABLE n (a DATE DEFAULT TRUE)", "is DATE, its default is BOOLEAN"),
        ("CREATE TABLE n (a INTEGER DEFAULT 1 DEFAULT 2)", "two defaults"),
        ("CREATE TABLE n (a INTEGER NULL NOT NULL)", "NULL and NOT NULL"),
        ("CREATE TABLE n (a INTEGER CONSTRAINT c CHECK (a > 1) CONSTRAINT c UNIQUE)", 'a constraint "c" already'),
        ("CREATE TABLE n (a INTEGER REFERENCES nowhere)", 'no table "nowhere"'),
        ("CREATE TABLE n (a INTEGER REFERENCES t)", "2 columns, not 1"),
        ("CREATE TABLE n (a INTEGER REFERENCES t (d))", r"no UNIQUE constraint on \(d\)"),
        ("CREATE TABLE n (a INTEGER REFERENCES t (b))", "is INTEGER"),
        ("CREATE TABLE n (a VARCHAR REFERENCES t (b) ON DELETE CASCADE)", "ON DELETE CASCADE is not supported"),
        ("CREATE TABLE other.n (a INTEGER)", "The only schema"),
        ("CREATE UNIQUE INDEX i ON t (a)", "would have the key"),
        ("CREATE INDEX i ON t (nothing)", 'no column "nothing"'),
        ("DROP INDEX i", 'no index "i"'),
    ],
)
def test_definitions_that_make_no_sense(connection: minisql.Connection, statement: str, message: str) -> None:
    with pytest.raises(minisql.SqlError, match=message) as caught:
        connection.execute(statement)
    assert caught.value.span is not None
    assert connection.execute("SHOW TABLES").fetchall() == [("t",)]


def test_indexes(connection: minisql.Connection) -> None:
    connection.execute("CREATE INDEX i ON t (a); CREATE INDEX IF NOT EXISTS i ON t (b); CREATE INDEX ON t (a, d)")
    with pytest.raises(minisql.ProgrammingError, match='an index "i" already'):
        connection.execute("CREATE INDEX i ON t (b)")
    connection.execute("DROP INDEX i; DROP INDEX t_a_d_idx; DROP INDEX IF EXISTS i; CREATE UNIQUE INDEX u ON t (c)")
    fails(connection, "INSERT INTO t VALUES (7, 'u', 1.5, 7)", '"u"')
    connection.execute("DROP INDEX u; INSERT INTO t VALUES (7, 'u', 1.5, 7)")


# --- foreign keys -----------------------------------------------------------------------------------------------------


@pytest.fixture
def family() -> minisql.Connection:
    connection = minisql.connect()
    connection.execute("CREATE TABLE parent (k INTEGER PRIMARY KEY, n VARCHAR UNIQUE)")
    connection.execute("INSERT INTO parent VALUES (1, 'one'), (2, 'two'), (3, NULL)")
    connection.execute(
        "CREATE TABLE child (p BIGINT REFERENCES parent, n VARCHAR, FOREIGN KEY (n) REFERENCES parent (n))"
    )
    connection.execute("INSERT INTO child VALUES (1, 'two'), (NULL, 'one'), (1, NULL)")
    return connection


def test_references_are_held_from_both_sides(family: minisql.Connection) -> None:
    fails(family, "INSERT INTO child VALUES (4, NULL)", '"child_p_fkey"', "(4, NULL)")
    fails(family, "UPDATE child SET n = 'three'", '"child_n_fkey"')
    fails(family, "DELETE FROM parent WHERE k = 1", '"child_p_fkey"')
    fails(family, "UPDATE parent SET k = 9 WHERE k = 1", '"child_p_fkey"')
    fails(family, "UPDATE parent SET n = 'zwei' WHERE k = 2", '"child_n_fkey"')
    fails(family, "TRUNCATE parent")
    family.execute("DELETE FROM parent WHERE k = 3; UPDATE parent SET k = 3 WHERE k = 2; UPDATE parent SET n = n")
    family.execute("DELETE FROM child WHERE n = 'two'; UPDATE child SET p = NULL; DELETE FROM parent WHERE n = 'two'")
    assert family.execute("SELECT count(*) FROM parent").fetchone() == (1,)


def test_a_parent_stays(family: minisql.Connection) -> None:
    for statement in (
        "DROP TABLE parent",
        "CREATE OR REPLACE TABLE parent (k INTEGER)",
        "ALTER TABLE parent DROP CONSTRAINT parent_pkey",
        "ALTER TABLE parent DROP COLUMN n",
        "ALTER TABLE parent ALTER k TYPE VARCHAR",
    ):
        with pytest.raises(minisql.ProgrammingError):
            family.execute(statement)
    family.execute("ALTER TABLE parent RENAME n TO name; ALTER TABLE parent RENAME TO elder")
    fails(family, "INSERT INTO child VALUES (NULL, 'three')", '"elder"')
    family.execute("INSERT INTO child VALUES (NULL, 'two'); DROP TABLE child; DROP TABLE elder")


def test_a_table_may_refer_to_itself() -> None:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE tree (k INTEGER PRIMARY KEY, up INTEGER REFERENCES tree (k))")
        connection.execute("INSERT INTO tree VALUES (2, 1), (1, NULL), (3, 3)")
        connection.execute("INSERT INTO tree VALUES (4, 2)")
        connection.execute("INSERT INTO tree VALUES (5, 5)")
        fails(connection, "INSERT INTO tree VALUES (6, 7)", "(6, 7)")
        fails(connection, "DELETE FROM tree WHERE k = 1")
        connection.execute("DELETE FROM tree WHERE k IN (2, 4)")
        connection.execute("UPDATE tree SET k = k + 10, up = up + 10")
        assert connection.execute("SELECT * FROM tree ORDER BY k").fetchall() == [(11, None), (13, 13), (15, 15)]
        connection.execute("ALTER TABLE tree RENAME k TO key; ALTER TABLE tree RENAME TO forest")
        connection.execute("INSERT INTO forest VALUES (16, 15)")
        fails(connection, "INSERT INTO forest VALUES (17, 99)")
        connection.execute("DROP TABLE forest")
