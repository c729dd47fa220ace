from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from minisql.datatypes import BIGINT, INTEGER
from minisql.expression.format import format_expression
from minisql.expression.nodes import AggregateCall, Arithmetic, Coalesce, Comparison, Expression
from minisql.optimizer.join_conditions import without_implied
from minisql.relational.derive_conditions import MOST_TERMS, derive_conditions
from minisql.relational.push_down import push_down
from minisql.relational.relational_expression import Aggregate, Filter, Join, Limit, RelationalExpression, inputs
from tests.builders import column, compare, equal, is_null, join, literal, project, table, where

A, B, C, D = (table(number) for number in range(4))
AB, BC, CA = equal(column(0), column(1)), equal(column(1), column(2)), equal(column(2), column(0))
A5, B5 = equal(column(0), literal(5)), equal(column(1), literal(5))


def conditions(node: RelationalExpression) -> Iterator[Expression]:
    """All conditions of a tree, from the top down."""
    yield from getattr(node, "conditions", ())
    for input_ in inputs(node):
        yield from conditions(input_)


def derived(query: RelationalExpression) -> set[str]:
    """The conditions that are there only after the pass."""
    before = push_down(query)
    written = {format_expression(condition) for condition in conditions(before)}
    return {format_expression(condition) for condition in conditions(derive_conditions(before))} - written


def coalesce(*operands: Expression) -> Coalesce:
    return Coalesce(operands=operands, type=INTEGER)


# --- equality classes -------------------------------------------------------------------------------------------------


def chain(tables: int, *above: Expression) -> RelationalExpression:
    tree: RelationalExpression = table(0)
    for number in range(1, tables):
        tree = join("inner", tree, table(number), equal(column(number - 1), column(number)))
    return where(tree, *above) if above else tree


def test_equalities_are_closed_up_to_a_number_of_terms() -> None:
    assert derived(chain(2)) == set()
    assert derived(chain(3)) == {"a.x = c.x"}
    pairs = MOST_TERMS * (MOST_TERMS - 1) // 2
    assert len(derived(chain(MOST_TERMS))) == pairs - (MOST_TERMS - 1)
    assert derived(chain(MOST_TERMS + 1)) == set()


def test_a_constant_is_carried_whatever_the_number_of_terms() -> None:
    assert derived(chain(3, A5)) == {"b.x = 5", "c.x = 5"}
    assert len(derived(chain(20, A5))) == 19


def classes(query: RelationalExpression) -> list[tuple[str, int]]:
    return [
        (format_expression(condition), condition.equality_class)
        for condition in conditions(query)
        if isinstance(condition, Comparison) and condition.equality_class is not None
    ]


def test_equalities_that_imply_each_other_are_marked() -> None:
    assert classes(derive_conditions(chain(2))) == []
    ((_, first), (_, second), (_, third)) = classes(derive_conditions(chain(3)))
    assert first == second == third
    cycle = join("inner", join("inner", A, B, AB), C, BC, CA)
    assert len(classes(derive_conditions(cycle))) == 3
    # The same twice is a cycle, too; a chain that is not closed has none.
    assert len(classes(derive_conditions(join("inner", A, B, AB, equal(column(1), column(0)))))) == 2
    assert classes(derive_conditions(chain(MOST_TERMS + 1))) == []


def test_classes_of_different_regions_have_different_numbers() -> None:
    upper = [table(number) for number in (3, 4, 5)]
    other = join("inner", join("inner", upper[0], upper[1], equal(column(3), column(4))), upper[2])
    query = join("left", chain(3), where(other, equal(column(4), column(5))), equal(column(0, 1), column(3, 1)))
    found = dict(classes(derive_conditions(push_down(query))))
    assert len(found) == 6
    assert len(set(found.values())) == 2
    assert found["a.x = b.x"] != found["d.x = e.x"]


def test_terms_of_two_inputs_meet_where_both_are_there() -> None:
    total = Arithmetic(operator="+", left=column(0), right=column(1), type=INTEGER)
    query = join(
        "inner", join("inner", join("inner", A, B), C, equal(total, column(2))), D, equal(column(2), column(3))
    )
    assert derived(query) == {"a.x + b.x = d.x"}


def test_what_may_fail_and_what_is_null_is_not_carried() -> None:
    quotient = Arithmetic(operator="/", left=literal(10), right=column(0), type=INTEGER)
    assert derived(where(join("inner", A, B, AB), compare(">", quotient, literal(1)))) == set()
    assert derived(where(join("inner", A, B, AB), is_null(column(0)))) == set()


