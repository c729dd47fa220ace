"""The search for the best order of a region, step by step: which pairs came, what each costs, and which were kept.

`TracingReceiver` stands between whatever finds pairs and the receiver that costs them. It sees a pair by what the
receiver's entry is before and after it: while the receiver looks at a pair, the entry of the union has no cost, so what
it has then is the cost of that pair, whether it is kept or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from minisql.expression.walk import tables_of
from minisql.hypergraph.connections import Connections, JoinSite
from minisql.hypergraph.hypergraph import Hyperedge, Hypergraph
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.leaves import leaves_of_several_tables
from minisql.hypergraph.subgraph_enumeration import enumerate_subgraph_pairs
from minisql.node_set import NodeSet, overlaps, union
from minisql.optimizer.costing_receiver import BUILD_LEFT, NESTED_LOOP, Entry, PlanReceiver
from minisql.relational.relational_expression import JoinType

_INFINITE: Final = float("inf")


class Verdict(Enum):
    """What became of a pair: it made the first plan of its set, a cheaper one than before, a dearer one, or none."""

    FIRST = "first"
    BETTER = "better"
    DEARER = "dearer"
    FORBIDDEN = "forbidden"


class PhaseBegan(NamedTuple):
    """Another way to find pairs begins, for a reason that is a sentence."""

    phase: str
    reason: str


class NodeFound(NamedTuple):
    """A leaf: its node as a set of one, its estimated rows and its cost."""

    node: int
    rows: float
    cost: float


class PairFound(NamedTuple):
    """A pair of sets of nodes, as it was reported, and what became of it.

    Attributes:
        left, right: the sets.
        method: how they would be joined, as in `Entry`.
        rows: the estimated rows of the union.
        cost: of the pair's plan, the costs of both sides included; infinite where the pair is forbidden.
        beaten: the cost of the best plan of the union before; infinite where there was none.
        verdict: what became of it.
    """

    left: int
    right: int
    method: int
    rows: float
    cost: float
    beaten: float
    verdict: Verdict


Event: TypeAlias = PhaseBegan | NodeFound | PairFound


class TracingReceiver:
    """See the module. It does what the receiver that it stands for does, and notes it.

    Attributes:
        pairs: the number of all pairs.
        refused: how many of them may not be joined.
    """

    def __init__(self, receiver: PlanReceiver, most_pairs: int) -> None:
        self.pairs = 0
        self.refused = 0
        self._events: list[Event] = []
        self._receiver = receiver
        self._most_pairs = most_pairs

    @property
    def seen(self) -> dict[int, Entry]:
        """The entries of the receiver."""
        return self._receiver.seen

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened, in its order; of the pairs only the first `most_pairs`."""
        self._look_again()
        return tuple(self._events)

    def with_forbidden(
        self, graph: JoinHypergraph, connections: Connections, pair_budget: int
    ) -> tuple[tuple[Event, ...], int]:
        """The events and, after an enumeration, those of `forbidden_pairs`; and how many pairs of these there are."""
        events = self.events
        if {event.phase for event in events if isinstance(event, PhaseBegan)} != {"dphyp"}:
            return events, 0
        forbidden = forbidden_pairs(graph, connections, self.seen, pair_budget)
        if not forbidden:
            return events, 0
        began = PhaseBegan("forbidden", "Pairs that a condition connects, and that may not be joined all the same.")
        return (*events, began, *forbidden[: max(0, self._most_pairs - self.pairs)]), len(forbidden)

    def begin_phase(self, phase: str, reason: str) -> None:
        """Notes that another way to find pairs begins."""
        self._events.append(PhaseBegan(phase, reason))

    def found_single_node(self, node: int) -> None:
        """A set of one node."""
        self._receiver.found_single_node(node)
        entry = self._receiver.seen[node]
        self._events.append(NodeFound(node, entry.rows, entry.cost))

    def found_subgraph_pairs(self, subgraph: int, complements: list[int]) -> None:
        """The pairs one by one; those without a plan are passed over here as there."""
        for complement in complements:
            if complement in self._receiver.seen:
                self._look_at(subgraph, complement, is_connected=True)

    def found_pair(self, first: int, second: int) -> None:
        """A pair of sets that have plans."""
        self._look_at(first, second, is_connected=False)

    def _look_at(self, first: int, second: int, *, is_connected: bool) -> None:
        self._look_again()
        seen = self._receiver.seen
        known = seen.get(first | second)
        beaten, left, right, method = _INFINITE, None, None, NESTED_LOOP
        if known is not None:
            beaten, left, right, method = known.cost, known.left, known.right, known.method
            known.cost = _INFINITE
        # In the words of the search: what it is asked for decides how the receiver adds up, and so about ties.
        if is_connected:
            self._receiver.found_subgraph_pairs(first, [second])
        else:
            self._receiver.found_pair(first, second)
        entry = seen.get(first | second)
        if entry is None:
            self._note(PairFound(first, second, method, 0.0, _INFINITE, _INFINITE, Verdict.FORBIDDEN))
            return
        cost, proposed = entry.cost, entry.method
        if known is None:
            verdict = Verdict.FIRST
        elif cost < beaten:
            verdict = Verdict.BETTER
        else:
            verdict = Verdict.FORBIDDEN if cost == _INFINITE else Verdict.DEARER
            entry.cost, entry.left, entry.right, entry.method = beaten, left, right, method
        is_known = left is not None and right is not None and {left.nodes, right.nodes} == {first, second}
        if not (is_known and verdict is Verdict.DEARER):  # a search that is no enumeration asks for some pairs again
            self._note(PairFound(first, second, proposed, entry.rows, cost, beaten, verdict))

    def _note(self, pair: PairFound) -> None:
        self.pairs += 1
        self.refused += pair.verdict is Verdict.FORBIDDEN
        if self.pairs <= self._most_pairs:
            self._events.append(pair)

    def _look_again(self) -> None:
        """Corrects the pair that was noted last where a hint has made it hash its other side since."""
        last = self._events[-1] if self._events and self.pairs <= self._most_pairs else None
        if isinstance(last, PairFound) and last.verdict in (Verdict.FIRST, Verdict.BETTER):
            entry = self._receiver.seen[last.left | last.right]
            if entry.cost != last.cost:
                self._events[-1] = last._replace(cost=entry.cost, method=entry.method)


