from __future__ import annotations

import csv
import datetime
import io
import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

import minisql

STRINGS = [
    "plain",
    "",
    "a,b",
    'say "x"',
    "two\nlines",
    "back\\slash",
    "tab\tin",
    "NULL",
    "é\u2028",
    None,
    "c;d",
    "\x01",
]


@pytest.fixture
def connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> minisql.Connection:
    monkeypatch.chdir(tmp_path)
    connection = minisql.connect()
    connection.execute(
        "CREATE TABLE t (i INTEGER, s VARCHAR, d DATE, e DECIMAL(6,2), f DOUBLE, b BOOLEAN, t TIMESTAMP)"
    )
    for number, text in enumerate(STRINGS):
        day = datetime.datetime(2020, 1, 1 + number, 5, 6, 7)
        values = (number, text, day.date(), Decimal(number) / 4, number * 1e10 / 3, number % 2 == 0, day)
        connection.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    connection.execute("INSERT INTO t (i) VALUES (99)")
    return connection


ALL = "SELECT * FROM t ORDER BY i"


@pytest.mark.parametrize(
    "file",
    [
        "x.csv",
        "x.parquet",
        "x.jsonl",
        "x.json",
        "x.tsv",
        "x.txt (FORMAT csv, DELIMITER ';', NULL 'NULL', HEADER false)",
    ],
)
def test_what_is_written_is_read_again(connection: minisql.Connection, file: str) -> None:
    name, _, options = file.partition(" ")
    rows = connection.execute(ALL).fetchall()
    assert connection.execute(f"COPY t TO '{name}' {options}").rowcount == len(rows)
    connection.execute("TRUNCATE t")
    assert connection.execute(f"COPY t FROM '{name}' {options}").rowcount == len(rows)
    assert connection.execute(ALL).fetchall() == rows
    assert [path.name for path in Path().iterdir()] == [name]


@pytest.mark.parametrize("file", ["x.csv", "x.parquet", "x.jsonl"])
def test_duckdb_reads_what_is_written(connection: minisql.Connection, file: str) -> None:
    connection.execute(f"COPY (SELECT i, s, d, e, b FROM t) TO '{file}'")
    with duckdb.connect() as peer:
        peer.execute("CREATE TABLE t (i INTEGER, s VARCHAR, d DATE, e DECIMAL(6,2), b BOOLEAN)")
        # DuckDB takes "" for NULL unless it is told not to.
        options = "(ALLOW_QUOTED_NULLS false)" if file.endswith("csv") else ""
        peer.execute(f"COPY t FROM '{file}' {options}")
        assert peer.execute(ALL).fetchall() == connection.execute("SELECT i, s, d, e, b FROM t ORDER BY i").fetchall()


def test_minisql_reads_what_duckdb_writes(connection: minisql.Connection) -> None:
    connection.execute("CREATE TABLE u AS SELECT i, s, d, e, b FROM t; COPY u TO 'first.parquet'; TRUNCATE u")
    for file in ("y.csv", "y.parquet", "y.json"):
        with duckdb.connect() as peer:
            peer.execute(f"COPY (SELECT * FROM 'first.parquet') TO '{file}'")
        connection.execute(f"COPY u FROM '{file}'")
        assert connection.execute("SELECT * FROM u ORDER BY i").fetchall() == (
            connection.execute("SELECT i, s, d, e, b FROM t ORDER BY i").fetchall()
        )
        connection.execute("TRUNCATE u")


def test_text_formats_are_what_pythons_own_readers_expect(connection: minisql.Connection) -> None:
    connection.execute("COPY (SELECT i, s FROM t ORDER BY i) TO 'x.csv' WITH (HEADER)")
    found = list(csv.reader(io.StringIO(Path("x.csv").read_text(encoding="utf-8"), newline="")))
    assert found == [["i", "s"], *([str(n), text or ""] for n, text in enumerate(STRINGS)), ["99", ""]]
    connection.execute("COPY (SELECT s, i FROM t WHERE FALSE) TO 'e.jsonl'")
    assert Path("e.jsonl").read_bytes() == b""
    connection.execute('COPY (SELECT s AS "a ""b", i, b FROM t ORDER BY i) TO \'x.jsonl\'')
    lines = Path("x.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    assert [json.loads(line) for line in lines][:3] == [
        {'a "b': "plain", "i": 0, "b": True},
        {'a "b': "", "i": 1, "b": False},
        {'a "b': "a,b", "i": 2, "b": True},
    ]
    assert json.loads(lines[11])['a "b'] == "\x01"


