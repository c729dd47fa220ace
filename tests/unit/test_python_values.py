from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pytest

from minisql.columnar.column import Column
from minisql.columnar.python_values import from_values, physical_value, to_values
from minisql.datatypes import BIGINT, BOOLEAN, DATE, DOUBLE, INTEGER, NULL, TIMESTAMP, VARCHAR, SqlType, decimal
from minisql.errors import InternalError
from minisql.expression.nodes import Value


@pytest.mark.parametrize(
    ("type_", "values", "bounds"),
    [
        (INTEGER, [3, None, -1], (-1, 3)),
        (BIGINT, [2**63 - 1, -(2**63)], (-(2**63), 2**63 - 1)),
        (DOUBLE, [1.5, None], None),
        (BOOLEAN, [True, None, False], None),
        (decimal(5, 2), [Decimal("1.50"), None, Decimal("-0.01")], (-1, 150)),
        (decimal(38, 0), [Decimal(10**37), Decimal(1)], (1, 10**37)),
        (DATE, [datetime.date(1970, 1, 2), None], (1, 1)),
        (TIMESTAMP, [datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999)], (-1, -1)),
        (VARCHAR, ["a", None, "", "a"], None),
        (VARCHAR, [None, None], None),
        (NULL, [None], None),
    ],
)
def test_values_come_back_as_they_were(type_: SqlType, values: list[Value], bounds: tuple[int, int] | None) -> None:
    column = from_values(values, type_)
    assert column.type == type_
    assert column.bounds == bounds
    assert (column.valid is None) == (None not in values)
    assert to_values(column) == values
    assert to_values(from_values([], type_)) == []


def test_equal_strings_share_a_place_in_the_pool() -> None:
    column = from_values(["b", "a", "b"], VARCHAR)
    assert column.pool is not None
    assert column.pool.distinct
    assert column.values.tolist() == [0, 1, 0]


def test_an_int_in_a_column_of_doubles_or_decimals() -> None:
    assert to_values(from_values([1, 2.5], DOUBLE)) == [1.0, 2.5]
    assert to_values(from_values([1, Decimal("2.5")], decimal(3, 1))) == [Decimal("1.0"), Decimal("2.5")]


def test_decimals_keep_their_scale() -> None:
    assert [str(value) for value in to_values(from_values([Decimal(1), Decimal("1e3")], decimal(9, 2)))] == [
        "1.00",
        "1000.00",
    ]
    wide = Column(decimal(38, 2), np.array([10**37 + 1], np.object_))
    assert str(to_values(wide)[0]) == "100000000000000000000000000000000000.01"


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("a", INTEGER),
        (1, VARCHAR),
        (Decimal("1.55"), decimal(3, 1)),
        (1.5, BIGINT),
        (datetime.date(2020, 1, 1), TIMESTAMP),
    ],
)
def test_a_value_of_another_type_is_a_bug(value: Value, type_: SqlType) -> None:
    with pytest.raises(InternalError):
        from_values([value], type_)
    if type_ != VARCHAR:
        with pytest.raises(InternalError):
            physical_value(value, type_)
