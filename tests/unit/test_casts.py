from __future__ import annotations

import datetime
import math
from decimal import Decimal

import numpy as np
import pytest

from minisql.columnar.column import Column
from minisql.columnar.python_values import from_values
from minisql.columnar.strings import string_column
from minisql.datatypes import BIGINT, BOOLEAN, DATE, DOUBLE, INTEGER, TIMESTAMP, VARCHAR, SqlType, decimal
from minisql.errors import DataError
from minisql.expression.nodes import Value
from tests.expressions import SPAN, cast, lit, ref, value, values, varying

MONEY = decimal(5, 2)
D = Decimal
date, datetime_ = datetime.date, datetime.datetime


@pytest.mark.parametrize(
    ("source", "given", "target", "expected"),
    [
        # DOUBLE to integers: halves to the even one; exact numbers: halves away from zero.
        (DOUBLE, 0.5, INTEGER, 0), (DOUBLE, 1.5, INTEGER, 2), (DOUBLE, 2.5, INTEGER, 2), (DOUBLE, -2.5, INTEGER, -2),
        (DOUBLE, -9223372036854775808.0, BIGINT, -(2**63)), (DOUBLE, 2147483647.4, INTEGER, 2**31 - 1),
        (MONEY, D("2.50"), INTEGER, 3), (MONEY, D("-2.50"), INTEGER, -3), (MONEY, D("-2.49"), INTEGER, -2),
        (MONEY, D("1.25"), decimal(3, 1), D("1.3")), (MONEY, D("-1.25"), decimal(3, 1), D("-1.3")),
        (decimal(38, 0), D(10**36), decimal(38, 1), D(10**36)),
        (DOUBLE, 1.005, MONEY, D("1.01")), (DOUBLE, 0.615, MONEY, D("0.62")), (DOUBLE, 2.5, decimal(3, 0), D(3)),
        (DOUBLE, 1e25, decimal(38, 2), D(10**25)), (DOUBLE, 0.1, decimal(38, 30), D("0.1")),
        (INTEGER, -7, MONEY, D(-7)), (INTEGER, 7, DOUBLE, 7.0), (MONEY, D("0.10"), DOUBLE, 0.1),
        (decimal(38, 20), D("0.1"), DOUBLE, 0.1), (decimal(38, 0), D(2**60 + 1), DOUBLE, float(2**60 + 1)),
        (BOOLEAN, True, INTEGER, 1), (BIGINT, 5, BOOLEAN, True), (BIGINT, 0, BOOLEAN, False),
        (DATE, date(1969, 12, 31), TIMESTAMP, datetime_(1969, 12, 31)),
        (TIMESTAMP, datetime_(1969, 12, 31, 23, 59), DATE, date(1969, 12, 31)),
        # To text.
        (DOUBLE, 1.0, VARCHAR, "1.0"), (DOUBLE, 0.1 + 0.2, VARCHAR, "0.30000000000000004"),
        (DOUBLE, 1e15, VARCHAR, "1000000000000000.0"), (DOUBLE, 1e16, VARCHAR, "1e+16"),
        (DOUBLE, 1e-5, VARCHAR, "1e-05"),
        (DOUBLE, -1e22, VARCHAR, "-1e+22"), (DOUBLE, -0.0, VARCHAR, "-0.0"), (DOUBLE, math.inf, VARCHAR, "inf"),
        (DOUBLE, 0.0001, VARCHAR, "0.0001"), (DOUBLE, 123456.5, VARCHAR, "123456.5"),
        (MONEY, D("-0.05"), VARCHAR, "-0.05"), (MONEY, D("1.50"), VARCHAR, "1.50"),
        (decimal(9, 9), D("1e-9"), VARCHAR, "0.000000001"),
        (decimal(38, 2), D("-123456789012345678901234567890.12"), VARCHAR, "-123456789012345678901234567890.12"),
        (BIGINT, -(2**63), VARCHAR, "-9223372036854775808"),
        (decimal(19, 0), D(-(2**63)), VARCHAR, "-9223372036854775808"),
        (BOOLEAN, True, VARCHAR, "true"), (BOOLEAN, False, VARCHAR, "false"),
        (DATE, date(1, 2, 3), VARCHAR, "0001-02-03"),
        (TIMESTAMP, datetime_(2013, 1, 2, 3, 4, 5), VARCHAR, "2013-01-02 03:04:05"),
        (TIMESTAMP, datetime_(2013, 1, 2, 3, 4, 10, 500000), VARCHAR, "2013-01-02 03:04:10.5"),
        # From text.
        (VARCHAR, " 12 ", INTEGER, 12), (VARCHAR, "+12", BIGINT, 12), (VARCHAR, "-0012", INTEGER, -12),
        (VARCHAR, "0" * 30 + "7", INTEGER, 7), (VARCHAR, "-9223372036854775808", BIGINT, -(2**63)),
        (VARCHAR, "1.5", DOUBLE, 1.5), (VARCHAR, "+.5e1", DOUBLE, 5.0), (VARCHAR, "-Infinity", DOUBLE, -math.inf),
        (VARCHAR, "1.005", MONEY, D("1.01")), (VARCHAR, "-1.005", MONEY, D("-1.01")),
        (VARCHAR, "1.00499999999999999999", MONEY, D("1.00")),
        (VARCHAR, "1e2", MONEY, D(100)), (VARCHAR, ".5", MONEY, D("0.50")), (VARCHAR, "5.", MONEY, D(5)),
        (VARCHAR, "-0.004", MONEY, D(0)),
        (VARCHAR, "123456789012345678901234.567", decimal(38, 2), D("123456789012345678901234.57")),
        (VARCHAR, "1e-100", MONEY, D(0)),
        (VARCHAR, "TRUE", BOOLEAN, True), (VARCHAR, " no ", BOOLEAN, False), (VARCHAR, "0", BOOLEAN, False),
        (VARCHAR, "2012-02-29", DATE, date(2012, 2, 29)), (VARCHAR, "2012-2-9", DATE, date(2012, 2, 9)),
        (VARCHAR, "2012-02-29 23:59", DATE, date(2012, 2, 29)),
        (VARCHAR, "2012-02-29", TIMESTAMP, datetime_(2012, 2, 29)),
        (VARCHAR, "2012-02-29T01:02", TIMESTAMP, datetime_(2012, 2, 29, 1, 2)),
        (VARCHAR, "2012-02-29 1:02:03.0000005", TIMESTAMP, datetime_(2012, 2, 29, 1, 2, 3, 1)),
        (VARCHAR, "2012-03-01 00:30:00+01", TIMESTAMP, datetime_(2012, 2, 29, 23, 30)),
        (VARCHAR, "2012-03-01 00:30:00-00:45", TIMESTAMP, datetime_(2012, 3, 1, 1, 15)),
    ],
)  # fmt: skip
def test_casts(source: SqlType, given: Value, target: SqlType, expected: Value) -> None:
    assert value(cast(lit(given, source), target)) == expected
    assert type(value(cast(lit(given, source), target))) is type(expected)
    assert values(cast(ref(0, source), target), from_values([given, None, given], source)) == [expected, None, expected]


