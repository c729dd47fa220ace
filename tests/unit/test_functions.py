from __future__ import annotations

import datetime
import math
from decimal import Decimal

import numpy as np
import pytest

from minisql.columnar.column import Batch, Column
from minisql.columnar.python_values import from_values, to_values
from minisql.columnar.strings import string_column
from minisql.datatypes import BIGINT, DATE, DOUBLE, INTEGER, TIMESTAMP, VARCHAR, SqlType, decimal
from minisql.errors import DataError
from minisql.execution.evaluate import compile_expression
from minisql.expression.date_functions import EXTRACT_FIELDS
from minisql.expression.nodes import ColumnId, Value
from tests import naive
from tests.expressions import SPAN, call, column, lit, ref, value, values

MONEY = decimal(5, 2)


@pytest.mark.parametrize(
    ("type_", "number", "digits", "expected"),
    [
        (DOUBLE, 0.5, None, 1.0), (DOUBLE, -2.5, None, -3.0), (DOUBLE, 0.49999999999999994, None, 0.0),
        (DOUBLE, 4503599627370497.5, None, 4503599627370498.0), (DOUBLE, math.inf, None, math.inf),
        (DOUBLE, 2.345, 2, 2.35), (DOUBLE, 1250.0, -2, 1300.0), (DOUBLE, 1e300, 20, 1e300), (DOUBLE, 1e300, -400, 0.0),
        (DOUBLE, 1.5, 400, 1.5),
        (INTEGER, 1250, -2, 1300), (INTEGER, -1250, -2, -1300), (INTEGER, 1249, -2, 1200), (INTEGER, 7, 3, 7),
        (INTEGER, 7, -100, 0), (BIGINT, 2**62, -18, 5 * 10**18),
        (MONEY, Decimal("2.50"), None, Decimal(3)), (MONEY, Decimal("-0.50"), None, Decimal(-1)),
        (MONEY, Decimal("999.99"), None, Decimal(1000)), (MONEY, Decimal("999.99"), 1, Decimal("1000.00")),
        (MONEY, Decimal("1.25"), 1, Decimal("1.30")), (MONEY, Decimal("155.00"), -1, Decimal("160.00")),
        (decimal(38, 2), Decimal(10**30), -30, Decimal(10**30)),
    ],
)  # fmt: skip
def test_round(type_: SqlType, number: Value, digits: int | None, expected: Value) -> None:
    if digits is None:
        assert value(call("round", lit(number, type_))) == expected
        return
    assert value(call("round", lit(number, type_), lit(digits, INTEGER))) == expected
    numbers, counts = from_values([number, number, None], type_), from_values([digits, 0, None], INTEGER)
    assert values(call("round", ref(0, type_), ref(1, INTEGER)), numbers, counts)[0] == expected


def test_round_and_abs_out_of_range() -> None:
    for expression, message in [
        (call("round", lit(2**31 - 1, INTEGER), lit(-1, INTEGER)), "integer out of range: round(2147483647, -1)"),
        (call("abs", lit(-(2**31), INTEGER)), "integer out of range: -(-2147483648)"),
    ]:
        with pytest.raises(DataError) as caught:
            value(expression)
        assert caught.value.message == message
        assert caught.value.span == SPAN


def test_abs_of_every_type() -> None:
    assert values(call("abs", ref(0, INTEGER)), from_values([-3, 0, None, 4], INTEGER)) == [3, 0, None, 4]
    assert values(call("abs", ref(0, MONEY)), from_values([Decimal("-1.25")], MONEY)) == [Decimal("1.25")]
    wide = decimal(38, 0)
    assert values(call("abs", ref(0, wide)), from_values([Decimal(-(10**30))], wide)) == [Decimal(10**30)]
    assert column(call("abs", ref(0, INTEGER)), from_values([-3, 2], INTEGER)).bounds == (0, 3)


@pytest.mark.parametrize("field", EXTRACT_FIELDS)
def test_extract(field: str) -> None:
    days = [datetime.date(1, 1, 1) + datetime.timedelta(days=step) for step in range(0, 3_652_000, 9_973)]
    days += [
        datetime.date(2012, 12, 31),
        datetime.date(2021, 1, 3),
        datetime.date(1969, 12, 29),
        datetime.date(2020, 2, 29),
    ]
    moments = [datetime.datetime(day.year, day.month, day.day, 23, 59, 58, 999_999) for day in days]
    extract = call("extract", lit(field, VARCHAR), ref(0, DATE))
    assert values(extract, from_values(days, DATE)) == [naive.extract(field, day) for day in days]
    few = days[:200:20]
    assert values(extract, from_values(few, DATE)) == [naive.extract(field, day) for day in few]
    extract = call("extract", lit(field, VARCHAR), ref(0, TIMESTAMP))
    assert values(extract, from_values(moments, TIMESTAMP)) == [naive.extract(field, moment) for moment in moments]


def test_extract_over_batches_with_other_days_and_nulls_out_of_range() -> None:
    run = compile_expression(call("extract", lit("year", VARCHAR), ref(0, DATE)), [ColumnId(0, 0)])
    for year in (2000, 1990, 2030):
        dates = from_values([datetime.date(year, 7, 1), None], DATE)
        garbage = Column(
            DATE, np.where([True, False], dates.values, np.int32(2**31 - 1)), dates.valid, None, dates.bounds
        )
        assert to_values(run(Batch([garbage], 2))) == [year, None]


