from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import minisql
from minisql.__main__ import main
from minisql.shell.arguments import read_script

ROOT = Path(__file__).parents[2]


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_version_is_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    captured = capsys.readouterr()
    assert (left.value.code, captured.err) == (0, "")
    assert captured.out.startswith(f"minisql {minisql.__version__}, planner ")


def test_a_table_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys, "-c", "SELECT 1 AS n, 'a' AS s UNION ALL SELECT NULL, 'bcd'")
    assert (code, err) == (0, "")
    assert out == "    n | s\n------+-----\n    1 | a\n NULL | bcd\n(2 rows)\n"


def test_csv_keeps_null_and_the_empty_string_apart(capsys: pytest.CaptureFixture[str]) -> None:
    sql = """SELECT NULL AS n, '' AS e, 'a,"b"' AS q, 1.50 AS d, TRUE AS t"""
    assert _run(capsys, "--mode", "csv", "-c", sql) == (0, 'n,e,q,d,t\n,"","a,""b""",1.50,true\n', "")


def test_json_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    sql = "SELECT 1 AS a, 2 AS a, 1.50 AS d, DATE '2013-01-02' AS day, NULL AS n, 0.5e0 AS f"
    code, out, _ = _run(capsys, "--mode", "json", "-c", sql)
    assert code == 0
    assert json.loads(out) == [{"a": 1, "a_1": 2, "d": "1.50", "day": "2013-01-02", "n": None, "f": 0.5}]
    assert json.loads(_run(capsys, "--mode", "json", "-c", "SELECT 1 AS a WHERE FALSE")[1]) == []


def test_an_error_goes_to_standard_error_and_ends_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys, "--mode", "csv", "-c", "SELECT 1 AS a; SELECT 2 +; SELECT 3")
    assert (code, out) == (1, "a\n1\n")
    assert "SELECT 2 +;" in err
    assert "^" in err


def test_files_have_their_own_line_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "script.sql"
    script.write_text("SELECT 1 AS a; -- one; two\n\nSELECT 'x;y' AS b;\nSELECT nothing;\n")
    code, out, err = _run(capsys, "--mode", "csv", "-f", str(script))
    assert (code, out) == (1, "a\n1\nb\nx;y\n")
    assert "LINE 4: SELECT nothing;" in err


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file or directory"), (b"SELECT '\xff'", "byte 8 is not UTF-8")]
)
def test_unreadable_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, reason: str
) -> None:
    script = tmp_path / "script.sql"
    if content is not None:
        script.write_bytes(content)
    assert _run(capsys, "-f", str(script)) == (1, "", f"minisql: {script}: {reason}\n")


def test_standard_input_is_a_script(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(
        sys, "stdin", io.StringIO("CREATE TABLE t (a INTEGER);\nINSERT INTO t VALUES (1);\nSELECT * FROM t")
    )
    assert _run(capsys, "--mode", "csv") == (0, "a\n1\n", "")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_read_loop_survives_mistakes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lines = "SELECT 1\n  AS a;\nSELECT nothing;\nSELECT ';' AS b; SELECT 2 AS c;\n"
    monkeypatch.setattr(sys, "stdin", _Terminal(lines))
    code, out, err = _run(capsys, "--mode", "csv")
    assert code == 0
    assert out == "minisql>     ...> a\n1\nminisql> minisql> b\n;\nc\n2\nminisql> \n"
    assert "nothing" in err


def test_explain_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, "-c", "EXPLAIN SELECT 1 AS one")
    assert code == 0
    assert out.startswith("-> Project: 1")


def test_the_command_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "minisql", "--mode", "csv", "-c", "SELECT 40 + 2 AS answer"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "answer\n42\n", "")


