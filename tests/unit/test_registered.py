from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from minisql.catalog.arrow_table import ArrowTable
from minisql.catalog.registered import registered_table
from minisql.columnar.python_values import to_values
from minisql.datatypes import BIGINT, DOUBLE, TIMESTAMP, VARCHAR
from minisql.errors import InterfaceError, NotSupportedError
from minisql.expression.nodes import Value


def contents(table: ArrowTable) -> list[list[Value]]:
    batches = list(table.scan(range(len(table.columns)), [], 2))
    return [
        [value for batch in batches for value in to_values(batch.column(place))] for place in range(len(table.columns))
    ]


ARROW = pa.table({"n": [1, 2, None], "s": ["a", None, "c"]})


@pytest.mark.parametrize(
    "data",
    [
        ARROW,
        ARROW.to_batches()[0],
        ARROW.to_reader(),
        pl.DataFrame({"n": [1, 2, None], "s": ["a", None, "c"]}),
        pl.DataFrame({"n": [1, 2, None], "s": ["a", None, "c"]}, schema={"n": pl.Int64, "s": pl.Categorical}),
    ],
)
def test_what_has_an_arrow_interface_is_a_table(data: object) -> None:
    table = registered_table("t", data)
    assert [(column.name, column.type) for column in table.columns] == [("n", BIGINT), ("s", VARCHAR)]
    assert table.row_count() == 3
    assert contents(table) == [[1, 2, None], ["a", None, "c"]]
    assert table.column_statistics(0).distinct_count == 2


def test_a_pandas_frame() -> None:
    frame = pd.DataFrame(
        {"x": [1.5, np.nan], "t": pd.to_datetime(["2020-01-01", None]), "c": pd.Categorical(["u", "u"])}
    )
    table = registered_table("t", frame)
    assert [column.type for column in table.columns] == [DOUBLE, TIMESTAMP, VARCHAR]
    assert contents(table)[1:] == [[datetime.datetime(2020, 1, 1), None], ["u", "u"]]


def test_a_frame_with_nothing_in_it() -> None:
    table = registered_table("t", pa.table({"n": pa.array([], pa.int64())}))
    assert contents(table) == [[]]
    assert list(table.scan([], [], 10)) == []


@pytest.mark.parametrize("data", [{}, {1: [1]}, [], [1, 2], "text", None, pa.Table])
def test_what_has_no_arrow_interface_is_none(data: object) -> None:
    with pytest.raises(InterfaceError, match="it has no Arrow interface"):
        registered_table("t", data)


@pytest.mark.parametrize("data", [pa.array([1, 2]), pa.chunked_array([[1]]), pl.Series("a", [1]), pd.Series([1])])
def test_one_column_is_no_table(data: object) -> None:
    with pytest.raises(InterfaceError, match=r"is no table: it is one column; give that a name, as in a dict"):
        registered_table("t", data)


def test_what_is_computed_or_read_first() -> None:
    frame = pl.LazyFrame({"n": [1, 2, None]})
    for data in (frame, ds.dataset(ARROW), ds.dataset(ARROW).scanner(columns=["n"])):
        assert contents(registered_table("t", data))[0] == [1, 2, None]


def test_rows_need_not_have_all_keys() -> None:
    table = registered_table("t", [{"a": 1}, {"b": "x", "a": 2}, {}])
    assert [column.name for column in table.columns] == ["a", "b"]
    assert contents(table) == [[1, 2, None], [None, "x", None]]


class Frame(pd.DataFrame):
    """As geopandas has one."""


def test_the_index_of_a_pandas_frame() -> None:
    """The numbers of rows that are left of a frame are no data; levels with names, as groupby() makes them, are."""
    frame = pd.DataFrame({"k": ["a", "b", "a"], "n": [1, 2, 3]})
    for made in (frame[frame.n > 1], Frame(frame[frame.n > 1])):
        filtered = registered_table("t", made)
        assert [column.name for column in filtered.columns] == ["k", "n"]
        assert contents(filtered) == [["b", "a"], [2, 3]]
    grouped = registered_table("t", frame.groupby("k").sum())
    assert [column.name for column in grouped.columns] == ["n", "k"]
    assert contents(grouped) == [[4, 2], ["a", "b"]]


def test_objects_in_a_polars_frame() -> None:
    with pytest.raises(InterfaceError, match="a column of Python objects"):
        registered_table("t", pl.DataFrame({"o": pl.Series([object()])}))


def test_a_type_that_sql_does_not_have() -> None:
    with pytest.raises(NotSupportedError, match='"items"'):
        registered_table("t", pl.DataFrame({"items": [{"a": 1}]}))


def test_a_column_is_converted_once() -> None:
    table = registered_table("t", pa.table({"n": [1, 2, 3]}))
    (first,), (second,) = table.scan([0], [], 10), table.scan([0], [], 10)
    assert first.column(0) is second.column(0)


class _Raising:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        raise self.error


@pytest.mark.parametrize("data", [_Raising(RuntimeError("broken")), {"a": [10**40]}])
def test_an_error_of_the_object_is_one_of_the_interface(data: object) -> None:
    with pytest.raises(InterfaceError, match="is no table"):
        registered_table("r", data)
