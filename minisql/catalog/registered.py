"""Objects of a program as tables: anything with an Arrow C stream (pyarrow, Polars, pandas, DuckDB and others)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minisql.catalog.arrow_table import ArrowTable
from minisql.errors import Error, InterfaceError

if TYPE_CHECKING:
    import pyarrow as pa


def registered_table(name: str, data: object) -> ArrowTable:
    """The table of an object. Data is shared where the layouts agree, so the object must not be changed.

    Beside what has an Arrow interface, a dict of columns and a list of dicts, each a row, are tables.
    A stream, which can be read only once, is read here.

    Raises:
        InterfaceError: the object is no table.
        NotSupportedError: a column has a type that SQL does not have.
    """
    return ArrowTable(name, _arrow_table(data))


def has_arrow_interface(data: object) -> bool:
    """Whether an object gives its rows as Arrow data. A class does not, though its objects may."""
    if isinstance(data, type):
        return False
    return hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__") or _is_of_pandas(data)


def _is_of_pandas(data: object) -> bool:
    # pandas before 2.2 has no Arrow stream of its own.
    return type(data).__module__.partition(".")[0] == "pandas" and type(data).__name__ == "DataFrame"


def _arrow_table(data: object) -> pa.Table:
    import pyarrow as pa

    if isinstance(data, pa.Table):
        return data
    is_frame = _is_of_pandas(data)
    is_columns = isinstance(data, dict) and bool(data) and all(isinstance(name, str) for name in data)
    is_rows = isinstance(data, list) and bool(data) and all(isinstance(row, dict) for row in data)
    if not (has_arrow_interface(data) or is_columns or is_rows):
        raise InterfaceError(
            f"A {type(data).__name__} cannot be registered: it has no Arrow interface. "
            "Register a data frame, an Arrow table, a dict of columns or a list of dicts."
        )
    try:
        if is_frame and not hasattr(data, "__arrow_c_stream__"):
            return pa.Table.from_pandas(data, preserve_index=False)
        return pa.Table.from_pylist(data) if is_rows else pa.table(data)
    except Error:
        raise
    except Exception as error:  # whatever the object raises
        raise InterfaceError(f"The object's data is no table: {error}") from error