def test_a_pipe_closed_by_its_reader_is_no_crash() -> None:
    command = [sys.executable, "-m", "minisql", "--mode", "csv", "-c", "SELECT * FROM range(1000000)"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"range\n"
        process.stdout.close()
        assert process.wait(timeout=60) == 1
        assert process.stderr.read() == b""


@pytest.mark.parametrize("mode", ["table", "jsonl"])
def test_a_pipe_that_is_closed_at_once(mode: str) -> None:
    command = [sys.executable, "-m", "minisql", "--mode", mode, "-c", "SELECT * FROM range(30000)"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(timeout=60) == 1
        assert process.stderr.read() == b""


def test_a_script_loads_nothing_of_the_terminal() -> None:
    """Nor what measures wide characters, as long as there are none."""
    program = """
import sys
import minisql
assert not {"prompt_toolkit", "pygments", "wcwidth", "tabulate", "minisql.session"} & sys.modules.keys()
from minisql.__main__ import main
main(["-c", "SELECT 1 AS a; CREATE TABLE t (a INTEGER)"])
names = {"prompt_toolkit", "pygments", "wcwidth", "shlex", "minisql.shell.dot_commands", "minisql.shell.repl"}
names |= {"minisql.execution.window", "minisql.execution.kernels.window_frames"}
print(sorted(names & sys.modules.keys()))
"""
    finished = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout == " a\n---\n 1\n(1 row)\n[]\n"


def test_the_shell_without_its_packages(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "prompt_toolkit", None)
    for name in [name for name in sys.modules if name.startswith(("minisql.shell.line_editor", "prompt_toolkit."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("MINISQLRC", "")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdin", _Terminal("SELECT 7 AS n;\n"))
    screen = _Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    assert main(["--mode", "csv"]) == 0
    assert screen.getvalue().endswith("minisql> n\n7\nminisql> \n")
    assert "prompt_toolkit is not installed: no editing, no completion, no history." in capsys.readouterr().err


def test_a_script_that_is_interrupted() -> None:
    program = """
import sys
import minisql.__main__ as command

def main():
    print("before")
    raise KeyboardInterrupt

command.main = main
command.run()
"""
    finished = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == (130, "before\n", "")


def test_the_rc_file_is_for_the_shell_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rc = tmp_path / "rc"
    rc.write_text("CREATE TABLE mine AS SELECT 5 AS five;\n.mode csv\n", encoding="utf-8")
    monkeypatch.setenv("MINISQLRC", str(rc))
    monkeypatch.setattr(sys, "stdin", _Terminal("FROM mine;\n.quit\nFROM nothing;"))
    assert _run(capsys) == (0, "minisql> five\n5\nminisql> ", "")
    assert _run(capsys, "-c", "FROM mine")[0] == 1
    for text, reason in ((None, "No such file or directory"), (b"\xff", "it is not in UTF-8")):
        rc.unlink(missing_ok=True)
        if text is not None:
            rc.write_bytes(text)
        monkeypatch.setattr(sys, "stdin", _Terminal(""))
        assert _run(capsys) == (0, "minisql> \n", f"minisql: {rc}: {reason}\n")


def test_characters_that_the_output_does_not_have() -> None:
    command = [sys.executable, "-m", "minisql", "-c", "SELECT 'é…日' AS a"]
    environment = os.environ | {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, env=environment, check=True)
    assert finished.stdout.splitlines()[2].rstrip() == b" \xe9\\u2026\\u65e5"


def test_a_script_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "bom.sql"
    path.write_bytes(b"\xef\xbb\xbfSELECT 1 AS a;")
    assert read_script(str(path)) == "SELECT 1 AS a;"


@pytest.mark.parametrize(
    ("given", "code", "out", "err"),
    [
        (b"\xef\xbb\xbfSELECT 1 AS a;\r\n.mode csv\r\nSELECT 2 AS b;", 0, b" a\n---\n 1\n(1 row)\nb\n2\n", b""),
        (b"SELECT 1;\n\xff", 1, b"", b"minisql: -: byte 10 is not UTF-8\n"),
    ],
)
def test_what_standard_input_may_be(given: bytes, code: int, out: bytes, err: bytes) -> None:
    """Also in a locale in which Python takes bytes that are not UTF-8 for characters."""
    environment = os.environ | {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "minisql"]
    done = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stdout.replace(b"\r\n", b"\n"), done.stderr) == (code, out, err)


@pytest.mark.skipif(sys.platform == "win32", reason="redirections of a POSIX shell")
@pytest.mark.parametrize(("redirection", "code"), [(">&-", 0), ("2>&-", 0), (">/dev/full", 1)])
def test_output_that_cannot_be_written_is_no_traceback(redirection: str, code: int) -> None:
    if redirection.endswith("full") and not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    command = f'"{sys.executable}" -m minisql -c "SELECT 1" {redirection}'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