def test_a_term_that_contains_itself_comes_to_an_end() -> None:
    following = Arithmetic(operator="+", left=column(0), right=literal(1), type=INTEGER)
    assert "b.x = 5" in derived(where(join("inner", A, B, AB, equal(following, column(1))), A5))


# --- joins that are not inner -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", ["left", "semi", "anti"])
def test_what_is_known_on_the_left_is_asked_of_the_right(type_: str) -> None:
    assert derived(where(join(type_, A, B, AB), A5)) == {"b.x = 5"}
    assert derived(join(type_, where(A, A5), B, AB)) == {"b.x = 5"}
    assert derived(join(type_, A, B, AB, A5)) == {"b.x = 5"}


@pytest.mark.parametrize(
    ("type_", "expected"), [("left", set()), ("anti", set()), ("full", set()), ("semi", {"a.x = 5"})]
)
def test_what_is_known_on_the_right_is_asked_of_the_left_of_a_semi_join_only(type_: str, expected: set[str]) -> None:
    assert derived(join(type_, A, where(B, B5), AB)) == expected


def test_nothing_passes_a_full_join() -> None:
    assert derived(join("full", where(A, A5), B, AB)) == set()


@pytest.mark.parametrize("type_", ["left", "anti"])
def test_a_condition_of_on_that_the_right_input_fulfils_goes_away(type_: str) -> None:
    result = derive_conditions(join(type_, A, B, AB, A5))
    assert isinstance(result, Join)
    assert result.conditions == (AB,)
    assert isinstance(result.right, Filter)


def test_what_is_known_where_a_side_is_padded_holds_of_its_rows() -> None:
    lower = join("left", A, where(B, B5), equal(column(0, 1), column(1, 1)))
    assert derived(join("left", lower, C, BC)) == {"c.x = 5"}
    # A term that is not NULL in a padded row says nothing.
    padded = equal(coalesce(column(1), literal(7)), column(2))
    assert derived(join("left", lower, C, padded)) == set()


def test_what_is_known_of_both_keys_is_known_of_the_merged_one() -> None:
    merged = equal(coalesce(column(0), column(1)), column(2))
    full = join("full", where(A, A5), where(B, B5), AB)
    assert derived(join("left", full, C, merged)) == {"c.x = 5"}
    one_sided = join("full", where(A, A5), B, AB)
    assert derived(join("left", one_sided, C, merged)) == set()


def test_down_into_the_inputs_of_the_right_side() -> None:
    right = join("left", B, join("inner", C, D, equal(column(2), column(3))), BC)
    query = where(join("left", A, right, AB), A5)
    assert derived(query) == {"b.x = 5", "c.x = 5", "d.x = 5"}


def test_up_through_columns_of_derived_tables_and_keys_of_groupings() -> None:
    count = AggregateCall(name="count", argument=None, distinct=False, filter=None, type=BIGINT)
    grouped = Aggregate(table=8, input=where(A, A5), keys=(column(0),), aggregates=(count,))
    selected = project(9, Limit(input=where(A, A5), limit=3, offset=0), [column(0, 1), column(0)])
    assert derived(join("inner", grouped, B, equal(column(8), column(1)))) == {"b.x = 5"}
    assert derived(join("inner", selected, B, equal(column(9, 1), column(1)))) == {"b.x = 5"}
    assert derived(join("inner", selected, B, equal(column(9), column(1)))) == set()


def test_not_below_a_limit() -> None:
    limited = Limit(input=B, limit=3, offset=0)
    result = derive_conditions(join("left", where(A, A5), limited, AB))
    assert isinstance(result, Join)
    assert isinstance(result.right, Filter)
    assert result.right.input is limited


# --- equalities in a plan ---------------------------------------------------------------------------------------------


def test_an_equality_that_follows_is_left_out_of_a_join() -> None:
    terms = [column(number) for number in range(4)]
    closed = [
        Comparison(operator="=", left=left, right=right, equality_class=1)
        for left, right in itertools.combinations(terms, 2)
    ]
    ab, ac, ad, bc, bd, cd = closed
    unmarked = equal(terms[0], terms[3])
    assert without_implied((ac, bc), (ab,)) == (ac,)
    assert without_implied((ac, ad, bc, bd), (ab, cd)) == (ac,)
    assert without_implied((ac, ad, bc, bd), ()) == (ac, ad, bc)
    assert without_implied((unmarked, ad), (ab, bd)) == (unmarked,)
    assert without_implied((ab, Comparison(operator="=", left=terms[0], right=terms[1], equality_class=2)), ()) == (
        ab,
        ab,
    )
