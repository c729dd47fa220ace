"""Files as tables: which kind of file a path means, and which files a pattern.

A file that has not changed since it was opened last keeps its table, and with it what is known of its data.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias
from weakref import WeakValueDictionary

from minisql.catalog.arrow_table import ArrowTable
from minisql.catalog.paths import user_path
from minisql.catalog.table import Table
from minisql.errors import OperationalError, did_you_mean

_KEPT_FILES: Final = 256

_Stamp: TypeAlias = tuple[tuple[str, int, int], ...]


class Files:
    """Opens files as tables. Thread-safe.

    Of a Parquet file, the footer and what was found out are kept. A CSV file, which is in memory as a whole, is
    shared as long as somebody uses it, and then forgotten.
    """

    def __init__(self) -> None:
        self._open: WeakValueDictionary[tuple[str, _Stamp], Table] = WeakValueDictionary()
        self._kept: deque[Table] = deque(maxlen=_KEPT_FILES)
        self._lock = threading.Lock()

    def open(self, path: str) -> Table:
        """The table of a file, or of all the files that a pattern with `*` or `?` matches, in the order of their names.

        Raises:
            OperationalError: there is no such file, it cannot be read, or its suffix says nothing of its format.
            DataError: its contents are not what they should be.
            NotSupportedError: a column has a type that SQL does not have.
        """
        files = _matching_files(path)
        key = (path, tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files))
        with self._lock:
            table = self._open.get(key)
            if table is None:
                table = self._open[key] = _opener(path)(path, files)
                if not isinstance(table, ArrowTable):
                    self._kept.append(table)
            return table


def _matching_files(path: str) -> list[Path]:
    expanded = user_path(path)
    if expanded.is_file():
        return [expanded]
    if any(character in path for character in "*?["):
        root = Path(expanded.anchor or ".")
        pattern = str(expanded.relative_to(expanded.anchor))
        files = sorted(found for found in root.glob(pattern) if found.is_file())
        if files:
            return files
        raise OperationalError(f"No file matches '{path}'.", hint=_relative_to(expanded))
    if expanded.is_dir():
        raise OperationalError(f"'{path}' is a folder.", hint=f"Write '{path.rstrip('/')}/*.parquet' for its files.")
    siblings = [file.name for file in expanded.parent.iterdir()] if expanded.parent.is_dir() else []
    hint = did_you_mean(expanded.name, siblings) or _relative_to(expanded)
    raise OperationalError(f"There is no file '{path}'.", hint=hint)


def _relative_to(path: Path) -> str | None:
    return None if path.is_absolute() else f"Paths are relative to {Path.cwd()}."


def _opener(path: str) -> Callable[[str, Sequence[Path]], Table]:
    match Path(path).suffix.lower():
        case ".parquet" | ".parq" | ".pq":
            from minisql.catalog.parquet_table import ParquetTable

            return ParquetTable
        case ".csv" | ".tsv":
            from minisql.catalog.csv_table import read_csv_table

            return read_csv_table
        case ".json" | ".jsonl" | ".ndjson":
            from minisql.catalog.json_table import read_json_table

            return read_json_table
        case suffix:
            raise OperationalError(
                f"'{path}' ends in '{suffix}', which is no known format.",
                hint="Files end in .parquet, .csv, .tsv, .json or .jsonl.",
            )
