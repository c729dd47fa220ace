"""Files and folders on the command line."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from minisql.__main__ import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["--mode", "csv", *arguments])
    return (code, *capsys.readouterr())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "my data"
    data.mkdir()
    (data / "a.csv").write_text("n\n1\n", encoding="utf-8")
    (data / "It's B.tsv").write_text("n\tm\n2\t3\n", encoding="utf-8")
    (data / "c.jsonl").write_text('{"n": 4}\n', encoding="utf-8")
    (data / "d.json").write_text('[{"n": 5}]', encoding="utf-8")
    pq.write_table(pa.table({"n": [6]}), data / "select.parquet")
    (data / "notes.txt").write_text("no table", encoding="utf-8")
    (data / ".hidden.csv").write_text("", encoding="utf-8")
    return data


def test_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sql = 'SELECT * FROM a, c, d, "select", "it\'s b"'
    assert run(capsys, "my data", "-c", sql) == (0, "n,n,n,n,n,m\n1,4,5,6,2,3\n", "")
    assert run(capsys, "my data", "-c", "SHOW TABLES")[1].split() == ["name", "It's", "B", "a", "c", "d", "select"]


def test_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "my data/a.csv", str(folder / "d.json"), "-c", "SELECT a.n + d.n AS s FROM a, d") == (
        0,
        "s\n6\n",
        "",
    )


def failure(capsys: pytest.CaptureFixture[str], *files: str) -> str:
    code, out, err = run(capsys, *files, "-c", "SELECT 1")
    assert (code, out) == (1, "")
    assert err.startswith("minisql: ")
    return err


def test_two_files_of_the_same_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "A.json").write_text("[]", encoding="utf-8")
    error = failure(capsys, "my data")
    assert f"'{folder / 'A.json'}' and '{folder / 'a.csv'}' would both be the view a." in error
    assert "CREATE VIEW name AS SELECT * FROM" in error


def test_a_file_that_is_named_twice(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "my data", "my data/a.csv", "-c", "SELECT * FROM a") == (0, "n\n1\n", "")


def test_files_that_are_no_tables(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.parquet").write_bytes(b"PAR1 no")
    (folder / "script.sql").write_text("SELECT 1", encoding="utf-8")
    (folder / "none").mkdir()
    assert "There is no file" in failure(capsys, "my data/b.csv")
    assert "'.txt', which is no known format" in failure(capsys, "my data/notes.txt")
    assert "broken.parquet" in failure(capsys, "my data")
    assert "The folder 'my data/none' has no file" in failure(capsys, "my data/none")
    assert "HINT: Run it with: minisql -f my data/script.sql" in failure(capsys, "my data/script.sql")
    assert "minisql has none on disk yet, only in memory" in failure(capsys, "new.db")
