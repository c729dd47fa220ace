from __future__ import annotations

import datetime
import math
from decimal import Decimal

import numpy as np
import pytest

from minisql.columnar.column import Batch, Column
from minisql.columnar.python_values import from_values, to_values
from minisql.datatypes import BIGINT, BOOLEAN, DATE, DOUBLE, INTEGER, VARCHAR, decimal
from minisql.errors import DataError, InternalError
from minisql.execution.evaluate import compile_expression, compile_predicate, literal_columns
from minisql.expression.nodes import (
    And,
    Case,
    Coalesce,
    ColumnId,
    Expression,
    InList,
    IsDistinctFrom,
    IsNull,
    Negate,
    Or,
)
from tests.expressions import SPAN, arith, call, cast, column, compare, lit, ref, rows, value, values

X, Y = ref(0, INTEGER), ref(1, INTEGER)
BIG = ref(0, BIGINT)
NAN = math.nan


# --- arithmetic -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operator", "left", "right", "expected"),
    [
        ("/", 7, 2, 3), ("/", -7, 2, -3), ("/", 7, -2, -3), ("/", -7, -2, 3),
        ("%", 7, 3, 1), ("%", -7, 3, -1), ("%", 7, -3, 1), ("%", -7, -3, -1), ("%", 6, 3, 0),
        ("+", 2**31 - 2, 1, 2**31 - 1), ("*", -(2**16), 2**15, -(2**31)),
    ],
)  # fmt: skip
def test_integers(operator: str, left: int, right: int, expected: int) -> None:
    assert value(arith(operator, lit(left, INTEGER), lit(right, INTEGER))) == expected
    assert values(arith(operator, X, Y), from_values([left], INTEGER), from_values([right], INTEGER)) == [expected]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (arith("+", lit(2**31 - 1, INTEGER), lit(1, INTEGER)), "integer out of range: 2147483647 + 1"),
        (arith("/", lit(-(2**31), INTEGER), lit(-1, INTEGER)), "integer out of range: -2147483648 / -1"),
        (arith("*", lit(2**62, BIGINT), lit(2, BIGINT)), "bigint out of range: 4611686018427387904 * 2"),
        (arith("/", lit(-(2**63), BIGINT), lit(-1, BIGINT)), "bigint out of range: -9223372036854775808 / -1"),
        (Negate(operand=lit(-(2**31), INTEGER), type=INTEGER, span=SPAN), "integer out of range: -(-2147483648)"),
        (call("abs", lit(-(2**63), BIGINT)), "bigint out of range: -(-9223372036854775808)"),
        (arith("+", lit(datetime.date(9999, 12, 31), DATE), lit(1, INTEGER)), "date out of range: 9999-12-31 + 1"),
        (arith("/", lit(1, INTEGER), lit(0, INTEGER)), "division by zero"),
        (arith("%", lit(1.0, DOUBLE), lit(0.0, DOUBLE)), "division by zero"),
        (arith("/", lit(1.0, DOUBLE), lit(-0.0, DOUBLE)), "division by zero"),
        (
            arith("*", lit(Decimal(10**20), decimal(38, 0)), lit(Decimal(10**18), decimal(38, 0))),
            "decimal out of range: 100000000000000000000 * 1000000000000000000",
        ),
    ],
)
def test_what_has_no_result_raises_at_its_operator(expression: Expression, message: str) -> None:
    with pytest.raises(DataError) as caught:
        value(expression)
    assert caught.value.message == message
    assert caught.value.span == SPAN


def test_only_rows_that_count_raise() -> None:
    divisor = Column(INTEGER, np.array([0, 0, 2], np.int32), np.array([False, True, True]))
    batch = Batch([from_values([1, None, 3], INTEGER), divisor], 3)
    divide = compile_expression(arith("/", X, Y), [X.column, Y.column])
    assert to_values(divide(batch)) == [None, None, 1]
    with pytest.raises(DataError):
        divide(Batch([from_values([1, 2, 3], INTEGER), divisor], 3))
    assert to_values(divide(Batch([from_values([1, 2, 3], INTEGER), divisor], 3).select(np.array([0, 2])))) == [None, 1]


