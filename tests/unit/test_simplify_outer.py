from __future__ import annotations

import pytest

from minisql.datatypes import INTEGER
from minisql.expression.nodes import AggregateCall, Coalesce, ColumnId, Expression
from minisql.relational.relational_expression import (
    Aggregate,
    Join,
    JoinType,
    Limit,
    RelationalExpression,
    SetOperation,
    SetOperator,
)
from minisql.relational.simplify_outer import simplify_outer_joins
from tests.builders import column, compare, equal, is_null, join, literal, null_safe_equal, project, table, where

A, B, C = table(0), table(1), table(2)
ON = equal(column(0), column(1))
A5, B5 = compare(">", column(0, 1), literal(5)), compare(">", column(1, 1), literal(5))


def steps(query: RelationalExpression) -> list[str]:
    return [str(step) for step in simplify_outer_joins(query)[1]]


@pytest.mark.parametrize(
    ("type_", "conditions", "expected"),
    [
        ("full", [A5], ["FULL became LEFT because of WHERE a.y > 5"]),
        ("full", [B5], ["FULL became RIGHT because of WHERE b.y > 5"]),
        (
            "full",
            [A5, B5],
            ["FULL became LEFT because of WHERE a.y > 5", "LEFT became INNER because of WHERE b.y > 5"],
        ),
        ("left", [B5], ["LEFT became INNER because of WHERE b.y > 5"]),
        ("left", [A5], []),
        ("full", [is_null(column(1))], []),
        ("full", [null_safe_equal(column(0), column(1))], []),
        ("full", [equal(Coalesce(operands=(column(0), column(1)), type=INTEGER), literal(1))], []),
        ("anti", [A5], []),
    ],
)
def test_where(type_: str, conditions: list[Expression], expected: list[str]) -> None:
    assert steps(where(join(type_, A, B, ON), *conditions)) == expected


def test_a_full_join_of_which_the_right_rows_stay_is_a_left_join_the_other_way_round() -> None:
    simplified, (step,) = simplify_outer_joins(where(join("full", A, B, ON), B5))
    result = simplified.input
    assert isinstance(result, Join)
    assert (result.type, result.left, result.right, result.conditions) == (JoinType.LEFT, B, A, (ON,))
    assert step.flipped
    assert step.condition is B5


def test_what_does_not_change_is_the_same_object() -> None:
    query = where(join("left", join("full", A, B, ON), C, null_safe_equal(column(1), column(2))), is_null(column(1)))
    assert simplify_outer_joins(query) == (query, ())


@pytest.mark.parametrize(
    ("above", "expected"),
    [
        ("inner", ["FULL became RIGHT because of ON b.x = c.x"]),
        ("semi", ["FULL became RIGHT because of ON b.x = c.x"]),
        ("left", []),
        ("anti", []),
        ("full", []),
    ],
)
def test_on_of_a_join_above_the_left_input(above: str, expected: list[str]) -> None:
    full = join("full", A, B, ON)
    assert steps(join(above, full, C, equal(column(1), column(2)))) == expected


@pytest.mark.parametrize("above", ["inner", "left", "semi", "anti"])
def test_on_of_a_join_above_the_right_input(above: str) -> None:
    full = join("full", A, B, ON)
    assert steps(join(above, C, full, equal(column(1), column(2)))) == ["FULL became RIGHT because of ON b.x = c.x"]


def test_a_join_that_became_inner_passes_its_condition_on() -> None:
    lower = join("left", A, B, ON)
    upper = join("left", lower, C, equal(column(1), column(2)))
    assert steps(where(upper, equal(column(2, 1), literal(1)))) == [
        "LEFT became INNER because of WHERE c.y = 1",
        "LEFT became INNER because of ON b.x = c.x",
    ]


def test_through_the_expressions_of_derived_tables() -> None:
    merged = Coalesce(operands=(column(0), column(1)), type=INTEGER)
    derived = project(7, join("full", A, B, ON), [merged, column(1, 1)])
    assert steps(where(derived, equal(column(7, 0), literal(1)))) == []
    assert steps(where(derived, equal(column(7, 1), literal(1)))) == ["FULL became RIGHT because of WHERE h.y = 1"]
    other = join("inner", derived, C, equal(column(7, 1), column(2)))
    assert steps(other) == ["FULL became RIGHT because of ON h.y = c.x"]


def test_through_a_chain_of_merged_keys() -> None:
    first = Coalesce(operands=(column(0), column(1)), type=INTEGER)
    chain = join("full", join("full", A, B, ON), C, equal(first, column(2)))
    key = Coalesce(operands=(first, column(2)), type=INTEGER)
    assert steps(where(chain, equal(key, literal(1)))) == []
    assert steps(where(chain, equal(column(2), literal(1)))) == ["FULL became RIGHT because of WHERE c.x = 1"]
    # The merged key of the first two says nothing of either of them alone, but the second join pads both at once.
    assert steps(where(chain, equal(first, literal(1)))) == ["FULL became LEFT because of WHERE coalesce(a.x, b.x) = 1"]


def test_a_condition_rejects_a_side_that_is_padded_as_a_whole() -> None:
    full = join("full", A, B, ON)
    merged = Coalesce(operands=(column(0), column(1)), type=INTEGER)
    outer = join("left", C, full, equal(column(2), merged))
    reason = "because of {} coalesce(a.x, b.x) = 1"
    assert steps(where(outer, equal(merged, literal(1)))) == [f"LEFT became INNER {reason.format('WHERE')}"]
    assert steps(where(outer, is_null(merged))) == []
    d = table(3)
    assert steps(join("inner", outer, d, equal(merged, literal(1)))) == [f"LEFT became INNER {reason.format('ON')}"]
    assert steps(join("left", d, outer, equal(merged, literal(1)))) == [f"LEFT became INNER {reason.format('ON')}"]
    # What is computed of both counts as well, through a derived table.
    derived = project(7, outer, [merged, column(2)])
    assert steps(where(derived, equal(column(7), literal(1)))) == ["LEFT became INNER because of WHERE h.x = 1"]


def test_not_through_a_limit() -> None:
    limited = Limit(input=join("left", A, B, ON), limit=3, offset=0)
    assert steps(where(limited, B5)) == []
    assert steps(Limit(input=where(join("left", A, B, ON), B5), limit=3, offset=0)) != []


def test_through_the_keys_of_a_grouping_only() -> None:
    count = AggregateCall(name="max", argument=column(1, 1), distinct=False, filter=None, type=INTEGER)
    grouped = Aggregate(table=7, input=join("left", A, B, ON), keys=(column(1),), aggregates=(count,))
    assert steps(where(grouped, equal(column(7, 1), literal(5)))) == []
    assert steps(where(grouped, equal(column(7, 0), literal(5)))) == ["LEFT became INNER because of HAVING h.x = 5"]
    alone = Aggregate(table=7, input=join("left", A, B, ON), keys=(), aggregates=(count,))
    assert steps(where(alone, equal(column(7, 0), literal(5)))) == []


@pytest.mark.parametrize("operator", list(SetOperator))
def test_into_both_operands_of_a_set_operation(operator: SetOperator) -> None:
    d = table(3)
    operation = SetOperation(
        table=7,
        operator=operator,
        all=False,
        left=join("left", A, B, ON),
        right=join("left", C, d, equal(column(2), column(3))),
        left_columns=(ColumnId(1, 0),),
        right_columns=(ColumnId(3, 0),),
        names=("x",),
        types=(INTEGER,),
    )
    assert len(steps(where(operation, equal(column(7), literal(1))))) == 2