# --- strings ----------------------------------------------------------------------------------------------------------

TEXTS = ["", "a", "abc", "äöü", "a😀b", "  x ", "xxabcxx", None]


def both_kinds(texts: list[str | None]) -> list[Column]:
    """The same strings in a pool of distinct ones, and in a pool with one for each row."""
    dictionary = from_values(texts, VARCHAR)
    assert dictionary.pool is not None
    plain = string_column(dictionary.pool.strings.take(dictionary.values), dictionary.valid)
    return [dictionary, plain]


@pytest.mark.parametrize("name", ["lower", "upper", "length", "trim", "ltrim", "rtrim"])
def test_functions_of_one_string(name: str) -> None:
    expected = [None if text is None else naive.FUNCTIONS[name](VARCHAR, text) for text in TEXTS]
    for texts in both_kinds(TEXTS):
        assert values(call(name, ref(0, VARCHAR)), texts) == expected


@pytest.mark.parametrize("start", [-(2**31), -1, 0, 1, 2, 3, 4, 9, 2**31 - 1])
@pytest.mark.parametrize("count", [None, 0, 1, 2, 5, 2**31 - 1])
def test_substring(start: int, count: int | None) -> None:
    expected = [None if text is None else naive.substring(text, start, count) for text in TEXTS]
    numbers = [start] if count is None else [start, count]
    constants = call("substring", ref(0, VARCHAR), *[lit(number, INTEGER) for number in numbers])
    columns = call("substring", ref(0, VARCHAR), *[ref(1 + place, INTEGER) for place in range(len(numbers))])
    number_columns = [from_values([number] * len(TEXTS), INTEGER) for number in numbers]
    for texts in both_kinds(TEXTS):
        assert values(constants, texts) == expected
        assert values(columns, texts, *number_columns) == expected
    one = call("substring", lit("a😀b", VARCHAR), *[ref(place, INTEGER) for place in range(len(numbers))])
    assert values(one, *number_columns) == [naive.substring("a😀b", start, count)] * len(TEXTS)


def test_a_negative_count_raises_where_no_argument_is_null() -> None:
    substring = call("substring", ref(0, VARCHAR), lit(1, INTEGER), ref(1, INTEGER))
    assert values(substring, from_values(["ab", None], VARCHAR), from_values([1, -1], INTEGER)) == ["a", None]
    with pytest.raises(DataError) as caught:
        values(substring, from_values(["ab", "cd"], VARCHAR), from_values([1, -1], INTEGER))
    assert caught.value.message == "negative substring length not allowed"
    assert caught.value.span == SPAN


@pytest.mark.parametrize("name", ["trim", "ltrim", "rtrim"])
def test_trim_of_characters(name: str) -> None:
    sets = ["x", "", "xa", "äü", " ", "x", "cx", "x"]
    expected = [None if t is None else naive.FUNCTIONS[name](VARCHAR, t, s) for t, s in zip(TEXTS, sets, strict=True)]
    for texts in both_kinds(TEXTS):
        assert values(call(name, ref(0, VARCHAR), ref(1, VARCHAR)), texts, from_values(sets, VARCHAR)) == expected
        for characters in sets:
            expected_all = [None if t is None else naive.FUNCTIONS[name](VARCHAR, t, characters) for t in TEXTS]
            assert values(call(name, ref(0, VARCHAR), lit(characters, VARCHAR)), texts) == expected_all
    assert values(call(name, lit("xax", VARCHAR), ref(0, VARCHAR)), from_values(["x", "ax"], VARCHAR)) == [
        naive.FUNCTIONS[name](VARCHAR, "xax", "x"), ""
    ]  # fmt: skip


def test_concat() -> None:
    for texts in both_kinds(TEXTS):
        before = [None if text is None else "<" + text for text in TEXTS]
        twice = [None if text is None else text + text for text in TEXTS]
        assert values(call("||", lit("<", VARCHAR), ref(0, VARCHAR)), texts) == before
        assert values(call("||", ref(0, VARCHAR), ref(0, VARCHAR)), texts) == twice


def test_what_is_computed_on_a_dictionary_is_a_dictionary_again() -> None:
    result = column(call("upper", ref(0, VARCHAR)), from_values(["a", "A", "b", "a"], VARCHAR))
    assert result.pool is not None
    assert result.pool.distinct
    assert sorted(result.pool.strings.to_pylist()) == ["A", "B"]


def test_a_large_dictionary_is_not_computed_for_a_few_rows() -> None:
    large = from_values([str(number) for number in range(1000)], VARCHAR)
    run = compile_expression(call("||", ref(0, VARCHAR), lit("!", VARCHAR)), [ColumnId(0, 0)])
    few = run(Batch([large.take(np.array([5, 7]))], 2))
    assert to_values(few) == ["5!", "7!"]
    assert few.pool is not None
    assert len(few.pool) == 2
    # Once as many rows have asked as it has strings, it is computed, and then shared by all batches.
    pools = {id(run(Batch([large.take(np.arange(100))], 100)).pool) for _ in range(20)}
    assert len(pools) < 10
