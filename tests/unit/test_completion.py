"""Completion, without a terminal. A bar `|` stands for the cursor."""

from __future__ import annotations

from pathlib import Path

import pytest

import minisql
from minisql.expression.aggregates import AGGREGATES_BY_NAME
from minisql.expression.functions import ALIASES, SCALAR_FUNCTIONS
from minisql.expression.window import WINDOW_FUNCTIONS
from minisql.parser.keywords import keywords
from minisql.settings import Settings
from minisql.shell.completion import Completion, complete
from minisql.shell.dot_commands import COMMANDS
from minisql.shell.output import MODES
from minisql.shell.schema import LARGE, Schema
from minisql.shell.shell import Shell

SCRIPT = """
CREATE TABLE flights (dest VARCHAR, month INTEGER, "day of" DATE, "select" INTEGER, "Carrier" VARCHAR);
CREATE TABLE airports (faa VARCHAR, name VARCHAR, month INTEGER);
CREATE VIEW fast AS SELECT dest AS place, month AS moon FROM flights;
CREATE TABLE "Two words" (alpha INTEGER);
"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    shell = Shell(minisql.connect())
    shell.run(SCRIPT)
    return shell


@pytest.fixture
def schema(shell: Shell) -> Schema:
    return Schema(shell)


def at_cursor(text: str, schema: Schema) -> list[Completion]:
    before, _, after = text.partition("|")
    return complete(before + after, len(before), schema)


def texts(text: str, schema: Schema, kind: str | None = None) -> list[str]:
    return [found.text for found in at_cursor(text, schema) if kind is None or found.kind == kind]


def applied(text: str, completion: Completion) -> str:
    before, _, after = text.partition("|")
    return before[: len(before) - completion.replaced] + completion.text + after


def test_keywords_are_the_grammar_s(schema: Schema) -> None:
    assert set(texts("|", schema)) == keywords()
    assert texts("SEL|", schema) == ["SELECT"]
    assert texts("sel|", schema) == ["select"]
    assert texts("SELECT 1 UNI|", schema) == ["UNION", "UNIQUE", "unicode(", "unix_timestamp("]
    assert texts("SELECT 1; sel|", schema) == ["select"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM |", ['airports', 'fast', 'flights', '"Two words"']),
        ("SELECT * FROM f|", ["fast", "flights"]),
        ("SELECT * FROM airports, fl|", ["flights"]),
        ("SELECT * FROM airports AS a LEFT JOIN fl| ON", ["flights"]),
        ('SELECT * FROM "tw|', ['"Two words"']),
        ("INSERT INTO air|", ["airports"]),
        ("UPDATE FL|", ["flights"]),
        ("DROP TABLE fl|", ["flights"]),
        ("WITH mine AS (SELECT 1) SELECT * FROM m|", ["mine"]),
        ("SELECT (SELECT max(faa) FROM air|)", ["airports"]),
        ("SELECT * FROM information_schema.t|", ["tables", "table_constraints"]),
    ],
)  # fmt: skip
def test_tables(schema: Schema, text: str, expected: list[str]) -> None:
    found = [each.text for each in at_cursor(text, schema) if each.kind in ("table", "common table")]
    assert sorted(found, key=str.lower) == sorted(expected, key=str.lower)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT | FROM flights", ["dest", "month", '"day of"', '"select"', "Carrier"]),
        ("SELECT d| FROM flights", ["dest", '"day of"']),
        ('SELECT "d| FROM flights', ["\"day of\"", "\"dest\""]),
        ("SELECT m| FROM flights f JOIN airports a ON f.dest = a.faa", ["month"]),
        ("SELECT a.| FROM flights f JOIN airports a ON f.dest = a.faa", ["faa", "name", "month"]),
        ("SELECT F.D| FROM flights f JOIN airports a ON f.dest = a.faa", ["dest", '"day of"']),
        ("SELECT flights.mo| FROM flights", ["month"]),
        ("SELECT 1 FROM flights AS f WHERE f.dest = 'a' AND mo|", ["month"]),
        ("SELECT 1 FROM fast ORDER BY p|", ["place"]),
        ("SELECT 1 FROM (SELECT faa AS code FROM airports) AS d WHERE d.c|", ["code"]),
        ("WITH w(one, two) AS (SELECT 1, 2) SELECT w.t| FROM w", ["two"]),
        ("WITH v AS (SELECT 1 AS uno), w AS (SELECT uno AS dos FROM v) SELECT x.| FROM w AS x", ["dos"]),
        ("SELECT 1 FROM flights WHERE EXISTS (SELECT 1 FROM airports WHERE na|)", ["name"]),
        ("UPDATE airports SET na|", ["name"]),
        ("DELETE FROM airports WHERE f|", ["faa"]),
        ('SELECT al| FROM "Two words"', ["alpha"]),
        ("SELECT x.| FROM flights", []),
        ("SELECT 1 FROM nothing WHERE a|", []),
        ("SELECT na| FROM flights; SELECT 1 FROM airports", []),
        ("SELECT 1 FROM airports; SELECT na| FROM flights", []),
        ("SELECT na| -- FROM airports\n FROM flights", []),
        # What is inside of a query is not seen outside of it, nor beside it.
        ("WITH w AS (SELECT faa AS code FROM airports) SELECT | FROM w", ["code"]),
        ("WITH w AS (SELECT f| FROM airports) SELECT dest FROM flights", ["faa"]),
        ("SELECT | FROM (SELECT faa AS code FROM airports) AS d", ["code"]),
        ("SELECT 1 FROM airports AS a, (SELECT m| FROM fast) AS d", ["moon"]),
        ("SELECT 1 FROM airports AS a, LATERAL (SELECT m| FROM fast) AS d", ["month", "moon"]),
        ("SELECT 1 FROM airports WHERE faa IN (SELECT m| FROM fast)", ["month", "moon"]),
        ("SELECT 1 FROM (airports JOIN fast ON m|)", ["month", "moon"]),
        ("SELECT 1 FROM (airports JOIN fast ON TRUE) WHERE m|", ["month", "moon"]),
        ("SELECT p| FROM fast UNION SELECT name FROM airports", ["place"]),
        ("SELECT place FROM fast UNION SELECT n| FROM airports", ["name"]),
        ("INSERT INTO airports (n|", ["name"]),
        ("INSERT INTO airports (faa, n|) SELECT 1, dest FROM flights", ["name"]),
        ("INSERT INTO airports SELECT m| FROM fast", ["moon"]),
        ("INSERT INTO airports SELECT place FROM fast RETURNING na|", ["name"]),
        ("COPY airports (f|", ["faa"]),
        # FROM is written last.
        ("SELECT na|", ["name"]),
        ("SELECT airports.na|", ["name"]),
        ('SELECT "Two words".|', ["alpha"]),
        ("SELECT a.na|", []),
    ],
)  # fmt: skip
def test_columns_in_scope(schema: Schema, text: str, expected: list[str]) -> None:
    assert sorted(texts(text, schema, "column")) == sorted(expected)


@pytest.mark.parametrize(
    "clause", ["SELECT | FROM flights AS f, airports AS a, fast", "SELECT 1 FROM flights AS f, fast WHERE f.|"]
)
def test_what_is_completed_can_be_run(schema: Schema, shell: Shell, clause: str) -> None:
    columns = [found for found in at_cursor(clause, schema) if found.kind == "column"]
    assert len(columns) >= 5
    for found in columns:
        sql = applied(clause, found) + (" IS NULL" if "WHERE" in clause else "")
        try:
            shell.connection.execute(sql)
        except minisql.ProgrammingError as error:
            assert "ambiguous" in str(error)  # noqa: PT017  (a name that is right, but needs its table)


def test_aliases(schema: Schema) -> None:
    text = 'SELECT fl| FROM flights AS flying JOIN airports AS "Fl y" ON TRUE'
    assert texts(text, schema, "table") == ["flying", '"Fl y"']


def test_functions(schema: Schema) -> None:
    assert texts("SELECT coal|", schema) == ["coalesce("]
    offered = set(texts("SELECT l|", schema, "function")) | set(texts("SELECT c|", schema, "function"))
    known = (*SCALAR_FUNCTIONS, *ALIASES, *AGGREGATES_BY_NAME, *WINDOW_FUNCTIONS)
    assert offered == {f"{name}(" for name in known if name[0] in "lc"}
    assert texts("SELECT * FROM gen|", schema) == ["generate_series("]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT CAST(a AS VAR|", ["VARCHAR", "VARBINARY"]),
        ("SELECT CAST(max(a) AS bool| FROM flights", ["boolean", "bool"]),
        ("SELECT a::Big|", ["BIGINT"]),
        ("CREATE TABLE t (a INTEGER, b DEC|", ["DECIMAL", "DEC"]),
        ("CREATE TABLE t (a DEC|", ["DECIMAL", "DEC"]),
        ("CREATE TABLE t (a INTEGER DEC|", []),
        ("SELECT max(a) AS VAR|", []),
        ("SELECT a, VAR|", []),
    ],
)
def test_types(schema: Schema, text: str, expected: list[str]) -> None:
    assert sorted(texts(text, schema, "type")) == sorted(expected)


def test_settings(schema: Schema, shell: Shell) -> None:
    assert texts("SET |", schema) == list(Settings.__dataclass_fields__)
    assert texts("SET join|", schema) == ["join_order"]
    for value in texts("SET join_order = |", schema):
        shell.connection.execute(f"SET join_order = {value}")
    assert texts("SET hash_join = o|", schema) == ["on", "off"]
    assert texts("SET batch_rows = |", schema) == ["DEFAULT"]
    assert "month" in texts("UPDATE flights SET mo|", schema)


def test_files_inside_quotes(schema: Schema, shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "it's.csv").write_text("first,second\n1,2\n", encoding="utf-8")
    (tmp_path / "data" / "other.parquet").write_bytes(b"")
    (tmp_path / "data" / "notes.txt").write_text("", encoding="utf-8")
    (tmp_path / ".hidden").mkdir()
    assert texts("SELECT * FROM '|", schema) == ["data/"]
    assert texts("SELECT * FROM '.h|", schema) == [".hidden/"]
    assert texts("SELECT * FROM 'data/|", schema) == ["it''s.csv'", "other.parquet'"]
    (found,) = at_cursor("SELECT * FROM 'data/it''|", schema)
    assert applied("SELECT * FROM 'data/it''|", found) == "SELECT * FROM 'data/it''s.csv'"
    assert texts(f"SELECT * FROM '{tmp_path}/da|", schema) == ["data/"]
    assert texts("SELECT * FROM 'nowhere/|", schema) == []
    assert texts("SELECT f.| FROM 'data/it''s.csv' AS f", schema) == ["first", "second"]
    assert texts("SELECT sec| FROM 'data/it''s.csv'", schema) == ["second", "second("]


def test_what_stands_behind_the_cursor_is_not_written_twice(schema: Schema, tmp_path: Path) -> None:
    (tmp_path / "a b.csv").write_text("n\n", encoding="utf-8")
    for text, expected in {
        "SELECT coal|(dest) FROM flights": "SELECT coalesce(dest) FROM flights",
        "SELECT * FROM 'a|'": "SELECT * FROM 'a b.csv'",
        'SELECT "day|" FROM flights': 'SELECT "day of" FROM flights',
        '.read "a|"': '.read "a b.csv"',
    }.items():
        (found,) = at_cursor(text, schema)
        assert applied(text, found) == expected


@pytest.mark.parametrize(
    "text", ["-- SEL|", "/* SEL|", "SELECT 'a' 'b'|", "SELECT 12|", "SELECT * FROM flights WHERE dest = 'M|'"]
)
def test_where_nothing_is_completed(schema: Schema, text: str) -> None:
    assert at_cursor(text, schema) == []


def test_dot_commands(schema: Schema, tmp_path: Path) -> None:
    (tmp_path / "script.sql").write_text("", encoding="utf-8")
    (tmp_path / "table.csv").write_text("", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    assert texts(".|", schema) == list(COMMANDS)
    assert texts("SELECT 1;\n.ta|", schema) == [".tables"]
    assert texts(".mode |", schema) == list(MODES)
    assert texts(".mode ma|", schema) == ["markdown"]
    assert texts(".timer o|", schema) == ["on", "off"]
    assert texts(".schema fl|", schema) == ["flights"]
    assert texts(".help .re|", schema) == [".read", ".replay"]
    assert texts(".read |", schema) == ["folder/", "script.sql", "table.csv"]
    assert texts(".open |", schema) == ["folder/", "table.csv"]
    assert texts(".open table.csv fo|", schema) == ["folder/"]
    assert texts(".cd |", schema) == ["folder/"]
    assert texts(".import table.csv fl|", schema) == ["flights"]
    assert texts(".import ta|", schema) == ["table.csv"]
    assert texts(".orders SELECT de| FROM flights", schema, "column") == ["dest"]
    assert texts(".why ((a b) c) SELECT fl| FROM flights", schema, "table") == ["flights"]
    assert texts(".orders SELECT * FROM fl|", schema) == ["flights"]
    assert texts(".explain an|", schema, "option") == ["analyze"]
    assert texts(".explain analyze sel|", schema) == ["select"]
    assert texts(".nothing |", schema) == []
    assert texts(".help mo|", schema) == ["mode"]


def test_words_of_commands_are_quoted(schema: Schema, tmp_path: Path) -> None:
    (tmp_path / "my data").mkdir()
    (tmp_path / "my data" / "a b.csv").write_text("n\n", encoding="utf-8")
    (tmp_path / "my data" / "it's.csv").write_text("n\n", encoding="utf-8")
    for text, expected in {
        ".open my|": ['.open "my data/'],
        ".open 'my|": [".open 'my data/"],
        '.open "my data/|': ['.open "my data/a b.csv"', '.open "my data/it\'s.csv"'],
        ".open 'my data/i|": ['.open "my data/it\'s.csv"'],
        '.import "my data/a b.csv" fl|': ['.import "my data/a b.csv" flights'],
        '.import "my data/a b.csv" tw|': ['.import "my data/a b.csv" "Two words"'],
        ".schema 'Tw|": [".schema 'Two words'"],
        '.export "a b.csv" SELECT des| FROM flights': ['.export "a b.csv" SELECT dest FROM flights'],
    }.items():
        found = at_cursor(text, schema)
        assert [applied(text, each) for each in found if each.kind not in ("function", "keyword")] == expected, text


def test_what_is_known_is_asked_anew_after_a_statement(schema: Schema, shell: Shell) -> None:
    assert texts("SELECT * FROM nov|", schema) == []
    shell.run("CREATE TABLE novel (title VARCHAR)")
    assert texts("SELECT * FROM nov|", schema) == ["novel"]
    assert texts("SELECT t| FROM novel", schema, "column") == ["title"]
    shell.run("ALTER TABLE novel RENAME COLUMN title TO topic")
    assert texts("SELECT t| FROM novel", schema, "column") == ["topic"]


def test_of_large_text_files_only_the_first_line_is_read(schema: Schema, shell: Shell, tmp_path: Path) -> None:
    for name, line in {
        "a.csv": 'first,"sec,ond"\n', "b.tsv": "one\ttwo\n", "c.jsonl": '{"three": 3, "four": 4}\n', "d.json": "[\n",
        "small.csv": "tiny\n1\n",
    }.items():  # fmt: skip
        with (tmp_path / name).open("w", encoding="utf-8") as file:
            file.write(line)
            if name != "small.csv":
                file.truncate(LARGE + 1)  # with what is no CSV: who reads it has no columns to offer
    shell.run("CREATE VIEW small AS SELECT * FROM 'small.csv'; CREATE VIEW again AS SELECT * FROM small")
    with pytest.raises(minisql.Error):
        shell.connection.execute("SELECT * FROM 'c.jsonl'")
    for table, columns in {
        "'a.csv'": ["first", '"sec,ond"'], "'b.tsv'": ["one", "two"], "'c.jsonl'": ["three", "four"], "'d.json'": [],
        "again": ["tiny"], "nowhere": [],
    }.items():  # fmt: skip
        assert texts(f"SELECT f.| FROM {table} AS f", schema) == columns
    (tmp_path / "small.csv").write_text("tiny\n" + "1\n" * (LARGE // 2), encoding="utf-8")
    shell.run(".timer off")
    assert texts("SELECT f.| FROM again AS f", schema) == ["tiny"]
