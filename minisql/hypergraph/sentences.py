"""What a join region, its joins and the reasons of its rules are called in sentences for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, assert_never

from minisql.errors import enumerated
from minisql.expression.format import format_conditions
from minisql.expression.nodes import Cast, Expression
from minisql.expression.walk import transform
from minisql.hypergraph.join_hypergraph import JoinEdge, JoinHypergraph, KeyChain, RegionFilter
from minisql.hypergraph.reasons import Absorption, Cause, Derivation, Reason, Reasons
from minisql.node_set import NodeSet, is_subset, members, overlaps, union
from minisql.relational.relational_expression import JoinType

MOST_LISTED: Final = 8
"""The most names of tables in a row."""
MOST_CLAUSES: Final = 6
"""The most joins that are told for the same thing."""
LONG: Final = 60
"""Clauses of more letters are separated by commas."""


class Wording:
    """The words for one region, in which `names` are those of the nodes."""

    def __init__(self, graph: JoinHypergraph, names: Mapping[int, str]) -> None:
        self._graph = graph
        self._names = names
        self.reasons = Reasons(graph)
        self._conditions: dict[int, tuple[Expression, ...]] = {}
        self._chains: dict[int, KeyChain] = {}
        self._known_joins: dict[int, str] = {}
        for edge in graph.edges:
            self._conditions[edge.operator] = self._conditions.get(edge.operator, ()) + edge.conditions
            if edge.chain is not None:
                self._chains[edge.operator] = edge.chain

    # --- tables and joins ---------------------------------------------------------------------------------------------

    def tables(self, nodes: NodeSet, word: str = "and") -> str:
        """The names of the nodes: `a, b and c`."""
        listed = [self._names.get(node, f"#{node}") for node in members(nodes)]
        if len(listed) > MOST_LISTED:
            listed[MOST_LISTED - 1 :] = [f"{len(listed) - MOST_LISTED + 1} more"]
        return enumerated(listed, word)

    def side(self, nodes: NodeSet) -> str:
        """The input of a join: `a`, or `(b, c)`."""
        text = self.tables(nodes)
        return f"({text.replace(' and ', ', ')})" if nodes & (nodes - 1) else text

    def join(self, number: int) -> str:
        """The join as it is written, by its type and tables; a left input of several tables is left out."""
        operator = self._graph.operators[number]
        name = f"the {operator.type.name} JOIN"
        if number in self._chains:
            return f"the FULL JOIN of {self.tables(union(self._chains[number].tables))} on one key"
        left, right = operator.left_tables, operator.right_tables
        if left & (left - 1):
            return f"{name} with {self.side(right)}"
        is_symmetric = operator.type in (JoinType.INNER, JoinType.FULL)
        return f"{name} of {self.side(left)} {'and' if is_symmetric else 'with'} {self.side(right)}"

    def condition(self, condition: JoinEdge | RegionFilter) -> str:
        """What is applied, with the condition as it is written."""
        text = format_written(condition.conditions)
        if isinstance(condition, RegionFilter):
            return f"the condition {text}"
        if condition.chain is not None:
            return self.join(condition.operator)
        if self._graph.operators[condition.operator].type is JoinType.INNER:
            return f"the condition {text}" if condition.conditions else self.join(condition.operator)
        return f"{self.join(condition.operator)} ON {text}" if condition.conditions else self.join(condition.operator)

    def on(self, number: int) -> str:
        """The ON condition of a join; '' where it has none."""
        conditions = self._conditions.get(number, ())
        return format_written(conditions) if conditions else ""

    def named_in(self, text: str) -> list[int]:
        """The joins that a text names, by number."""
        names = ((number, self.join(number)) for number in range(len(self._graph.operators)))
        return [number for number, name in names if re.search(rf"{re.escape(name)}(?!\w)", text)]

    def _join_on(self, number: int) -> str:
        """The join with its condition."""
        known = self._known_joins.get(number)
        if known is None:
            is_on_true = number in self._chains or not self._conditions.get(number)
            known = self.join(number) if is_on_true else f"{self.join(number)} ON {self.on(number)}"
            self._known_joins[number] = known
        return known

    # --- reasons ------------------------------------------------------------------------------------------------------

    def because(self, reasons: Iterable[Reason], condition: JoinEdge | RegionFilter) -> list[str]:
        """Why the rules of these reasons are there, as clauses."""
        clauses: dict[str, list[str]] = {}
        known = set[tuple[int, Cause]]()
        for reason in reasons:
            if _kind(reason) in known:
                continue  # the other of the two rules that a join is the reason for
            known.add(_kind(reason))
            for cause in _weightiest(reason):
                what, who = self._cause(cause, reason, condition)
                clauses.setdefault(what, []).append(who)
        return [f"{what}{_listed(list(dict.fromkeys(who)))}" for what, who in clauses.items()]

    def rules(self, condition: JoinEdge | RegionFilter) -> list[str]:
        """Sentences that say why the conditions may not be applied as soon as the tables that they use are there.

        Rules that no order breaks are left out.
        """
        found = self.reasons.derivation(condition)
        sentences = []
        if inputs := self.unused_inputs(found):
            sentences.append(f"It uses no column of {self.tables(inputs)}, which are to be joined to each other first.")
        absorbed: dict[str, list[Absorption]] = {}
        for step in found.steps:
            same, _ = self._cause(_weightiest(step.reason)[0], step.reason, condition)
            absorbed.setdefault(same, []).append(step)
        for steps in absorbed.values():
            why = ", and ".join(self.because([step.reason for step in steps], condition))
            what = self._what_comes_later(condition, found, steps[0])
            sentences.append(f"{what} only after {self.tables(union(step.added for step in steps))}, since {why}.")
        open_rules: dict[tuple[int, Cause], list[Reason]] = {}
        for reason in found.rest:
            # What a semi join hides is joined by it alone, so that such a rule is never broken.
            if Cause.LOWER_HIDES not in reason.causes:
                open_rules.setdefault(_kind(reason), []).append(reason)
        for reasons in open_rules.values():
            why = ", and ".join(self.because(reasons, condition))
            sentences.append(f"{self._what_must_be_there(reasons, found)}, since {why}.")
        return [self.shortened(sentence) for sentence in sentences]

    def unused_inputs(self, found: Derivation) -> NodeSet:
        """The inputs of several tables of which the conditions use nothing."""
        sides = (found.left, found.right)
        return union(side for side in sides if side & (side - 1) and is_subset(side, found.whole))

    def _what_must_be_there(self, reasons: Sequence[Reason], found: Derivation) -> str:
        tables = union(reason.rule.tables for reason in reasons)
        needed = NodeSet(union(reason.rule.required for reason in reasons) & ~found.tes)
        one = f"one of {self.tables(tables)}" if tables & (tables - 1) else self.tables(tables)
        if needed == tables:
            return f"Where {one} is there, {'both' if needed.bit_count() == 2 else 'all of them'} must be"
        return f"Where {one} is there, {self.tables(needed)} must be, too"

    def _what_comes_later(self, condition: JoinEdge | RegionFilter, found: Derivation, step: Absorption) -> str:
        if isinstance(condition, RegionFilter):
            return "It is applied"
        partner = found.right if is_subset(step.reason.side, self._all_left(condition)) else found.left
        partner = NodeSet(partner & found.ses) or partner
        return f"{self.tables(partner)} can be joined to {self.tables(step.met)}"

    def _all_left(self, edge: JoinEdge) -> NodeSet:
        """All tables of the left input of an edge's join."""
        return (
            self._graph.operators[edge.operator].left_tables
            if edge.chain is None
            else edge.chain.tables[edge.members[0]]
        )

    def _cause(self, cause: Cause, reason: Reason, condition: JoinEdge | RegionFilter) -> tuple[str, str]:
        """The clause, taken apart before what several reasons may differ in."""
        lower, upper = self.join(reason.lower), self._upper(reason, condition)
        match cause:
            case Cause.LOWER_DROPS:
                upper = self.join(reason.upper) if reason.upper is not None else upper
                type_ = self._graph.operators[reason.lower].type
                dropped = self._unmatched(type_, reason.other, self._used(reason.lower))
                kept = f"{upper} keeps every row of {self.tables(reason.partner)}, and made after it, "
                return kept, f"{self._join_on(reason.lower)} would drop those {dropped}"
            case Cause.UPPER_DROPS:
                dropped = f"rows of {self.tables(reason.other)}"
                if reason.upper is not None:
                    type_ = self._graph.operators[reason.upper].type
                    used = self.reasons.used(condition)
                    dropped = f"the {dropped} {self._unmatched(type_, reason.partner, used)}"
                return f"{upper} drops ", f"{dropped}, which {lower}, made after it, would keep"
            case Cause.LOWER_MATCHES:
                assert reason.upper is not None
                return self._passes(reason, cause), f"which {self.join(reason.upper)} may pad"
            case Cause.UPPER_MATCHES:
                if overlaps(self.asked(reason, cause), reason.shared):
                    return self._passes(reason, cause), f"which {lower} may pad"
                return self._passes(reason, cause), f"which may be NULL where {lower} pads {self.tables(reason.shared)}"
            case Cause.LOWER_HIDES:
                needed = self.tables(reason.rule.required)
                return f"{self.tables(reason.shared)} can only be looked at by {lower}, which needs {needed}", ""
            case Cause.UPPER_HIDES:
                side = self.tables(reason.side)
                return f"{upper} only looks for matches in {side}, to which nothing can be joined after it", ""
            case _:
                assert_never(cause)

    def shortened(self, text: str) -> str:
        """The text with the ON condition of each join where the join is mentioned first."""
        if text.count(" ON ") > 1:
            for number in self._conditions:
                full = self._join_on(number)
                first, mention, rest = text.partition(full)
                text = f"{first}{mention}{rest.replace(full, self.join(number))}"
        return text

    def _upper(self, reason: Reason, condition: JoinEdge | RegionFilter) -> str:
        """The upper join; the conjuncts themselves where they are applied on their own."""
        if reason.upper is None or self._graph.operators[reason.upper].type is JoinType.INNER:
            return self.condition(condition)
        return self._join_on(reason.upper)

    def _passes(self, reason: Reason, cause: Cause) -> str:
        number = reason.lower if cause is Cause.LOWER_MATCHES else reason.upper
        assert number is not None
        asked = self.tables(self.asked(reason, cause), "or")
        if not self._conditions.get(number):
            what = f"{self.join(number)} has no condition that would reject NULLs on {asked}"
        else:
            on = f"the ON condition {self.on(number)} of {self.join(number)}"
            what = f"{on} does not reject NULLs on {asked}"
        return f"{what}, "

    def _unmatched(self, type_: JoinType, tables: NodeSet, used: NodeSet) -> str:
        """Which rows a join drops that looks for matches in some tables, and uses these of them."""
        looked_at = self.tables(NodeSet(tables & used) or tables)
        return f"that find {'a match' if type_ is JoinType.ANTI else 'no match'} in {looked_at}"

    def _used(self, number: int) -> NodeSet:
        """The nodes that the conditions of a join use."""
        return union(self.reasons.used(edge) for edge in self._graph.edges if edge.operator == number)

    def asked(self, reason: Reason, cause: Cause) -> NodeSet:
        """The tables of which the condition of a join would have to reject nulls on one."""
        if cause is Cause.LOWER_MATCHES:
            return NodeSet(self._graph.operators[reason.lower].ses & reason.shared) or reason.shared
        assert reason.upper is not None
        used = self._graph.operators[reason.upper].ses
        return NodeSet(used & reason.shared) or NodeSet(used & reason.side) or reason.shared


