"""Where the shell says that a mistake is: in what was typed, in a command, in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

import minisql
from minisql.__main__ import main
from minisql.printable import columns_of
from minisql.shell.shell import Shell
from tests.shell import printed, terminal_shell


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def failure(capsys: pytest.CaptureFixture[str], text: str) -> str:
    """What a script says that fails."""
    assert not Shell(minisql.connect()).run(text)
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "marked"),
    [
        (".graph SELECT nothing", "nothing"),
        (".explain json SELECT a.x FROM range(2) AS a", "a.x"),
        (".explain SELECT 1 +", ""),
        (".export x.csv SELECT nothing", "nothing"),
        (".import no.csv t", "no.csv"),
        (".import 'no such.csv' t", "'no such.csv'"),
        (".why ((a b) c) SELECT nothing", "nothing"),
        (".open no.csv", ".open no.csv"),
        (".mode so-so", ".mode so-so"),
    ],
)
def test_a_mistake_in_a_command_stands_in_the_command(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str, marked: str
) -> None:
    """Not in the statement that the command makes, which nobody has written."""
    error = failure(capsys, f"SELECT 1;\n\n{command};\nSELECT 2")
    _, line, carets, *_ = error.split("\n")
    assert line == f"LINE 3: {command};"
    place = command.rindex(marked) if marked else len(command)
    assert carets == " " * (len("LINE 3: ") + place) + "^" * max(len(marked), 1)


def test_the_script_of_a_counterexample_has_its_lines_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, terminal = terminal_shell(monkeypatch)
    shell.run("CREATE TABLE a (x INTEGER); CREATE TABLE b (x INTEGER, y INTEGER); CREATE TABLE c (y INTEGER);")
    shell.run("SELECT * FROM a LEFT JOIN (b JOIN c ON b.y = c.y) ON a.x = b.x;\n.why ((a b) c)")
    assert "script     CREATE TABLE a (x INTEGER);\n           INSERT INTO a VALUES" in printed(terminal)


def test_a_mistake_in_the_last_query_stands_there(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, terminal = terminal_shell(monkeypatch)
    shell.run("CREATE TABLE t (a INTEGER); SELECT a FROM t; DROP TABLE t;")
    printed(terminal)
    assert not shell.run(".graph")
    assert "LINE 1: EXPLAIN HYPERGRAPH SELECT a FROM t" in printed(terminal)


def test_who_types_a_command_sees_no_statement_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, terminal = terminal_shell(monkeypatch)
    assert not shell.run(".export x.doc SELECT 1")
    assert "COPY" not in printed(terminal)


def test_a_mistake_in_a_file_has_its_name_and_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That of the innermost file, and the line in it, whatever reads it."""
    Path("inner.sql").write_text("SELECT 1;\n\nSELECT 1,\n  nothing;\n", encoding="utf-8")
    Path("outer.sql").write_text("\n.read inner.sql\n", encoding="utf-8")
    for run in (lambda: main(["-f", "outer.sql"]), lambda: main(["-c", ".read outer.sql"])):
        assert run() == 1
        error = capsys.readouterr().err
        assert error == ('inner.sql:4: There is no column "nothing".\nLINE 4:   nothing;\n          ^^^^^^^\n')
    Path("outer.sql").write_text("SELECT 1;\n\n.mode so-so", encoding="utf-8")
    main(["-f", "outer.sql"])
    assert capsys.readouterr().err.startswith('outer.sql:3: There is no mode "so-so".\nLINE 3: .mode so-so\n')
    assert main(["-c", "SELECT nothing"]) == 1
    assert capsys.readouterr().err.startswith("There is no column")


def test_a_warning_has_the_line_of_the_script(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = "SELECT l.range FROM range(2) AS l FULL JOIN range(2) AS r ON l.range = r.range"
    assert main(["--warnings", "-c", f"SELECT 1;\n\n{query}"]) == 0
    assert f"LINE 3: {query}" in capsys.readouterr().err


def test_a_mistake_in_a_view_stands_in_the_view(capsys: pytest.CaptureFixture[str]) -> None:
    script = (
        "CREATE TABLE t (a VARCHAR); INSERT INTO t VALUES ('x');\nCREATE VIEW v AS SELECT CAST(a AS INTEGER) FROM t;"
    )
    error = failure(capsys, f"{script}\nSELECT * FROM v")
    assert "LINE 1: CREATE VIEW v AS SELECT CAST(a AS INTEGER) FROM t;" in error


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_the_line_of_a_mistake_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    shell, terminal = terminal_shell(monkeypatch, columns)
    shell.run(f"SELECT {', '.join(map(str, range(100)))}, nothing, {', '.join(map(str, range(100)))};")
    line, carets = printed(terminal).splitlines()[1:3]
    assert columns_of(line) <= max(columns, 34)
    assert line[carets.index("^") :].startswith("nothing"[: carets.count("^")])


def test_nothing_in_a_mistake_speaks_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, terminal = terminal_shell(monkeypatch)
    shell.run("SELECT CAST('\x1b[31mred' AS INTEGER), \"\x1b[32m\";\n.mode '\x1b[31m'")
    assert "\x1b" not in printed(terminal)