def test_an_overflow_of_a_null_row_is_none() -> None:
    garbage = Column(BIGINT, np.array([2**63 - 1, 5]), np.array([False, True]))
    assert values(arith("+", BIG, lit(1, BIGINT)), garbage) == [None, 6]
    narrow = Column(INTEGER, np.array([2**31 - 1, 5], np.int32), np.array([False, True]), None, (5, 5))
    assert values(arith("+", X, lit(1, INTEGER)), narrow) == [None, 6]


def test_bounds_are_carried_through_arithmetic() -> None:
    discount = Column(decimal(15, 2), np.array([0, 10]), None, None, (0, 10))
    one = lit(Decimal(1), decimal(10, 0))
    result = column(arith("*", ref(0, discount.type), arith("-", one, ref(0, discount.type))), discount)
    assert result.bounds == (0, 1000)
    assert result.values.dtype == np.int64
    assert to_values(result) == [Decimal("0.0000"), Decimal("0.0900")]


def test_decimals_grow_beyond_64_bits_and_come_back() -> None:
    wide = from_values([Decimal(10**17), Decimal(3)], decimal(18, 0))
    product = arith("*", ref(0, wide.type), ref(0, wide.type))
    assert values(product, wide) == [Decimal(10**34), Decimal(9)]
    assert values(arith("%", product, lit(Decimal(7), decimal(1, 0))), wide) == [Decimal(10**34 % 7), Decimal(2)]
    assert column(arith("-", product, product), wide).values.dtype == np.int64


def test_inner_results_are_overwritten_but_no_columns_and_no_constants() -> None:
    x = from_values([1.0], DOUBLE)
    inner = arith("+", ref(0, DOUBLE), lit(1.0, DOUBLE))
    constant = arith("+", lit(1.0, DOUBLE), lit(2.0, DOUBLE))
    run = compile_expression(
        arith("*", arith("+", inner, inner), arith("-", constant, ref(0, DOUBLE))), [ColumnId(0, 0)]
    )
    for _ in range(3):
        assert to_values(run(Batch([x], 1))) == [8.0]
    assert to_values(x) == [1.0]


def test_the_quotient_of_decimals_is_that_of_their_doubles() -> None:
    quotient = arith("/", lit(Decimal("1.0"), decimal(2, 1)), lit(Decimal("0.30"), decimal(3, 2)))
    assert quotient.type == DOUBLE
    assert value(quotient) == 1.0 / 0.3


def test_doubles_follow_ieee_754() -> None:
    assert value(arith("*", lit(1e300, DOUBLE), lit(1e300, DOUBLE))) == math.inf
    assert values(arith("%", ref(0, DOUBLE), lit(2.5, DOUBLE)), from_values([7.0, -7.0], DOUBLE)) == [2.0, -2.0]


# --- comparisons ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", [(1.0, NAN), (NAN, 1.0), (NAN, NAN), (1.0, 2.0), (math.inf, NAN), (NAN, -math.inf)])
@pytest.mark.parametrize("operator", ["=", "<>", "<", "<=", ">", ">="])
def test_nan_is_equal_to_itself_and_greater_than_all(operator: str, pair: tuple[float, float]) -> None:
    left, right = [(2, 0.0) if math.isnan(v) else (1, v) for v in pair]
    python = {"=": left == right, "<>": left != right, "<": left < right, "<=": left <= right,
              ">": left > right, ">=": left >= right}  # fmt: skip
    a, b = (from_values([v, v, 5.0], DOUBLE) for v in pair)
    assert values(compare(operator, ref(0, DOUBLE), ref(1, DOUBLE)), a, b)[:2] == [python[operator]] * 2
    assert values(compare(operator, ref(0, DOUBLE), lit(pair[1], DOUBLE)), a)[:2] == [python[operator]] * 2
    assert values(compare(operator, lit(pair[0], DOUBLE), ref(0, DOUBLE)), b)[:2] == [python[operator]] * 2