def _weightiest(reason: Reason) -> tuple[Cause, ...]:
    """The causes to name: where rows are dropped, it does not matter which of them find matches."""
    drops = tuple([cause for cause in reason.causes if cause in (Cause.LOWER_DROPS, Cause.UPPER_DROPS)])
    return drops[:1] or reason.causes


def _kind(reason: Reason) -> tuple[int, Cause]:
    return reason.lower, _weightiest(reason)[0]


def format_written(conditions: Sequence[Expression]) -> str:
    """A conjunction as it is written: without the casts that its types imply."""
    return format_conditions([transform(condition, _without_implied_cast) for condition in conditions])


def _without_implied_cast(expression: Expression) -> Expression:
    # An implied cast stands where its operand does.
    if isinstance(expression, Cast) and expression.span is not None and expression.span == expression.operand.span:
        return expression.operand
    return expression


def _listed(texts: list[str]) -> str:
    if len(texts) > MOST_CLAUSES:
        more = f"and so on for {len(texts) - MOST_CLAUSES + 1} more"
        return f"{', '.join(texts[: MOST_CLAUSES - 1])}, {more}"
    if len(texts) > 1 and any(len(text) > LONG for text in texts):
        return f"{', '.join(texts[:-1])}, and {texts[-1]}"
    return enumerated(texts)
