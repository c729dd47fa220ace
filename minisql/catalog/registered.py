"""Objects of a program as tables: anything with an Arrow C stream (pyarrow, Polars, pandas, DuckDB and others)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minisql.catalog.arrow_table import ArrowTable
from minisql.errors import InterfaceError

if TYPE_CHECKING:
    import pyarrow as pa


def registered_table(name: str, data: object) -> ArrowTable:
    """The table of an object. Data is shared where the layouts agree, so the object must not be changed.

    A stream, which can be read only once, is read here.

    Raises:
        InterfaceError: the object has no Arrow interface.
        NotSupportedError: a column has a type that SQL does not have.
    """
    return ArrowTable(name, _arrow_table(data))


def _arrow_table(data: object) -> pa.Table:
    import pyarrow as pa

    if isinstance(data, pa.Table):
        return data
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        try:
            return pa.table(data)
        except (TypeError, pa.ArrowException) as error:
            raise InterfaceError(f"The object's Arrow data is no table: {error}") from error
    if type(data).__module__.partition(".")[0] == "pandas":
        # pandas before 2.2 has no Arrow stream of its own.
        return pa.Table.from_pandas(data, preserve_index=False)
    raise InterfaceError(
        f"A {type(data).__name__} cannot be registered: it has no Arrow interface. "
        "Register a data frame or an Arrow table."
    )
