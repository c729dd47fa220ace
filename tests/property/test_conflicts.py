"""The property tables against brute force, in bag semantics, over every database of a few tiny relations."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from minisql.hypergraph.conflicts import ASSOC, L_ASSCOM, R_ASSCOM, Properties, has_property
from minisql.relational.relational_expression import JoinType

INNER, SEMI, ANTI, LEFT, FULL = JoinType.INNER, JoinType.SEMI, JoinType.ANTI, JoinType.LEFT, JoinType.FULL
HIDES_RIGHT = (SEMI, ANTI)

# A row has a place for each of e1, e2 and e3: a tuple with one value that may be NULL, or None for a table that is
# padded or not there. Relations are sorted tuples of rows, so that equal bags are equal values.
Row = tuple[Any, Any, Any]
Relation = tuple[Row, ...]
TINY = ((), (None,), (1,), (2,), (1, 1), (1, 2), (None, 1))

# What a predicate over a left and a right column says, whether it rejects nulls on the left, and on the right.
PREDICATES: dict[str, tuple[Callable[[Any, Any], bool], bool, bool]] = {
    "l = r": (lambda x, y: x is not None and x == y, True, True),
    "l = COALESCE(r, l)": (lambda x, y: x is not None and y in (None, x), True, False),
    "COALESCE(l, r) = r": (lambda x, y: y is not None and x in (None, y), False, True),
    "l IS NOT DISTINCT FROM r": (lambda x, y: x == y, False, False),
    "TRUE": (lambda x, y: True, False, False),
}


def relation(table: int, values: tuple[int | None, ...]) -> Relation:
    return order(tuple((value,) if i == table else None for i in range(3)) for value in values)


def order(rows: Any) -> Relation:
    return tuple(sorted(rows, key=repr))


def value_of(place: Any) -> Any:
    return None if place is None else place[0]


@cache
def join(type_: JoinType, predicate: str, tables: tuple[int, int], left: Relation, right: Relation) -> Relation:
    holds = PREDICATES[predicate][0]
    first, second = tables
    lefts, rights = [value_of(row[first]) for row in left], [value_of(row[second]) for row in right]
    pairs = [(a, b) for a, x in enumerate(lefts) for b, y in enumerate(rights) if holds(x, y)]
    left_matched, right_matched = {a for a, _ in pairs}, {b for _, b in pairs}
    if type_ in HIDES_RIGHT:
        return tuple(row for a, row in enumerate(left) if (a in left_matched) is (type_ is SEMI))
    found = [tuple(x if x is not None else y for x, y in zip(left[a], right[b], strict=True)) for a, b in pairs]
    if type_ in (LEFT, FULL):
        found += [row for a, row in enumerate(left) if a not in left_matched]
    if type_ is FULL:
        found += [row for b, row in enumerate(right) if b not in right_matched]
    return order(found)


DATABASES = [
    tuple(relation(table, values) for table, values in enumerate(choice))
    for choice in itertools.product(TINY, repeat=3)
]
OPERATOR_PAIRS = list(itertools.product(JoinType, repeat=2))


def check(
    properties: Properties, a: JoinType, b: JoinType, sides: tuple[int, int], equation: Callable[..., bool]
) -> None:
    """A pair has the property for where its predicates reject nulls exactly if every such pair of predicates has it.

    `sides` says where the input that both predicates use stands in each of them: 0 is left, 1 right.
    """
    counterexamples: dict[tuple[bool, bool], list[tuple[str, str]]] = {}
    for first, second in itertools.product(PREDICATES, repeat=2):
        rejects = (PREDICATES[first][1 + sides[0]], PREDICATES[second][1 + sides[1]])
        failing = counterexamples.setdefault(rejects, [])
        if not all(equation(first, second, *database) for database in DATABASES):
            failing.append((first, second))
    for (first_rejects, second_rejects), failing in counterexamples.items():
        claimed = has_property(properties, a, b, first_rejects=first_rejects, second_rejects=second_rejects)
        assert claimed is (not failing), (first_rejects, second_rejects, failing)


@pytest.mark.parametrize(("a", "b"), [pair for pair in OPERATOR_PAIRS if pair[0] not in HIDES_RIGHT])
def test_assoc(a: JoinType, b: JoinType) -> None:
    def equation(p12: str, p23: str, e1: Relation, e2: Relation, e3: Relation) -> bool:
        left = join(b, p23, (1, 2), join(a, p12, (0, 1), e1, e2), e3)
        return left == join(a, p12, (0, 1), e1, join(b, p23, (1, 2), e2, e3))

    check(ASSOC, a, b, (1, 0), equation)


@pytest.mark.parametrize(("a", "b"), OPERATOR_PAIRS)
def test_l_asscom(a: JoinType, b: JoinType) -> None:
    def equation(p12: str, p13: str, e1: Relation, e2: Relation, e3: Relation) -> bool:
        left = join(b, p13, (0, 2), join(a, p12, (0, 1), e1, e2), e3)
        return left == join(a, p12, (0, 1), join(b, p13, (0, 2), e1, e3), e2)

    check(L_ASSCOM, a, b, (0, 0), equation)


@pytest.mark.parametrize(("a", "b"), [p for p in OPERATOR_PAIRS if not {*p} & {*HIDES_RIGHT}])
def test_r_asscom(a: JoinType, b: JoinType) -> None:
    def equation(p13: str, p23: str, e1: Relation, e2: Relation, e3: Relation) -> bool:
        left = join(a, p13, (0, 2), e1, join(b, p23, (1, 2), e2, e3))
        return left == join(b, p23, (1, 2), e2, join(a, p13, (0, 2), e1, e3))

    check(R_ASSCOM, a, b, (1, 1), equation)


def test_an_operator_that_hides_its_right_input_has_no_property_that_needs_it() -> None:
    for hides, other in itertools.product(HIDES_RIGHT, JoinType):
        assert (hides, other) not in ASSOC
        assert (hides, other) not in R_ASSCOM
        assert (other, hides) not in R_ASSCOM


def test_full_then_left_needs_a_predicate_that_rejects_nulls_on_the_table_they_share() -> None:
    """The usual table asks for a predicate that rejects nulls on e3; this one does, and the rows differ."""
    a, b, c = relation(0, ()), relation(1, (1,)), relation(2, (7,))
    assert PREDICATES["COALESCE(l, r) = r"][1:] == (False, True)
    as_written = join(LEFT, "COALESCE(l, r) = r", (0, 2), join(FULL, "l = r", (0, 1), a, b), c)
    reordered = join(FULL, "l = r", (0, 1), join(LEFT, "COALESCE(l, r) = r", (0, 2), a, c), b)
    assert as_written == ((None, (1,), (7,)),)
    assert reordered == ((None, (1,), None),)
    assert not has_property(L_ASSCOM, FULL, LEFT, first_rejects=True, second_rejects=False)
