"""The search space of a join region: every plan in it is right, and in the paper's setting none is missing."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pytest

from minisql.datatypes import INTEGER
from minisql.expression.nodes import Coalesce, ColumnId, Expression, Value
from minisql.expression.walk import tables_of
from minisql.hypergraph.connections import Connections, condition_numbers
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.make_join_hypergraph import is_join_region, make_join_hypergraph
from minisql.hypergraph.subgraph_enumeration import enumerate_subgraph_pairs
from minisql.node_set import members
from minisql.optimizer.join_conditions import without_implied
from minisql.relational.derive_conditions import derive_conditions
from minisql.relational.push_down import push_down
from minisql.relational.relational_expression import Join, JoinType, RelationalExpression
from tests.builders import column, equal, is_null, join, literal, null_safe_equal, table
from tests.naive import Row, bag, columns, holds, joined
from tests.naive import rows as rows_of
from tests.random_joins import random_tree, show, visible_tables

Relation = tuple[list[ColumnId], list[Row]]


class EveryPlan:
    """Executes every plan of a search space, and counts the plans with the orientations of inner and full joins.

    Plans of the same tables that give the same rows are one: `results` has the different ones.
    """

    def __init__(self, graph: JoinHypergraph) -> None:
        self.connections = Connections(graph)
        self.graph = graph
        self.seen: set[int] = set()
        self.contained: dict[int, int] = {}
        self.plans: Counter[int] = Counter()
        self.results: dict[int, list[Relation]] = {}

    def found_single_node(self, node: int) -> None:
        leaf = self.graph.leaves[node]
        self.contained[node] = self.connections.of_node[node]
        complete = self.connections.complete(self.contained[node])
        filters = [i for i in range(len(self.graph.filters)) if complete >> 2 * i & 1]
        self.seen.add(node)
        self.plans[node] = 1
        self.results[node] = [
            (columns(leaf), [row for row in rows_of(leaf) if holds(self.connections.conditions_of(filters), row)])
        ]

    def found_subgraph_pairs(self, subgraph: int, complements: list[int]) -> None:
        for complement in complements:
            if complement in self.seen:
                self.found_pair(subgraph, complement)

    def found_pair(self, s1: int, s2: int) -> None:
        nodes, c1, c2 = s1 | s2, self.contained[s1], self.contained[s2]
        contained = self.connections.contained_in_union(c1 | c2, nodes)
        complete = self.connections.complete
        completed = complete(contained) & ~complete(c1) & ~complete(c2)
        site = self.connections.find_join(nodes, c1 & self.connections.swap(c2), completed)
        if site is None:
            return
        self.seen.add(nodes)
        self.contained[nodes] = contained
        orientations = 2 if site.type in (JoinType.INNER, JoinType.FULL) else 1
        self.plans[nodes] += orientations * self.plans[s1] * self.plans[s2]
        left, right = (s2, s1) if site.flipped else (s1, s2)
        conditions, filters = self.connections.join_conditions(site), self.connections.filter_conditions(site)
        if not site.edges:
            applied = self.connections.conditions_of(condition_numbers(complete(c1) | complete(c2)))
            conditions = without_implied(conditions, applied)
        for (left_columns, left_rows), (right_columns, right_rows) in itertools.product(
            self.results[left], self.results[right]
        ):
            result = joined(site.type, conditions, left_rows, left_columns, right_rows, right_columns)
            result = [row for row in result if holds(filters, row)]
            hides = site.type in (JoinType.SEMI, JoinType.ANTI)
            self.add_result(nodes, (left_columns if hides else left_columns + right_columns, result))

    def add_result(self, nodes: int, relation: Relation) -> None:
        known = self.results.setdefault(nodes, [])
        if all(as_bag(relation) != as_bag(other) for other in known):
            known.append(relation)


def as_bag(relation: Relation) -> Counter[tuple[object, ...]]:
    wanted = sorted(relation[0])
    return Counter(tuple(row[c] for c in wanted) for row in relation[1])


def explore(region: RelationalExpression) -> tuple[EveryPlan, int]:
    """Every plan of the region, and all its nodes."""
    graph = make_join_hypergraph(region)
    plans = EveryPlan(graph)
    assert enumerate_subgraph_pairs(graph.graph, plans, 1_000_000)
    return plans, graph.graph.nodes


@pytest.mark.parametrize("seed", range(6))
def test_every_plan_gives_the_rows_of_the_query_as_written(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(500):
        region = random_tree(rng, rng.choice([2, 3, 3, 4, 4, 5]))
        if is_join_region(region):
            plans, everything = explore(region)
            assert plans.results[everything]
            for relation in plans.results[everything]:
                assert as_bag(relation) == bag(region), show(region)


@pytest.mark.parametrize("seed", range(3))
def test_every_plan_of_what_is_derived_gives_them_too(seed: int) -> None:
    rng = random.Random(seed)
    types = (JoinType.INNER, JoinType.INNER, JoinType.INNER, JoinType.LEFT, JoinType.FULL)
    for _ in range(200):
        region = random_tree(rng, rng.choice([3, 4, 5]), types=rng.choice((types, types, tuple(JoinType))))
        derived = derive_conditions(push_down(region))
        if is_join_region(derived):
            plans, everything = explore(derived)
            assert plans.results[everything]
            for relation in plans.results[everything]:
                assert as_bag(relation) == bag(region), f"{show(region)}\n\n{show(derived)}"


def test_no_operator_comes_between_the_conjuncts_of_an_inner_join_below_it() -> None:
    """FALSE waits for b. The full join may not be applied before it, though it uses a and c alone."""
    a, b, c, d = table(0, [(2, None)]), table(1, [(1, 1)]), table(2, [(2, 2)]), table(3, [(2, None)])
    inner = join("inner", a, join("left", c, b, equal(column(2, 1), column(1, 1))), literal(False))
    inner = replace(inner, conditions=(*inner.conditions, equal(column(0), column(2))))
    region = join("full", inner, d, is_null(column(0, 1)))
    plans, everything = explore(region)
    assert [as_bag(relation) for relation in plans.results[everything]] == [bag(region)]


@dataclass(frozen=True)
class Predicate:
    """A predicate over a column of each side, and on which sides it rejects nulls."""

    make: Callable[[Expression, Expression], Expression]
    rejects_left: bool
    rejects_right: bool


REJECTS_BOTH = Predicate(equal, True, True)
PREDICATES = (
    REJECTS_BOTH,
    Predicate(lambda x, y: equal(x, Coalesce(operands=(y, x), type=INTEGER)), True, False),
    Predicate(lambda x, y: equal(Coalesce(operands=(x, y), type=INTEGER), y), False, True),
    Predicate(null_safe_equal, False, False),
)


def queries(
    leaves: range, types: Sequence[JoinType], predicates: Sequence[Predicate] = (REJECTS_BOTH,)
) -> Iterator[tuple[RelationalExpression, set[int], set[int]]]:
    """Every query that simplification leaves alone, with its visible tables and those of them that may be padded."""
    if len(leaves) == 1:
        yield table(leaves[0]), set(leaves), set()
    for split in range(1, len(leaves)):
        for (left, left_visible, left_padded), (right, right_visible, right_padded), type_ in itertools.product(
            queries(leaves[:split], types, predicates), queries(leaves[split:], types, predicates), types
        ):
            for i, j, predicate in itertools.product(left_visible, right_visible, predicates):
                simplifies_left = (
                    type_ in (JoinType.INNER, JoinType.SEMI) and predicate.rejects_left and i in left_padded
                )
                simplifies_right = type_ is not JoinType.FULL and predicate.rejects_right and j in right_padded
                if simplifies_left or simplifies_right:
                    continue
                query = join(type_, left, right, predicate.make(column(i), column(j)))
                match type_:
                    case JoinType.SEMI | JoinType.ANTI:
                        yield query, left_visible, left_padded
                    case JoinType.INNER:
                        yield query, left_visible | right_visible, left_padded | right_padded
                    case JoinType.LEFT:
                        yield query, left_visible | right_visible, left_padded | right_visible
                    case JoinType.FULL:
                        yield query, left_visible | right_visible, left_visible | right_visible


@pytest.mark.parametrize(
    ("tables", "types", "expected"),
    [
        (3, list(JoinType), (62, 203)),
        (4, list(JoinType), (1_114, 11_148)),
        (3, [JoinType.INNER, JoinType.LEFT, JoinType.ANTI], (26, 88)),
        (4, [JoinType.INNER, JoinType.LEFT, JoinType.ANTI], (344, 4_059)),
    ],
)
def test_as_many_plans_as_were_counted(tables: int, types: Sequence[JoinType], expected: tuple[int, int]) -> None:
    counts = []
    for query, _, _ in queries(range(tables), types):
        plans, everything = explore(query)
        counts.append(plans.plans[everything])
    assert (len(counts), sum(counts)) == expected


def orders(query: RelationalExpression) -> Iterator[RelationalExpression]:
    """Every tree of the same joins over the same tables in which each condition has a table of each side at hand."""
    operators, leaves = [], []
    stack = [query]
    while stack:
        node = stack.pop()
        if isinstance(node, Join):
            operators.append(node)
            stack += [node.left, node.right]
        else:
            leaves.append(node)
    sides = {}
    for operator in operators:
        (left,) = used(operator) & set(visible_tables(operator.left))
        (right,) = used(operator) - {left}
        sides[operator] = left, right
    yield from _orders(frozenset(leaves), frozenset(operators), sides)


def _orders(
    leaves: frozenset[RelationalExpression], operators: frozenset[Join], used_sides: dict[Join, tuple[int, int]]
) -> Iterator[RelationalExpression]:
    if len(leaves) == 1:
        yield from leaves
        return
    for operator in operators:
        rest = operators - {operator}
        for size in range(1, len(leaves)):
            for chosen in map(frozenset, itertools.combinations(leaves, size)):
                sides = (chosen, leaves - chosen)
                below = [frozenset(o for o in rest if used(o) <= tables(side)) for side in sides]
                if [len(o) + 1 for o in below] != [len(side) for side in sides]:
                    continue
                for left, right in itertools.product(
                    _orders(sides[0], below[0], used_sides), _orders(sides[1], below[1], used_sides)
                ):
                    i, j = used_sides[operator]
                    if operator.type in (JoinType.INNER, JoinType.FULL) and i in visible_tables(right):
                        i, j = j, i
                    if i in visible_tables(left) and j in visible_tables(right):
                        yield replace(operator, left=left, right=right)


def used(operator: Join) -> set[int]:
    return set(members(tables_of(operator.conditions[0])))


def tables(leaves: Iterable[RelationalExpression]) -> set[int]:
    return {leaf.table for leaf in leaves}


def over(tree: RelationalExpression, database: Sequence[RelationalExpression]) -> RelationalExpression:
    """The same tree over other tables."""
    if isinstance(tree, Join):
        return replace(tree, left=over(tree.left, database), right=over(tree.right, database))
    return database[tree.table]


@pytest.mark.parametrize(("number", "step"), [(3, 1), (4, 20)])
def test_no_order_is_missing_in_the_setting_of_the_paper(number: int, step: int) -> None:
    rng = random.Random(1)
    databases = [
        # The second column tells the rows of a table apart.
        [table(i, [(rng.choice([None, 1, 2]), row) for row in range(rng.randint(0, 3))]) for i in range(number)]
        for _ in range(60)
    ]
    for query, _, _ in itertools.islice(queries(range(number), list(JoinType)), 0, None, step):
        plans, everything = explore(query)
        assert plans.plans[everything] == valid_orders(query, databases), show(query)


def test_a_database_tells_every_rejected_order_of_three_tables_apart_from_the_query() -> None:
    """For predicates of every kind: each order that no database tells apart is in the search space."""
    databases = small_databases()
    for query, _, _ in itertools.islice(queries(range(3), list(JoinType), PREDICATES), 0, None, 10):
        plans, everything = explore(query)
        assert plans.plans[everything] == valid_orders(query, databases), show(query)


def small_databases() -> list[list[RelationalExpression]]:
    """Every database of three tables with some of the smallest contents."""
    contents: list[list[Value]] = [[], [None], [1], [2], [1, 1], [1, 2], [None, 1]]
    databases: list[list[RelationalExpression]] = [
        [table(number, list(zip(values, range(2), strict=False))) for number, values in enumerate(chosen)]
        for chosen in itertools.product(contents, repeat=3)
    ]
    random.Random(3).shuffle(databases)  # so that most orders are told apart soon
    return databases


def valid_orders(query: RelationalExpression, databases: Sequence[Sequence[RelationalExpression]]) -> int:
    """How many orders give the rows of the query over all of these databases."""
    expected: list[Counter[Row]] = []

    def is_right(order: RelationalExpression) -> bool:
        for number, database in enumerate(databases):
            if number == len(expected):
                expected.append(bag(over(query, database)))
            if bag(over(order, database)) != expected[number]:
                return False
        return True

    return sum(map(is_right, orders(query)))
