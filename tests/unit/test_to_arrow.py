from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from minisql.columnar.column import Batch, Column, all_null
from minisql.columnar.from_arrow import from_arrow
from minisql.columnar.python_values import from_values, to_values
from minisql.columnar.to_arrow import arrow_type, to_arrow, to_arrow_table
from minisql.datatypes import BIGINT, BOOLEAN, DATE, DOUBLE, INTEGER, NULL, TIMESTAMP, VARCHAR, SqlType, decimal
from minisql.expression.nodes import Value

D = Decimal


@pytest.mark.parametrize(
    ("type_", "arrow", "values"),
    [
        (BOOLEAN, pa.bool_(), [True, None, False]),
        (INTEGER, pa.int32(), [1, None, -(2**31)]),
        (BIGINT, pa.int64(), [1, None, -(2**63)]),
        (DOUBLE, pa.float64(), [1.5, None, float("inf")]),
        (decimal(5, 2), pa.decimal128(5, 2), [D("1.50"), None, D("-999.99")]),
        (decimal(38, 0), pa.decimal128(38, 0), [D(10**38 - 1), None, D(1 - 10**38), D(2**64), D(-1)]),
        (decimal(38, 45), pa.decimal256(76, 45), [D("1e-45"), None, D("-2e-45"), D(f"-{10**37}e-45")]),
        (VARCHAR, pa.large_string(), ["", None, "äöü"]),
        (DATE, pa.date32(), [datetime.date(1, 1, 1), None, datetime.date(9999, 12, 31)]),
        (TIMESTAMP, pa.timestamp("us"), [datetime.datetime(1, 1, 1), None, datetime.datetime(2020, 1, 1, 1, 2, 3, 4)]),
        (NULL, pa.null(), [None, None]),
    ],
)
def test_values_go_out_and_come_back(type_: SqlType, arrow: pa.DataType, values: list[Value]) -> None:
    assert arrow_type(type_) == arrow
    for some in (values, [value for value in values if value is not None]):
        array = to_arrow(from_values(some, type_))
        assert array.type == arrow
        array.validate(full=True)
        assert array.to_pylist() == some
        if type_ not in (NULL, decimal(38, 45)):
            assert to_values(from_arrow(array, "x")) == some


def test_what_a_null_hides_does_not_come_out() -> None:
    garbage = Column(decimal(38, 0), np.array([10**60, 7], np.object_), np.array([False, True]))
    assert to_arrow(garbage).to_pylist() == [None, D(7)]
    assert to_arrow(all_null(VARCHAR, 2)).to_pylist() == [None, None]


def test_a_table_of_batches_with_names_that_occur_twice() -> None:
    batch = Batch([from_values([1, 2, 3], INTEGER), from_values(["a", None, "c"], VARCHAR)], 3)
    table = to_arrow_table([batch, batch.select(np.array([2]))], ["x", "x"], [INTEGER, VARCHAR])
    assert table.column_names == ["x", "x"]
    assert table.column(0).to_pylist() == [1, 2, 3, 3]
    assert table.column(1).to_pylist() == ["a", None, "c", "c"]
    assert to_arrow_table([], ["y"], [BIGINT]).schema == pa.schema([("y", pa.int64())])


def test_numbers_without_nulls_are_shared() -> None:
    column = from_values([1, 2, 3], BIGINT)
    assert to_arrow(column).buffers()[1].address == column.values.ctypes.data
