"""The selectivity of equalities that imply each other.

Where a.x = b.x and b.x = c.x are TRUE, so is a.x = c.x, and to ask for it, too, lets no fewer rows through. Of the
equalities of one class that are complete in a set of nodes only as many count as it takes to connect their terms: those
of a spanning forest, the least selective ones. So a set has one selectivity, in whatever order it is joined.
"""

from __future__ import annotations

from collections.abc import Iterable

from minisql.expression.nodes import Comparison, Expression
from minisql.hypergraph.connections import condition_numbers
from minisql.optimizer.join_conditions import is_of_class
from minisql.optimizer.selectivity import selectivity
from minisql.optimizer.statistics import Statistics
from minisql.partition import Partition


class ClassSelectivity:
    """The classes of equalities among the edges of a region.

    Attributes:
        edges: bit 2i for each edge i that has an equality of a class.
    """

    def __init__(self) -> None:
        self.edges = 0
        self._masks: dict[int, int] = {}  # the edges of each class
        self._equalities: dict[int, list[tuple[int, float, Expression, Expression]]] = {}
        self._known: dict[tuple[int, int], float] = {}

    def add(self, number: int, conditions: Iterable[Expression], statistics: Statistics) -> list[Expression]:
        """Adds the equalities among the conditions of an edge of an inner join; gives the conditions that are none."""
        rest = []
        for condition in conditions:
            if not isinstance(condition, Comparison) or not is_of_class(condition):
                rest.append(condition)
                continue
            name = condition.equality_class
            assert name is not None
            share = selectivity(condition, statistics)
            self.edges |= 1 << (2 * number)
            self._masks[name] = self._masks.get(name, 0) | 1 << (2 * number)
            self._equalities.setdefault(number, []).append((name, share, condition.left, condition.right))
        return rest

    def of_join(self, completed: int, left_complete: int, right_complete: int) -> float:
        """The share of pairs that the equalities let through which are completed by the join of two sets."""
        share = 1.0
        for name, mask in self._masks.items():
            if completed & mask:
                left, right = left_complete & mask, right_complete & mask
                share *= self._of_set(name, completed & mask | left | right)
                share /= self._of_set(name, left) * self._of_set(name, right)
        return share

    def _of_set(self, name: int, complete: int) -> float:
        """The share that the equalities of a class let through that are complete in a set."""
        if not complete:
            return 1.0
        known = self._known.get((name, complete))
        if known is None:
            known = self._known[name, complete] = self._of_spanning_forest(name, complete)
        return known

    def _of_spanning_forest(self, name: int, complete: int) -> float:
        equalities = [
            equality
            for number in condition_numbers(complete)
            for equality in self._equalities[number]
            if equality[0] == name
        ]
        equalities.sort(key=lambda equality: -equality[1])
        parts: Partition[Expression] = Partition()
        result = 1.0
        for _, share, left, right in equalities:
            if parts.join(left, right):
                result *= share
        # Of two of them the product must not be 0, by which `of_join` divides.
        return max(result, 1e-150)
