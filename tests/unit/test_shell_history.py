from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from prompt_toolkit.history import InMemoryHistory

import minisql
from minisql.shell.history import StatementHistory, history_file, open_history
from minisql.shell.repl import rc_file
from minisql.shell.shell import Shell

STATEMENTS = ["SELECT 1;", "SELECT\n  'é',\n\n  2;", ".mode csv", "-- a\n+b;", "SELECT 3;\nSELECT 4;"]


def test_whole_statements_are_kept_between_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "new folder" / "history"
    monkeypatch.setenv("MINISQL_HISTORY", str(file))
    for statement in STATEMENTS:
        open_history().append_string(statement)  # each in a run of its own
    assert list(open_history().load_history_strings()) == STATEMENTS[::-1]
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_where_the_history_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MINISQL_HISTORY", "~/mine")
    assert history_file() == Path("~/mine").expanduser()
    monkeypatch.setenv("MINISQL_HISTORY", "mine")
    assert history_file() == Path("mine").absolute()
    monkeypatch.setenv("MINISQL_HISTORY", "")
    assert history_file() is None
    assert isinstance(open_history(), InMemoryHistory)
    monkeypatch.delenv("MINISQL_HISTORY")
    if sys.platform != "win32":
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        assert history_file() == tmp_path / "minisql" / "history"
        monkeypatch.setenv("XDG_STATE_HOME", "relative")
        assert history_file() == Path("~/.local/state/minisql/history").expanduser()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
def test_a_history_that_goes_nowhere(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither read to an end that it does not have, nor a mistake."""
    for file in ("/dev/null", "/dev/zero"):
        monkeypatch.setenv("MINISQL_HISTORY", file)
        assert isinstance(open_history(), InMemoryHistory)
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="which finds the folder otherwise")
def test_a_user_without_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in a container that runs with the number of a user whom nobody knows."""
    import pwd

    def nobody(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("HOME", "XDG_STATE_HOME", "MINISQL_HISTORY", "MINISQLRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_history(), InMemoryHistory)
    assert rc_file() == Path("~/.minisqlrc")
    shell = Shell(minisql.connect())
    for text in ("SELECT * FROM '~/x.csv'", "COPY (SELECT 1) TO '~/x.csv'", ".read ~/x", ".open ~/x", ".cd ~"):
        assert not shell.run(text)
    assert list(tmp_path.iterdir()) == []


def test_a_history_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("MINISQL_HISTORY", str(tmp_path / "file" / "history"))
    history = open_history()
    history.append_string("SELECT 1;")
    assert history.get_strings() == ["SELECT 1;"]
    assert "there is no history. MINISQL_HISTORY names its file." in capsys.readouterr().err
    gone = StatementHistory(str(tmp_path / "no folder" / "history"))
    for _ in range(3):
        gone.append_string("SELECT 1;")
    assert capsys.readouterr().err.count("statements are no longer kept") == 1
    assert list(gone.load_history_strings()) == []
