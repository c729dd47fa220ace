from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import minisql
from minisql.__main__ import main
from minisql.parser.parse import parse_statement
from minisql.parser.statement_tree import Explain
from minisql.session.result import Result
from minisql.shell.dot_commands import COMMANDS
from minisql.shell.output import MODES
from minisql.shell.shell import Quit, Shell
from tests.shell import Terminal, printed, terminal_shell

ROOT = Path(__file__).parents[2]
ASKED_FOR = [
    ".tables", ".schema", ".read", ".import", ".export", ".mode", ".timer", ".pager", ".width", ".nullvalue",
    ".explain", ".graph", ".orders", ".why", ".replay", ".open", ".cd", ".help", ".quit",
]  # fmt: skip


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    """A script's shell, which prints to where `capsys` looks, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Shell(minisql.connect())


def output(shell: Shell, capsys: pytest.CaptureFixture[str], text: str) -> str:
    """What a script prints that goes well."""
    assert shell.run(text), capsys.readouterr().err
    return capsys.readouterr().out


def failure(shell: Shell, capsys: pytest.CaptureFixture[str], text: str) -> str:
    assert not shell.run(text)
    return capsys.readouterr().err


def test_all_commands_are_there_and_documented() -> None:
    assert set(ASKED_FOR) <= set(COMMANDS)
    documented = re.findall(
        r"^\| `(\.\w+)([^`]*)` \|", (ROOT / "docs" / "shell.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [(name, usage.strip().replace("\\|", "|")) for name, usage in documented] == [
        (command.name, command.arguments) for command in COMMANDS.values()
    ]
    modes = re.findall(r"^\| `([a-z]+)` \|", (ROOT / "docs" / "shell.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert modes == list(MODES)


def test_tables_and_schema(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run(
        "CREATE TABLE flights (a INTEGER, b DATE); CREATE VIEW fast AS SELECT a FROM flights; CREATE TABLE x (y BLOB)"
    )
    shell.display.mode = "csv"
    assert output(shell, capsys, ".tables") == "name,kind,columns\nfast,view,1\nflights,table,2\nx,table,1\n"
    assert output(shell, capsys, ".tables F%") == "name,kind,columns\nfast,view,1\nflights,table,2\n"
    assert output(shell, capsys, ".schema fast") == "CREATE VIEW fast AS SELECT a FROM flights;\n"
    assert output(shell, capsys, ".schema") == "".join(f"{text}\n" for text in shell.connection.create_statements())
    assert 'HINT: Did you mean "flights"?' in failure(shell, capsys, ".schema flight")


def test_read_runs_a_file_up_to_its_first_mistake(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    Path("inner file.sql").write_text("SELECT 1 AS a;\n.mode csv\nSELECT 2 AS b", encoding="utf-8")
    Path("outer.sql").write_text(".read 'inner file.sql'\nSELECT nothing;\nSELECT 3 AS c;", encoding="utf-8")
    assert output(shell, capsys, '.read "inner file.sql"') == " a\n---\n 1\n(1 row)\nb\n2\n"
    assert not shell.run(".read outer.sql\nSELECT 4 AS d")
    captured = capsys.readouterr()
    assert captured.out == "a\n1\nb\n2\n"
    assert "LINE 2: SELECT nothing;" in captured.err
    assert captured.err.count("LINE") == 1


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file or directory"), (b"SELECT '\xff'", "byte 8 is not UTF-8")]
)
def test_read_of_what_cannot_be_read(
    shell: Shell, capsys: pytest.CaptureFixture[str], content: bytes | None, reason: str
) -> None:
    if content is not None:
        Path("x.sql").write_bytes(content)
    assert f"'x.sql' cannot be read: {reason}." in failure(shell, capsys, ".read x.sql")


def test_scripts_that_read_each_other_come_to_an_end(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.sql").write_text("\n.read x.sql\n", encoding="utf-8")
    error = failure(shell, capsys, ".read x.sql")
    assert error.startswith("x.sql:2: More than 20 scripts read each other.\nLINE 2: .read x.sql\n")


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "json", "jsonl"])
def test_what_is_exported_can_be_imported(shell: Shell, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    shell.run("CREATE TABLE t AS SELECT range AS n, 'it''s ' || range AS s FROM range(5)")
    output(shell, capsys, f".export 'a file.{suffix}' SELECT * FROM t WHERE n > 1 -- the large ones\n")
    output(shell, capsys, f".import 'a file.{suffix}' copy")  # a new table
    output(shell, capsys, f".import 'a file.{suffix}' copy")  # the same rows once more
    shell.display.mode = "csv"
    rows = output(shell, capsys, "SELECT CAST(n AS INTEGER) AS n, s, count(*) AS c FROM copy GROUP BY ALL ORDER BY n;")
    assert rows == "n,s,c\n2,it's 2,2\n3,it's 3,2\n4,it's 4,2\n"


def test_export_is_about_the_last_query(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    assert "none has been run yet" in failure(shell, capsys, ".export x.csv")
    output(shell, capsys, "SELECT 7 AS n;\nCREATE TABLE t (a INTEGER);\n.export x.csv\n")
    assert Path("x.csv").read_text(encoding="utf-8") == "n\n7\n"
    assert "A file is missing." in failure(shell, capsys, ".export")
    assert "x.doc" in failure(shell, capsys, ".export x.doc SELECT 1")
    assert not Path("x.doc").exists()
    assert "more than one statement" in failure(shell, capsys, ".export x.csv SELECT 1; SELECT 2")


def test_modes(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    assert output(shell, capsys, ".mode\n.mode CSV\n.mode\nSELECT 1 AS a") == "table\ncsv\na\n1\n"
    assert 'HINT: Did you mean "markdown"?' in failure(shell, capsys, ".mode markdwon")
    assert "HINT: The modes are table, box, " in failure(shell, capsys, ".mode xyz")


def test_settings_say_what_they_are(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    for name, values in {
        "timer": ("off", "on"), "pager": ("off", "less -S"), "width": ("auto", "60 columns", "no limit"),
        "rows": ("auto", "5 rows", "no limit"),
    }.items():  # fmt: skip
        for value in values:
            word = {"60 columns": "60", "5 rows": "5", "no limit": "off"}.get(value, value)
            assert output(shell, capsys, f".{name} {word}\n.{name}") == f"{value}\n"
    for line, reason in {
        ".timer maybe": '"maybe" is neither on nor off.', ".width wide": '"wide" is no number of columns.',
        ".rows -1": '"-1" is no number of rows.', ".mode a b": '"b" is too much.', ".quit now": '"now" is too much.',
        ".export 'x SELECT 1": "A quote is not closed.", ".read 'x' 'y": "A quote is not closed.",
        ".read ''": "'' cannot be read", ".read": "Something is missing.", ".read 'x": "A quote is not closed.",
        ".import x": "Something is missing.",
        ".why SELECT 1": "There is no order of joins", ".help .nothing": 'There is no command ".nothing".',
    }.items():  # fmt: skip
        assert reason in failure(shell, capsys, line)


def test_help_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (40, 80, 200):
        shell, terminal = terminal_shell(monkeypatch, columns)
        shell.run(".help")
        lines = printed(terminal).splitlines()
        assert max(map(len, lines)) <= max(columns, len(".explain " + COMMANDS[".explain"].arguments))
        words = " ".join(lines).split()
        for command in COMMANDS.values():
            assert " ".join(command.meaning.split()) in " ".join(words)


@pytest.mark.parametrize(
    ("command", "hint"),
    [("\\dt", "It is .tables here."), (".exit", "It is .quit here."), (".helpp", 'Did you mean ".help"?'),
     (".xyz", ".help lists the commands."), (".help .xyz", ".help lists the commands.")],
)  # fmt: skip
def test_commands_of_other_shells(shell: Shell, capsys: pytest.CaptureFixture[str], command: str, hint: str) -> None:
    assert f"HINT: {hint}" in failure(shell, capsys, command)


def test_width_rows_and_null(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    text = output(
        shell, capsys, ".width 20\n.rows 2\n.nullvalue -\nSELECT NULL AS n, 'long enough to be cut' AS s FROM range(3)"
    )
    assert text == (
        " n | s\n---+----------------\n - | long enough t…\n - | long enough t…\n"
        "(3 rows, the first 2 shown: .rows all shows them all)\n"
        "2 values cut by 16 characters to fit 20: \\G or .width 0 shows all\n"
    )
    assert output(shell, capsys, ".nullvalue\n.mode csv\nSELECT NULL AS n") == "n\n\n"


def test_timer(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run(".timer on\nSELECT 1 AS a; CREATE TABLE t (a INTEGER);\n.timer off\nSELECT 2 AS b")
    assert re.fullmatch(r"(Run time: \d+\.\d{3} s\n){2}", capsys.readouterr().err)


def test_an_unknown_command_names_the_nearest(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    assert failure(shell, capsys, "SELECT 1;\n  .tabels x\nSELECT 2;") == (
        'There is no command ".tabels".\nLINE 2:   .tabels x\n          ^^^^^^^^^\nHINT: Did you mean ".tables"?\n'
    )
    assert failure(shell, capsys, ".xyzzy").endswith("HINT: .help lists the commands.\n")


def test_help(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    text = output(shell, capsys, ".help")
    for command in COMMANDS.values():
        assert f"{command.name} {command.arguments}".rstrip() in text
        assert command.meaning in text
        assert command.meaning in output(shell, capsys, f".help {command.name[1:]}")


def test_quit_ends_the_scripts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--mode", "csv", "-c", "SELECT 1 AS a;\n.quit\nSELECT nothing", "-c", "SELECT nothing"]) == 0
    assert capsys.readouterr() == ("a\n1\n", "")


def test_open_starts_anew(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.csv").write_text("a\n1\n", encoding="utf-8")
    shell.display.mode = "csv"
    output(shell, capsys, "CREATE TABLE old (a INTEGER); SELECT * FROM old;")
    assert "There is no file" in failure(shell, capsys, ".open missing.csv")
    assert output(shell, capsys, ".tables").endswith("old,table,1\n")  # what fails has changed nothing
    assert output(shell, capsys, ".open new.csv\n.tables") == "name,kind,columns\nnew,view,1\n"
    assert shell.last_query is None
    assert output(shell, capsys, ".open\n.tables") == "name,kind,columns\n"
    for name in ("some.db", "x.duckdb"):
        assert "minisql has none on disk yet, only in memory" in failure(shell, capsys, f".open {name}")


def test_cd(shell: Shell, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / "t.csv").write_text("n\n5\n", encoding="utf-8")
    (tmp_path / "top.csv").write_text("n\n6\n", encoding="utf-8")
    text = output(shell, capsys, ".open top.csv\n.cd 'a folder'\n.cd\n.mode csv\nFROM 't.csv'; FROM top;")
    assert text == f"{tmp_path / 'a folder'}\nn\n5\nn\n6\n"
    assert "'nowhere': No such file or directory." in failure(shell, capsys, ".cd nowhere")


# --- commands about plans ---------------------------------------------------------------------------------------------

QUERY = "SELECT count(*) FROM t AS a JOIN t AS b ON a.n = b.n LEFT JOIN t AS c ON b.n = c.n"


@pytest.fixture
def planner(shell: Shell) -> Shell:
    shell.run("CREATE TABLE t (n INTEGER)")
    return shell


def test_plans_of_the_last_query(planner: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    output(planner, capsys, f"{QUERY}; INSERT INTO t VALUES (1);")
    plan = output(planner, capsys, ".explain")
    assert plan == output(planner, capsys, f"EXPLAIN {QUERY}")
    assert plan == output(planner, capsys, ".explain tree")
    assert plan == output(planner, capsys, f".explain {QUERY};")
    assert "actual rows=" in output(planner, capsys, ".explain analyze")
    assert "actual rows=" in output(planner, capsys, f".explain ANALYZE {QUERY}")
    orders = output(planner, capsys, ".orders")
    assert orders == output(planner, capsys, f"EXPLAIN ORDERS {QUERY}")
    assert "((a b) c)" in orders
    assert output(planner, capsys, ".orders SELECT 1 FROM t AS x JOIN t AS y ON x.n = y.n").count("(x y)") == 1


def test_explain_on_shows_the_plan_with_the_rows(planner: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    plan = output(planner, capsys, f"EXPLAIN {QUERY}")
    rows = output(planner, capsys, QUERY)
    assert output(planner, capsys, f".explain on\n{QUERY};\nCREATE TABLE u (n INTEGER);") == plan + rows
    assert output(planner, capsys, f".explain off\n{QUERY};") == rows


def test_which_statement_a_command_makes(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def execute(sql: str) -> Result:
        made.append(sql)
        return Result(rowcount=-1)

    monkeypatch.setattr(shell, "execute", execute)
    for command, statement in {
        ".graph SELECT 1;": "EXPLAIN HYPERGRAPH SELECT 1",
        ".graph": "EXPLAIN HYPERGRAPH SELECT 2 /* the last */",
        ".orders": "EXPLAIN ORDERS SELECT 2 /* the last */",
        ".why ((a b) (c d)) SELECT 1": "EXPLAIN WHY NOT ((a b) (c d)) SELECT 1",
        ".why ((a b) c)": "EXPLAIN WHY NOT ((a b) c) SELECT 2 /* the last */",
        '.why ("a)" b) SELECT (1)': 'EXPLAIN WHY NOT ("a)" b) SELECT (1)',
        ".replay SELECT 1": "EXPLAIN TRACE SELECT 1",
        ".replay": "EXPLAIN TRACE SELECT 2 /* the last */",
        ".explain json SELECT 1": "EXPLAIN FORMAT=JSON SELECT 1",
        ".explain dot": "EXPLAIN FORMAT=DOT SELECT 2 /* the last */",
        ".explain mermaid": "EXPLAIN FORMAT=MERMAID SELECT 2 /* the last */",
        ".explain analyze FROM t": "EXPLAIN ANALYZE FROM t",
        ".explain html page.html SELECT 1": "EXPLAIN HTML SELECT 1",
        ".explain html 'a page.html'": "EXPLAIN HTML SELECT 2 /* the last */",
        ".explain": "EXPLAIN SELECT 2 /* the last */",
        ".explain (SELECT 1)": "EXPLAIN (SELECT 1)",
    }.items():
        shell.last_query = "SELECT 2 /* the last */ ;"
        made.clear()
        assert shell.run(command), command
        assert made == [statement]
        # Such a statement there is, whatever it says of a query.
        explained = parse_statement(statement).statement
        assert isinstance(explained, Explain)
    assert Path("page.html").exists()
    assert Path("a page.html").exists()


def test_a_page_is_written_and_a_trace_printed(
    shell: Shell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = minisql.connect()
    answers = {
        "EXPLAIN HTML SELECT 1": "SELECT '<html>ü</html>'",
        "EXPLAIN TRACE SELECT 1": """
            SELECT '{"schema": "minisql.trace/1", "tables": []}' AS "EXPLAIN"
            UNION ALL SELECT '{"event": "phase", "step": 1, "phase": "greedy", "reason": "Why."}'
        """,
    }
    monkeypatch.setattr(shell, "execute", lambda sql: connection.execute(answers[sql]))
    assert output(shell, capsys, ".explain html x.html SELECT 1") == ""
    assert Path("x.html").read_text(encoding="utf-8") == "<html>ü</html>"
    assert output(shell, capsys, ".replay SELECT 1") == "    1  greedy: Why.\n"
    shell.display.mode = "csv"
    assert output(shell, capsys, ".replay SELECT 1").startswith('EXPLAIN\n"{""schema""')
    assert "'no/x.html' cannot be written" in failure(shell, capsys, ".explain html no/x.html SELECT 1")
    assert "A file is missing." in failure(shell, capsys, ".explain html")


# --- what an interactive shell does otherwise -------------------------------------------------------------------------


def test_a_mistake_ends_no_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, terminal = terminal_shell(monkeypatch)
    assert not shell.run("SELECT nothing; SELECT 5 AS five;\n.tabels\nSELECT 6 AS six;")
    text = printed(terminal)
    assert "nothing" in text
    assert 'Did you mean ".tables"?' in text
    assert "five" in text
    assert "six" in text


def test_ctrl_c_ends_the_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, terminal = terminal_shell(monkeypatch)
    connection = shell.connection

    def interrupted(sql: str) -> Result:
        if "slow" in sql:
            raise KeyboardInterrupt
        return connection.execute(sql)

    monkeypatch.setattr(shell, "execute", interrupted)
    assert not shell.run("SELECT 'slow'; SELECT 1 AS one;")
    assert printed(terminal).startswith("Cancelled.\n")
    shell.is_interactive = False
    with pytest.raises(KeyboardInterrupt):
        shell.run("SELECT 'slow'")
    assert shell.last_query == "SELECT 'slow'"


def test_a_bug_takes_no_tables_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, terminal = terminal_shell(monkeypatch)

    def broken(sql: str) -> Result:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(shell, "execute", broken)
    assert not shell.run("SELECT 1;")
    assert "ZeroDivisionError: a bug" in printed(terminal)
    shell.is_interactive = False
    with pytest.raises(ZeroDivisionError):
        shell.run("SELECT 1;")


def test_quit_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, _ = terminal_shell(monkeypatch)
    with pytest.raises(Quit):
        shell.run("SELECT 1;\n.quit")


def test_changes_are_counted_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, terminal = terminal_shell(monkeypatch)
    shell.run("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1), (2); DELETE FROM t WHERE a = 1;")
    assert printed(terminal) == "(2 rows changed)\n(1 row changed)\n"
    shell.run("INSERT INTO t VALUES (3) RETURNING a;")
    assert "(1 row: a INTEGER)" in printed(terminal)


def test_errors_are_red_where_there_are_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, terminal = terminal_shell(monkeypatch)
    shell.run("SELECT nothing;")
    assert "\x1b" not in printed(terminal)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm")
    shell.run("SELECT nothing;")
    assert printed(terminal) == (
        '\x1b[1;31mThere is no column "nothing".\x1b[0m\nLINE 1: SELECT nothing;\n'
        "\x1b[31m               ^^^^^^^\x1b[0m\n"
    )
    monkeypatch.setenv("TERM", "dumb")
    shell.run("SELECT nothing;")
    assert "\x1b" not in printed(terminal)


def test_a_file_gets_no_colours(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert not Shell(minisql.connect()).run("SELECT nothing")
    assert "\x1b" not in capsys.readouterr().err


# --- the pager --------------------------------------------------------------------------------------------------------


def pager_command(file: Path, lines: int | None = None) -> str:
    """A pager that writes what it reads to a file, and stops after some lines."""
    program = file.with_suffix(".py")
    program.write_text(
        f"import itertools, sys\nwith open({str(file)!r}, 'w', encoding='utf-8') as file:\n"
        f"    file.writelines(itertools.islice(open(0, encoding='utf-8'), {lines}))\n",
        encoding="utf-8",
    )
    return f"'{sys.executable}' '{program}'"


def test_what_is_longer_than_the_screen_goes_to_the_pager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shell, terminal = terminal_shell(monkeypatch, lines=10)
    paged = tmp_path / "paged"
    shell.run(f".pager {pager_command(paged)}\nSELECT range AS é FROM range(100);")
    assert printed(terminal) == ""
    lines = paged.read_text(encoding="utf-8").splitlines()
    assert (lines[0].strip(), lines[2].strip(), lines[-1]) == ("é", "0", "(100 rows: é BIGINT)")  # all of them
    shell.run("SELECT 1 AS a;")
    assert "(1 row: a INTEGER)" in printed(terminal)
    shell.run(".pager off\nSELECT range AS n FROM range(100);")
    assert "(100 rows, the first 40 shown" in printed(terminal)


def test_a_pager_that_is_left_early(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shell, terminal = terminal_shell(monkeypatch, lines=10)
    paged = tmp_path / "paged"
    assert shell.run(
        f".pager {pager_command(paged, 3)}\n.rows all\nSELECT 'x' || range AS n FROM range(20000);\nSELECT 8 AS n;"
    )
    assert len(paged.read_text(encoding="utf-8").splitlines()) == 3
    assert "8" in printed(terminal)


def test_no_pager(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, terminal = terminal_shell(monkeypatch, lines=5)
    for command in ("/no/such/pager", "'"):
        assert not shell.run(f".pager {command}\nSELECT range FROM range(100);")
        text = printed(terminal)
        assert f"The pager '{command}' cannot be started" in text
        assert "(100 rows, the first 40 shown" in text  # without a pager: nothing is lost
    monkeypatch.setenv("PAGER", "mine --fast")
    shell.run(".pager on\n.pager")
    assert printed(terminal) == "mine --fast\n"
    monkeypatch.delenv("PAGER")
    monkeypatch.setenv("PATH", "")
    assert not shell.run(".pager on")
    assert "There is no pager." in printed(terminal)


def test_a_file_is_not_paged(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    assert output(shell, capsys, ".pager /no/such/pager\nSELECT range AS n FROM range(100)").endswith("(100 rows)\n")
    assert not isinstance(sys.stdout, Terminal)