def test_strings_compare_by_their_bytes() -> None:
    strings = from_values(["Z", "a", "é", "ﬀ", "😀"], VARCHAR)
    for operator in ("<", ">="):
        expected = [(text.encode() < "é".encode()) is (operator == "<") for text in ["Z", "a", "é", "ﬀ", "😀"]]
        assert values(compare(operator, ref(0, VARCHAR), lit("é", VARCHAR)), strings) == expected


def test_a_comparison_follows_the_pool_from_batch_to_batch() -> None:
    equal = compile_expression(compare("=", ref(0, VARCHAR), lit("b", VARCHAR)), [ColumnId(0, 0)])
    for strings in (["a", "b"], ["b", "c"], ["x", None], ["b", "b"]):
        expected = [None if text is None else text == "b" for text in strings]
        assert to_values(equal(Batch([from_values(strings, VARCHAR)], 2))) == expected


def test_is_distinct_from_a_constant_null() -> None:
    x = from_values([1, None], INTEGER)
    expression = IsDistinctFrom(left=X, right=lit(None, INTEGER), negated=False)
    assert values(expression, x) == [True, False]
    assert values(IsDistinctFrom(left=lit(None, INTEGER), right=X, negated=True), x) == [False, True]


# --- IN ---------------------------------------------------------------------------------------------------------------


SPARSE = [3 + 10**6 * k for k in range(100)]
EXTREMES = [-(2**63), 2**63 - 1, 3, 4, 5]


@pytest.mark.parametrize("items", [[3], [3, 5, 7], list(range(0, 300, 3)), SPARSE, EXTREMES])
def test_in_lists_of_every_shape(items: list[int]) -> None:
    numbers = [3, 4, -1, 2**63 - 1, -(2**63), 299, None, 1000003]
    found = InList(operand=BIG, items=tuple(lit(item, BIGINT) for item in items), negated=False)
    assert values(found, from_values(numbers, BIGINT)) == [None if n is None else n in items for n in numbers]


def test_null_in_a_list_makes_a_miss_unknown() -> None:
    x = from_values([1, 2, None], INTEGER)
    items = (lit(1, INTEGER), lit(None, INTEGER))
    assert values(InList(operand=X, items=items, negated=False), x) == [True, None, None]
    assert values(InList(operand=X, items=items, negated=True), x) == [False, None, None]
    assert values(InList(operand=X, items=(lit(None, INTEGER),), negated=True), x) == [None, None, None]


def test_a_list_of_100_000_items_is_prepared_at_once() -> None:
    items = tuple(cast(lit(number, INTEGER), BIGINT) for number in range(0, 200_000, 2))
    groups, others = literal_columns(items)
    assert [len(places) for places, _ in groups] == [100_000]
    assert others == []
    found = InList(operand=BIG, items=items, negated=False)
    assert values(found, from_values([4, 5, 199_998, 200_000], BIGINT)) == [True, False, True, False]


def test_a_bad_cast_in_a_list_names_its_place() -> None:
    items = (cast(lit("1", VARCHAR), INTEGER), cast(lit("one", VARCHAR), INTEGER))
    with pytest.raises(DataError, match="invalid input for INTEGER: 'one'") as caught:
        values(InList(operand=X, items=items, negated=False), from_values([1], INTEGER))
    assert caught.value.span == SPAN


# --- branches ---------------------------------------------------------------------------------------------------------


