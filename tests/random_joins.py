"""Random join trees over tiny tables, with conditions of every kind."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

from minisql.datatypes import BIGINT, INTEGER
from minisql.explain.stages import show_relational
from minisql.expression.nodes import AggregateCall, Arithmetic, Coalesce, Expression, InList, Or, SortKey, Value
from minisql.expression.window import DEFAULT_FRAME, WindowCall, WindowFunction
from minisql.relational.relational_expression import (
    Aggregate,
    BaseTable,
    JoinType,
    Limit,
    RelationalExpression,
    SetOperation,
    SetOperator,
    Sort,
    Window,
    inputs,
)
from tests.builders import column, compare, equal, is_null, join, literal, null_safe_equal, project, table, where
from tests.naive import columns

JOIN_TYPES = tuple(JoinType)
# What a value of a column is drawn from: many NULLs and duplicates.
VALUES: tuple[Value, ...] = (None, 0, 1, 1, 2)


def random_rows(rng: random.Random, most: int = 3) -> list[tuple[Value, ...]]:
    return [(rng.choice(VALUES), rng.choice(VALUES)) for _ in range(rng.randint(0, most))]


def random_tree(
    rng: random.Random,
    tables: int,
    *,
    types: Sequence[JoinType] = JOIN_TYPES,
    filters: bool = True,
    most_rows: int = 3,
) -> RelationalExpression:
    """A tree of joins over tables 0 to `tables` - 1 in this order, some of its nodes below a filter."""
    return _tree(rng, 0, tables, types, filters, most_rows)


def _tree(
    rng: random.Random, first: int, end: int, types: Sequence[JoinType], filters: bool, most_rows: int
) -> RelationalExpression:
    if end - first == 1:
        return table(first, random_rows(rng, most_rows))
    if end - first > 2 and JoinType.FULL in types and rng.random() < 0.2:
        return _chain(rng, first, end, types, filters, most_rows)
    middle = rng.randint(first + 1, end - 1)
    left = _tree(rng, first, middle, types, filters, most_rows)
    right = _tree(rng, middle, end, types, filters, most_rows)
    if rng.random() < 0.2:
        left, right = right, left
    conditions = random_conditions(rng, visible_tables(left), visible_tables(right))
    tree: RelationalExpression = join(rng.choice(types), left, right, *conditions)
    if filters and rng.random() < 0.15:
        tree = where(tree, random_filter(rng, visible_tables(tree)))
    return tree


def _chain(
    rng: random.Random, first: int, end: int, types: Sequence[JoinType], filters: bool, most_rows: int
) -> RelationalExpression:
    """Full joins that merge a key of one or two columns, in any order, over members that are trees."""
    ends = sorted(rng.sample(range(first + 1, end), rng.randint(2, end - first - 1)))
    width = rng.choice([1, 1, 1, 2])
    members: list[tuple[RelationalExpression, list[list[Expression]]]] = []
    for start, stop in itertools.pairwise([first, *ends, end]):
        tree = _tree(rng, start, stop, types, filters, most_rows)
        number = rng.choice(visible_tables(tree))
        keys = [[_member_key(rng, tree, column(number, place))] for place in rng.sample(range(2), width)]
        members.append((tree, keys))
    while len(members) > 1:
        place = rng.randrange(len(members) - 1)
        (left, left_keys), (right, right_keys) = members[place : place + 2]
        if rng.random() < 0.2:
            left, left_keys, right, right_keys = right, right_keys, left, left_keys
        conditions = [equal(_merged(rng, x), _merged(rng, y)) for x, y in zip(left_keys, right_keys, strict=True)]
        keys = [x + y for x, y in zip(left_keys, right_keys, strict=True)]
        members[place : place + 2] = [(join("full", left, right, *conditions), keys)]
    return members[0][0]


def _member_key(rng: random.Random, member: RelationalExpression, key: Expression) -> Expression:
    """The column as a key of the member, at times in an expression over another table of it, too."""
    if rng.random() < 0.75:
        return key
    other: Expression = _column(rng, visible_tables(member))
    match rng.randrange(3):
        case 0:
            return Coalesce(operands=(key, other), type=INTEGER)
        case 1:
            other = Coalesce(operands=(other, literal(0)), type=INTEGER)
    return Arithmetic(operator="+", left=key, right=other, type=INTEGER)


def _merged(rng: random.Random, operands: list[Expression]) -> Expression:
    if len(operands) == 1:
        return operands[0]
    return Coalesce(operands=tuple(rng.sample(operands, len(operands))), type=INTEGER)


def visible_tables(relation: RelationalExpression) -> list[int]:
    return sorted({c.table for c in columns(relation)})


def random_conditions(rng: random.Random, left: Sequence[int], right: Sequence[int]) -> list[Expression]:
    """One conjunct over both sides mostly; at times several, or none, or one that uses only one side."""
    number = rng.choices([0, 1, 2, 3], [1, 12, 4, 1])[0]
    return [random_conjunct(rng, left, right) for _ in range(number)]


def random_conjunct(rng: random.Random, left: Sequence[int], right: Sequence[int]) -> Expression:
    x, y = _column(rng, left), _column(rng, right)
    match rng.choices(range(11), [8, 3, 2, 2, 2, 2, 2, 1, 1, 1, 4])[0]:
        case 0:
            return equal(x, y)
        case 1:
            return null_safe_equal(x, y)
        case 2:
            return equal(x, Coalesce(operands=(y, x), type=INTEGER))
        case 3:
            return equal(Coalesce(operands=(x, y), type=INTEGER), y)
        case 4:
            return compare(rng.choice(["<", "<=", "<>", ">"]), x, y)
        case 5:
            z = _column(rng, [*left, *right])
            return equal(Arithmetic(operator="+", left=x, right=z, type=INTEGER), y)
        case 6:
            z = _column(rng, [*left, *right])
            return equal(Coalesce(operands=(x, z), type=INTEGER), y)
        case 7:
            return Or(operands=(equal(x, y), is_null(_column(rng, [*left, *right]))))
        case 8:
            return literal(rng.random() < 0.5)
        case 10:
            return equal(_key(rng, left), _key(rng, right))
        case _:
            return random_filter(rng, rng.choice([left, right]))


def random_filter(rng: random.Random, tables: Sequence[int]) -> Expression:
    x, y = _column(rng, tables), _column(rng, tables)
    match rng.randrange(9):
        case 0:
            return is_null(x)
        case 1:
            return equal(x, literal(1))
        case 2:
            return compare("<", Coalesce(operands=(x, y), type=INTEGER), literal(2))
        case 3:
            return null_safe_equal(x, y)
        case 4:
            return equal(x, y)
        case 5:
            return equal(column(rng.choice(tables)), literal(rng.randrange(3)))
        case 6:
            return equal(_key(rng, tables), _key(rng, tables))
        case 7:
            items = tuple(literal(value) for value in rng.sample(VALUES, 2))
            return InList(operand=_key(rng, tables), items=items, negated=rng.random() < 0.2)
        case _:
            return Or(operands=(is_null(key := _key(rng, tables)), compare(rng.choice("<>="), key, literal(1))))


def _key(rng: random.Random, tables: Sequence[int]) -> Expression:
    """The first column of a table, by which tables are mostly joined, or the merged one of several tables."""
    chosen = sorted(rng.sample(tables, min(len(tables), rng.choice((1, 1, 1, 2, 2, 3)))))
    if rng.random() < 0.2:
        rng.shuffle(chosen)
    columns_ = tuple(column(number) for number in chosen)
    return columns_[0] if len(columns_) == 1 else Coalesce(operands=columns_, type=INTEGER)


def _column(rng: random.Random, tables: Sequence[int]) -> Expression:
    return column(rng.choice(tables), rng.randrange(2))


def show(relation: RelationalExpression) -> str:
    """The tree with the rows of its tables, for messages."""
    nodes, found = [relation], [show_relational(relation)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, BaseTable):
            found.append(f"{node.alias}: {node.source.rows}")
        nodes += inputs(node)
    return "\n".join(found)


def random_query(rng: random.Random, tables: int) -> RelationalExpression:
    """Joins over derived tables, groupings, set operations and limited queries, with filters everywhere.

    Like the tables, every node that makes columns makes two.
    """
    return _filtered(rng, _query(rng, 0, tables, itertools.count(tables)), 0.7)


def _query(rng: random.Random, first: int, end: int, numbers: Iterator[int]) -> RelationalExpression:
    if end - first == 1:
        return table(first, random_rows(rng))
    middle = rng.randint(first + 1, end - 1)
    left, right = _query(rng, first, middle, numbers), _query(rng, middle, end, numbers)
    if rng.random() < 0.1:
        return _set_operation(rng, left, right, next(numbers))
    type_ = rng.choice([*JOIN_TYPES, JoinType.LEFT, JoinType.FULL, JoinType.FULL])
    conditions = random_conditions(rng, visible_tables(left), visible_tables(right))
    tree = _filtered(rng, join(type_, left, right, *conditions), 0.15)
    match rng.randrange(9):
        case 0 | 1:
            return project(next(numbers), tree, [_expression(rng, tree), _expression(rng, tree)])
        case 2:
            return _aggregate(rng, tree, next(numbers))
        case 3:
            return _window(rng, tree, numbers)
        case 4:
            # All columns are sorted, so that the first rows are the same in every plan.
            keys = [SortKey(expression=column(*c), descending=False, nulls_first=False) for c in columns(tree)]
            return Limit(input=Sort(input=tree, keys=tuple(keys)), limit=rng.randint(1, 4), offset=0)
        case _:
            return tree


def _filtered(rng: random.Random, tree: RelationalExpression, probability: float) -> RelationalExpression:
    if rng.random() > probability:
        return tree
    visible = visible_tables(tree)
    return where(tree, *(random_filter(rng, visible) for _ in range(rng.randint(1, 2))))


def _expression(rng: random.Random, tree: RelationalExpression) -> Expression:
    x, y = _column(rng, visible_tables(tree)), _column(rng, visible_tables(tree))
    match rng.randrange(4):
        case 0 | 1:
            return x
        case 2:
            return Coalesce(operands=(x, y), type=INTEGER)
        case _:
            return Arithmetic(operator="+", left=x, right=y, type=INTEGER)


def _aggregate(rng: random.Random, tree: RelationalExpression, number: int) -> RelationalExpression:
    keys = tuple(_expression(rng, tree) for _ in range(rng.randrange(3)))
    names = rng.sample(["count", "sum", "max"], 2 - len(keys))
    calls = tuple(
        AggregateCall(name=name, argument=_expression(rng, tree), distinct=False, filter=None, type=BIGINT)
        for name in names
    )
    return Aggregate(table=number, input=tree, keys=keys, aggregates=calls)


def _window(rng: random.Random, tree: RelationalExpression, numbers: Iterator[int]) -> RelationalExpression:
    """Window functions under a filter, with one PARTITION BY often; what they give does not depend on ties."""
    shared = tuple(_column(rng, visible_tables(tree)) for _ in range(rng.randint(1, 2)))
    calls = []
    for _ in range(2):
        partition_by = shared if rng.random() < 0.8 else (_expression(rng, tree),)
        key = SortKey(expression=_expression(rng, tree), descending=False, nulls_first=rng.random() < 0.5)
        function: WindowFunction | AggregateCall
        function = WindowFunction(name="rank", arguments=(), ignore_nulls=False, type=BIGINT)
        if rng.random() < 0.5:
            argument = _expression(rng, tree)
            function = AggregateCall(name="count", argument=argument, distinct=False, filter=None, type=BIGINT)
        calls.append(WindowCall(function=function, partition_by=partition_by, order_by=(key,), frame=DEFAULT_FRAME))
    window = Window(table=next(numbers), input=tree, calls=tuple(calls))
    # Often a condition on what is partitioned by, which may pass the window.
    conditions = [compare(rng.choice("<="), key, literal(1)) for key in shared if rng.random() < 0.6]
    filtered = _filtered(rng, where(window, *conditions) if conditions else window, 0.4)
    return project(next(numbers), filtered, [_expression(rng, filtered), _expression(rng, filtered)])


def _set_operation(
    rng: random.Random, left: RelationalExpression, right: RelationalExpression, number: int
) -> RelationalExpression:
    sides = [[rng.choice(columns(side)) for _ in range(2)] for side in (left, right)]
    return SetOperation(
        table=number,
        operator=rng.choice(list(SetOperator)),
        all=rng.random() < 0.5,
        left=left,
        right=right,
        left_columns=tuple(sides[0]),
        right_columns=tuple(sides[1]),
        names=("x", "y"),
        types=(INTEGER, INTEGER),
    )
