"""The reasons of conflict rules, and what sentences say, against the rules and against all joins that there are."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from minisql.explain.rewrites import base_tables
from minisql.expression.nodes import IsNull
from minisql.hypergraph.conflicts import ASSOC, L_ASSCOM, R_ASSCOM, Operator, Properties, has_property
from minisql.hypergraph.connections import Connections
from minisql.hypergraph.join_hypergraph import JoinEdge, JoinHypergraph, RegionFilter
from minisql.hypergraph.make_join_hypergraph import is_join_region, make_join_hypergraph
from minisql.hypergraph.reasons import Cause, Reasons, causes_of
from minisql.hypergraph.sentences import Wording
from minisql.hypergraph.why_not import Obstacle, explain_why_not, may_join
from minisql.node_set import EMPTY, NodeSet, is_subset, lowest, members, single, subsets
from minisql.relational.relational_expression import Filter, Join, JoinType, RelationalExpression
from tests.builders import column, is_not_null
from tests.random_joins import random_tree

E1, E2, E3 = single(0), single(1), single(2)
NAMES = {number: chr(97 + number) for number in range(8)}


def operator(type_: JoinType, left: NodeSet, right: NodeSet, ses: NodeSet, rejected: NodeSet) -> Operator:
    return Operator(type=type_, left_tables=left, right_tables=right, ses=ses, rejected=rejected)


@pytest.mark.parametrize(("a", "b"), list(itertools.product(JoinType, repeat=2)))
def test_the_causes_are_the_property_tables(a: JoinType, b: JoinType) -> None:
    """Two operators have a property exactly if there is no cause why they should not, wherever they reject nulls."""
    for first, second in itertools.product((False, True), repeat=2):

        def claims(
            properties: Properties, x: JoinType, y: JoinType, first: bool = first, second: bool = second
        ) -> bool:
            return has_property(properties, x, y, first_rejects=first, second_rejects=second)

        def rejecting(shared: NodeSet, does: bool) -> NodeSet:
            return shared if does else EMPTY

        # (e1 a e2) b e3, over e2 and over e1; then e1 b (e2 a e3), over e2 and over e3.
        lower = operator(a, E1, E2, NodeSet(E1 | E2), rejecting(E2, first))
        upper = operator(b, NodeSet(E1 | E2), E3, NodeSet(E2 | E3), rejecting(E2, second))
        assert claims(ASSOC, a, b) is not bool(causes_of(lower, E2, upper, upper.left_tables))
        lower = operator(a, E1, E2, NodeSet(E1 | E2), rejecting(E1, first))
        upper = operator(b, NodeSet(E1 | E2), E3, NodeSet(E1 | E3), rejecting(E1, second))
        assert claims(L_ASSCOM, a, b) is not bool(causes_of(lower, E1, upper, upper.left_tables))
        lower = operator(a, E2, E3, NodeSet(E2 | E3), rejecting(E2, second))
        upper = operator(b, E1, NodeSet(E2 | E3), NodeSet(E1 | E2), rejecting(E2, first))
        assert claims(ASSOC, b, a) is not bool(causes_of(lower, E2, upper, upper.right_tables))
        lower = operator(a, E2, E3, NodeSet(E2 | E3), rejecting(E3, second))
        upper = operator(b, E1, NodeSet(E2 | E3), NodeSet(E1 | E3), rejecting(E3, first))
        assert claims(R_ASSCOM, b, a) is not bool(causes_of(lower, E3, upper, upper.right_tables))


def random_graphs(seeds: range, most: int) -> Iterator[tuple[RelationalExpression, JoinHypergraph]]:
    for seed in seeds:
        rng = random.Random(seed)
        tree = random_tree(rng, rng.randint(2, most))
        if is_join_region(tree):
            yield tree, make_join_hypergraph(tree)


def test_the_reasons_give_the_rules() -> None:
    """What is worked out for a sentence is what planning has: the TES, its sides, and the rules that are left."""
    rules = steps = 0
    for _, graph in random_graphs(range(600), 7):
        reasons = Reasons(graph)
        for edge in graph.edges:
            found = reasons.derivation(edge)
            assert (found.left, found.right) == (edge.eligibility.left, edge.eligibility.right)
            assert {reason.rule for reason in found.rest} == set(edge.eligibility.rules)
            rules += len(found.rest)
            steps += len(found.steps)
            missing = NodeSet(found.tes & ~(found.ses | found.whole))
            chain = found.chain(missing)
            assert is_subset(missing, found.tes)
            there = found.ses
            for step in chain:
                assert is_subset(step.added, step.reason.rule.required)
                assert step.met & step.reason.rule.tables & there, "a step of a chain stands on what is there"
                there = NodeSet(there | step.added)
            assert is_subset(missing, there)
        for filter_ in graph.filters:
            found = reasons.derivation(filter_)
            assert found.tes == filter_.nodes
            assert {reason.rule for reason in found.rest} == set(filter_.rules)
    assert rules > 100
    assert steps > 500


def is_joined(graph: JoinHypergraph, connections: Connections, left: NodeSet, right: NodeSet) -> bool:
    """Whether the planner may join two sets."""
    first, second = connections.contained(left), connections.contained(right)
    nodes = NodeSet(left | right)
    both = connections.contained_in_union(first | second, nodes)
    completed = connections.complete(both) & ~connections.complete(first) & ~connections.complete(second)
    crossing = first & connections.swap(second)
    return bool(crossing) and connections.find_join(nodes, crossing, completed) is not None


def joins_of(graph: JoinHypergraph) -> tuple[list[NodeSet], set[tuple[NodeSet, NodeSet]]]:
    """By brute force: the sets that some plan makes, and the pairs of them that may be joined."""
    connections = Connections(graph)
    made = [single(node) for node in members(graph.graph.nodes)]
    known = set(made)
    pairs = set()
    for nodes in sorted(subsets(graph.graph.nodes), key=int.bit_count):
        for left in subsets(nodes):
            right = NodeSet(nodes & ~left)
            if left in known and right in known and is_joined(graph, connections, left, right):
                pairs.add((left, right))
                if nodes not in known:
                    known.add(nodes)
                    made.append(nodes)
    return made, pairs


def joins_by_number(tree: RelationalExpression, graph: JoinHypergraph) -> dict[int, Join]:
    """The joins of a tree, by the numbers of their operators."""
    numbers = {(each.left_tables, each.right_tables): number for number, each in enumerate(graph.operators)}
    found = {}
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Filter):
            waiting.append(node.input)
        elif isinstance(node, Join):
            waiting += [node.left, node.right]
            sides = [NodeSet(base_tables(side) & graph.graph.nodes) for side in (node.left, node.right)]
            number = numbers.get((sides[0], sides[1]))
            if number is not None:
                found[number] = node
    return found


def with_joins(node: RelationalExpression, changed: Callable[[Join], Join]) -> RelationalExpression:
    if isinstance(node, Filter):
        return replace(node, input=with_joins(node.input, changed))
    if isinstance(node, Join):
        new = changed(node)
        return replace(new, left=with_joins(node.left, changed), right=with_joins(node.right, changed))
    return node


def test_sentences_are_true() -> None:
    """Of every two sets that plans make and may not join: "only after" and "it could if" are as they say."""
    only_after = remedies = 0
    for tree, graph in random_graphs(range(220), 5):
        made, pairs = joins_of(graph)
        reasons = Reasons(graph)
        joins = joins_by_number(tree, graph)
        for left, right in itertools.product(made, repeat=2):
            if left & right:
                continue
            assert may_join(graph, reasons, left, right) is ((left, right) in pairs)
            if (left, right) in pairs:
                continue
            why = explain_why_not(graph, left, right, NAMES)
            assert "#" not in why.text
            if why.needed:
                only_after += 1
                larger = [NodeSet(x | y) for x, y in pairs if is_subset(left, x) and is_subset(right, y)]
                assert all(is_subset(why.needed, nodes) for nodes in larger), why.text
            for number, tables in why.remedy:
                remedies += 1
                assert joins[number].type in (JoinType.LEFT, JoinType.FULL)
                assert not graph.operators[number].rejected & tables, "it does not reject nulls there yet"
            if why.remedy:
                rejecting = [(joins[number], is_not_null(column(lowest(tables)))) for number, tables in why.remedy]

                def changed(join: Join, rejecting: list[tuple[Join, IsNull]] = rejecting) -> Join:
                    conditions = [condition for each, condition in rejecting if each is join]
                    return replace(join, conditions=(*join.conditions, *conditions))

                better = make_join_hypergraph(with_joins(tree, changed))
                assert is_joined(better, Connections(better), left, right), why.text
    assert only_after > 500
    assert remedies > 20


def test_every_rule_is_told() -> None:
    """An edge or a filter has sentences exactly if it has rules or its TES is more than what its conditions use.

    Rules because of what a semi join hides are not told, for no set that a plan makes breaks them.
    """
    hidden = 0
    for _, graph in random_graphs(range(600, 900), 6):
        words = Wording(graph, NAMES)
        made = None
        for condition in (*graph.edges, *graph.filters):
            assert isinstance(condition, JoinEdge | RegionFilter)
            found = words.reasons.derivation(condition)
            told = [reason for reason in found.rest if Cause.LOWER_HIDES not in reason.causes]
            has_reason = bool(told) or bool(found.tes & ~(found.ses | found.whole)) or bool(words.unused_inputs(found))
            assert bool(words.rules(condition)) is has_reason
            for reason in found.rest:
                if reason not in told:
                    hidden += 1
                    made = made or joins_of(graph)[0]
                    assert all(reason.rule.allows(nodes) for nodes in made if is_subset(found.tes, nodes))
    assert hidden > 20


def refused_pairs(graph: JoinHypergraph) -> Iterator[tuple[NodeSet, NodeSet]]:
    """Pairs of disjoint sets that both can be made, and may not be joined."""
    made, pairs = joins_of(graph)
    for left, right in itertools.permutations(made, 2):
        if not left & right and (left, right) not in pairs:
            yield left, right


def test_no_rule_forbids_an_order_of_inner_joins() -> None:
    """They may be made in any order: what is not enumerated makes products, or takes conditions apart otherwise."""
    found = set[Obstacle]()
    for seed in range(300):
        rng = random.Random(seed)
        tree = random_tree(rng, rng.randint(3, 5), types=(JoinType.INNER,), filters=False)
        if is_join_region(tree):
            graph = make_join_hypergraph(tree)
            found |= {explain_why_not(graph, *pair, NAMES).obstacle for pair in refused_pairs(graph)}
    assert Obstacle.PRODUCT in found
    assert Obstacle.RULE not in found


def test_sentence_and_obstacle_say_the_same() -> None:
    """`Nothing joins` is said of products alone, and of what a rule forbids that rule is said."""
    seen = set[tuple[str, Obstacle]]()
    for _, graph in random_graphs(range(2000, 2400), 5):
        for left, right in refused_pairs(graph):
            found = explain_why_not(graph, left, right, NAMES)
            start = next(
                start
                for start in ("Nothing joins", "No condition joins", "can be joined to", "cannot be joined to")
                if start in found.text
            )
            seen.add((start, found.obstacle))
            if start == "Nothing joins":
                assert found.obstacle is Obstacle.PRODUCT, found.text
            if start == "can be joined to":
                assert found.obstacle is Obstacle.RULE, found.text
            if start == "No condition joins" and "the condition" not in found.text.partition(":")[2][:15]:
                assert found.obstacle is Obstacle.RULE or "the INNER JOIN" in found.text, found.text
    assert len(seen) == 4