def test_a_branch_is_evaluated_on_its_rows_alone() -> None:
    x = from_values([0, 2, None, 5], INTEGER)
    quotient = arith("/", lit(10, INTEGER), X)
    guarded = Case(branches=((compare("<>", X, lit(0, INTEGER)), quotient),), otherwise=lit(-1, INTEGER), type=INTEGER)
    assert values(guarded, x) == [-1, 5, -1, 2]
    never = Case(branches=((IsNull(operand=X, negated=False), quotient),), otherwise=X, type=INTEGER)
    assert values(never, from_values([0, 1], INTEGER)) == [0, 1]
    assert values(Coalesce(operands=(X, quotient), type=INTEGER), from_values([0, 3], INTEGER)) == [0, 3]


def test_a_constant_that_fails_raises_when_a_row_reaches_it() -> None:
    fails = arith("/", lit(1, INTEGER), lit(0, INTEGER))
    guarded = Case(branches=((compare("=", X, lit(0, INTEGER)), fails),), otherwise=X, type=INTEGER)
    assert values(guarded, from_values([1, 2], INTEGER)) == [1, 2]
    with pytest.raises(DataError, match="division by zero"):
        values(guarded, from_values([1, 0], INTEGER))


def test_branches_of_strings_share_one_pool_over_batches() -> None:
    expression = Case(
        branches=((compare("=", X, lit(1, INTEGER)), lit("one", VARCHAR)),),
        otherwise=lit("many", VARCHAR),
        type=VARCHAR,
    )
    run = compile_expression(expression, [X.column])
    first, second = (run(Batch([from_values(numbers, INTEGER)], 3)) for numbers in ([1, 2, 3], [5, 1, 1]))
    assert to_values(first) + to_values(second) == ["one", "many", "many", "many", "one", "one"]
    assert first.pool is second.pool
    assert first.pool is not None
    assert first.pool.distinct


def test_a_null_branch_leaves_the_bounds_of_the_others() -> None:
    x = from_values([1, 2, 3], INTEGER)
    expression = Case(branches=((compare(">", X, lit(1, INTEGER)), X),), otherwise=lit(None, INTEGER), type=INTEGER)
    assert column(expression, x).bounds == (1, 3)


# --- predicates -------------------------------------------------------------------------------------------------------


def test_a_condition_protects_those_after_it() -> None:
    x = from_values([0, 1, 2, 4], INTEGER)
    conditions = [
        Or(operands=(compare("<", X, lit(0, INTEGER)), compare(">", X, lit(0, INTEGER)))),
        compare("<", arith("/", lit(4, INTEGER), X), lit(4, INTEGER)),
    ]
    assert rows(conditions, x) == [2, 3]
    assert rows([And(operands=tuple(conditions))], x) == [2, 3]


def test_rows_are_counted_among_those_alive() -> None:
    batch = Batch([from_values([5, 1, 7, None, 9, 2], INTEGER)], 6).select(np.array([1, 2, 3, 4]))
    find = compile_predicate([compare(">", X, lit(2, INTEGER)), compare("<", X, lit(9, INTEGER))], [X.column])
    assert find(batch).tolist() == [1]


def test_no_condition_and_constant_conditions() -> None:
    x = from_values([1, 2], INTEGER)
    assert rows([], x) == [0, 1]
    assert rows([lit(True, BOOLEAN)], x) == [0, 1]
    assert rows([lit(False, BOOLEAN)], x) == []
    assert rows([lit(None, BOOLEAN), compare("=", X, lit(1, INTEGER))], x) == []


def test_ten_thousand_conditions_in_a_chain() -> None:
    x = from_values([5, 9_999], INTEGER)
    chain = tuple(compare("=", X, lit(number, INTEGER)) for number in range(10_000))
    assert rows([Or(operands=chain[:9_000])], x) == [0]
    assert rows(list(chain), x) == []


def test_a_column_that_is_not_there_is_a_bug() -> None:
    with pytest.raises(InternalError):
        compile_expression(ref(3, INTEGER), [ColumnId(0, 0)])
