"""Why two sets of nodes may not be joined, in words, for a user who asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import Enum

from minisql.hypergraph.join_hypergraph import JoinEdge, JoinHypergraph, RegionFilter
from minisql.hypergraph.reasons import Cause, Derivation, Reason, Reasons
from minisql.hypergraph.sentences import Wording, format_written
from minisql.node import node, record
from minisql.node_set import EMPTY, NodeSet, is_subset, lowest, overlaps, single
from minisql.relational.relational_expression import JoinType


class Obstacle(Enum):
    """What kind of reason it is. The enumeration considers no join that a condition does not call for, whether it would
    give other rows or not.
    """

    RULE = "an outer, semi or anti join would give other rows"
    PRODUCT = "no condition could be applied"
    SIDES = "the only conditions that could be applied have other tables on their sides"


@node
class Explanation:
    """Why two sets of nodes may not be joined.

    Attributes:
        text: a sentence or two.
        obstacle: the kind of reason that the text has.
        needed: the nodes without which they are joined in no order; none where the text does not say so.
        remedy: what would help, joins by their numbers, each with tables on one of which its conditions would have to
            reject nulls; none where nothing would.
        named: the joins that the text names by their types, by number.
    """

    text: str
    obstacle: Obstacle
    needed: NodeSet = EMPTY
    remedy: tuple[tuple[int, NodeSet], ...] = ()
    named: tuple[int, ...] = ()


def explain_why_not(graph: JoinHypergraph, left: NodeSet, right: NodeSet, names: Mapping[int, str]) -> Explanation:
    """The reason. `names` are those of the nodes."""
    return _WhyNot(graph, left, right, names).explained()


def may_join(graph: JoinHypergraph, reasons: Reasons, left: NodeSet, right: NodeSet) -> bool:
    """Whether two sets of nodes may be joined, if both can be made: `connections` asks the same in bits.

    A condition of an edge connects them, and all that become complete in the join may be applied there.
    """
    both = NodeSet(left | right)
    is_connected = False
    for edge in graph.edges:
        found = reasons.derivation(edge)
        crosses = _crosses(found, left, right)
        is_connected |= crosses
        if not _is_completed(found.tes, left, right):
            continue
        if _broken(found, both):
            return False
        if not crosses and graph.operators[edge.operator].type is not JoinType.INNER:
            return False
    if not is_connected:
        return False
    for filter_ in graph.filters:
        found = reasons.derivation(filter_)
        if _is_completed(found.tes, left, right) and _broken(found, both):
            return False
    return True


def _crosses(found: Derivation, left: NodeSet, right: NodeSet) -> bool:
    return any(
        is_subset(found.left, one) and is_subset(found.right, other) for one, other in ((left, right), (right, left))
    )


def _is_completed(tables: NodeSet, left: NodeSet, right: NodeSet) -> bool:
    return is_subset(tables, NodeSet(left | right)) and not is_subset(tables, left) and not is_subset(tables, right)


def _broken(found: Derivation, nodes: NodeSet) -> list[Reason]:
    return [reason for reason in found.rest if not reason.rule.allows(nodes)]


@record
class _Lack:
    """What a condition lacks where two sets are to be joined.

    `unused` are tables that its conditions use, or an input that they use nothing of; the reasons explain the others.
    """

    condition: JoinEdge | RegionFilter
    needed: NodeSet
    unused: NodeSet
    reasons: tuple[tuple[Reason, NodeSet], ...]


class _WhyNot:
    def __init__(self, graph: JoinHypergraph, left: NodeSet, right: NodeSet, names: Mapping[int, str]) -> None:
        self._graph = graph
        self._left, self._right = left, right
        self._both = NodeSet(left | right)
        self._words = Wording(graph, names)
        self._first, self._second = self._words.tables(left), self._words.tables(right)

    def explained(self) -> Explanation:
        """The reason, with the joins that it names."""
        found = self._explanation()
        return replace(found, named=tuple(self._words.named_in(found.text)))

    def _explanation(self) -> Explanation:
        """Of several reasons, the one that lacks least."""
        lacks = list(self._lacks())
        if lacks:
            # What a rule forbids is told first.
            lack = min(lacks, key=lambda lack: (self._is_product(lack), lack.needed.bit_count(), len(lack.reasons)))
            remedy = self._remedy(lack)
            text = self._words.shortened(self._lacking(lack))
            if remedy:
                text += f" It could if {self._rejection(remedy)}."
            return Explanation(
                text=text,
                obstacle=Obstacle.PRODUCT if self._is_product(lack) else Obstacle.RULE,
                needed=EMPTY if lack.unused else lack.needed,
                remedy=tuple(remedy),
            )
        for edge in self._graph.edges:
            found = self._words.reasons.derivation(edge)
            if _is_completed(found.tes, self._left, self._right) and not _crosses(found, self._left, self._right):
                obstacle = Obstacle.SIDES if self._is_inner(edge) else Obstacle.RULE
                return Explanation(text=self._torn(edge, found), obstacle=obstacle)
        return Explanation(text=self._unconnected(), obstacle=Obstacle.PRODUCT)

    def _is_inner(self, edge: JoinEdge) -> bool:
        return edge.chain is None and self._graph.operators[edge.operator].type is JoinType.INNER

    def _is_product(self, lack: _Lack) -> bool:
        """Whether to join the two sets all the same would be to make a product that the condition filters later."""
        return isinstance(lack.condition, JoinEdge) and self._is_inner(lack.condition) and lack.unused != EMPTY

    # --- tables that are not there yet --------------------------------------------------------------------------------

    def _lacks(self) -> Iterator[_Lack]:
        """What lacks to the conditions that the two sets would make complete, or else to those that are about both."""
        completed: list[JoinEdge | RegionFilter] = []
        about_both: list[JoinEdge | RegionFilter] = []
        conditions: list[JoinEdge | RegionFilter] = [*self._graph.edges, *self._graph.filters]
        for condition in conditions:
            found = self._words.reasons.derivation(condition)
            if isinstance(condition, RegionFilter) and not condition.rules:
                continue
            if _is_completed(found.tes, self._left, self._right):
                completed.append(condition)
            elif isinstance(condition, JoinEdge):
                # An inner join has nothing to do with tables that its condition does not use.
                used = found.ses if self._is_inner(condition) else NodeSet(found.ses | found.whole)
                if self._is_about_both(used):
                    about_both.append(condition)
        for candidates in (completed, about_both):
            lacks = [lack for condition in candidates if (lack := self._lack(condition)).needed]
            yield from lacks
            if lacks:
                return

    def _is_about_both(self, nodes: NodeSet) -> bool:
        return overlaps(nodes, self._left) and overlaps(nodes, self._right)

    def _lack(self, condition: JoinEdge | RegionFilter) -> _Lack:
        found = self._words.reasons.derivation(condition)
        needed = NodeSet(found.tes & ~self._both)
        unused = NodeSet(needed & (found.ses | found.whole))
        reasons = [(step.reason, step.added) for step in found.chain(NodeSet(needed & ~unused))]
        there = NodeSet(self._both | needed)
        while broken := _broken(found, there):
            reasons.append((broken[0], NodeSet(broken[0].rule.required & ~there)))
            there = NodeSet(there | broken[0].rule.required)
        return _Lack(condition, NodeSet(there & ~self._both), unused, tuple(reasons))

    def _lacking(self, lack: _Lack) -> str:
        words = self._words
        explained = NodeSet(lack.needed & ~lack.unused)
        steps: dict[NodeSet, list[Reason]] = {}
        for reason, added in lack.reasons:
            steps.setdefault(NodeSet(added & lack.needed), []).append(reason)
        clauses = words.because([reason for reason, _ in lack.reasons], lack.condition)
        if len(steps) > 1 and len(clauses) > 1:
            clauses = []
            for added, reasons in steps.items():
                clause = ", and ".join(words.because(reasons, lack.condition))
                clauses.append(f"after {words.tables(added)}, since {clause}" if added else clause)
            why = f"{words.tables(explained)}: {'; '.join(clauses)}"
        else:
            why = f"{words.tables(explained)}, since {', and '.join(clauses)}"
        if not lack.unused:
            return f"{self._second} can be joined to {self._first} only after {why}."
        # Another condition may join them after other tables.
        text = f"No condition joins {self._second} to {self._first} alone: {self._uses(lack)}"
        return f"{text}, and it is applied only after {why}." if explained else f"{text}."

    def _uses(self, lack: _Lack) -> str:
        found = self._words.reasons.derivation(lack.condition)
        text, unused = self._words.condition(lack.condition), self._words.tables(lack.unused)
        if inputs := self._words.unused_inputs(found):
            return f"{text} uses no column of {self._words.tables(inputs)}, which are to be joined to each other first"
        if isinstance(lack.condition, JoinEdge) and lack.condition.chain is not None:
            return f"{text} computes its key of {unused}, too"
        return f"{text} uses {unused}, too"

    def _remedy(self, lack: _Lack) -> list[tuple[int, NodeSet]]:
        """What the conditions would have to reject, where that would help."""
        wanted: dict[tuple[int, NodeSet], NodeSet] = {}
        for reason, _ in lack.reasons:
            for cause in reason.causes:
                if cause not in (Cause.LOWER_MATCHES, Cause.UPPER_MATCHES):
                    return []
                is_lower = cause is Cause.LOWER_MATCHES
                number = reason.lower if is_lower else reason.upper
                assert number is not None
                # To reject nulls on one table of an input is enough.
                input_ = number, reason.shared if is_lower else reason.side
                wanted[input_] = NodeSet(wanted.get(input_, EMPTY) | self._words.asked(reason, cause))
        rejecting: dict[int, NodeSet] = {}
        for (number, _), tables in wanted.items():
            rejecting[number] = NodeSet(rejecting.get(number, EMPTY) | single(lowest(tables)))
        if not wanted or not may_join(self._graph, Reasons(self._graph, rejecting), self._left, self._right):
            return []
        return [(number, tables) for (number, _), tables in wanted.items()]

    def _rejection(self, remedy: list[tuple[int, NodeSet]]) -> str:
        words = self._words
        tables_of_join: dict[int, list[str]] = {}
        for number, tables in remedy:
            tables_of_join.setdefault(number, []).append(f"on {words.tables(tables, 'or')}")
        if len(tables_of_join) == 1:
            ((number, places),) = tables_of_join.items()
            if not words.on(number):
                return f"{words.join(number)} had a condition that rejects NULLs {' and '.join(places)}"
            return f"that condition rejected NULLs {' and '.join(places)}"
        texts: dict[str, list[str]] = {}
        for number, places in tables_of_join.items():
            text = words.on(number) or f"a condition of {words.join(number)}"
            texts.setdefault(" and ".join(places), []).append(text)
        return " and ".join(
            f"{'both ' if len(conditions) == 2 else ''}{' and '.join(conditions)} rejected NULLs {places}"
            for places, conditions in texts.items()
        )

    # --- tables on the wrong side -------------------------------------------------------------------------------------

    def _torn(self, edge: JoinEdge, found: Derivation) -> str:
        words = self._words
        sides = f"{words.side(found.left)} with {words.side(found.right)}"
        together = " and ".join(words.tables(side) for side in (found.left, found.right) if side & (side - 1))
        condition = words.condition(edge)
        wanted = f"{condition} joins {sides}, so {together} are to be joined to each other first"
        return f"{self._second} cannot be joined to {self._first}: {wanted}."

    # --- nothing ------------------------------------------------------------------------------------------------------

    def _unconnected(self) -> str:
        text = f"Nothing joins {self._second} to {self._first}"
        about_both = (each for each in self._graph.filters if self._is_about_both(self._words.reasons.used(each)))
        filter_ = next(about_both, None)
        if filter_ is not None:
            nodes = self._words.tables(filter_.nodes)
            return f"{text}: {self._words.condition(filter_)} only filters the rows of {nodes}."
        ways = [way for side in (self._left, self._right) if (way := self._way_out(side))]
        return f"{text}: no condition is about both{'; ' if ways else ''}{', and '.join(ways)}."

    def _way_out(self, side: NodeSet) -> str:
        """What joins one of the sides to other tables."""
        words, outside = self._words, NodeSet(self._graph.graph.nodes & ~self._both)
        for edge in self._graph.edges:
            used = words.reasons.derivation(edge).ses
            inside, others = NodeSet(used & side), NodeSet(used & outside)
            if edge.conditions and inside and others:
                verb = "are" if inside & (inside - 1) else "is"
                on = format_written(edge.conditions)
                return f"{words.tables(inside)} {verb} joined to {words.tables(others)} by {on}"
        return ""
