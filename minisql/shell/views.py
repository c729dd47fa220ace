"""Files and folders named on the command line, and by `.open`: each file becomes a view with the name of its stem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from minisql.catalog.paths import user_path
from minisql.errors import OperationalError, SqlError
from minisql.parser.keywords import quoted_name
from minisql.session.connection import Connection

SUFFIXES: Final = (".parquet", ".parq", ".pq", ".csv", ".tsv", ".json", ".jsonl", ".ndjson")
"""What the names of files end with that can be read as tables."""
_DATABASES: Final = (".db", ".ddb", ".duckdb", ".sqlite", ".sqlite3", ".minisql")


def create_views(connection: Connection, paths: Iterable[str]) -> list[str]:
    """Makes a view of each file, and of each file with one of the `SUFFIXES` in a folder; their names.

    Raises:
        OperationalError: a file is missing, cannot be read, or is no table; or two have the same stem.
    """
    made: dict[str, Path] = {}
    for path in paths:
        for file in _files(path):
            name = file.stem
            other = made.get(name.lower())
            if other == file:
                continue  # named twice, or by itself and in its folder
            if other is not None:
                raise OperationalError(
                    f"'{other}' and '{file}' would both be the view {quoted_name(name)}.",
                    hint=f"""Open one of them, and write: CREATE VIEW name AS SELECT * FROM '{file}';""",
                )
            try:
                connection.execute(f"CREATE VIEW {quoted_name(name)} AS SELECT * FROM {quoted_text(str(file))}")
            except SqlError as error:
                raise OperationalError(error.message, hint=error.hint) from error
            made[name.lower()] = file
    return [file.stem for file in made.values()]


def quoted_text(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def _files(path: str) -> Iterator[Path]:
    """The files that a path stands for, with absolute names, so that they stay the same after `.cd`."""
    place = user_path(path)
    if place.is_dir():
        try:
            found = sorted(file for file in place.iterdir() if is_table(file) and file.is_file())
        except OSError as error:
            raise OperationalError(f"The folder '{path}' cannot be read: {error.strerror}.") from error
        if not found:
            raise OperationalError(
                f"The folder '{path}' has no file that can be read as a table.",
                hint=f"Their names end with {', '.join(SUFFIXES)}.",
            )
        yield from (file.absolute() for file in found)
        return
    suffix = place.suffix.lower()
    if suffix in _DATABASES:
        raise OperationalError(
            f"'{path}' looks like a database: minisql has none on disk yet, only in memory.",
            hint="It opens Parquet, CSV and JSON files, and folders of them.",
        )
    if suffix == ".sql" and place.exists():
        raise OperationalError(f"'{path}' is a script.", hint=f"Run it with: minisql -f {path}")
    yield place.absolute()


def is_table(file: Path) -> bool:
    """Whether the name of a file says that it is a table, and not a hidden one."""
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
