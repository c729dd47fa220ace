"""What a pair of subgraphs is joined by, worked out in bits.

The conditions of a region are numbered: its filters first, then its edges. Condition i owns two bits of an int, 2i for
its left side and 2i + 1 for its right side. The *contained* bits of a set of nodes are those of the sides that lie in
it (both sides of a filter are all its nodes). Then, for two disjoint sets:

- `contained(s1) & swap(contained(s2))` are the *crossing* edges, those with a side in each: bit 2i says that the left
  side is in s1, bit 2i + 1 that it is in s2.
- A condition is *complete* in a set that contains both its sides. It is applied in the one join that makes it complete,
  so every plan for a set of nodes has applied the same conditions.

Most conditions that become complete in a join are crossing there. A conjunct of an inner join whose sides lie across
the two inputs is applied after the join; another join's condition must not become complete so, for it would be lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from minisql.expression.equalities import equalities
from minisql.expression.nodes import Expression
from minisql.hypergraph.conflicts import ConflictRule
from minisql.hypergraph.join_hypergraph import JoinEdge, JoinHypergraph, KeyChain, RegionFilter
from minisql.hypergraph.key_chain import merged_key
from minisql.node_set import NodeSet
from minisql.relational.relational_expression import JoinType

FEW_RULES: Final = 8
"""Up to so many open rules of a set, what they forbid is worked out once for the set; see `Connections.suspects`."""


@dataclass(frozen=True, slots=True)
class JoinSite:
    """What is applied where two sets are joined.

    `edges` are the numbers of the conditions of a join that is not inner: one, or several of a chain. `flipped` says
    that its left input is the second of the two sets. `others` are the numbers of all other conditions: part of the
    join where it is inner, applied to its result where it is not.
    """

    type: JoinType
    edges: tuple[int, ...]
    flipped: bool
    others: tuple[int, ...]


class Connections:
    """The bits of a region.

    Attributes:
        conditions: the filters and then the edges of the region.
        of_node: the contained bits of each node.
        non_inner: both bits of every edge that is not of an inner join.
        ruled: both bits of every condition with conflict rules.
        rules_at: for each node, the rules that a set with it meets.
        satisfied_at: for each node, the rules that require nothing but it.
        chain_of: for the number of each edge of a chain, bit 2i for every edge i of the chain.
        is_simple: whether every condition has one node on each side, so that it becomes complete where it is crossing.
    """

    def __init__(self, graph: JoinHypergraph) -> None:
        self.conditions: tuple[RegionFilter | JoinEdge, ...] = graph.filters + graph.edges
        self.of_node: dict[int, int] = dict.fromkeys(graph.leaves, 0)
        self._of_eight_nodes: dict[int, int] = {}
        self.non_inner = 0
        self.chain_of: dict[int, int] = {}
        self._left_bits = sum(1 << (2 * number) for number in range(len(self.conditions)))
        self._types: list[JoinType] = []
        # By the eight nodes that their lowest one is among: sides of several nodes, each with its bit.
        self._complex_sides: list[list[tuple[int, int]]] = [
            [] for _ in range((max(graph.leaves).bit_length() + 7) // 8)
        ]
        self.is_simple = not graph.filters
        self.ruled = 0
        self.rules_at: dict[int, int] = dict.fromkeys(graph.leaves, 0)
        self.satisfied_at: dict[int, int] = dict.fromkeys(graph.leaves, 0)
        self._rules: list[ConflictRule] = []
        self._complex_rules = 0  # those that require several nodes
        self._restricted: list[int] = []
        self._rules_of_condition: dict[int, int] = {}
        known: dict[int, int] = {}
        for number, condition in enumerate(self.conditions):
            bits = 0b11 << (2 * number)
            if isinstance(condition, RegionFilter):
                self._add_sides(number, condition.nodes, condition.nodes)
                rules, type_ = condition.rules, JoinType.INNER
            else:
                self._add_sides(number, condition.eligibility.left, condition.eligibility.right)
                rules, type_ = condition.eligibility.rules, graph.operators[condition.operator].type
            self._types.append(type_)
            if type_ is not JoinType.INNER:
                self.non_inner |= bits
            if rules:
                self._add_rules(rules, number, known)
        self._find_rules_at()
        self._find_chains()

    def _find_chains(self) -> None:
        masks: dict[KeyChain, int] = {}
        for number, condition in enumerate(self.conditions):
            if isinstance(condition, JoinEdge) and condition.chain is not None:
                masks[condition.chain] = masks.get(condition.chain, 0) | 1 << (2 * number)
        for number, condition in enumerate(self.conditions):
            if isinstance(condition, JoinEdge) and condition.chain is not None:
                self.chain_of[number] = masks[condition.chain]

    def _add_rules(self, rules: Iterable[ConflictRule], number: int, known: dict[int, int]) -> None:
        # An operator gives the same objects to all above it. To compare a million of them by value takes too long.
        restricted, bits = self._restricted, 0b11 << (2 * number)
        places = 0
        for rule in rules:
            place = known.get(id(rule))
            if place is None:
                place = known[id(rule)] = self._new_rule(rule)
            places |= 1 << place
            restricted[place] |= bits
        self._rules_of_condition[number] = places
        self.ruled |= bits

    def _new_rule(self, rule: ConflictRule) -> int:
        place = len(self._rules)
        self._rules.append(rule)
        self._restricted.append(0)
        if rule.required in self.satisfied_at:
            self.satisfied_at[rule.required] |= 1 << place
        else:
            self._complex_rules |= 1 << place
        return place

    def _find_rules_at(self) -> None:
        """Turns the rules by place into rules by node, eight nodes at a time: neighbors meet the same rules mostly."""
        length = len(self._complex_sides)
        columns = zip(*[rule.tables.to_bytes(length, "little") for rule in self._rules], strict=True)
        for place, column in enumerate(columns):
            by_nodes: dict[int, int] = {}
            for number, eight in enumerate(column):
                if eight:
                    by_nodes[eight] = by_nodes.get(eight, 0) | 1 << number
            for eight, rules in by_nodes.items():
                rest = eight << 8 * place
                while rest:
                    node = rest & -rest
                    rest ^= node
                    self.rules_at[node] |= rules

    def _add_sides(self, number: int, left: NodeSet, right: NodeSet) -> None:
        for nodes, bit in ((left, 1 << (2 * number)), (right, 2 << (2 * number))):
            if nodes in self.of_node:
                self.of_node[nodes] |= bit
            else:
                self._complex_sides[((nodes & -nodes).bit_length() - 1) // 8].append((nodes, bit))
                self.is_simple = False

    def contained(self, nodes: int) -> int:
        """The contained bits of a set of nodes, from scratch."""
        bits = 0
        known = self._of_eight_nodes
        for place, eight in enumerate(nodes.to_bytes((nodes.bit_length() + 7) // 8, "little")):
            if eight:
                key = place << 8 | eight
                found = known.get(key)
                if found is None:
                    found = known[key] = self._contained_in_nodes(eight << 8 * place)
                bits |= found
        return self.contained_in_union(bits, nodes)

    def _contained_in_nodes(self, nodes: int) -> int:
        """The contained bits of the single nodes of a set."""
        bits = 0
        while nodes:
            node = nodes & -nodes
            nodes ^= node
            bits |= self.of_node[node]
        return bits

    def contained_in_union(self, bits: int, nodes: int) -> int:
        """The contained bits of `nodes`, where `bits` are those of sets that make it up."""
        for place, eight in enumerate(nodes.to_bytes((nodes.bit_length() + 7) // 8, "little")):
            if eight:
                for side, bit in self._complex_sides[place]:
                    if not side & ~nodes:
                        bits |= bit
        return bits

    def swap(self, bits: int) -> int:
        """The bits with the sides exchanged."""
        return (bits & self._left_bits) << 1 | bits >> 1 & self._left_bits

    def complete(self, bits: int) -> int:
        """The complete conditions of a set with these contained bits: bit 2i for condition i."""
        return bits & bits >> 1 & self._left_bits

    def find_join(self, nodes: int, crossing: int, completed: int) -> JoinSite | None:
        """What joins two sets that make up `nodes`; None where nothing may, a product where nothing is crossing.

        Args:
            nodes: the union of the two sets.
            crossing: the crossing edges.
            completed: the conditions that are complete in `nodes` and in neither of the two.
        """
        rules = self._rules_of(completed)
        while rules:
            lowest = rules & -rules
            rules ^= lowest
            if not self._rules[lowest.bit_length() - 1].allows(NodeSet(nodes)):
                return None
        return self.join_site(crossing, completed) if self.may_join(crossing, completed) else None

    def join_site(self, crossing: int, completed: int) -> JoinSite:
        """The same for two sets that may be joined."""
        non_inner = completed & self.non_inner
        if not non_inner:
            return JoinSite(JoinType.INNER, (), False, condition_numbers(completed))
        return JoinSite(
            self._types[non_inner.bit_length() // 2],
            condition_numbers(non_inner),
            not crossing & non_inner,
            condition_numbers(completed ^ non_inner),
        )

    def may_join(self, crossing: int, completed: int) -> bool:
        """Whether two sets may be joined, the rules left aside: see `find_join`.

        What is completed is a single join that is not inner, or joins of one chain, or inner joins.
        """
        non_inner = completed & self.non_inner
        if not non_inner:
            return True
        if non_inner & ~(crossing | crossing >> 1):
            return False
        return not non_inner & (non_inner - 1) or not non_inner & ~self.chain_of.get(non_inner.bit_length() // 2, 0)

    def open_rules(self, candidates: int, satisfied: int, nodes: int) -> int:
        """Those of the candidates that a set meets without having what they require; a rule is a bit of an int.

        A rule is open in a set only if it is open in a part of it, so the candidates are those that are open in two
        sets that make it up, and for a single node `rules_at`. `satisfied` is the union of `satisfied_at`.
        """
        candidates &= ~satisfied
        rest = candidates & self._complex_rules
        while rest:
            lowest = rest & -rest
            rest ^= lowest
            if not self._rules[lowest.bit_length() - 1].required & ~nodes:
                candidates ^= lowest
        return candidates

    def suspects(self, open_rules: int) -> int:
        """Both bits of conditions among which are all that must not be applied to make a set with these open rules.

        They are no others, unless there are so many rules that it takes less time to ask `forbids` for each pair.
        """
        if open_rules.bit_count() > FEW_RULES:
            return self.ruled
        bits = 0
        while open_rules:
            lowest = open_rules & -open_rules
            open_rules ^= lowest
            bits |= self._restricted[lowest.bit_length() - 1]
        return bits

    def forbids(self, open_rules: int, completed: int) -> bool:
        """Whether one of the completed conditions must not be applied to make a set with these open rules."""
        return self._rules_of(completed) & open_rules != 0

    def _rules_of(self, conditions: int) -> int:
        rules = 0
        for number in condition_numbers(conditions & self.ruled):
            rules |= self._rules_of_condition[number]
        return rules

    def join_conditions(self, site: JoinSite) -> tuple[Expression, ...]:
        """The conditions of the join that is made there."""
        if not site.edges:
            return self.conditions_of(site.others)
        edges = [self.conditions[number] for number in site.edges]
        first = edges[0]
        if len(edges) == 1 or not isinstance(first, JoinEdge) or first.chain is None:
            return first.conditions
        # The edges lead from every member in one set to every member in the other.
        pairs = [edge.members for edge in edges if isinstance(edge, JoinEdge)]
        right = {second for pair in pairs for one, second in (pair, pair[::-1]) if one == first.members[0]}
        left = {member for pair in pairs for member in pair} - right
        left_key, right_key = (
            merged_key([first.chain.keys[member] for member in sorted(side)]) for side in (left, right)
        )
        return equalities(left_key, right_key)

    def filter_conditions(self, site: JoinSite) -> tuple[Expression, ...]:
        """The conditions that are applied to its result."""
        return self.conditions_of(site.others) if site.edges else ()

    def conditions_of(self, numbers: Iterable[int]) -> tuple[Expression, ...]:
        """The expressions behind the conditions with these numbers."""
        return tuple([condition for number in numbers for condition in self.conditions[number].conditions])


def condition_numbers(bits: int) -> tuple[int, ...]:
    """The numbers of the conditions that have one of these bits, which is at most one bit of each; ascending."""
    found = []
    while bits:
        lowest = bits & -bits
        bits ^= lowest
        found.append((lowest.bit_length() - 1) // 2)
    return tuple(found)
