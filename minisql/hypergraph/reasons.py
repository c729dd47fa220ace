"""Where the conflict rules of a join come from, worked out again when somebody asks: planning keeps the rules alone.

A rule on a join b stems from a join a in one of its inputs. Of a's inputs, b uses the *shared* one, S, and a brings the
*other*, O; b brings its *partner*, P. As written, a comes first:

    (S a O) b P        and, exchanged,        (S b P) a O

Both are the same unless one of these *causes* is there, from which the tables of `conflicts` follow (a test shows it):

- P is kept by b, so P's rows without a match are padded on S. When a comes after b, it sees these rows: either it drops
  some (LOWER_DROPS), or, where a keeps the rows of S, it may find matches for them in O, unless its predicate rejects
  nulls on S (LOWER_MATCHES).
- O is kept by a, so O's rows without a match are padded on S. As written b sees these rows: either it drops some, which
  an a that comes after it would not (UPPER_DROPS), or, where b keeps them, it may find matches for them in P, unless
  its predicate rejects nulls on S (UPPER_MATCHES).
- S is the right input of a semi or anti join, and nobody sees it after that join (LOWER_HIDES, UPPER_HIDES).

A rule with tables that the SES meets is absorbed into the TES, where it may make it meet others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import Enum

from minisql.expression.walk import tables_of
from minisql.hypergraph.conflicts import ConflictRule, Operator
from minisql.hypergraph.join_hypergraph import JoinEdge, JoinHypergraph, KeyChain, RegionFilter
from minisql.node import node
from minisql.node_set import EMPTY, NodeSet, is_subset, lowest, members, overlaps, single, union
from minisql.relational.relational_expression import JoinType, output_tables


class Cause(Enum):
    """Why two joins may not be exchanged; see above."""

    LOWER_DROPS = "the lower join would drop rows that the upper one keeps"
    LOWER_MATCHES = "the lower join would find matches for rows that the upper one pads"
    UPPER_DROPS = "the upper join drops rows that the lower one would keep"
    UPPER_MATCHES = "the upper join may find matches for rows that the lower one pads"
    LOWER_HIDES = "the lower join hides what the upper one would have to use"
    UPPER_HIDES = "the upper join hides what the lower one would have to use"


@node
class Reason:
    """A rule and where it comes from.

    Attributes:
        rule: the rule, from the shared input to what the lower join uses of the other one.
        property: the one that the two joins lack: 'assoc', 'l-asscom' or 'r-asscom'.
        lower: the lower join, an index into `JoinHypergraph.operators`.
        upper: the upper join; None for a filter of the region.
        shared: the tables of S.
        other: the tables of O.
        partner: the tables of P; none for a filter.
        side: the input of the upper join that the lower one is in.
        causes: one, or two that both have to go.
    """

    rule: ConflictRule
    property: str
    lower: int
    upper: int | None
    shared: NodeSet
    other: NodeSet
    partner: NodeSet
    side: NodeSet
    causes: tuple[Cause, ...]


@node
class Absorption:
    """A step from the SES to the TES: the rule met `met`, and brought `added`."""

    reason: Reason
    met: NodeSet
    added: NodeSet


@node
class Derivation:
    """How the eligibility of an edge or a filter comes about.

    Attributes:
        ses: the nodes that the conditions use.
        steps: what was absorbed, in rounds, so that each table comes in by a chain that is as short as can be.
        whole: the nodes of an input of which the conditions use nothing, so that all of it must be there.
        left: the nodes that must be in the one input.
        right: those that must be in the other; none for a filter.
        rest: the reasons of the rules that are left.
    """

    ses: NodeSet
    steps: tuple[Absorption, ...]
    whole: NodeSet
    left: NodeSet
    right: NodeSet
    rest: tuple[Reason, ...]

    @property
    def tes(self) -> NodeSet:
        """The total eligibility set."""
        return NodeSet(self.left | self.right)

    def chain(self, wanted: NodeSet) -> list[Absorption]:
        """The steps that bring the wanted tables, and those that bring what these meet, the first of them first."""
        found: list[Absorption] = []
        for step in reversed(self.steps):
            if overlaps(step.added, wanted):
                found.append(step)
                if not overlaps(step.met, self.ses):
                    wanted = NodeSet(wanted | single(lowest(step.met)))
        found.reverse()
        return found


class Reasons:
    """The reasons of all conditions of a region, each found when it is asked for."""

    def __init__(self, graph: JoinHypergraph, rejecting: Mapping[int, NodeSet] | None = None) -> None:
        """`rejecting` supposes, for some operators by number, that they reject nulls on these tables, too."""
        self._graph = graph
        self._operators = list(graph.operators)
        for number, tables in (rejecting or {}).items():
            operator = self._operators[number]
            self._operators[number] = replace(operator, rejected=NodeSet(operator.rejected | tables))
        self._nodes = {table: node for node, leaf in graph.leaves.items() for table in members(output_tables(leaf))}
        self._known: dict[JoinEdge | RegionFilter, Derivation] = {}

    def derivation(self, condition: JoinEdge | RegionFilter) -> Derivation:
        """How the eligibility of a condition of the region comes about."""
        known = self._known.get(condition)
        if known is None:
            known = self._known[condition] = self._derive(condition)
        return known

    def used(self, condition: JoinEdge | RegionFilter) -> NodeSet:
        """The nodes that the conditions use."""
        return self._as_nodes(union(map(tables_of, condition.conditions)))

    def _derive(self, condition: JoinEdge | RegionFilter) -> Derivation:
        ses = self.used(condition)
        if isinstance(condition, RegionFilter):
            everything = self._graph.graph.nodes
            reasons = list(self._reasons(None, _filter_above(everything), everything, EMPTY))
            return _absorbed(ses, reasons, everything, EMPTY)
        operator = self._operators[condition.operator]
        left, right = operator.left_tables, operator.right_tables
        if condition.chain is not None:
            reasons = self._reasons_of_chain(condition.operator, condition.chain)
            left, right = (condition.chain.tables[member] for member in condition.members)
            return _absorbed(ses, reasons, left, right)
        if not condition.conditions and operator.type is JoinType.INNER:
            ses = NodeSet(self._first(left) | self._first(right))
        reasons = [
            *self._reasons(condition.operator, operator, left, right),
            *self._reasons(condition.operator, operator, right, left),
        ]
        return _absorbed(ses, reasons, left, right)

    def _reasons_of_chain(self, number: int, chain: KeyChain) -> list[Reason]:
        """Those of every join of a chain: what each member gives for a full join with all others."""
        everything, keys = union(chain.tables), self._as_nodes(union(tables_of(k) for key in chain.keys for k in key))
        reasons: list[Reason] = []
        for member in chain.tables:
            others = NodeSet(everything & ~member)
            join = Operator(type=JoinType.FULL, left_tables=member, right_tables=others, ses=keys, rejected=keys)
            reasons += self._reasons(number, join, member, others)
        return reasons

    def _reasons(self, number: int | None, upper: Operator, side: NodeSet, partner: NodeSet) -> Iterator[Reason]:
        """The reasons that the joins in one input of a join are, those further down first."""
        is_left = side == upper.left_tables
        for lower_number, lower in enumerate(self._operators):
            if not is_subset(lower.tables, side):
                continue
            for rule, shared, other in zip(
                lower.rules,
                (lower.right_tables, lower.left_tables),
                (lower.left_tables, lower.right_tables),
                strict=True,
            ):
                causes = causes_of(lower, shared, upper, side)
                if causes:
                    # The shared input is e2 for assoc.
                    is_assoc = (shared == lower.right_tables) is is_left
                    yield Reason(
                        rule=rule,
                        property="assoc" if is_assoc else "l-asscom" if is_left else "r-asscom",
                        lower=lower_number,
                        upper=number,
                        shared=shared,
                        other=other,
                        partner=partner,
                        side=side,
                        causes=causes,
                    )

    def _first(self, tables: NodeSet) -> NodeSet:
        """The first leaf of an input: what an inner join on TRUE connects."""
        return NodeSet(next(node for node in self._graph.leaves if node & tables))

    def _as_nodes(self, tables: NodeSet) -> NodeSet:
        return union(NodeSet(self._nodes.get(table, single(table))) for table in members(tables))


def _filter_above(everything: NodeSet) -> Operator:
    return Operator(type=JoinType.INNER, left_tables=everything, right_tables=EMPTY, ses=everything, rejected=EMPTY)


def causes_of(lower: Operator, shared: NodeSet, upper: Operator, side: NodeSet) -> tuple[Cause, ...]:
    """Why an operator may not be exchanged with one in an input of it; none where it may.

    Args:
        lower: the lower operator.
        shared: the input of it that the upper one uses.
        upper: the upper operator.
        side: the input of it that has the lower one.
    """
    hiding = (JoinType.SEMI, JoinType.ANTI)
    if upper.type in hiding and side == upper.right_tables:
        return (Cause.UPPER_HIDES,)
    if lower.type in hiding and shared == lower.right_tables:
        return (Cause.LOWER_HIDES,)
    causes = []
    if _keeps(upper, upper.right_tables if side == upper.left_tables else upper.left_tables):
        if not _keeps(lower, shared):
            causes.append(Cause.LOWER_DROPS)
        elif not overlaps(lower.rejected, shared):
            causes.append(Cause.LOWER_MATCHES)
    if _keeps(lower, lower.right_tables if shared == lower.left_tables else lower.left_tables):
        if not _keeps(upper, side):
            causes.append(Cause.UPPER_DROPS)
        elif not overlaps(upper.rejected, side):
            causes.append(Cause.UPPER_MATCHES)
    return tuple(causes)


def _keeps(operator: Operator, side: NodeSet) -> bool:
    """Whether a join keeps the rows of an input that find no match."""
    match operator.type:
        case JoinType.LEFT:
            return side == operator.left_tables
        case JoinType.FULL:
            return True
        case _:
            return False


def _absorbed(ses: NodeSet, reasons: Sequence[Reason], left: NodeSet, right: NodeSet) -> Derivation:
    tes = ses
    steps: list[Absorption] = []
    waiting = list(reasons)
    while met := [reason for reason in waiting if overlaps(reason.rule.tables, tes)]:
        before = tes
        for reason in met:
            added = NodeSet(reason.rule.required & ~tes)
            if added:
                steps.append(Absorption(reason=reason, met=NodeSet(reason.rule.tables & before), added=added))
                tes = NodeSet(tes | added)
        waiting = [reason for reason in waiting if not overlaps(reason.rule.tables, before)]
    whole = union(side for side in (left, right) if not overlaps(tes, side))
    left, right = NodeSet(tes & left) or left, NodeSet(tes & right) or right
    rest = [reason for reason in waiting if not is_subset(reason.rule.required, NodeSet(left | right))]
    return Derivation(ses=ses, steps=tuple(steps), whole=whole, left=left, right=right, rest=tuple(rest))