@pytest.mark.parametrize(
    ("source", "given", "target", "message"),
    [
        (VARCHAR, "abc", INTEGER, "invalid input for INTEGER: 'abc'"),
        (VARCHAR, "", BIGINT, "invalid input for BIGINT: ''"),
        (VARCHAR, "1.5", INTEGER, "invalid input for INTEGER: '1.5'"),
        (VARCHAR, "0x1F", INTEGER, "invalid input for INTEGER: '0x1F'"),
        (VARCHAR, "12 3", DOUBLE, "invalid input for DOUBLE: '12 3'"),
        (VARCHAR, "1e", MONEY, "invalid input for DECIMAL(5,2): '1e'"),
        (VARCHAR, "1_0", DOUBLE, "invalid input for DOUBLE: '1_0'"),
        (VARCHAR, ".", MONEY, "invalid input for DECIMAL(5,2): '.'"),
        (VARCHAR, "2147483648", INTEGER, "value out of range for INTEGER: 2147483648"),
        (VARCHAR, "9" * 30, BIGINT, "value out of range for BIGINT: " + "9" * 30),
        (VARCHAR, "1e400", DOUBLE, "value out of range for DOUBLE: 1e400"),
        (VARCHAR, "1000", MONEY, "value out of range for DECIMAL(5,2): 1000"),
        (VARCHAR, "1e999999999", MONEY, "value out of range for DECIMAL(5,2): 1e999999999"),
        (VARCHAR, "999.995", MONEY, "value out of range for DECIMAL(5,2): 999.995"),
        (VARCHAR, "2013-02-29", DATE, "invalid input for DATE: '2013-02-29'"),
        (VARCHAR, "2013-13-01", DATE, "invalid input for DATE: '2013-13-01'"),
        (VARCHAR, "0000-01-01", DATE, "invalid input for DATE: '0000-01-01'"),
        (VARCHAR, "20130101", DATE, "invalid input for DATE: '20130101'"),
        (VARCHAR, "2013-01-01 24:00", TIMESTAMP, "invalid input for TIMESTAMP: '2013-01-01 24:00'"),
        (VARCHAR, "maybe", BOOLEAN, "invalid input for BOOLEAN: 'maybe'"),
        (DOUBLE, 2147483647.5, INTEGER, "value out of range for INTEGER: 2147483647.5"),
        (DOUBLE, math.nan, BIGINT, "value out of range for BIGINT: nan"),
        (DOUBLE, 9223372036854775807.0, BIGINT, "value out of range for BIGINT: 9.223372036854776e+18"),
        (DOUBLE, math.inf, MONEY, "value out of range for DECIMAL(5,2): inf"),
        (BIGINT, 2**31, INTEGER, "value out of range for INTEGER: 2147483648"),
        (MONEY, D("999.99"), decimal(3, 0), "value out of range for DECIMAL(3,0): 999.99"),
        (BIGINT, 1000, MONEY, "value out of range for DECIMAL(5,2): 1000"),
        (decimal(38, 0), D(10**30), BIGINT, f"value out of range for BIGINT: {10**30}"),
    ],
)  # fmt: skip
def test_what_the_target_does_not_have(source: SqlType, given: Value, target: SqlType, message: str) -> None:
    for column in (from_values([given], source), varying(given, source)):
        with pytest.raises(DataError) as caught:
            values(cast(ref(0, source), target), column)
        assert caught.value.message == message
        assert caught.value.span == SPAN