def join_of(
    connections: Connections, entries: Mapping[int, Entry], first: Entry, second: Entry, method: int
) -> tuple[JoinSite, bool]:
    """What joins a pair, and whether the plan, as EXPLAIN prints it, has the second of the two sets on the left.

    The left side of a hash join probes, the right one is hashed. A one-sided nested-loop join has on the left what it
    keeps the rows of.
    """
    entry = entries[first.nodes | second.nodes]
    completed = entry.complete & ~(first.complete | second.complete)
    site = connections.join_site(first.contained & second.swapped, completed)
    if method == NESTED_LOOP:
        return site, site.flipped and site.type is not JoinType.FULL
    return site, method == BUILD_LEFT


def forbidden_pairs(
    graph: JoinHypergraph, connections: Connections, entries: Mapping[int, Entry], pair_budget: int
) -> list[PairFound]:
    """The pairs of sets with plans that a condition connects, and that may not be joined all the same.

    The enumeration does not come to most of these: what a condition requires beside the tables that it uses is part of
    its hyperedge. So they are enumerated here over what conditions use, up to the budget of pairs.
    """
    groups = leaves_of_several_tables(graph)
    edges = []
    for edge in graph.edges:
        tables = union(tables_of(condition) for condition in edge.conditions)
        nodes = tables | union(NodeSet(node) for node, group in groups.items() if overlaps(group, tables))
        sides = edge.eligibility
        left, right = NodeSet(nodes & sides.left), NodeSet(nodes & sides.right)
        edges.append(Hyperedge(left or sides.left, right or sides.right))
    refused = _Refused(connections, entries)
    enumerate_subgraph_pairs(Hypergraph(graph.graph.nodes, edges), refused, pair_budget)
    return refused.pairs


class _Refused:
    """Collects the pairs of known sets that may not be joined."""

    def __init__(self, connections: Connections, entries: Mapping[int, Entry]) -> None:
        self.seen = entries
        self.pairs: list[PairFound] = []
        self._connections = connections

    def found_single_node(self, node: int) -> None:
        """All sets are known."""

    def found_subgraph_pairs(self, subgraph: int, complements: list[int]) -> None:
        connections, entries = self._connections, self.seen
        for complement in complements:
            if complement not in entries:
                continue
            left, right, nodes = entries[subgraph], entries[complement], subgraph | complement
            contained = connections.contained_in_union(left.contained | right.contained, nodes)
            completed = connections.complete(contained) & ~(left.complete | right.complete)
            crossing = left.contained & right.swapped
            if not crossing or connections.find_join(nodes, crossing, completed) is None:
                beaten = entries[nodes].cost if nodes in entries else _INFINITE
                self.pairs.append(
                    PairFound(subgraph, complement, NESTED_LOOP, 0.0, _INFINITE, beaten, Verdict.FORBIDDEN)
                )
