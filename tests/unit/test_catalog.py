from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from minisql.catalog.catalog import Catalog
from minisql.catalog.files import Files
from minisql.catalog.range_table import RangeTable
from minisql.errors import InterfaceError, OperationalError


@pytest.fixture
def catalog() -> Catalog[str]:
    return Catalog()


TABLE, OTHER = RangeTable(0, 1), RangeTable(0, 2)


def test_names_are_found_whatever_their_case(catalog: Catalog[str]) -> None:
    catalog.put("Flights", TABLE)
    catalog.put("a_view", "SELECT 1")
    assert catalog.find("fLIGHTS") is TABLE
    assert catalog.find("A_VIEW") == "SELECT 1"
    assert catalog.find("planes") is None
    assert catalog.names() == ["Flights", "a_view"]


def test_putting_replaces_and_removing_forgets(catalog: Catalog[str]) -> None:
    catalog.put("t", TABLE)
    catalog.put("T", OTHER)
    assert catalog.find("t") is OTHER
    catalog.remove("t")
    catalog.remove("t")
    assert catalog.names() == []


def test_the_version_grows_with_every_change(catalog: Catalog[str]) -> None:
    versions = [catalog.version]
    catalog.put("t", TABLE)
    versions.append(catalog.version)
    catalog.register("r", TABLE)
    versions.append(catalog.version)
    catalog.unregister("r")
    versions.append(catalog.version)
    catalog.remove("t")
    versions.append(catalog.version)
    assert versions == sorted(set(versions))
    catalog.remove("t")
    catalog.find("t")
    assert catalog.version == versions[-1]


def test_registering_takes_no_name_of_a_stored_table(catalog: Catalog[str]) -> None:
    catalog.register("r", TABLE)
    catalog.register("R", OTHER)
    assert catalog.find("r") is OTHER
    catalog.put("t", TABLE)
    version = catalog.version
    with pytest.raises(InterfaceError, match='"T" is a stored table or a view already'):
        catalog.register("T", OTHER)
    with pytest.raises(InterfaceError, match='Nothing is registered as "t"'):
        catalog.unregister("t")
    assert catalog.find("t") is TABLE
    assert catalog.version == version
    catalog.put("r", TABLE)
    with pytest.raises(InterfaceError):
        catalog.unregister("r")


# --- files ------------------------------------------------------------------------------------------------------------


def test_files_that_do_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "numbers.parquet")
    (tmp_path / "notes.txt").write_text("x")
    monkeypatch.chdir(tmp_path)
    for path, message, hint in [
        ("number.parquet", "There is no file 'number.parquet'.", 'Did you mean "numbers.parquet"?'),
        ("zzz/numbers.parquet", "There is no file 'zzz/numbers.parquet'.", f"Paths are relative to {tmp_path}."),
        ("*.csv", "No file matches '*.csv'.", f"Paths are relative to {tmp_path}."),
        (f"{tmp_path}/x*", f"No file matches '{tmp_path}/x*'.", None),
        (".", "'.' is a folder.", "Write './*.parquet' for its files."),
        (
            "notes.txt",
            "'notes.txt' ends in '.txt', which is no known format.",
            "Files end in .parquet, .csv, .tsv, .json or .jsonl.",
        ),
    ]:
        with pytest.raises(OperationalError) as caught:
            Files().open(path)
        assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_file_is_opened_again_when_it_has_changed(tmp_path: Path) -> None:
    files, path = Files(), tmp_path / "x.parquet"
    pq.write_table(pa.table({"x": [1]}), path)
    first = files.open(str(path))
    assert files.open(str(path)) is first
    pq.write_table(pa.table({"x": [1, 2, 3]}), path)
    assert files.open(str(path)).row_count() == 3


def test_a_pattern_with_a_folder_and_a_name_with_a_star(tmp_path: Path) -> None:
    for name in ("a/1.parquet", "b/2.parquet", "b/x*.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({"x": [1]}), tmp_path / name)
    assert Files().open(f"{tmp_path}/*/*.parquet").row_count() == 3
    assert Files().open(f"{tmp_path}/**/2.parquet").row_count() == 1
    assert Files().open(f"{tmp_path}/b/x*.parquet").row_count() == 1
    assert Files().open(f"{tmp_path}/[a]/?.parquet").row_count() == 1
