from __future__ import annotations

import pytest

import minisql


@pytest.fixture
def connection() -> minisql.Connection:
    connection = minisql.connect()
    connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, x INTEGER DEFAULT 5 CHECK (x < 100), s VARCHAR)")
    connection.execute("INSERT INTO t VALUES (1, 10, '7'), (2, 20, NULL)")
    return connection


def rows(connection: minisql.Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT * FROM t ORDER BY 1").fetchall()


def test_add_column(connection: minisql.Connection) -> None:
    connection.execute("ALTER TABLE t ADD COLUMN y INTEGER NOT NULL DEFAULT 3 CHECK (y > 0)")
    connection.execute("ALTER TABLE t ADD z VARCHAR UNIQUE; ALTER TABLE t ADD COLUMN IF NOT EXISTS z DATE")
    assert rows(connection) == [(1, 10, "7", 3, None), (2, 20, None, 3, None)]
    with pytest.raises(minisql.IntegrityError, match="t_y_check"):
        connection.execute("UPDATE t SET y = 0")
    for statement in (
        "ALTER TABLE t ADD COLUMN n INTEGER NOT NULL",
        "ALTER TABLE t ADD COLUMN n INTEGER DEFAULT 1 UNIQUE",
        "ALTER TABLE t ADD COLUMN n INTEGER DEFAULT 1 CHECK (n > x)",
        "ALTER TABLE t ADD COLUMN n INTEGER DEFAULT 1 REFERENCES t (k) CHECK (n = 2)",
    ):
        with pytest.raises(minisql.IntegrityError):
            connection.execute(statement)
    assert len(rows(connection)[0]) == 5


def test_drop_column_moves_the_others(connection: minisql.Connection) -> None:
    connection.execute("ALTER TABLE t ADD u INTEGER UNIQUE; CREATE INDEX i ON t (u); ALTER TABLE t DROP COLUMN s")
    connection.execute("ALTER TABLE t DROP COLUMN IF EXISTS s")
    connection.execute("INSERT INTO t VALUES (3, 30, 1)")
    with pytest.raises(minisql.IntegrityError, match="t_u_key"):
        connection.execute("INSERT INTO t VALUES (4, 30, 1)")
    with pytest.raises(minisql.ProgrammingError, match="t_u_key"):
        connection.execute("ALTER TABLE t DROP u")
    connection.execute("ALTER TABLE t DROP CONSTRAINT t_u_key")
    with pytest.raises(minisql.ProgrammingError, match='index "i"'):
        connection.execute("ALTER TABLE t DROP u")
    connection.execute("DROP INDEX i; ALTER TABLE t DROP u; ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t DROP k")
    with pytest.raises(minisql.IntegrityError, match="CHECK"):
        connection.execute("INSERT INTO t VALUES (100)")
    connection.execute("ALTER TABLE t DROP CONSTRAINT t_x_check")
    with pytest.raises(minisql.ProgrammingError, match="the only column"):
        connection.execute("ALTER TABLE t DROP x")


def test_rename(connection: minisql.Connection) -> None:
    connection.execute("ALTER TABLE t RENAME COLUMN x TO y; ALTER TABLE t RENAME k TO K")
    with pytest.raises(minisql.IntegrityError, match=r"CHECK \(y < 100\)"):
        connection.execute("UPDATE t SET y = 100")
    with pytest.raises(minisql.ProgrammingError, match="already"):
        connection.execute("ALTER TABLE t RENAME y TO s")
    connection.execute("CREATE VIEW v AS SELECT 1 AS one")
    with pytest.raises(minisql.ProgrammingError, match='"v" already'):
        connection.execute("ALTER TABLE t RENAME TO v")
    connection.execute("ALTER TABLE t RENAME TO T2; ALTER TABLE IF EXISTS t RENAME TO u")
    assert connection.execute("SELECT count(*) FROM t2").fetchone() == (2,)
    with pytest.raises(minisql.ProgrammingError, match='no table "t"'):
        connection.execute("ALTER TABLE t RENAME TO u")


def test_change_of_type(connection: minisql.Connection) -> None:
    connection.execute("ALTER TABLE t ALTER COLUMN s SET DATA TYPE INTEGER; ALTER TABLE t ALTER k TYPE BIGINT")
    assert rows(connection) == [(1, 10, 7), (2, 20, None)]
    connection.execute("ALTER TABLE t ALTER s TYPE VARCHAR USING 'x' || (k * 2)")
    assert [row[2] for row in rows(connection)] == ["x2", "x4"]
    with pytest.raises(minisql.DataError):
        connection.execute("ALTER TABLE t ALTER s TYPE INTEGER")
    with pytest.raises(minisql.IntegrityError):
        connection.execute("ALTER TABLE t ALTER k TYPE INTEGER USING 1")
    with pytest.raises(minisql.ProgrammingError, match="t_x_check"):
        connection.execute("ALTER TABLE t ALTER x TYPE BIGINT")
    connection.execute("ALTER TABLE t DROP CONSTRAINT t_x_check; ALTER TABLE t ALTER x TYPE DECIMAL(6,2)")
    connection.execute("INSERT INTO t (k) VALUES (3)")
    assert str(connection.execute("SELECT x FROM t WHERE k = 3").fetchall()[0][0]) == "5.00"


def test_defaults_and_not_null(connection: minisql.Connection) -> None:
    connection.execute("ALTER TABLE t ALTER x DROP DEFAULT; ALTER TABLE t ALTER s SET DEFAULT 'new'")
    connection.execute("INSERT INTO t (k) VALUES (3)")
    assert rows(connection)[2] == (3, None, "new")
    with pytest.raises(minisql.IntegrityError, match='"x" of "t" is NOT NULL'):
        connection.execute("ALTER TABLE t ALTER x SET NOT NULL")
    connection.execute("UPDATE t SET x = 1 WHERE x IS NULL; ALTER TABLE t ALTER x SET NOT NULL")
    with pytest.raises(minisql.IntegrityError):
        connection.execute("UPDATE t SET x = NULL")
    connection.execute("ALTER TABLE t ALTER x DROP NOT NULL; UPDATE t SET x = NULL")
    with pytest.raises(minisql.ProgrammingError, match="primary key"):
        connection.execute("ALTER TABLE t ALTER k DROP NOT NULL")


def test_add_and_drop_constraint(connection: minisql.Connection) -> None:
    connection.execute("ALTER TABLE t ADD CONSTRAINT few CHECK (k < 10)")
    with pytest.raises(minisql.IntegrityError, match="few"):
        connection.execute("INSERT INTO t (k) VALUES (10)")
    for statement in ("ADD CHECK (k > 1)", "ADD FOREIGN KEY (x) REFERENCES t (k)"):
        with pytest.raises(minisql.IntegrityError):
            connection.execute(f"ALTER TABLE t {statement}")
    connection.execute("ALTER TABLE t DROP CONSTRAINT few; ALTER TABLE t DROP CONSTRAINT IF EXISTS few")
    connection.execute("INSERT INTO t (k) VALUES (10)")
    with pytest.raises(minisql.ProgrammingError, match='no constraint "fewer"'):
        connection.execute("ALTER TABLE t DROP CONSTRAINT fewer")


def test_describe_show_and_the_information_schema(connection: minisql.Connection) -> None:
    connection.execute("CREATE VIEW v (a) AS SELECT k, s FROM t; CREATE TABLE gone (x INTEGER)")
    connection.execute("CREATE VIEW broken AS SELECT x FROM gone; DROP TABLE gone")
    assert connection.execute("DESCRIBE main.t").fetchall() == [
        ("k", "INTEGER", "NO", "PRI", None),
        ("x", "INTEGER", "YES", None, "5"),
        ("s", "VARCHAR", "YES", None, None),
    ]
    assert connection.execute("SHOW COLUMNS FROM v").fetchall() == [
        ("a", "INTEGER", "YES", None, None),
        ("s", "VARCHAR", "YES", None, None),
    ]
    assert connection.execute("DESCRIBE SELECT 1.5 AS d").fetchall() == [("d", "DECIMAL(2,1)", "YES", None, None)]
    assert connection.execute("SHOW TABLES").fetchall() == [("broken",), ("t",), ("v",)]
    tables = "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'main' ORDER BY 1"
    assert connection.execute(tables).fetchall() == [("broken", "VIEW"), ("t", "BASE TABLE"), ("v", "VIEW")]
    columns = "SELECT c.table_name, c.column_name, is_nullable FROM information_schema.columns AS c ORDER BY 1, 2"
    assert connection.execute(columns).fetchall() == [
        ("t", "k", "NO"), ("t", "s", "YES"), ("t", "x", "YES"), ("v", "a", "YES"), ("v", "s", "YES"),
    ]  # fmt: skip
    keys = """SELECT table_constraints.constraint_type, k.column_name FROM information_schema.table_constraints
        JOIN information_schema.key_column_usage AS k USING (constraint_name)"""
    assert connection.execute(keys).fetchall() == [("PRIMARY KEY", "k")]
    with pytest.raises(minisql.ProgrammingError, match="no table"):
        connection.execute("SELECT * FROM information_schema.nothing")
