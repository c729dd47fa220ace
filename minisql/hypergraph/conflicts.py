"""Which joins may change places: the properties of pairs of operators, and the conflict rules that follow from them.

CD-C of Moerkotte, Fender and Eich, "On the Correct and Complete Enumeration of the Core Search Space", SIGMOD 2013,
sections 4 and 5. For two operators, with `p12` a predicate over e1 and e2, and so on:

    assoc(a, b):    (e1 a12 e2) b23 e3  =  e1 a12 (e2 b23 e3)
    l-asscom(a, b): (e1 a12 e2) b13 e3  =  (e1 b13 e3) a12 e2
    r-asscom(a, b): e1 a13 (e2 b23 e3)  =  e2 b23 (e1 a13 e3)

Whether they hold depends on the types of the joins and on where their predicates reject nulls. The entries here were
checked by brute force in bag semantics (tests/property/test_conflicts.py). One of them differs from the paper and from
the systems that follow it: l-asscom(full, left) needs a p13 that rejects nulls on e1, and not on e3.

Each operator gets a *syntactic eligibility set* (SES, the tables that its predicate uses), a *total eligibility set*
(TES, the tables that must be there before it may be applied), and conflict rules for what the TES cannot express.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from minisql.node import value_node
from minisql.node_set import NodeSet, is_subset, overlaps
from minisql.relational.relational_expression import JoinType


class Requirement(NamedTuple):
    """What a property asks of the predicates of its two operators: to reject nulls on the input that they share.

    The shared input is e2 for assoc, e1 for l-asscom and e3 for r-asscom.
    """

    first_rejects: bool
    second_rejects: bool


_INNER, _SEMI, _ANTI, _LEFT, _FULL = JoinType.INNER, JoinType.SEMI, JoinType.ANTI, JoinType.LEFT, JoinType.FULL
_ALWAYS: Final = Requirement(False, False)
_FIRST_REJECTS: Final = Requirement(True, False)
_SECOND_REJECTS: Final = Requirement(False, True)
_BOTH_REJECT: Final = Requirement(True, True)

Properties = Mapping[tuple[JoinType, JoinType], Requirement]

ASSOC: Final[Properties] = {
    **{(_INNER, b): _ALWAYS for b in (_INNER, _SEMI, _ANTI, _LEFT)},
    (_LEFT, _LEFT): _SECOND_REJECTS,
    (_FULL, _LEFT): _SECOND_REJECTS,
    (_FULL, _FULL): _BOTH_REJECT,
}
"""assoc(a, b), by (a, b); a pair that is not there never has the property."""

L_ASSCOM: Final[Properties] = {
    **{(a, b): _ALWAYS for a in (_INNER, _SEMI, _ANTI, _LEFT) for b in (_INNER, _SEMI, _ANTI, _LEFT)},
    (_LEFT, _FULL): _FIRST_REJECTS,
    (_FULL, _LEFT): _SECOND_REJECTS,
    (_FULL, _FULL): _BOTH_REJECT,
}
"""l-asscom(a, b), in the same form."""

R_ASSCOM: Final[Properties] = {
    (_INNER, _INNER): _ALWAYS,
    (_FULL, _FULL): _BOTH_REJECT,
}
"""r-asscom(a, b), in the same form."""


@value_node
class Operator:
    """A join of the tree as written, as far as conflicts depend on it.

    `left_tables` and `right_tables` are all tables of its inputs, those that a semi or anti join hides included; `ses`
    are the tables that its conditions use, and `rejected` those of all tables on which they reject nulls.
    """

    type: JoinType
    left_tables: NodeSet
    right_tables: NodeSet
    ses: NodeSet
    rejected: NodeSet

    @property
    def tables(self) -> NodeSet:
        """All tables of the operator."""
        return NodeSet(self.left_tables | self.right_tables)


@dataclass(frozen=True, slots=True)
class ConflictRule:
    """`tables` -> `required`: an operator with this rule may be applied to make a set only if all of `required` are in
    the set, or none of `tables` is.
    """

    tables: NodeSet
    required: NodeSet


@dataclass(frozen=True, slots=True)
class Eligibility:
    """When an operator may be applied: the tables of each side must be in an input of its own, and every rule holds."""

    left: NodeSet
    right: NodeSet
    rules: tuple[ConflictRule, ...]

    @property
    def tables(self) -> NodeSet:
        """The tables of both sides: the TES."""
        return NodeSet(self.left | self.right)


def has_property(
    properties: Properties, a: JoinType, b: JoinType, *, first_rejects: bool, second_rejects: bool
) -> bool:
    """Whether the operators have the property, given where their predicates reject nulls."""
    requirement = properties.get((a, b))
    if requirement is None:
        return False
    return first_rejects >= requirement.first_rejects and second_rejects >= requirement.second_rejects


def find_eligibility(
    operator: Operator, ses: NodeSet, left_below: Iterable[Operator], right_below: Iterable[Operator]
) -> Eligibility:
    """The TES and the conflict rules of an operator, or of one conjunct of it.

    `ses` is what the conjunct uses: the conjuncts of an inner join are applied independently of each other.
    `left_below` and `right_below` are the operators in the inputs of `operator`. Operators that cannot conflict with it
    may be left out.
    """
    return eligibility_under(conflict_rules(operator, left_below, right_below), operator, ses)


def conflict_rules(
    operator: Operator, left_below: Iterable[Operator], right_below: Iterable[Operator]
) -> list[ConflictRule]:
    """The rules of an operator because of those in its inputs."""
    rules = [rule for below in left_below for rule in _rules_for_left(operator, below)]
    rules += [rule for below in right_below for rule in _rules_for_right(operator, below)]
    return rules


def eligibility_under(rules: list[ConflictRule], operator: Operator, ses: NodeSet) -> Eligibility:
    """The TES of a conjunct that uses `ses`, under the rules of its operator, and those of them that are left."""
    tes, rules = _absorb(ses, rules)
    left = NodeSet(tes & operator.left_tables) or operator.left_tables
    right = NodeSet(tes & operator.right_tables) or operator.right_tables
    tes = NodeSet(left | right)
    return Eligibility(left, right, tuple(rule for rule in rules if not is_subset(rule.required, tes)))


def _rules_for_left(b: Operator, a: Operator) -> Iterable[ConflictRule]:
    """The rules of `b` because of `a` in its left input.

    `a` may be deeper than a child: then what `b` shares with it may be any part of b's left input that has come in
    between, so b's predicate is asked about all of that.
    """
    b_rejects = overlaps(b.rejected, b.left_tables)
    if not has_property(
        ASSOC, a.type, b.type, first_rejects=overlaps(a.rejected, a.right_tables), second_rejects=b_rejects
    ):
        yield ConflictRule(a.right_tables, _used(a.left_tables, a))
    if not has_property(
        L_ASSCOM, a.type, b.type, first_rejects=overlaps(a.rejected, a.left_tables), second_rejects=b_rejects
    ):
        yield ConflictRule(a.left_tables, _used(a.right_tables, a))


def _rules_for_right(b: Operator, a: Operator) -> Iterable[ConflictRule]:
    """The rules of `b` because of `a` in its right input."""
    b_rejects = overlaps(b.rejected, b.right_tables)
    if not has_property(
        ASSOC, b.type, a.type, first_rejects=b_rejects, second_rejects=overlaps(a.rejected, a.left_tables)
    ):
        yield ConflictRule(a.left_tables, _used(a.right_tables, a))
    if not has_property(
        R_ASSCOM, b.type, a.type, first_rejects=b_rejects, second_rejects=overlaps(a.rejected, a.right_tables)
    ):
        yield ConflictRule(a.right_tables, _used(a.left_tables, a))


def _used(tables: NodeSet, operator: Operator) -> NodeSet:
    """The tables that the operator's conditions use of one of its inputs; all where they use none."""
    return NodeSet(tables & operator.ses) or tables


def _absorb(ses: NodeSet, rules: list[ConflictRule]) -> tuple[NodeSet, list[ConflictRule]]:
    """The TES: the SES with what the rules that it meets require. The rules that it does not meet are left."""
    tes = int(ses)
    waiting = rules
    while True:
        left = []
        for rule in waiting:
            if rule.tables & tes:
                tes |= rule.required
            else:
                left.append(rule)
        if len(left) == len(waiting):
            return NodeSet(tes), left
        waiting = left
