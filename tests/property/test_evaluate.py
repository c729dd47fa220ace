"""Random expressions over random rows, against the evaluator that goes row by row."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from minisql.columnar.column import Batch, Column
from minisql.columnar.python_values import from_values, to_values
from minisql.columnar.strings import gathered, string_column
from minisql.datatypes import (
    BIGINT,
    BLOB,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    INTERVAL,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    VARCHAR,
    SqlType,
    TypeKind,
    arithmetic_type,
    can_cast,
    common_type,
    decimal,
    temporal_arithmetic,
)
from minisql.errors import DataError
from minisql.execution.evaluate import compile_expression, compile_predicate
from minisql.expression.date_functions import EXTRACT_FIELDS
from minisql.expression.failure import may_fail
from minisql.expression.functions import OPERATORS, SCALAR_FUNCTIONS
from minisql.expression.nodes import (
    And,
    Arithmetic,
    Case,
    Cast,
    Coalesce,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    FunctionCall,
    InList,
    IsDistinctFrom,
    IsNull,
    IsTruth,
    Like,
    Literal,
    Negate,
    Not,
    Or,
    Value,
)
from minisql.expression.predicates import apply_predicate, as_predicate
from minisql.expression.walk import transform, walk
from minisql.interval import Interval
from tests import naive

Inner = Callable[[SqlType], Expression]

NARROW, WIDE = decimal(6, 2), decimal(30, 4)
UTC = datetime.UTC
TYPES = (
    INTEGER, BIGINT, NARROW, WIDE, DOUBLE, VARCHAR, DATE, TIMESTAMP, BOOLEAN, TIME, TIMESTAMPTZ, INTERVAL, BLOB,
)  # fmt: skip
NUMBERS = (INTEGER, BIGINT, NARROW, WIDE, DOUBLE)
VALUES: dict[SqlType, list[Value]] = {
    INTEGER: [0, 1, -1, 2, 7, -12, 1000, 2**31 - 1, -(2**31)],
    BIGINT: [0, 1, -1, 3, -10, 2**31, 10**10, 2**62, 2**63 - 1, -(2**63)],
    NARROW: [Decimal(text) for text in ("0.00", "0.01", "1.00", "-1.50", "2.50", "-7.25", "9999.99")],
    WIDE: [Decimal(f"{n}.{f}") for n, f in [(0, "0000"), (1, "0000"), (-2, "5000"), (0, "0005"), (-(10**23), "1234")]],
    DOUBLE: [0.0, 1.0, -1.5, 2.5, 0.1, 1e15, 1.5e300, -1e-7, 123456.789],
    VARCHAR: ["", "a", "ab", "aé", "B%b", "a_b", "\n", "ba\nb", "12", "-7", " 3 ", "2013-01-31", "true", "x" * 20],
    DATE: [datetime.date(2013, 1, 31), datetime.date(2012, 2, 29), datetime.date(1969, 12, 28), datetime.date(1, 1, 1)],
    TIMESTAMP: [datetime.datetime(2013, 1, 31), datetime.datetime(1969, 12, 31, 23, 59, 59)],
    BOOLEAN: [True, False],
    TIME: [datetime.time(0), datetime.time(23, 59, 59, 999_999), datetime.time(5, 6, 7)],
    TIMESTAMPTZ: [datetime.datetime(2013, 1, 31, tzinfo=UTC), datetime.datetime(2012, 2, 29, 12, tzinfo=UTC)],
    INTERVAL: [
        Interval(1), Interval(0, 30), Interval(0, 29, 86_400_000_000), Interval(-13, 5, -1), Interval(),
        Interval(0, 0, 7), Interval(12 * 9000, -3), Interval(0, 2**31 - 1), Interval(0, -1, 10**18),
        Interval(25, -1, 3_600_000_000),
    ],
    BLOB: [b"", b"\xff\x00", b"a", b"12", b"\xff" * 12],
}  # fmt: skip
PATTERNS = ["", "%", "a", "a%", "%b", "%b%", "a_b", "_", "%_b%", "a!%%", "!_%", "%\n%", "(a|b)*", "x%x"]
COLUMNS = [ColumnId(0, position) for position in range(2 * len(TYPES))]
TYPE_OF = dict(zip(COLUMNS, TYPES * 2, strict=True))


def columns_of(type_: SqlType) -> list[Expression]:
    return [ColumnRef(column=c, name=str(c), type=t) for c, t in TYPE_OF.items() if t == type_]


def cast_to(expression: Expression, type_: SqlType) -> Expression:
    return expression if expression.type == type_ else Cast(operand=expression, type=type_)


@st.composite
def leaf(draw: st.DrawFn, type_: SqlType) -> Expression:
    if draw(st.integers(0, 3)):
        return draw(st.sampled_from(columns_of(type_)))
    return Literal(value=draw(st.sampled_from([*VALUES[type_], None])), type=type_)


@st.composite
def expressions(draw: st.DrawFn, type_: SqlType, depth: int) -> Expression:
    """An expression that can be cast to the type, or is of it, where that is what the type says."""
    if depth == 0 or not draw(st.integers(0, 4)):
        return draw(leaf(type_))

    def inner(of: SqlType) -> Expression:
        return draw(expressions(of, depth - 1))

    makers = [_case, _coalesce, _cast]
    if type_ == BOOLEAN:
        makers += [_comparison, _comparison, _logic, _logic, _predicate, _in_list, _like]
    elif type_.is_numeric:
        makers += [_arithmetic, _arithmetic, _number_function]
    elif type_ == DATE:
        makers += [_arithmetic]
    elif type_ in (TIMESTAMP, TIMESTAMPTZ, TIME, INTERVAL):
        makers += [_temporal_arithmetic, _temporal_arithmetic]
    elif type_ == VARCHAR:
        makers += [_string_function, _string_function]
    made = draw(st.sampled_from(makers))(draw, type_, inner)
    return cast_to(made, type_)


def _case(draw: st.DrawFn, type_: SqlType, inner: Inner) -> Expression:
    branches = tuple((inner(BOOLEAN), inner(type_)) for _ in range(draw(st.integers(1, 2))))
    return Case(branches=branches, otherwise=inner(type_), type=type_)


def _coalesce(draw: st.DrawFn, type_: SqlType, inner: Inner) -> Expression:
    return Coalesce(operands=tuple(inner(type_) for _ in range(draw(st.integers(2, 3)))), type=type_)


def _cast(draw: st.DrawFn, type_: SqlType, inner: Inner) -> Expression:
    source = draw(st.sampled_from([t for t in TYPES if can_cast(t, type_)]))
    # Python reads more texts as numbers and dates than SQL does, and its decimals forget zeros at their end: where a
    # text is on one side, the values are those of the columns.
    is_known = source == VARCHAR or (type_ == VARCHAR and source.kind is TypeKind.DECIMAL)
    return cast_to(draw(leaf(source)) if is_known else inner(source), type_)


def _comparison(draw: st.DrawFn, _: SqlType, inner: Inner) -> Expression:
    left, right = _pair(draw, inner)
    if draw(st.booleans()):
        return Comparison(operator=draw(st.sampled_from(["=", "<>", "<", "<=", ">", ">="])), left=left, right=right)
    return IsDistinctFrom(left=left, right=right, negated=draw(st.booleans()))


def _pair(draw: st.DrawFn, inner: Inner) -> tuple[Expression, Expression]:
    left = draw(st.sampled_from(TYPES))
    common = common_type(left, draw(st.sampled_from(TYPES))) or left
    return cast_to(inner(left), common), inner(common) if common in TYPES else cast_to(inner(left), common)


def _logic(draw: st.DrawFn, _: SqlType, inner: Inner) -> Expression:
    if not draw(st.integers(0, 2)):
        return Not(operand=inner(BOOLEAN))
    operands = tuple(inner(BOOLEAN) for _ in range(draw(st.integers(2, 3))))
    return And(operands=operands) if draw(st.booleans()) else Or(operands=operands)


def _predicate(draw: st.DrawFn, _: SqlType, inner: Inner) -> Expression:
    if draw(st.booleans()):
        return IsNull(operand=inner(draw(st.sampled_from(TYPES))), negated=draw(st.booleans()))
    return IsTruth(operand=inner(BOOLEAN), truth=draw(st.booleans()), negated=draw(st.booleans()))


def _in_list(draw: st.DrawFn, _: SqlType, inner: Inner) -> Expression:
    type_ = draw(st.sampled_from(TYPES))
    items: list[Expression] = [
        Literal(value=value, type=type_)
        for value in draw(st.lists(st.sampled_from([*VALUES[type_], None]), max_size=len(VALUES[type_])))
    ]
    if draw(st.booleans()) or not items:
        items.append(inner(type_))
    return InList(operand=inner(type_), items=tuple(items), negated=draw(st.booleans()))


def _like(draw: st.DrawFn, _: SqlType, inner: Inner) -> Expression:
    escape = draw(st.sampled_from([None, "!"]))
    pattern: Expression = Literal(value=draw(st.sampled_from(PATTERNS)), type=VARCHAR)
    if escape is None and draw(st.booleans()):
        pattern = inner(VARCHAR)
    return Like(operand=inner(VARCHAR), pattern=pattern, escape=escape, negated=draw(st.booleans()))


def _arithmetic(draw: st.DrawFn, type_: SqlType, inner: Inner) -> Expression:
    if type_ == DATE:
        days = inner(draw(st.sampled_from([INTEGER, BIGINT])))
        if draw(st.booleans()):
            return Arithmetic(operator=draw(st.sampled_from("+-")), left=inner(DATE), right=days, type=DATE)
        return Arithmetic(operator="+", left=days, right=inner(DATE), type=DATE)
    if type_ == INTEGER and not draw(st.integers(0, 4)):
        return Arithmetic(operator="-", left=inner(DATE), right=inner(DATE), type=INTEGER)
    if not draw(st.integers(0, 4)):
        return Negate(operand=inner(type_), type=type_)
    # The rest of a division of DOUBLEs has a test of its own: the naive evaluator is not exact there.
    operator = draw(st.sampled_from("+-*/" if type_ == DOUBLE else "+-*/%"))
    left, right = inner(type_), inner(draw(st.sampled_from(NUMBERS)))
    result = arithmetic_type(operator, left.type, right.type)
    assert result is not None
    if result.kind is not TypeKind.DECIMAL:
        left, right = cast_to(left, result), cast_to(right, result)
    if result == DOUBLE and operator == "%":
        operator = "*"
    return Arithmetic(operator=operator, left=left, right=right, type=result)


def _temporal_arithmetic(draw: st.DrawFn, type_: SqlType, inner: Inner) -> Expression:
    if type_ == INTERVAL and not draw(st.integers(0, 4)):
        return Negate(operand=inner(INTERVAL), type=INTERVAL)
    shapes = [
        (operator, left, right)
        for operator in "+-*/"
        for left in TYPES
        for right in TYPES
        if arithmetic_type(operator, left, right) == type_
    ]
    operator, left, right = draw(st.sampled_from(shapes))
    sides = temporal_arithmetic(operator, left, right)
    assert sides is not None
    return Arithmetic(
        operator=operator,
        left=cast_to(inner(left), sides.left),
        right=cast_to(inner(right), sides.right),
        type=type_,
    )


def _number_function(draw: st.DrawFn, type_: SqlType, inner: Inner) -> Expression:
    choice = draw(st.integers(0, 3))
    if choice == 0:
        return call("length", inner(VARCHAR))
    if choice == 1:
        field: Expression = Literal(value=draw(st.sampled_from(EXTRACT_FIELDS)), type=VARCHAR)
        return call("extract", field, inner(draw(st.sampled_from([DATE, TIMESTAMP]))))
    operand = inner(type_)
    if choice == 2 or operand.type == DOUBLE:
        return call("abs", operand)
    if draw(st.booleans()):
        return call("round", operand)
    if draw(st.booleans()):
        return call("round", operand, Literal(value=draw(st.integers(-4, 5)), type=INTEGER))
    # The rest has few values, so that the naive evaluator does not get numbers of a billion digits.
    five = Literal(value=5, type=INTEGER)
    return call("round", operand, Arithmetic(operator="%", left=inner(INTEGER), right=five, type=INTEGER))


def _string_function(draw: st.DrawFn, _: SqlType, inner: Inner) -> Expression:
    match draw(st.sampled_from(["lower", "upper", "trim", "ltrim", "rtrim", "||", "substring"])):
        case "lower" | "upper" as name:
            return call(name, inner(VARCHAR))
        case "||":
            return call("||", inner(VARCHAR), inner(VARCHAR))
        case "substring":
            count = [inner(INTEGER)] if draw(st.booleans()) else []
            return call("substring", inner(VARCHAR), inner(draw(st.sampled_from([INTEGER, BIGINT]))), *count)
        case name:
            characters = [inner(VARCHAR)] if draw(st.booleans()) else []
            return call(name, inner(VARCHAR), *characters)


def call(name: str, *arguments: Expression) -> FunctionCall:
    function = {**SCALAR_FUNCTIONS, **OPERATORS}[name]
    type_ = function.result_type(tuple(argument.type for argument in arguments))
    assert type_ is not None
    return FunctionCall(name=name, arguments=arguments, type=type_)


# --- rows -------------------------------------------------------------------------------------------------------------

rows_of_values = st.lists(
    st.tuples(*[st.sampled_from([*VALUES[type_], None]) for type_ in TYPES * 2]), min_size=1, max_size=12
)


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[naive.Row], Batch]:
    """Rows, and a batch of them in one of the forms that batches take."""
    rows = draw(rows_of_values)
    columns = [from_values([row[place] for row in rows], TYPE_OF[c]) for place, c in enumerate(COLUMNS)]
    if draw(st.booleans()):
        columns = [replace(column, bounds=None) for column in columns]
    if draw(st.booleans()):
        columns = [
            column if column.pool is None else string_column(gathered(column), column.valid, column.type)
            for column in columns
        ]
    if draw(st.booleans()):
        columns = [with_garbage(column) for column in columns]
    batch = Batch(columns, len(rows))
    if draw(st.booleans()):
        selection = draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=15))
        rows, batch = [rows[row] for row in selection], batch.select(np.array(selection))
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows], batch


def with_garbage(column: Column) -> Column:
    """The same column with the largest value of its array type where it is NULL."""
    if column.valid is None or column.values.dtype.kind != "i" or column.pool is not None:
        return column
    return replace(column, values=np.where(column.valid, column.values, np.iinfo(column.values.dtype).max))


def naive_value(expression: Expression, row: naive.Row) -> Value | type[DataError]:
    try:
        return naive.evaluate(expression, row)
    except (DataError, LookupError):
        # A text that is no BOOLEAN is a LookupError there.
        return DataError


@given(st.data(), batches(), st.sampled_from(TYPES))
@settings(max_examples=600, deadline=None)
def test_evaluates_as_the_naive_evaluator_does(
    data: st.DataObject, rows_and_batch: tuple[list[naive.Row], Batch], type_: SqlType
) -> None:
    rows, batch = rows_and_batch
    expression = data.draw(expressions(type_, 3))
    expected = [naive_value(expression, row) for row in rows]
    evaluate = compile_expression(expression, COLUMNS)
    fine = [place for place, value in enumerate(expected) if value is not DataError]
    if fine:
        column = evaluate(batch if len(fine) == len(rows) else batch.select(np.array(fine)))
        assert column.type == expression.type
        assert len(column) == len(fine)
        assert to_values(column) == [expected[place] for place in fine]
        check_physical(column)
    # A constant NULL decides without a look at the other operands, which may be at fault.
    if len(fine) < len(rows) and not any(isinstance(n, Literal) and n.value is None for n in walk(expression)):
        bad = next(place for place, value in enumerate(expected) if value is DataError)
        for rows_of in (batch, batch.select(np.array([bad]))):
            try:
                evaluate(rows_of)
            except DataError:
                continue
            raise AssertionError(f"row {bad} should raise")


def check_physical(column: Column) -> None:
    """What `columnar.column` promises of columns."""
    assert column.valid is None or column.valid.shape == column.values.shape
    if column.pool is not None:
        assert column.values.size == 0 or 0 <= column.values.min() <= column.values.max() < len(column.pool)
        assert not column.pool.distinct or len(set(column.pool.strings.view(pa.large_binary()).to_pylist())) == len(
            column.pool
        )
        assert column.pool.strings.null_count == 0
    if column.bounds is not None:
        known = column.values if column.valid is None else column.values[column.valid]
        assert all(column.bounds[0] <= value <= column.bounds[1] for value in known.tolist())


@given(st.data(), batches())
@settings(max_examples=300, deadline=None)
def test_finds_the_rows_where_all_conditions_are_true(
    data: st.DataObject, rows_and_batch: tuple[list[naive.Row], Batch]
) -> None:
    rows, batch = rows_and_batch
    conditions = data.draw(st.lists(expressions(BOOLEAN, 2), max_size=4))
    values = [[naive_value(condition, row) for condition in conditions] for row in rows]
    try:
        found = compile_predicate(conditions, COLUMNS)(batch).tolist()
    except DataError:
        assert any(DataError in row for row in values)
        return
    # A row that one condition rejects may be at fault for another one.
    assert found == [place for place, row in enumerate(values) if all(value is True for value in row)]


@given(st.data(), batches())
@settings(max_examples=400, deadline=None)
def test_what_may_not_fail_does_not(data: st.DataObject, rows_and_batch: tuple[list[naive.Row], Batch]) -> None:
    expression = data.draw(expressions(data.draw(st.sampled_from(TYPES)), 2))
    if not may_fail(expression):
        compile_expression(expression, COLUMNS)(rows_and_batch[1])


@given(expressions(BOOLEAN, 3))
@settings(max_examples=400, deadline=None)
def test_a_predicate_does_not_tell_zeros_apart(condition: Expression) -> None:
    zero = ColumnRef(column=ColumnId(0, 0), name="zero", type=DOUBLE)

    def change(node: Expression) -> Expression:
        if not isinstance(node, ColumnRef):
            return node
        return zero if node.type == DOUBLE else Literal(value=VALUES[node.type][0], type=node.type)

    predicate = as_predicate(transform(condition, change), zero)
    if predicate is None:
        return
    answers = []
    for value in (0.0, -0.0):
        batch = Batch([from_values([value], DOUBLE)], 1)
        try:
            answers.append(to_values(compile_expression(apply_predicate(predicate, zero), [zero.column])(batch)))
        except DataError:
            answers.append([])
    assert answers[0] == answers[1]
