"""Which plans teach most beside the chosen one: the informative plan selection problem.

Wang, Li, Bhowmick and others, "ARENA: Alternative Relational Query Plan Exploration for Database Education" (SIGMOD
2023; the long version is arXiv 2210.13722) compare plans by structure, content and cost, and choose a set in which no
two are alike. Here the three are distances between 0 and 1, each a metric:

- structure: how a join stands between its inputs (a table or a join on either side), its type and method, and which
  operators there are beside the joins; the Ruzicka distance of two bags, 1 - |intersection| / |union|;
- content: what is joined in each intermediate result, and what each hash table is built of; the same distance;
- cost: the ratio of the costs on a logarithmic scale, 1 from a factor of `COST_SCALE` on.

A plan is of interest by itself where a small difference to the chosen plan costs much or a large one costs little.
The value of a set is the least, over its pairs, of their distance and half of their interest. That is a metric again
(Gollapudi and Sharma, "An Axiomatic Approach for Result Diversification", WWW 2009, section 3), so that taking the
farthest plan again and again gives at least half of the best value (Ravi, Rosenkrantz and Tayi, "Heuristic and Special
Case Algorithms for Dispersion Problems", Operations Research 1994). Exchanges then make it better where they can.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Final, TypeAlias

from minisql.node import node
from minisql.optimizer.access_path import AccessPath, Filter, HashJoin, NestedLoopJoin, SharedScan, inputs

Bag: TypeAlias = Counter[tuple[Hashable, ...]]

COST_SCALE: Final = 10.0
"""The ratio of costs from which on plans are as far apart as costs can bring them."""
NEAR: Final = 0.2
"""Plans that are closer than this are near-copies: they differ in one small leaf or so, at about the same cost."""
COMMUTED_NEAR: Final = 1.25
"""Plans that join the same sets in the same ways, but for exchanged sides, are near-copies if costs differ by less."""

_STRUCTURE_WEIGHT: Final = 0.3
_CONTENT_WEIGHT: Final = 0.4
_COST_WEIGHT: Final = 0.3
_INTEREST_WEIGHT: Final = 0.25
_MOST_EXCHANGES: Final = 20


@node
class PlanFeatures:
    """What plans are compared by.

    Attributes:
        structure: the operators, each with what is below it: a word, the type of a join, the rest.
        content: the sets of tables that are "joined", those that hash tables are built of, the two sides of loops.
        cost: that of the whole plan.
    """

    structure: Bag
    content: Bag
    cost: float


def plan_features(path: AccessPath) -> PlanFeatures:
    """The features of a plan."""
    structure, content = Bag(), Bag()
    waiting, shared = [path], set[object]()
    while waiting:
        node_ = waiting.pop()
        below = inputs(node_)
        waiting += below
        if isinstance(node_, SharedScan) and node_.shared not in shared:
            shared.add(node_.shared)
            waiting.append(node_.shared.input)
        if isinstance(node_, HashJoin):
            probe, build = (node_.right, node_.left) if node_.build_left else (node_.left, node_.right)
            structure["hash", node_.type, _is_join(probe), _is_join(build)] += 1
            content["joined", node_.nodes] += 1
            content["hashed", build.nodes] += 1
        elif isinstance(node_, NestedLoopJoin):
            sides = frozenset((node_.left.nodes, node_.right.nodes))
            structure["loop", node_.type, _is_join(node_.left) + _is_join(node_.right)] += 1
            content["joined", node_.nodes] += 1
            content["looped", sides] += 1
        elif below:
            structure[type(node_).__name__, None, any(map(_is_join, below))] += 1
    return PlanFeatures(structure=structure, content=content, cost=path.cost)


def _is_join(path: AccessPath) -> bool:
    while isinstance(path, Filter):
        path = path.input
    return isinstance(path, HashJoin | NestedLoopJoin)


def plan_distance(first: PlanFeatures, second: PlanFeatures) -> float:
    """How different two plans are, from 0 to 1."""
    return (
        _STRUCTURE_WEIGHT * _bag_distance(first.structure, second.structure)
        + _CONTENT_WEIGHT * _bag_distance(first.content, second.content)
        + _COST_WEIGHT * _cost_distance(first.cost, second.cost)
    )


def plan_interest(chosen: PlanFeatures, plan: PlanFeatures) -> float:
    """How far the difference in cost is from what the difference in structure and content suggests, from 0 to 1."""
    weight = _STRUCTURE_WEIGHT + _CONTENT_WEIGHT
    cost = _cost_distance(chosen.cost, plan.cost)
    rest = (plan_distance(chosen, plan) - _COST_WEIGHT * cost) / weight
    return abs(rest - cost)


def are_near_copies(first: PlanFeatures, second: PlanFeatures) -> bool:
    """Whether nobody learns from the second plan who has seen the first."""
    return _are_commuted(first, second) or plan_distance(first, second) < NEAR


def _are_commuted(first: PlanFeatures, second: PlanFeatures) -> bool:
    """Whether the plans differ, if at all, in the sides of joins and what is no join, and that hardly matters."""
    return (
        _ratio(first.cost, second.cost) < COMMUTED_NEAR
        and _joined(first) == _joined(second)
        and _words(first) == _words(second)
    )


def _joined(plan: PlanFeatures) -> frozenset[tuple[tuple[Hashable, ...], int]]:
    """The sets of tables that are joined."""
    return frozenset([(item, count) for item, count in plan.content.items() if item[0] == "joined"])


def _words(plan: PlanFeatures) -> Bag:
    """The joins without their inputs."""
    words = Bag()
    for (word, type_, *_), count in plan.structure.items():
        if word in ("hash", "loop"):
            words[word, type_] += count
    return words


def _bag_distance(first: Bag, second: Bag) -> float:
    common = sum([min(count, second[item]) for item, count in first.items() if item in second])
    everything = first.total() + second.total() - common
    return 1.0 - common / everything if everything else 0.0


def _cost_distance(first: float, second: float) -> float:
    return min(1.0, math.log(_ratio(first, second)) / math.log(COST_SCALE))


def _ratio(first: float, second: float) -> float:
    low, high = min(first, second), max(first, second)
    if low == high:
        return 1.0
    return high / low if low > 0 else math.inf


def select_plans(chosen: PlanFeatures, candidates: Sequence[PlanFeatures], count: int) -> list[int]:
    """The places of at most `count` candidates that teach most beside the chosen plan, in the order of the taking.

    No two of them and the chosen plan are near-copies, so there may be fewer. Ties go to the earlier candidate.
    """
    different = _without_commuted(chosen, candidates)
    selection = _Selection(chosen, [candidates[place] for place in different])
    return [different[place] for place in selection.best(count)]


def set_value(chosen: PlanFeatures, plans: Sequence[PlanFeatures]) -> float:
    """The value of a set of plans beside the chosen one: what `select_plans` makes large."""
    selection = _Selection(chosen, plans)
    return selection.value(range(len(plans)))


def _without_commuted(chosen: PlanFeatures, candidates: Sequence[PlanFeatures]) -> list[int]:
    """The candidates of which none is another one, or the chosen plan, with sides exchanged at about the same cost."""
    kept: list[int] = []
    groups = {_joined(chosen): [chosen]}
    for place, plan in enumerate(candidates):
        group = groups.setdefault(_joined(plan), [])
        if not any(_are_commuted(other, plan) for other in group):
            group.append(plan)
            kept.append(place)
    return kept


class _Selection:
    """The distances among the chosen plan (place -1) and candidates, each computed when it is asked for."""

    def __init__(self, chosen: PlanFeatures, plans: Sequence[PlanFeatures]) -> None:
        self._chosen = chosen
        self._plans = plans
        self._interest = [plan_interest(chosen, plan) for plan in plans]
        self._known: dict[tuple[int, int], float] = {}

    def _distance(self, first: int, second: int) -> float:
        """The distance of two plans, -1 being the chosen one."""
        key = (first, second) if first < second else (second, first)
        if key not in self._known:
            left = self._chosen if key[0] < 0 else self._plans[key[0]]
            self._known[key] = plan_distance(left, self._plans[key[1]])
        return self._known[key]

    def _value_of_pair(self, first: int, second: int) -> float:
        interest = (self._interest[first] if first >= 0 else 0.0) + (self._interest[second] if second >= 0 else 0.0)
        return self._distance(first, second) + _INTEREST_WEIGHT * interest / 2

    def value(self, places: Sequence[int]) -> float:
        """The least value of a pair among the plans in these places and the chosen one; infinite for no plan."""
        with_chosen = [-1, *places]
        pairs = [(a, b) for i, a in enumerate(with_chosen) for b in with_chosen[:i]]
        return min((self._value_of_pair(a, b) for a, b in pairs), default=math.inf)

    def best(self, count: int) -> list[int]:
        taken = self._farthest_first(count)
        for _ in range(_MOST_EXCHANGES):
            better = self._exchanged(taken)
            if better is None:
                break
            taken = better
        return taken

    def _is_far(self, place: int, others: Sequence[int]) -> bool:
        """Whether a candidate is no near-copy of others and the chosen plan; commuted ones are gone already."""
        return all(self._distance(other, place) >= NEAR for other in (-1, *others))

    def _farthest_first(self, count: int) -> list[int]:
        """Takes the plan that is farthest from all that are taken, until there is none or there are enough."""
        taken: list[int] = []
        left = [place for place in range(len(self._plans)) if self._is_far(place, ())]
        worth = {place: self._value_of_pair(-1, place) for place in left}
        while left and len(taken) < count:
            new = max(left, key=lambda place: (worth[place], -place))
            taken.append(new)
            left = [place for place in left if place != new and self._distance(new, place) >= NEAR]
            for place in left:
                worth[place] = min(worth[place], self._value_of_pair(new, place))
        return taken

    def _exchanged(self, taken: list[int]) -> list[int] | None:
        """The plans with one of them exchanged for a candidate, if that makes the least value larger."""
        now = self.value(taken)
        best, best_value = None, now
        for position in range(len(taken)):
            others = taken[:position] + taken[position + 1 :]
            if self.value(others) <= now:
                continue  # the least pair stays
            for place in range(len(self._plans)):
                if place in taken:
                    continue
                worth = min(self._value_of_pair(other, place) for other in (-1, *others))
                if worth <= best_value or not self._is_far(place, others):
                    continue
                value = min(worth, self.value(others))
                if value > best_value:
                    best, best_value = [*others[:position], place, *others[position:]], value
        return best
