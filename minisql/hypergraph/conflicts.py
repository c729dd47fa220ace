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

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cache
from typing import Final, NamedTuple

from minisql.node import record, value_node
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


class ConflictRule(NamedTuple):
    """`tables` -> `required`: an operator with this rule may be applied to make a set only if all of `required` are in
    the set, or none of `tables` is.
    """

    tables: NodeSet
    required: NodeSet

    def allows(self, nodes: NodeSet) -> bool:
        """Whether an operator with this rule may be applied to make this set of tables."""
        return not overlaps(self.tables, nodes) or is_subset(self.required, nodes)


@value_node
class Operator:
    """A join of the tree as written, as far as conflicts depend on it.

    `left_tables` and `right_tables` are all tables of its inputs, those that a semi or anti join hides included; `ses`
    are the tables that its conditions use, and `rejected` those of all tables on which they reject nulls.

    What follows from them: `kind` numbers what properties depend on, the type and which inputs the conditions reject
    nulls on; `rules` are the two rules that the operator can be the reason for, right -> left and left -> right.
    """

    type: JoinType
    left_tables: NodeSet
    right_tables: NodeSet
    ses: NodeSet
    rejected: NodeSet
    kind: int = field(init=False)
    rules: tuple[ConflictRule, ConflictRule] = field(init=False)

    def __post_init__(self) -> None:
        left, right, ses = self.left_tables, self.right_tables, self.ses
        rejects_left, rejects_right = overlaps(self.rejected, left), overlaps(self.rejected, right)
        object.__setattr__(self, "kind", _KINDS[self.type, rejects_left, rejects_right])
        # Of an input, a rule requires the tables that the conditions use; all where they use none.
        right_to_left = ConflictRule(right, NodeSet(left & ses) or left)
        left_to_right = ConflictRule(left, NodeSet(right & ses) or right)
        object.__setattr__(self, "rules", (right_to_left, left_to_right))

    @property
    def tables(self) -> NodeSet:
        """All tables of the operator."""
        return NodeSet(self.left_tables | self.right_tables)


_KINDS: Final = {kind: number for number, kind in enumerate(itertools.product(JoinType, (False, True), (False, True)))}


@record
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
    from_left, from_right = _conflicts(operator.kind)
    rules: list[ConflictRule] = []
    for operators, conflicts in ((left_below, from_left), (right_below, from_right)):
        for below in operators:
            if conflict := conflicts[below.kind]:
                right_to_left, left_to_right = below.rules
                if conflict & _RIGHT_TO_LEFT:
                    rules.append(right_to_left)
                if conflict & _LEFT_TO_RIGHT:
                    rules.append(left_to_right)
    return rules


def eligibility_under(rules: list[ConflictRule], operator: Operator, ses: NodeSet) -> Eligibility:
    """The TES of a conjunct that uses `ses`, under the rules of its operator, and those of them that are left."""
    tes, rules = _absorb(ses, rules)
    left = NodeSet(tes & operator.left_tables) or operator.left_tables
    right = NodeSet(tes & operator.right_tables) or operator.right_tables
    tes = NodeSet(left | right)
    return Eligibility(left, right, tuple(rule for rule in rules if not is_subset(rule.required, tes)))


_RIGHT_TO_LEFT: Final = 1
_LEFT_TO_RIGHT: Final = 2


@cache
def _conflicts(kind: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Which rules an operator `b` of this kind gets from an `a` in its left and in its right input, by the kind of `a`.

    `a` may be deeper than a child: then what `b` shares with it may be any part of that input that has come in between,
    so b's predicate is asked about all of the input.
    """
    kinds = list(_KINDS)
    b, b_rejects_left, b_rejects_right = kinds[kind]
    left, right = [], []
    for a, a_rejects_left, a_rejects_right in kinds:
        assoc = has_property(ASSOC, a, b, first_rejects=a_rejects_right, second_rejects=b_rejects_left)
        asscom = has_property(L_ASSCOM, a, b, first_rejects=a_rejects_left, second_rejects=b_rejects_left)
        left.append(_RIGHT_TO_LEFT * (not assoc) | _LEFT_TO_RIGHT * (not asscom))
        assoc = has_property(ASSOC, b, a, first_rejects=b_rejects_right, second_rejects=a_rejects_left)
        asscom = has_property(R_ASSCOM, b, a, first_rejects=b_rejects_right, second_rejects=a_rejects_right)
        right.append(_LEFT_TO_RIGHT * (not assoc) | _RIGHT_TO_LEFT * (not asscom))
    return tuple(left), tuple(right)


def _absorb(ses: NodeSet, rules: list[ConflictRule]) -> tuple[NodeSet, list[ConflictRule]]:
    """The TES: the SES with what the rules that it meets require. The rules that it does not meet are left."""
    tes = int(ses)
    waiting, is_reversed = rules, False
    while True:
        left = []
        for rule in waiting:
            if rule.tables & tes:
                tes |= rule.required
            else:
                left.append(rule)
        if len(left) == len(waiting):
            return NodeSet(tes), left[::-1] if is_reversed else left
        # To and fro: rules that lead to each other along a chain of joins are met in one go in one of the directions.
        waiting, is_reversed = left[::-1], not is_reversed