def test_files_of_json_are_tables(connection: minisql.Connection) -> None:
    Path("array.json").write_text('[{"a": 1, "b": "x"}, {"a": 2}]')
    Path("lines.jsonl").write_text('{"a": 1, "b": "x"}\n{"a": 2}\n')
    Path("nested.jsonl").write_text('{"a": {"b": 1}}\n')
    Path("broken.jsonl").write_text('{"a": \n')
    for file in ("array.json", "lines.jsonl"):
        assert connection.execute(f"SELECT * FROM '{file}'").fetchall() == [(1, "x"), (2, None)]
    with pytest.raises(minisql.NotSupportedError, match="no SQL type"):
        connection.execute("SELECT * FROM 'nested.jsonl'")
    with pytest.raises(minisql.OperationalError, match="cannot be read as JSON"):
        connection.execute("SELECT * FROM 'broken.jsonl'")


def test_an_array_of_json_is_read_as_its_lines_are(connection: minisql.Connection) -> None:
    """A column that only a later object has was dropped."""
    objects = [{"a": 1}, {"b": "é", "t": "2024-01-02T03:04:05"}, {"a": 2.5, "b": "x" * 2_000_000}]
    Path("array.json").write_text(json.dumps(objects), encoding="utf-8")
    Path("lines.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in objects[:2]), encoding="utf-8")
    array, lines = (connection.execute(f"SELECT * FROM '{file}' LIMIT 2") for file in ("array.json", "lines.jsonl"))
    assert array.names == lines.names == ("a", "b", "t")
    assert array.types[1:] == lines.types[1:]
    assert array.fetchall() == lines.fetchall()
    Path("empty.json").write_text("[]", encoding="utf-8")
    assert connection.execute("SELECT count(*) FROM 'empty.json'").fetchone() == (0,)
    Path("numbers.json").write_text("[1, 2]", encoding="utf-8")
    with pytest.raises(minisql.OperationalError, match="an element of the array is no object"):
        connection.execute("SELECT * FROM 'numbers.json'")


def test_columns_of_copy(connection: minisql.Connection) -> None:
    connection.execute("COPY t (s, i) TO 'x.csv'; CREATE TABLE u (i INTEGER DEFAULT 7, s VARCHAR, n INTEGER DEFAULT 8)")
    connection.execute("COPY u (s, i) FROM 'x.csv'; COPY (SELECT 'j' AS S) TO 'x.jsonl'; COPY u FROM 'x.jsonl'")
    assert connection.execute("SELECT * FROM u WHERE s IN ('plain', 'j')").fetchall() == [(0, "plain", 8), (7, "j", 8)]


def test_a_copy_that_fails_half_way_leaves_no_file_and_the_old_one(connection: minisql.Connection) -> None:
    for file in ("x.csv", "x.parquet", "x.jsonl"):
        with pytest.raises(minisql.DataError, match="division by zero"):
            connection.execute(f"COPY (SELECT 1 / (i - 900000) AS q FROM range(1000000) AS r(i)) TO '{file}'")
        assert list(Path().iterdir()) == []
    Path("x.csv").write_text("old")
    with pytest.raises(minisql.DataError):
        connection.execute("COPY (SELECT 1 / (i - 900000) AS q FROM range(1000000) AS r(i)) TO 'x.csv'")
    assert Path("x.csv").read_text() == "old"
    connection.execute("COPY (SELECT 1 AS new) TO 'x.csv'")
    assert Path("x.csv").read_text() == "new\n1\n"
    assert [path.name for path in Path().iterdir()] == ["x.csv"]


def test_a_copy_into_a_table_that_fails_changes_nothing(connection: minisql.Connection) -> None:
    connection.execute("CREATE TABLE u (k INTEGER PRIMARY KEY)")
    Path("u.csv").write_text("k\n1\n2\n1\n")
    with pytest.raises(minisql.IntegrityError, match="u_pkey"):
        connection.execute("COPY u FROM 'u.csv'")
    Path("u.csv").write_text("k\n1\nx\n")
    with pytest.raises(minisql.DataError):
        connection.execute("COPY u FROM 'u.csv'")
    assert connection.execute("SELECT count(*) FROM u").fetchone() == (0,)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("COPY t TO 'no/x.csv'", "cannot be written: No such file"),
        ("COPY t TO '.' (FORMAT csv)", "is a folder"),
        ("COPY t TO 'x.foo'", "says nothing of its format"),
        ("COPY t TO 'x.csv' (FORMAT xml)", "FORMAT is one of parquet, csv, json"),
        ("COPY t TO 'x.csv' (HEADERS)", "no option HEADERS"),
        ("COPY t TO 'x.csv' (HEADER 7)", "HEADER is TRUE or FALSE"),
        ("COPY t TO 'x.csv' (DELIMITER 'ab')", "one ASCII character"),
        ("COPY t TO 'x.csv' (SEP ',', DELIM ';')", "given twice"),
        ("COPY t TO 'x.parquet' (HEADER)", "an option of CSV files only"),
        ("COPY t TO 'x.csv' (COMPRESSION zstd)", "an option of Parquet files only"),
        ("COPY t (nothing) TO 'x.csv'", 'no column "nothing"'),
        ("COPY (SELECT 1 AS a, 2 AS a) TO 'x.parquet'", "two columns of the same name"),
        ("COPY t FROM 'missing.csv'", "no file 'missing.csv'"),
        ("COPY nothing FROM 'missing.csv'", 'no table "nothing"'),
        ("COPY t FROM 'wide.csv'", "takes 7 values here, not 2"),
        ("COPY t (i) FROM 'ragged.csv'", "ragged.csv"),
        ("COPY t FROM 'other.jsonl'", 'takes no column "q" here'),
        ("COPY t FROM 'wide.csv' (FORMAT parquet)", "wide.csv"),
        ("COPY t FROM 'empty.csv'", "is empty"),
    ],
)
def test_mistakes(connection: minisql.Connection, statement: str, message: str) -> None:
    Path("wide.csv").write_text("a,b\n1,2\n")
    Path("ragged.csv").write_text("i\n1\n2,3\n")
    Path("other.jsonl").write_text('{"q": 1}\n')
    Path("empty.csv").write_text("")
    before = sorted(Path().iterdir())
    with pytest.raises(minisql.SqlError, match=message) as caught:
        connection.execute(statement)
    assert caught.value.span is not None or "two columns" in message
    assert sorted(Path().iterdir()) == before
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (13,)


