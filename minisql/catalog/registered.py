"""Objects of a program as tables: anything with an Arrow C stream (pyarrow, Polars, pandas, DuckDB and others)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from minisql.catalog.arrow_table import ArrowTable
from minisql.errors import Error, InterfaceError

if TYPE_CHECKING:
    import pyarrow as pa

_UNNAMED_INDEX: Final = re.compile(r"__index_level_\d+__")


def registered_table(name: str, data: object) -> ArrowTable:
    """The table of an object. Data is shared where the layouts agree, so the object must not be changed.

    Beside what has an Arrow interface, a dict of columns and a list of dicts, each a row, are tables, and so are lazy
    frames of Polars and datasets of Arrow, which are computed or read here. A stream, which can be read only once, is
    read here, too. Of a pandas frame the levels of the index that have names are columns.

    Raises:
        InterfaceError: the object is no table.
        NotSupportedError: a column has a type that SQL does not have.
    """
    return ArrowTable(name, _arrow_table(data))


def has_arrow_interface(data: object) -> bool:
    """Whether an object gives its rows as Arrow data. A class does not, though its objects may."""
    if isinstance(data, type):
        return False
    has_interface = hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")
    # pandas before 2.2 has no Arrow stream of its own.
    return has_interface or _is_frame_of("pandas", data) or _method_for_rows(data) is not None


def _is_frame_of(package: str, data: object) -> bool:
    """Whether it is a data frame of this package, or of a class made from that."""
    return any(_package(each) == package and each.__name__ == "DataFrame" for each in type(data).__mro__)


def _package(of: type) -> str:
    return of.__module__.partition(".")[0]


def _method_for_rows(data: object) -> str | None:
    """The method that gives the rows of what has to be computed or read first."""
    name = {"polars": "collect", "pyarrow": "to_table"}.get(_package(type(data)), "")
    is_lazy = type(data).__name__ == "LazyFrame" or type(data).__name__.endswith(("Dataset", "Scanner"))
    return name if is_lazy and hasattr(data, name) else None


def _arrow_table(data: object) -> pa.Table:
    import pyarrow as pa

    if isinstance(data, pa.Table):
        return data
    is_columns = isinstance(data, dict) and bool(data) and all(isinstance(name, str) for name in data)
    is_rows = isinstance(data, list) and bool(data) and all(isinstance(row, dict) for row in data)
    if not (has_arrow_interface(data) or is_columns or is_rows):
        raise InterfaceError(
            f"A {type(data).__name__} cannot be registered: it has no Arrow interface. "
            "Register a data frame, an Arrow table, a dict of columns or a list of dicts."
        )
    if _is_frame_of("polars", data) and "Object" in map(str, data.dtypes):  # type: ignore[attr-defined]
        # As Arrow data these are their addresses.
        raise InterfaceError("The data frame has a column of Python objects, which are no values of SQL.")
    try:
        if is_rows:
            return _table_of_rows(data)  # type: ignore[arg-type]
        if _is_frame_of("pandas", data):
            return _table_of_pandas(data)
        method = _method_for_rows(data)
        return pa.table(data if method is None else getattr(data, method)())
    except Error:
        raise
    except Exception as error:  # whatever the object raises
        reason = "it is one column; give that a name, as in a dict" if "non-struct type" in str(error) else error
        raise InterfaceError(f"The object's data is no table: {reason}") from error


def _table_of_rows(rows: list[dict[str, object]]) -> pa.Table:
    """Rows as a table that has every key of any of them."""
    import pyarrow as pa

    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: pa.array([row.get(name) for row in rows]) for name in names})


def _table_of_pandas(frame: object) -> pa.Table:
    """A frame without the numbers of its rows, which pandas keeps as a column where some have been filtered away."""
    import pyarrow as pa

    table = pa.table(frame) if hasattr(frame, "__arrow_c_stream__") else pa.Table.from_pandas(frame)
    hidden = [name for name in table.column_names if _UNNAMED_INDEX.fullmatch(name)]
    return table.drop_columns(hidden)
