from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from prompt_toolkit.history import InMemoryHistory

from minisql.shell.history import StatementHistory, history_file, open_history

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
    gone.append_string("SELECT 1;")
    assert "the statement is not kept" in capsys.readouterr().err
    assert list(gone.load_history_strings()) == []
