"""The magics `%sql` and `%%sql`, in a shell of IPython in this process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import minisql


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("IPYTHONDIR", os.fspath(tmp_path))
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell(config=config)
    shell.run_cell("%load_ext minisql")
    yield shell
    shell.restore_sys_module_state()


def test_lines_and_cells(shell: Any) -> None:
    assert shell.run_cell("%sql SELECT 6 * 7 AS answer").result.fetchall() == [(42,)]
    assert shell.run_cell("%minisql SELECT 1").result.fetchall() == [(1,)]
    cell = "%%sql\nCREATE TABLE t (k INTEGER);\nINSERT INTO t VALUES (1), (2);\nSELECT sum(k) AS total FROM t"
    assert shell.run_cell(cell).result.fetchall() == [(3,)]
    assert shell.run_cell("rows = %sql SELECT k FROM t ORDER BY k").success
    assert shell.user_ns["rows"].fetchall() == [(1,), (2,)]
    assert shell.run_cell("%sql DELETE FROM t").result is None, "nothing to show"
    assert shell.run_cell("%%sql\n").result is None


def test_variables(shell: Any) -> None:
    shell.user_ns["frame"] = pl.DataFrame({"k": [1, 2, 3]})
    shell.user_ns["low"] = 2
    assert shell.run_cell("%sql SELECT count(*) FROM frame WHERE k >= $low").result.fetchall() == [(2,)]
    assert shell.run_cell("%%sql big <<\nSELECT k FROM frame WHERE k > $low").result is None
    assert shell.user_ns["big"].fetchall() == [(3,)]
    assert shell.run_cell("%%sql\nSELECT $low; SELECT count(*) FROM big WHERE $low = k - 1").result.fetchall() == [(1,)]


def test_a_connection_of_the_user(shell: Any) -> None:
    shell.user_ns["con"] = minisql.connect()
    shell.run_cell("%sql -c con CREATE TABLE mine (k INTEGER)")
    assert shell.user_ns["con"].execute("SELECT count(*) FROM mine").fetchone() == (0,)
    assert shell.run_cell("%%sql --connection con found <<\nSELECT count(*) AS n FROM mine").success
    assert shell.user_ns["found"].fetchone() == (0,)


@pytest.mark.parametrize(
    ("cell", "error", "message"),
    [
        ("%%sql\n\nSELECT nothing", minisql.ProgrammingError, "LINE 3: SELECT nothing"),
        ("%sql SELECT $missing", minisql.InterfaceError, "no variable missing for the parameter $missing"),
        ("%sql -c nobody SELECT 1", minisql.InterfaceError, "nobody is no variable with a connection"),
    ],
)
def test_mistakes(shell: Any, capsys: pytest.CaptureFixture[str], cell: str, error: type, message: str) -> None:
    result = shell.run_cell(cell)
    assert isinstance(result.error_in_exec, error)
    assert message in str(result.error_in_exec)
    output = capsys.readouterr().out
    assert message in output
    assert "parse_statement" not in output


def test_results_are_shown_as_tables(shell: Any) -> None:
    data, _ = shell.display_formatter.format(shell.run_cell("%sql SELECT '<x>' AS v").result)
    assert "<td" in data["text/html"]
    assert "&lt;x&gt;" in data["text/html"]
    assert data["text/plain"].splitlines()[0].strip() == "v"


def test_importing_minisql_does_not_import_ipython() -> None:
    import subprocess
    import sys

    code = "import sys, minisql; minisql.connect().execute('SELECT 1'); print('IPython' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
