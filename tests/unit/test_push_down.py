from __future__ import annotations

import pytest

from minisql.datatypes import BIGINT, INTEGER
from minisql.expression.nodes import AggregateCall, Arithmetic, ColumnId, Expression
from minisql.relational.push_down import push_down
from minisql.relational.relational_expression import (
    Aggregate,
    Filter,
    Join,
    Limit,
    RelationalExpression,
    SetOperation,
    SetOperator,
    Sort,
)
from tests.builders import column, compare, equal, join, literal, project, table, where

A, B, C = table(0), table(1), table(2)
ON = equal(column(0), column(1))
ON_A, ON_B = compare(">", column(0, 1), literal(5)), compare(">", column(1, 1), literal(5))
FALSE = literal(False)


def conditions(node: RelationalExpression) -> tuple[Expression, ...]:
    return node.conditions if isinstance(node, Filter) else ()


def where_they_went(query: RelationalExpression) -> dict[str, tuple[Expression, ...]]:
    """The conditions above, at, left and right below the topmost join."""
    pushed = push_down(query)
    join_ = pushed.input if isinstance(pushed, Filter) else pushed
    assert isinstance(join_, Join)
    return {
        "above": conditions(pushed),
        "on": join_.conditions,
        "left": conditions(join_.left),
        "right": conditions(join_.right),
    }


@pytest.mark.parametrize(
    ("type_", "above", "on", "left", "right"),
    [
        ("inner", (), (ON,), (ON_A,), (ON_B,)),
        ("left", (ON_B,), (ON,), (ON_A,), ()),
        ("full", (ON_A, ON_B), (ON,), (), ()),
    ],
)
def test_where(
    type_: str,
    above: tuple[Expression, ...],
    on: tuple[Expression, ...],
    left: tuple[Expression, ...],
    right: tuple[Expression, ...],
) -> None:
    query = where(join(type_, A, B, ON), ON_A, ON_B)
    assert where_they_went(query) == {"above": above, "on": on, "left": left, "right": right}


@pytest.mark.parametrize(
    ("type_", "on", "left", "right"),
    [
        ("inner", (ON,), (ON_A,), (ON_B,)),
        ("left", (ON, ON_A), (), (ON_B,)),
        ("full", (ON, ON_A, ON_B), (), ()),
        ("semi", (ON,), (ON_A,), (ON_B,)),
        ("anti", (ON, ON_A), (), (ON_B,)),
    ],
)
def test_on(
    type_: str, on: tuple[Expression, ...], left: tuple[Expression, ...], right: tuple[Expression, ...]
) -> None:
    query = join(type_, A, B, ON, ON_A, ON_B)
    assert where_they_went(query) == {"above": (), "on": on, "left": left, "right": right}


@pytest.mark.parametrize("type_", ["semi", "anti"])
def test_where_above_a_join_that_hides_its_right_input(type_: str) -> None:
    query = where(join(type_, A, B, ON), ON_A)
    assert where_they_went(query) == {"above": (), "on": (ON,), "left": (ON_A,), "right": ()}


def test_where_becomes_a_condition_of_the_inner_join_at_which_its_tables_meet() -> None:
    a_b, b_c = equal(column(0), column(1)), equal(column(1), column(2))
    pushed = push_down(where(join("inner", join("inner", A, B), C), a_b, b_c))
    assert isinstance(pushed, Join)
    assert pushed.conditions == (b_c,)
    assert isinstance(pushed.left, Join)
    assert pushed.left.conditions == (a_b,)


def test_a_constant_goes_where_it_empties_the_result() -> None:
    assert where_they_went(where(join("left", A, B, ON), FALSE))["left"] == (FALSE,)
    assert where_they_went(where(join("full", A, B, ON), FALSE))["above"] == (FALSE,)


def test_through_a_derived_table_with_its_expressions() -> None:
    total = Arithmetic(operator="+", left=column(0), right=column(0, 1), type=INTEGER)
    pushed = push_down(where(project(7, A, [total, column(0)]), equal(column(7, 0), literal(1))))
    assert not isinstance(pushed, Filter)
    assert conditions(pushed.input) == (equal(total, literal(1)),)


def test_through_the_keys_of_a_grouping() -> None:
    count = AggregateCall(name="count", argument=None, distinct=False, filter=None, type=BIGINT)
    on_key, on_count = equal(column(7, 0), literal(1)), equal(column(7, 1), literal(1))
    pushed = push_down(where(Aggregate(table=7, input=A, keys=(column(0),), aggregates=(count,)), on_key, on_count))
    assert conditions(pushed) == (on_count,)
    assert conditions(pushed.input.input) == (equal(column(0), literal(1)),)
    alone = where(Aggregate(table=7, input=A, keys=(), aggregates=(count,)), FALSE)
    assert push_down(alone) is alone


def test_into_both_operands_of_a_set_operation() -> None:
    union = SetOperation(
        table=7,
        operator=SetOperator.UNION,
        all=True,
        left=A,
        right=B,
        left_columns=(ColumnId(0, 1),),
        right_columns=(ColumnId(1, 0),),
        names=("x",),
        types=(INTEGER,),
    )
    pushed = push_down(where(union, equal(column(7), literal(1))))
    assert conditions(pushed.left) == (equal(column(0, 1), literal(1)),)
    assert conditions(pushed.right) == (equal(column(1, 0), literal(1)),)


def test_below_a_sort_but_not_below_a_limit() -> None:
    pushed = push_down(where(Sort(input=A, keys=()), ON_A))
    assert conditions(pushed.input) == (ON_A,)
    limited = where(Limit(input=A, limit=1, offset=0), ON_A)
    assert push_down(limited) is limited
