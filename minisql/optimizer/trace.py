"""The search for the best order of a region, step by step: which pairs came, what each costs, and which were kept.

`TracingReceiver` stands between whatever finds pairs and the receiver that costs them. It sees a pair by what the
receiver's entry is before and after it: while the receiver looks at a pair, the entry of the union has no cost, so what
it has then is the cost of that pair, whether it is kept or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from minisql.hypergraph.connections import Connections
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
    """

    def __init__(self, receiver: PlanReceiver, most_pairs: int) -> None:
        self.pairs = 0
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
        if self.pairs <= self._most_pairs:
            self._events.append(pair)

    def _look_again(self) -> None:
        """Corrects the pair that was noted last where a hint has made it hash its other side since."""
        last = self._events[-1] if self._events and self.pairs <= self._most_pairs else None
        if isinstance(last, PairFound) and last.verdict in (Verdict.FIRST, Verdict.BETTER):
            entry = self._receiver.seen[last.left | last.right]
            if entry.cost != last.cost:
                self._events[-1] = last._replace(cost=entry.cost, method=entry.method)


def is_shown_flipped(
    connections: Connections, entries: Mapping[int, Entry], left: Entry, right: Entry, method: int
) -> bool:
    """Whether a join has its sides the other way round where it is shown, as EXPLAIN and hints do.

    The left side of a hash join probes, the right one is hashed. A one-sided nested-loop join has on the left what it
    keeps the rows of, another one the side with the first of the tables.
    """
    if method != NESTED_LOOP:
        return method == BUILD_LEFT
    entry = entries[left.nodes | right.nodes]
    completed = entry.complete & ~(left.complete | right.complete)
    site = connections.join_site(left.contained & right.swapped, completed)
    if site.type in (JoinType.INNER, JoinType.FULL):
        return left.nodes & -left.nodes > right.nodes & -right.nodes
    return site.flipped
