"""Evaluation of bound expressions over batches, column by column.

`compile_expression` turns an expression into a function from a batch to a column, `compile_predicate` a conjunction
into a function that finds the rows for which it is TRUE. Compiling does what can be done once: constants are computed,
IN lists and LIKE patterns prepared. Then an evaluation is a few calls on whole arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Final, assert_never

import numpy as np

from minisql.columnar.column import Array, Batch, BoolArray, Column, all_null, concat_columns
from minisql.columnar.python_values import from_values
from minisql.datatypes import BOOLEAN, DOUBLE, MAX_DECIMAL_PRECISION, SqlType, TypeKind, as_decimal, decimal
from minisql.errors import DataError, InternalError, Span
from minisql.execution import casts, comparison, conditional, logic
from minisql.execution.arithmetic import arithmetic, negate
from minisql.execution.functions import make_function, make_volatile
from minisql.execution.operand import Evaluator, Operand, evaluate, is_null_constant, lift, lift_chain, lift_strict
from minisql.execution.temporal_arithmetic import (
    is_temporal_arithmetic,
    negate_interval,
    temporal_arithmetic,
)
from minisql.expression.functions import function_of
from minisql.expression.nodes import (
    MIRRORED,
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
    OuterReference,
    Value,
)
from minisql.expression.walk import conjuncts, walk

_CHEAP: Final = (ColumnRef, Literal, Comparison, IsNull)
_FEW_ROWS: Final = 8
"""Less than one row in so many is worth gathering before the next cheap condition."""


def compile_expression(expression: Expression, columns: Sequence[ColumnId]) -> Evaluator:
    """A function that evaluates the expression on the rows alive of a batch with these columns.

    It raises `DataError` with the span of the operator where a row has no value: overflow, division by zero, a cast
    that fails.
    """
    return partial(evaluate, _Compiler(columns).compile(expression))


def compile_predicate(conditions: Sequence[Expression], columns: Sequence[ColumnId]) -> Callable[[Batch], Array]:
    """A function that gives the rows, as indexes among the rows alive, for which every condition is TRUE.

    A condition is evaluated on the rows that passed those before it, which may protect it. Only where it is so cheap
    that gathering these rows costs more, and cannot raise, is it evaluated on all rows as long as most of them pass.
    """
    compiler = _Compiler(columns)
    flat = [conjunct for condition in conditions for conjunct in conjuncts(condition)]
    return partial(_rows_where_all_true, [(compiler.compile(condition), _is_cheap(condition)) for condition in flat])


def _rows_where_all_true(conditions: Sequence[tuple[Operand, bool]], batch: Batch) -> Array:
    rows: Array | None = None  # those found so far; None: all of them
    mask: BoolArray | None = None  # which rows of `batch` pass the conditions that came after
    for place, (condition, is_cheap) in enumerate(conditions):
        true = logic.is_true(evaluate(condition, batch))
        mask = true if mask is None else mask & true
        is_followed_by_cheap = is_cheap and place + 1 < len(conditions) and conditions[place + 1][1]
        if is_followed_by_cheap and np.count_nonzero(mask) * _FEW_ROWS > len(batch):
            continue
        passed = np.flatnonzero(mask)
        mask = None
        if len(passed) < len(batch):
            rows = passed if rows is None else rows.take(passed)
            if len(rows) == 0:
                break
            batch = batch.select(passed)
    return np.arange(len(batch)) if rows is None else rows


def _is_cheap(condition: Expression) -> bool:
    return all(isinstance(node, _CHEAP) and not node.type.is_string for node in walk(condition))


class _Compiler:
    """Compiles expressions over batches with the given columns."""

    def __init__(self, columns: Sequence[ColumnId]) -> None:
        self._places = {column: place for place, column in enumerate(columns)}

    def compile(self, expression: Expression) -> Operand:
        kernel: Callable[..., Column]
        match expression:
            case Literal():
                return from_values([expression.value], expression.type)
            case OuterReference():
                raise InternalError(f"The outer reference {expression.name} has no value.")
            case ColumnRef():
                return self._column(expression)
            case Arithmetic():
                return self._arithmetic(expression)
            case Negate():
                if expression.type.kind is TypeKind.INTERVAL:
                    return lift_strict(expression.type, negate_interval, self.compile(expression.operand))
                kernel = partial(negate, type_=expression.type, span=expression.span)
                return lift_strict(expression.type, kernel, self.compile(expression.operand))
            case Cast():
                return self._converted(expression.operand, expression.type, expression.span)
            case Case():
                branches = [(self.compile(when), self.compile(then)) for when, then in expression.branches]
                return conditional.case(branches, self.compile(expression.otherwise), expression.type)
            case Coalesce():
                return conditional.coalesce([self.compile(o) for o in expression.operands], expression.type)
            case FunctionCall():
                arguments = [self.compile(argument) for argument in expression.arguments]
                if expression.user_function is not None:
                    from minisql.execution.user_functions import user_call  # which few statements need

                    return user_call(expression, expression.user_function, arguments)
                constants = [argument if isinstance(argument, Column) else None for argument in arguments]
                if not arguments:
                    return make_volatile(expression)
                if function_of(expression).strict and any(is_null_constant(argument) for argument in arguments):
                    return all_null(expression.type, 1)
                return lift(make_function(expression, constants), *arguments)
            case Comparison():
                left, right = self.compile(expression.left), self.compile(expression.right)
                kernel = _comparison(expression.operator, left, right, expression.left.type)
                return lift_strict(BOOLEAN, kernel, left, right)
            case IsDistinctFrom():
                return self._is_distinct_from(expression)
            case And():
                return lift_chain(logic.and_, [self.compile(operand) for operand in expression.operands])
            case Or():
                return lift_chain(logic.or_, [self.compile(operand) for operand in expression.operands])
            case Not():
                return lift(logic.not_, self.compile(expression.operand))
            case IsNull():
                return lift(partial(logic.is_null, negated=expression.negated), self.compile(expression.operand))
            case IsTruth():
                kernel = partial(logic.is_truth, truth=expression.truth, negated=expression.negated)
                return lift(kernel, self.compile(expression.operand))
            case InList():
                return self._in_list(expression)
            case Like():
                return self._like(expression)
            case _:
                assert_never(expression)

    def _column(self, reference: ColumnRef) -> Evaluator:
        place = self._places.get(reference.column)
        if place is None:
            raise InternalError(f"The column {reference.name} is not among those of the input.")
        return lambda batch: batch.column(place)

    def _arithmetic(self, expression: Arithmetic) -> Operand:
        type_ = expression.type
        left, right = expression.left, expression.right
        if is_temporal_arithmetic(type_, left.type, right.type):
            kernel = partial(temporal_arithmetic, expression.operator, type_=type_, span=expression.span)
            return lift_strict(type_, kernel, self.compile(left), self.compile(right))
        if type_.kind is TypeKind.DOUBLE:
            operands = self._converted(left, DOUBLE, expression.span), self._converted(right, DOUBLE, expression.span)
        elif type_.kind is TypeKind.DECIMAL and expression.operator != "*":
            operands = self._with_scale(left, type_.scale), self._with_scale(right, type_.scale)
        else:
            operands = self.compile(left), self.compile(right)
        # What an inner operation has computed is read by this one alone, which may write its own result there, unless
        # it may have to say which operands were out of range, as with dates.
        left_is_spare, right_is_spare = (
            isinstance(side, Arithmetic) and not isinstance(operand, Column) and type_.kind is not TypeKind.DATE
            for side, operand in zip((left, right), operands, strict=True)
        )

        def number_kernel(left: Column, right: Column) -> Column:
            spare = left.values if left_is_spare else right.values if right_is_spare else None
            return arithmetic(expression.operator, left, right, type_, expression.span, spare)

        return lift_strict(type_, number_kernel, *operands)

    def _converted(self, expression: Expression, type_: SqlType, span: Span | None) -> Operand:
        operand = self.compile(expression)
        if expression.type == type_:
            return operand
        return lift_strict(type_, casts.make_cast(expression.type, type_, span), operand)

    def _with_scale(self, expression: Expression, scale: int) -> Operand:
        """An exact number as a DECIMAL of this scale, which is not smaller than its own."""
        operand = self.compile(expression)
        if expression.type.kind is TypeKind.NULL:
            return all_null(decimal(MAX_DECIMAL_PRECISION, scale), 1)
        digits = scale - as_decimal(expression.type).scale
        return operand if digits == 0 else lift(partial(casts.with_more_digits, digits=digits), operand)

    def _is_distinct_from(self, expression: IsDistinctFrom) -> Operand:
        left, right = self.compile(expression.left), self.compile(expression.right)
        for constant, other in ((left, right), (right, left)):
            if is_null_constant(constant):
                return lift(partial(logic.is_null, negated=not expression.negated), other)
        different = _comparison("<>", left, right, expression.left.type)

        def kernel(left: Column, right: Column) -> Column:
            return comparison.distinct(different(left, right), left, right, expression.negated)

        return lift(kernel, left, right)

    def _in_list(self, expression: InList) -> Operand:
        operand = self.compile(expression.operand)
        if is_null_constant(operand):
            return all_null(BOOLEAN, 1)
        literals, others = literal_columns(expression.items)
        constants = [column for _, column in literals]
        variable: list[Evaluator] = []
        for place in others:
            item = self.compile(expression.items[place])
            if isinstance(item, Column):
                constants.append(item)
            else:
                variable.append(item)
        has_null = any(column.valid is not None for column in constants)
        members = [
            column if column.valid is None else column.take(np.flatnonzero(column.valid)) for column in constants
        ]
        tests: list[Callable[..., Column]] = []
        if any(len(column) for column in members):
            tests.append(_membership(concat_columns(members)))
        equals = [_comparison("=", operand, item, expression.operand.type) for item in variable]
        if not tests and not variable:
            return all_null(BOOLEAN, 1)

        def kernel(operand: Column, *items: Column) -> Column:
            answers = [test(operand) for test in tests]
            answers += [equal(operand, item) for equal, item in zip(equals, items, strict=True)]
            if has_null:
                answers.append(all_null(BOOLEAN, 1))
            found = reduce(logic.or_, answers)
            return logic.not_(found) if expression.negated else found

        return lift(kernel, operand, *variable)

    def _like(self, expression: Like) -> Operand:
        from minisql.execution import like

        operand, pattern = self.compile(expression.operand), self.compile(expression.pattern)
        kernel = like.make_kernel(pattern if isinstance(pattern, Column) else None, expression.escape, expression.span)
        found = lift_strict(BOOLEAN, kernel, operand, pattern)
        return lift(logic.not_, found) if expression.negated else found


def literal_columns(expressions: Sequence[Expression]) -> tuple[list[tuple[list[int], Column]], list[int]]:
    """The literals among the expressions as columns, each with the places of its rows; then the places of the rest.

    A cast of a literal, which the common type of a list brings with it, counts as a literal. In this way lists of
    100,000 items are handled at once.
    """
    groups: dict[tuple[SqlType, SqlType], tuple[list[int], list[Value]]] = {}
    others: list[int] = []
    source = target = None
    places: list[int] = []
    values: list[Value] = []
    for place, expression in enumerate(expressions):
        literal = expression.operand if isinstance(expression, Cast) else expression
        if not isinstance(literal, Literal):
            others.append(place)
            continue
        if literal.type is not source or expression.type is not target:
            source, target = literal.type, expression.type
            places, values = groups.setdefault((source, target), ([], []))
        places.append(place)
        values.append(literal.value)
    columns: list[tuple[list[int], Column]] = []
    for (source, target), (places, values) in groups.items():
        try:
            column = from_values(values, source)
            columns.append((places, column if source == target else casts.make_cast(source, target, None)(column)))
        except DataError:
            # Evaluated one by one, the cast that fails names its place in the text.
            others += places
    return columns, sorted(others)


def _comparison(operator: str, left: Operand, right: Operand, type_: SqlType) -> Callable[[Column, Column], Column]:
    """The kernel that compares two operands of a type; for strings it is prepared for the one that is a constant."""
    if not type_.is_string:
        return partial(comparison.compare, operator)
    from minisql.execution import strings

    if isinstance(right, Column):
        with_right = strings.CompareWithString(operator, right)
        return lambda left, _: with_right(left)
    if isinstance(left, Column):
        with_left = strings.CompareWithString(MIRRORED[operator], left)
        return lambda _, right: with_left(right)
    return partial(strings.compare_strings, operator)


def _membership(members: Column) -> Callable[[Column], Column]:
    """The kernel that tells whether values are among the members, which are not NULL."""
    if members.type.is_string:
        from minisql.execution import strings

        return strings.string_membership(members)
    is_member = comparison.Membership(members)
    return lambda column: Column(BOOLEAN, is_member(column), column.valid)