@pytest.mark.parametrize("lines", ["1\n\n2\n\n", "\n", "\n\n3\n", "1\r\n\r\n", ""])
def test_an_empty_line_of_one_column_is_null(connection: minisql.Connection, lines: str) -> None:
    """As COPY writes it; of several columns it is nothing."""
    Path("one.csv").write_bytes(b"a\n" + lines.encode())
    expected = [(int(line) if line else None,) for line in lines.splitlines()]
    assert connection.execute("SELECT CAST(a AS INTEGER) FROM 'one.csv'").fetchall() == expected
    connection.execute("CREATE TABLE one (a INTEGER); COPY one FROM 'one.csv'")
    assert connection.execute("SELECT * FROM one").fetchall() == expected
    if lines.strip() and "\r" not in lines:  # of others it does not find out what they are
        assert duckdb.sql("SELECT CAST(a AS INTEGER) FROM 'one.csv'").fetchall() == expected
    Path("two.csv").write_text("a,b\n1,2\n\n3,4\n", encoding="utf-8")
    assert connection.execute("SELECT * FROM 'two.csv'").fetchall() == [(1, 2), (3, 4)]


@pytest.mark.parametrize("file", ["x.csv", "x.tsv", "x.parquet", "x.jsonl"])
@pytest.mark.parametrize("query", ["SELECT s, i FROM t WHERE FALSE", "SELECT s FROM t WHERE FALSE", "SELECT NULL AS s"])
def test_what_is_hardly_there_comes_back(connection: minisql.Connection, file: str, query: str) -> None:
    rows = connection.execute(query).fetchall()
    connection.execute(f"CREATE TABLE back AS {query}; DELETE FROM back; COPY ({query}) TO '{file}'")
    connection.execute(f"COPY back FROM '{file}'")
    assert connection.execute("SELECT * FROM back").fetchall() == rows


def test_parquet_has_no_intervals(connection: minisql.Connection) -> None:
    with pytest.raises(minisql.NotSupportedError, match='no intervals, as the column "i"') as told:
        connection.execute("COPY (SELECT 1 AS a, INTERVAL '1 day' AS i) TO 'x.parquet'")
    assert told.value.span is not None
    assert told.value.span.source == "'x.parquet'"
    assert not Path("x.parquet").exists()
