"""The order in which the conditions of a filter are evaluated: by rank, the expensive ones late.

A condition is evaluated on the rows that passed those before it. With independent conditions the work is least if they
stand by ascending rank, which is the cost of a row divided by the share of rows that the condition rejects:
Hellerstein and Stonebraker, "Predicate Migration", SIGMOD 1993, section 3.

A condition that may fail stays behind all that are written before it, as they may protect it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, assert_never

from minisql.datatypes import TypeKind
from minisql.expression.failure import may_fail
from minisql.expression.nodes import (
    And,
    Arithmetic,
    Case,
    Cast,
    Coalesce,
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
)
from minisql.expression.walk import children, tables_of
from minisql.node_set import members
from minisql.optimizer import cost_constants as constants
from minisql.optimizer.selectivity import selectivity
from minisql.optimizer.statistics import Statistics


class MeasuredCondition(NamedTuple):
    """A condition, the microseconds that it costs for a row, and the share of rows that it lets through."""

    expression: Expression
    cost: float
    selectivity: float

    @property
    def rank(self) -> float:
        """The cost for each row that is rejected."""
        rejected = 1 - self.selectivity
        return self.cost / rejected if rejected > 0 else float("inf")


def by_rank(conditions: tuple[Expression, ...], statistics: Statistics) -> tuple[Expression, ...]:
    """The conditions in the order of evaluation; those of one rank stay as they are."""
    if len(conditions) < 2:
        return conditions
    ordered = tuple([condition.expression for condition in measured_by_rank(conditions, statistics)])
    unchanged = all(new is old for new, old in zip(ordered, conditions, strict=True))
    return conditions if unchanged else ordered


def measured_by_rank(conditions: Iterable[Expression], statistics: Statistics) -> tuple[MeasuredCondition, ...]:
    """The same, with what the statistics say of them."""
    known = measured(conditions, statistics)
    ranks = [condition.rank for condition in known]
    free = [not may_fail(condition.expression) for condition in known]
    left = list(range(len(known)))
    ordered = []
    while left:
        # The first one left has none before it.
        place = min((each for each in left if free[each] or each == left[0]), key=ranks.__getitem__)
        left.remove(place)
        ordered.append(known[place])
    return tuple(ordered)


def measured(conditions: Iterable[Expression], statistics: Statistics) -> tuple[MeasuredCondition, ...]:
    """The conditions as they stand, with what the statistics say of them."""
    return tuple(
        [
            MeasuredCondition(condition, expression_cost(condition, statistics), selectivity(condition, statistics))
            for condition in conditions
        ]
    )


def measured_cost(conditions: Iterable[MeasuredCondition]) -> float:
    """Microseconds for each row of evaluating conditions in this order, each on the rows that are left."""
    cost, share = 0.0, 1.0
    for condition in conditions:
        cost += share * condition.cost
        share *= condition.selectivity
    return cost


def expression_cost(expression: Expression, statistics: Statistics) -> float:
    """Microseconds for each row of evaluating an expression: less where few strings are distinct."""
    own = _own_cost(expression)
    if own > 0 and _reads_strings(expression) and not _is_of_program(expression):
        # A string operation is done once for each string of a pool that the rows share.
        rows = max(1.0, statistics.rows(members(tables_of(expression))))
        distinct = max((statistics.of(child).distinct_count for child in children(expression)), default=rows)
        own = own * min(1.0, distinct / rows) + constants.POOLED_ROW
    operands = [expression.operand] if isinstance(expression, InList) else children(expression)
    return own + sum(expression_cost(operand, statistics) for operand in operands)


def _is_of_program(expression: Expression) -> bool:
    return isinstance(expression, FunctionCall) and expression.user_function is not None


def _reads_strings(expression: Expression) -> bool:
    if isinstance(expression, Case | Coalesce):
        return False
    return any(child.type.kind is TypeKind.VARCHAR and not isinstance(child, Literal) for child in children(expression))


def _own_cost(expression: Expression) -> float:
    """Microseconds for each row of the topmost operation, its operands left out."""
    match expression:
        case Literal() | ColumnRef() | OuterReference():
            return 0.0
        case Comparison() | IsDistinctFrom():
            return constants.COMPARE_STRING_ROW if _reads_strings(expression) else constants.CONDITION_ROW
        case InList():
            strings = expression.operand.type.kind is TypeKind.VARCHAR
            variable = sum(not isinstance(item, Literal) for item in expression.items)
            return (constants.IN_STRINGS_ROW if strings else constants.IN_LIST_ROW) + constants.CONDITION_ROW * variable
        case Like():
            return constants.LIKE_ROW if _is_simple(expression.pattern) else constants.LIKE_PATTERN_ROW
        case And() | Or() | Not() | IsNull() | IsTruth() | Coalesce():
            return constants.LOGIC_ROW * len(children(expression))
        case Case():
            return constants.CASE_BRANCH_ROW * len(expression.branches)
        case Arithmetic():
            return constants.DIVIDE_ROW if expression.operator in "/%" else constants.EXPRESSION_ROW
        case Negate():
            return constants.EXPRESSION_ROW
        case Cast():
            if expression.operand.type.kind is TypeKind.VARCHAR:
                return constants.CAST_FROM_STRING_ROW
            return constants.STRING_ROW if expression.type.kind is TypeKind.VARCHAR else constants.EXPRESSION_ROW
        case FunctionCall():
            if expression.user_function is not None:
                return constants.USER_FUNCTION_ROW
            return constants.FUNCTION_ROW.get(expression.name, constants.STRING_ROW)
        case _:
            assert_never(expression)


def _is_simple(pattern: Expression) -> bool:
    """Whether a LIKE pattern has wildcards at its ends only, so that no regular expression is needed."""
    if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
        return False
    return not set("%_") & set(pattern.value.strip("%"))
