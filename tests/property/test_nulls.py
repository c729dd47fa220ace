from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from minisql.datatypes import INTEGER
from minisql.expression.nodes import (
    And,
    Arithmetic,
    Case,
    Cast,
    Coalesce,
    ColumnId,
    Expression,
    InList,
    IsDistinctFrom,
    IsNull,
    IsTruth,
    Negate,
    Not,
    Or,
)
from minisql.expression.nulls import null_rejected_tables, rejects_nulls_jointly
from minisql.expression.walk import columns_of
from minisql.node_set import members, node_set
from tests.builders import column, compare, literal
from tests.naive import evaluate

COLUMNS = [ColumnId(table, position) for table in range(3) for position in range(2)]
DOMAIN = (None, 0, 1)

leaves = st.one_of(
    st.builds(column, st.integers(0, 2), st.integers(0, 1)), st.builds(literal, st.sampled_from([0, 1, None]))
)
booleans = st.booleans()


def numbers(
    inner: st.SearchStrategy[Expression], truths: st.SearchStrategy[Expression]
) -> st.SearchStrategy[Expression]:
    return st.one_of(
        inner,
        st.builds(Arithmetic, operator=st.sampled_from("+-*"), left=inner, right=inner, type=st.just(INTEGER)),
        st.builds(Negate, operand=inner, type=st.just(INTEGER)),
        st.builds(Cast, operand=inner, type=st.just(INTEGER)),
        st.builds(Coalesce, operands=st.lists(inner, min_size=2, max_size=3).map(tuple), type=st.just(INTEGER)),
        st.builds(
            Case,
            branches=st.lists(st.tuples(truths, inner), min_size=1, max_size=2).map(tuple),
            otherwise=inner,
            type=st.just(INTEGER),
        ),
    )


def comparisons(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(
        st.builds(compare, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), inner, inner),
        st.builds(IsDistinctFrom, left=inner, right=inner, negated=booleans),
        st.builds(IsNull, operand=inner, negated=booleans),
        st.builds(InList, operand=inner, items=st.lists(inner, min_size=1, max_size=3).map(tuple), negated=booleans),
    )


def logic(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(And, operands=several),
        st.builds(Or, operands=several),
        st.builds(Not, operand=inner),
        st.builds(IsTruth, operand=inner, truth=booleans, negated=booleans),
        st.builds(IsNull, operand=inner, negated=booleans),
        st.builds(Coalesce, operands=several, type=st.just(literal(True).type)),
    )


simple_truths = st.one_of(comparisons(leaves), st.sampled_from([literal(True), literal(False)]))
conditions = st.recursive(comparisons(numbers(leaves, simple_truths)), logic, max_leaves=5)


@settings(max_examples=600, deadline=None)
@given(conditions)
def test_a_rejected_table_is_never_padded_in_a_row_that_passes(condition: Expression) -> None:
    for table in members(null_rejected_tables(condition, node_set(range(3)))):
        others = [c for c in sorted(columns_of(condition)) if c.table != table]
        padded = dict.fromkeys((c for c in COLUMNS if c.table == table), None)
        for values in itertools.product(DOMAIN, repeat=len(others)):
            row = {**padded, **dict(zip(others, values, strict=True))}
            assert evaluate(condition, row) is not True


@settings(max_examples=600, deadline=None)
@given(conditions, st.sets(st.integers(0, 2), min_size=1))
def test_a_row_that_passes_is_not_padded_on_tables_that_are_rejected_jointly(
    condition: Expression, tables: set[int]
) -> None:
    if not rejects_nulls_jointly(condition, node_set(tables)):
        return
    others = [c for c in sorted(columns_of(condition)) if c.table not in tables]
    padded = dict.fromkeys((c for c in COLUMNS if c.table in tables), None)
    for values in itertools.product(DOMAIN, repeat=len(others)):
        row = {**padded, **dict(zip(others, values, strict=True))}
        assert evaluate(condition, row) is not True