def test_only_texts_of_rows_that_count_raise() -> None:
    numbers = from_values(["1", "bad", "3"], VARCHAR)
    alive = numbers.take(np.array([0, 2, 0]))
    assert values(cast(ref(0, VARCHAR), INTEGER), alive) == [1, 3, 1]
    null = Column(VARCHAR, numbers.values, np.array([True, False, True]), numbers.pool)
    assert values(cast(ref(0, VARCHAR), INTEGER), null) == [1, None, 3]


def test_a_number_that_was_not_null_is_not_asked() -> None:
    garbage = Column(DOUBLE, np.array([math.nan, 1.5]), np.array([False, True]))
    assert values(cast(ref(0, DOUBLE), INTEGER), garbage) == [None, 2]
    assert values(cast(ref(0, DOUBLE), MONEY), garbage) == [None, D("1.50")]


def test_a_number_for_each_row_is_read_as_from_a_dictionary() -> None:
    strings = from_values([str(number) for number in range(100)], VARCHAR)
    assert strings.pool is not None
    plain = string_column(strings.pool.strings, None)
    assert values(cast(ref(0, VARCHAR), BIGINT), plain) == list(range(100))
    assert values(cast(ref(0, VARCHAR), BIGINT), plain.take(np.array([7]))) == [7]


def test_doubles_read_back_as_they_were() -> None:
    random = np.random.default_rng(1)
    doubles = random.integers(0, 2**63, 2000, dtype=np.int64).view(np.float64)
    texts = values(cast(ref(0, DOUBLE), VARCHAR), Column(DOUBLE, doubles))
    assert texts == [repr(number) for number in doubles.tolist()]
    again = values(cast(cast(ref(0, DOUBLE), VARCHAR), DOUBLE), Column(DOUBLE, doubles))
    assert repr(again) == repr(doubles.tolist())
