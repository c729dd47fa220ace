"""The shell on a real pseudo-terminal. Nothing here waits for a time: each step waits for what it must print."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

pexpect: Any = pytest.importorskip("pexpect", reason="pexpect is for the pseudo-terminals of Unix")
if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals on this system", allow_module_level=True)

ROOT = Path(__file__).parents[2]
PATIENCE = 120
"""Seconds, for machines that are busy with other things."""
CTRL_C, CTRL_D, CTRL_Z, ENTER, TAB, UP = "\x03", "\x04", "\x1a", "\r", "\t", "\x1b[A"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r(?!\n)|\x1b[=>]")
_BETWEEN = r"(?:\x1b\[[0-9;?]*[A-Za-z])*"
"""What may stand between two characters that stand side by side on the screen."""
_numbers = count(1)


class Session:
    """A shell in a folder, with the history and the rc file there."""

    def __init__(self, folder: Path, *arguments: str, **variables: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "PAGER")}
        environment |= {
            "TERM": "xterm", "NO_COLOR": "1", "PROMPT_TOOLKIT_NO_CPR": "1", "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8", "MINISQL_HISTORY": str(folder / "history"), "MINISQLRC": str(folder / "rc"),
        } | variables  # fmt: skip
        self.process = pexpect.spawn(
            sys.executable, ["-m", "minisql", *arguments], cwd=str(folder), env=environment, dimensions=(24, 100),
            encoding="utf-8", timeout=PATIENCE,
        )  # fmt: skip
        self.process.delaybeforesend = None

    def send(self, *keys: str) -> None:
        for each in keys:
            self.process.send(each)

    def wait(self, text: str) -> str:
        """Waits for a text; what came before it and the text, as a reader sees them."""
        self.process.expect(_BETWEEN.join(map(re.escape, text)))
        return _CONTROL.sub("", self.process.before + self.process.after).replace("\r\n", "\n")

    def run(self, *keys: str) -> str:
        """What is printed for keys that end a statement: up to the answer of another statement."""
        number = next(_numbers)
        self.send(*keys, f"SELECT 'answer ' || {number};{ENTER}")
        return self.wait(f"answer {number}\r\n")

    def close(self) -> int:
        """Leaves with Ctrl-D, at a prompt, for before there is one it goes to nobody; the exit code."""
        self.wait("minisql>")
        self.send(CTRL_D)
        self.process.expect(pexpect.EOF)
        self.process.close()
        assert self.process.exitstatus is not None
        return int(self.process.exitstatus)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shell")
    (folder / "flights.csv").write_text(
        "tailnum,distance,destination,carrier,hour,minute\n" + "N14228,1400,Houston,United,5,15\n" * 60,
        encoding="utf-8",
    )
    (folder / "planes.csv").write_text("tailnum,seats\nN14228,149\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def opened(folder: Path) -> Iterator[Session]:
    session = Session(folder, "flights.csv", MINISQLRC="")
    session.wait("1 view: flights\r\n")
    yield session
    if session.process.isalive():
        session.process.close(force=True)


@pytest.fixture
def session(opened: Session) -> Session:
    """The same process for all tests; each leaves it at an empty prompt."""
    return opened


def test_several_lines_are_one_statement(session: Session) -> None:
    text = session.run("SELECT 40", ENTER, "  + 2 -- ;", ENTER, "  AS answer_of;", ENTER)
    assert " answer_of\n-----------\n        42\n(1 row: answer_of INTEGER)\n" in text
    assert "    ...>" in text


def test_list_output(session: Session) -> None:
    text = session.run(r"SELECT 1 AS one, 'b' AS other\G", ENTER)
    assert "\n  one: 1\nother: b\n(1 row: one INTEGER, other VARCHAR)\n" in text


def test_an_error_has_its_line_and_a_caret(session: Session) -> None:
    text = session.run("SELECT distance,", ENTER, "  distanze FROM flights;", ENTER)
    assert 'There is no column "distanze".\nLINE 2:   distanze FROM flights;\n          ^^^^^^^^\n' in text
    assert 'HINT: Did you mean "distance"?' in text


def test_an_unknown_command_names_the_nearest(session: Session) -> None:
    assert 'HINT: Did you mean ".tables"?' in session.run(".tabels", ENTER)


def test_tab_completes(session: Session) -> None:
    session.send("SEL", TAB)
    session.wait("ECT")
    session.send(" coalesc", TAB)
    session.wait("e(")
    session.send("f.dista) AS far FROM fligh", TAB)
    session.wait("ts")
    session.send(" AS f LIMIT 1;", "\x1b[D" * len(") AS far FROM flights AS f LIMIT 1;"), TAB)
    session.wait("nce")
    assert " far\n------\n 1400\n" in session.run(ENTER)


def test_tab_completes_files_and_commands(session: Session) -> None:
    session.send("SELECT seats FROM 'pl", TAB)
    session.wait("anes.csv'")
    assert "   149\n" in session.run(";", ENTER)
    session.send(".tab", TAB)
    session.wait("les")
    assert " flights | view |       6\n" in session.run(ENTER)


def test_ctrl_c_takes_back_what_is_typed(session: Session) -> None:
    session.send("SELECT nonsense", ENTER, "FROM nowhere", CTRL_C)
    text = session.run("SELECT 'still' || ' here';", ENTER)
    assert "still here" in text
    assert "There is no" not in text


def test_ctrl_c_cancels_a_join_and_the_shell_goes_on(session: Session) -> None:
    """The bar is drawn after two seconds, which shows that the query is running."""
    session.send("SELECT count(*) FROM range(1000000) a JOIN range(1000000) b ON a.range * 7 > b.range % 1001;", ENTER)
    session.wait("Ctrl-C cancels")
    session.send(CTRL_C)
    session.wait("Cancelled.\r\n")
    assert "(a b)" in session.run(".orders", ENTER)  # about the query that was cancelled
    assert " 1400\n" in session.run("SELECT max(distance) FROM flights;", ENTER)


def test_ctrl_z_is_no_character(session: Session) -> None:
    """It suspends a shell that another one has started, as none has here."""
    session.wait("minisql>")
    session.send("SELECT 5")
    session.wait("SELECT 5")
    session.send(CTRL_Z)
    session.wait("SELECT 5")  # which is drawn anew
    assert " 56\n" in session.run("6 AS n;", ENTER)


def test_wide_and_other_characters(session: Session) -> None:
    text = session.run("SELECT '日本語' AS größe, '👩‍👩‍👧' AS e, 1 AS n UNION ALL SELECT 'abc', 'é', 2;", ENTER)
    assert " größe  | e  | n\n--------+----+---\n 日本語 | 👩‍👩‍👧 | 1\n abc    | é  | 2\n" in text


def test_twenty_columns(session: Session) -> None:
    session.process.setwinsize(24, 20)
    text = session.run("SELECT * FROM flights LIMIT 2;", ENTER)
    session.process.setwinsize(24, 100)
    table = re.search(r" (tailnum[^\n]*\n(?:[^\n]*\n){3})\(2 rows\)", text)
    assert table is not None, text
    assert max(map(len, table[1].splitlines())) <= 20
    assert "1 of 6 columns shown" in text
    assert "destination" in session.run("SELECT * FROM flights LIMIT 2;", ENTER)


def test_a_paste_is_one_text(session: Session) -> None:
    """With the marks that terminals send around a paste, nothing runs before Enter."""
    lines = "".join(f"  + {number}\n" for number in range(300))
    session.send(f"\x1b[200~SELECT 0\n{lines}  AS pasted;\nSELECT 'tw' || 'ice';\n\x1b[201~")
    text = session.run(ENTER)
    assert " 44850\n" in text
    assert "twice" in text


def test_a_paste_without_marks(session: Session) -> None:
    lines = "".join(f"\t+ {number}{ENTER}" for number in range(100))
    others = [f"SELECT {number} * 1111 AS x;{ENTER}" for number in range(1, 6)]
    text = session.run(f"SELECT 0{ENTER}{lines}  AS raw;{ENTER}", *others)
    assert " 4950\n" in text
    for number in range(1, 6):
        assert f" {number * 1111}\n" in text


def test_long_results_and_the_pager(session: Session) -> None:
    text = session.run("SELECT range AS n FROM range(60);", ENTER)
    assert "(60 rows, the first 40 shown: .rows all shows them all: n BIGINT)" in text
    text = session.run(".pager cat", ENTER, "SELECT range AS n FROM range(60);", ENTER, ".pager off", ENTER)
    assert " 59\n(60 rows: n BIGINT)" in text


def test_the_history_outlives_the_shell(session: Session, folder: Path) -> None:
    """Runs last, for it ends the shell that the other tests share."""
    (folder / "rc").write_text(".mode csv\nSELECT 'from' || ' rc' AS rc;\n.nonsense\n.mode box\n", encoding="utf-8")
    session.run("SELECT 'first',", ENTER, "  'sec' || 'ond';", ENTER)
    assert session.close() == 0
    again = Session(folder, "planes.csv")
    try:
        text = again.wait("rc was run up to there.\r\n")
        assert "rc\nfrom rc\n" in text
        assert "LINE 3: .nonsense" in text
        text = again.run(UP, UP, UP, ENTER)  # the last answer, and then the two lines of the statement before
        assert "\nfirst,second\n" in text
        again.send("quit", ENTER)
        again.process.expect(pexpect.EOF)
        again.process.close()
        assert again.process.exitstatus == 0
    finally:
        again.process.close(force=True)


def test_ctrl_c_ends_the_rc_file_and_not_the_shell(folder: Path) -> None:
    (folder / "slow").write_text(
        "SELECT 'beg' || 'un' AS b;\n"
        "SELECT count(*) FROM range(1000000) a JOIN range(1000000) b ON a.range < b.range % 7;",
        encoding="utf-8",
    )
    session = Session(folder, MINISQLRC=str(folder / "slow"))
    try:
        session.wait("begun")
        session.send(CTRL_C)
        session.wait("was run up to there.")
        assert session.close() == 0
    finally:
        session.process.close(force=True)


def test_a_dumb_terminal_has_plain_lines(folder: Path) -> None:
    session = Session(folder, TERM="dumb", MINISQLRC="")
    try:
        session.send("SELECT 6 *\n7 AS n;\n")
        text = session.wait("(1 row: n INTEGER)\r\n")
        assert "\x1b" not in session.process.before
        assert "minisql> " in text
        session.send("SELECT nonsense\n")
        session.wait("...> ")
        session.send(CTRL_C)
        session.wait("minisql> ")
        session.send("SELECT 'go' || 'es on';\n")
        session.wait("goes on")
        session.send(".quit\n")
        session.process.expect(pexpect.EOF)
    finally:
        session.process.close(force=True)
