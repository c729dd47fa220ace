"""Derives conditions that follow from equalities, so that more joins are possible and inputs are smaller.

Terms, which are columns or other expressions, that `=` makes equal form a *class*: in `a.x = b.x AND b.x = c.x` that is
{a.x, b.x, c.x}. Inner joins that stand together, with the filters among them, are one set of conditions, and in it
- the equalities are closed: a.x = c.x is added, so that a may be joined with c first. A class of which a term is a
  constant needs no more equalities, one of more than eight terms would make too large a clique;
- what is known of one term, as `a.x > 3` or `a.x IN (1, 2)`, is asked of each of the others.

For a left, a semi or an anti join, only rows of the right input that can match matter. What is known of the term of
the left input in a conjunct of ON, from below or from ON itself, is asked of the right one: `a LEFT JOIN b ON a.k = b.k
WHERE a.k = 5` reads `b.k = 5`. A semi join asks it the other way round, too.

What is *known* are conditions that are TRUE in every row of an input, or in every row in which their tables are not
padded: an equality that is TRUE has no padded side. They come from wherever they stand in the input. A condition that
may fail on a value is asked of no other rows than it is written for. A condition of ON on the left input that is asked
of the right one goes away from ON: what matches fulfils it.

Equalities that imply each other, written or derived, are marked with a number (`Comparison.equality_class`): taken
together they let more rows through than if they were independent.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, TypeAlias, assert_never

from minisql.expression.equalities import is_equality
from minisql.expression.failure import may_fail
from minisql.expression.nodes import Coalesce, ColumnId, ColumnRef, Comparison, Expression, IsNull, Literal
from minisql.expression.predicates import apply_predicate, as_predicate
from minisql.expression.walk import columns_of, outer_references, replace_columns, tables_of
from minisql.node import node as node_class
from minisql.node_set import EMPTY, NodeSet, is_subset, lowest, members, overlaps
from minisql.relational.columns import group_keys, projected
from minisql.relational.merged_keys import is_null_if_padded
from minisql.relational.push_down import push_down
from minisql.relational.relational_expression import (
    Aggregate,
    Apply,
    BaseTable,
    Filter,
    Join,
    JoinOrder,
    JoinType,
    Limit,
    OneRow,
    Project,
    RecursiveUnion,
    RelationalExpression,
    SetOperation,
    SharedScan,
    SingleRow,
    Sort,
    Values,
    Window,
    WorkingTable,
    output_tables,
)

MOST_TERMS: Final = 8
"""The terms of a class up to which every two of them get an equality."""
MOST_ROUNDS: Final = 3
"""How often conditions are handed on between classes; `a.k = a.k + 1` would never come to an end."""

_Predicates: TypeAlias = dict[Expression, None]
_Targets: TypeAlias = dict[int, NodeSet]
"""For the tables of the inputs that conditions are derived for, all tables of the input."""


@node_class
class Derivation:
    """A condition that was derived, and from what.

    Attributes:
        condition: what was derived.
        known: what is known of the term `source`, and is asked of `target` now; None where the two were made equal.
        source: a term of a class.
        target: another term of it.
        equalities: those that made the class, among which there is a way from the one term to the other.
    """

    condition: Expression
    known: Expression | None
    source: Expression
    target: Expression
    equalities: tuple[Comparison, ...]


def derive_conditions(
    expression: RelationalExpression, derivations: list[Derivation] | None = None
) -> RelationalExpression:
    """The same rows under more conditions, which are pushed down; the expression itself where none is derived.

    What was derived is added to `derivations`; later rewrites may find some of it superfluous.
    """
    deriver = _Deriver()
    derived = deriver.node(expression)
    if derivations is not None:
        derivations += deriver.derivations
    return expression if derived is expression else push_down(derived)


class _Known:
    """Conditions, found by the columns that they read."""

    def __init__(self) -> None:
        self._conditions: dict[frozenset[ColumnId], _Predicates] = {}

    def add(self, conditions: Iterable[Expression]) -> None:
        for condition in conditions:
            self._conditions.setdefault(frozenset(columns_of(condition)), {})[condition] = None

    def that_read(self, columns: Iterable[ColumnId]) -> Iterable[Expression]:
        """The conditions that read these columns and no other."""
        return self._conditions.get(frozenset(columns), ())

    def predicates(self, term: Expression) -> _Predicates:
        """What the conditions say of the value of a term."""
        found = (as_predicate(condition, term) for condition in self.that_read(columns_of(term)))
        return dict.fromkeys(predicate for predicate in found if predicate is not None)


class _Class:
    """Terms that are equal, and the equalities that say so.

    `is_constant` says that one of the terms, and so each, equals a constant.
    """

    def __init__(self, term: Expression) -> None:
        self.terms = {term: None}
        self.equalities: list[Comparison] = []
        self.is_constant = False


class _Deriver:
    """One run over a query, inputs first; `_known` is what is known of the rows of the inputs so far.

    A condition in it is TRUE wherever its columns are not all padded. What a subquery reads of the query around it is a
    constant inside of the subquery alone, so no condition with an outer reference is handed on.
    """

    def __init__(self) -> None:
        self.derivations: list[Derivation] = []
        self._known = _Known()
        self._next_class = 0
        self._subqueries = 0  # those that are run for each row and that this node is in

    def node(self, node: RelationalExpression) -> RelationalExpression:
        match node:
            case BaseTable() | Values() | OneRow() | SharedScan() | WorkingTable():
                return node
            case Join():
                return self._join(node)
            case Filter():
                if _is_region(node):
                    return self._region(node)
                input_ = self.node(node.input)
                self._remember(node.conditions)
            case Project():
                input_ = self.node(node.input)
                self._rename(projected(node))
            case Aggregate():
                input_ = self.node(node.input)
                self._rename(group_keys(node))
            case Apply():
                left = self.node(node.left)
                self._subqueries += 1
                right = self.node(node.right)
                self._subqueries -= 1
                return node if left is node.left and right is node.right else replace(node, left=left, right=right)
            case SetOperation():
                left, right = self.node(node.left), self.node(node.right)
                return node if left is node.left and right is node.right else replace(node, left=left, right=right)
            case RecursiveUnion():
                anchor, step = self.node(node.anchor), self.node(node.step)
                return node if anchor is node.anchor and step is node.step else replace(node, anchor=anchor, step=step)
            case JoinOrder() | Sort() | Limit() | SingleRow() | Window():
                input_ = self.node(node.input)
            case _:
                assert_never(node)
        return node if input_ is node.input else replace(node, input=input_)

    def _remember(self, conditions: Iterable[Expression]) -> None:
        if self._subqueries:
            conditions = [condition for condition in conditions if not outer_references(condition)]
        self._known.add(conditions)

    def _rename(self, new: Mapping[ColumnId, Expression]) -> None:
        """What is known of a column is known of the one that a table makes of it."""
        for column, expression in new.items():
            if isinstance(expression, ColumnRef):
                known = self._known.that_read((expression.column,))
                renamed = {expression.column: replace(expression, column=column)}
                self._known.add([replace_columns(condition, renamed) for condition in known])

    # --- joins --------------------------------------------------------------------------------------------------------

    def _join(self, node: Join) -> RelationalExpression:
        match node.type:
            case JoinType.INNER:
                return self._region(node)
            case JoinType.FULL:
                left, right = self.node(node.left), self.node(node.right)
                return node if left is node.left and right is node.right else replace(node, left=left, right=right)
            case JoinType.LEFT | JoinType.SEMI | JoinType.ANTI:
                return self._one_sided(node)
            case _:
                assert_never(node.type)

    def _one_sided(self, node: Join) -> Join:
        """A join that looks at its right input for matches only; a semi join at its left one, too."""
        left, right, conditions = self.node(node.left), self.node(node.right), node.conditions
        classes = _classes(conditions)
        if classes:
            on = _Known()
            on.add(conditions)
            targets = _targets([left, right] if node.type is JoinType.SEMI else [right])
            new = self._carried(classes, on, targets)
            for each in classes:
                new += [equality for equality in self._closed(each, on, targets) if _is_within(equality, targets)]
            left, right = self._under([left, right], new)
            conditions = tuple([c for c in conditions if not _is_asked_of(c, output_tables(right), classes)])
        if left is node.left and right is node.right and len(conditions) == len(node.conditions):
            return node
        return replace(node, left=left, right=right, conditions=conditions)

    def _region(self, top: Join | Filter) -> RelationalExpression:
        """Inner joins that stand together."""
        conditions: list[Expression] = []
        old_leaves: list[RelationalExpression] = []
        _collect(top, conditions, old_leaves)
        leaves = [self.node(leaf) for leaf in old_leaves]
        self._remember(conditions)
        everywhere = [*conditions]
        for leaf in leaves:
            if isinstance(leaf, Filter):
                everywhere += leaf.conditions
        classes = _classes(everywhere)
        if not classes:
            return _rebuilt(top, iter(leaves), {}, ())
        here = _Known()
        here.add(everywhere)
        targets = _targets(leaves)
        new = self._carried(classes, here, targets)
        marked: dict[int, Expression] = {}
        for each in classes:
            new += self._mark(each, self._closed(each, here, targets), marked)
        if new:
            leaves = self._under(leaves, new)
        joining = tuple([condition for condition in new if not _is_within(condition, targets)])
        self._remember(joining)
        return _rebuilt(top, iter(leaves), marked, joining)

    def _under(self, inputs: list[RelationalExpression], conditions: list[Expression]) -> list[RelationalExpression]:
        """The inputs, each under the conditions that are about it alone, which may lead to more inside."""
        targets = _targets(inputs)
        by_target: dict[NodeSet, list[Expression]] = {}
        for condition in conditions:
            if _is_within(condition, targets):
                by_target.setdefault(targets[lowest(tables_of(condition))], []).append(condition)
        return [
            self.node(push_down(Filter(input=input_, conditions=tuple(own))))
            if (own := by_target.get(output_tables(input_)))
            else input_
            for input_ in inputs
        ]

    # --- classes ------------------------------------------------------------------------------------------------------

    def _carried(self, classes: list[_Class], here: _Known, targets: _Targets) -> list[Expression]:
        """What is known of a term and new for another one of its class that lies in one of the targets.

        It is added to what is known `here`, where classes may hand it on: a.k is a term, and so is a.k + 1.
        """
        new: list[Expression] = []
        for _ in classes[:MOST_ROUNDS]:
            found = [condition for each in classes for condition in self._carried_in_class(each, here, targets)]
            if not found:
                break
            here.add(found)
            new += found
        return new

    def _carried_in_class(self, class_: _Class, here: _Known, targets: _Targets) -> list[Expression]:
        known = {term: self._predicates(term, here) for term in class_.terms}
        carried = dict.fromkeys(
            predicate for predicates in known.values() for predicate in predicates if _can_be_carried(predicate)
        )
        class_.is_constant = any(map(_is_constant, carried))
        inside = [term for term in class_.terms if _is_within(term, targets)] if carried else []
        found = []
        for term in inside:
            for predicate in carried:
                if predicate not in known[term]:
                    condition = apply_predicate(predicate, term)
                    source = next(other for other, predicates in known.items() if predicate in predicates)
                    self._note(condition, apply_predicate(predicate, source), source, term, class_)
                    found.append(condition)
        return found

    def _closed(self, class_: _Class, here: _Known, targets: _Targets) -> list[Comparison]:
        """The equalities that follow between terms of different inputs, or of one target."""
        if class_.is_constant or not 3 <= len(class_.terms) <= MOST_TERMS:
            return []
        found = [
            equality
            for left, right in itertools.combinations(class_.terms, 2)
            if not (_is_equality_known(left, right, here) or _is_equality_known(left, right, self._known))
            and _is_of_inputs(equality := Comparison(operator="=", left=left, right=right), targets)
        ]
        for equality in found:
            self._note(equality, None, equality.left, equality.right, class_)
        return found

    def _note(
        self, condition: Expression, known: Expression | None, source: Expression, target: Expression, class_: _Class
    ) -> None:
        equalities = tuple(class_.equalities)
        self.derivations.append(
            Derivation(condition=condition, known=known, source=source, target=target, equalities=equalities)
        )

    def _predicates(self, term: Expression, here: _Known) -> _Predicates:
        """What is known of a term that is not NULL; what is known `here` is TRUE in every row."""
        found = here.predicates(term)
        if not is_null_if_padded(term):
            return found
        found |= self._known.predicates(term)
        if isinstance(term, Coalesce) and all(map(is_null_if_padded, term.operands)):
            # It has the value of one of its operands.
            first, *others = [self._known.predicates(operand) for operand in term.operands]
            found |= {predicate: None for predicate in first if all(predicate in other for other in others)}
        return found

    def _mark(self, class_: _Class, new: list[Comparison], marked: dict[int, Expression]) -> list[Comparison]:
        """The new equalities of a class; where equalities imply each other, all of them with a number.

        `marked` takes the old ones, by their ids.
        """
        equalities = class_.equalities + new
        if len(equalities) < len(class_.terms):
            return new
        number = next((e.equality_class for e in equalities if e.equality_class is not None), self._next_class)
        self._next_class = max(self._next_class, number + 1)
        for equality in class_.equalities:
            if equality.equality_class != number:
                marked[id(equality)] = replace(equality, equality_class=number)
        return [replace(equality, equality_class=number) for equality in new]


def _classes(conditions: Iterable[Expression]) -> list[_Class]:
    """The classes of the terms that the conditions make equal."""
    class_of: dict[Expression, _Class] = {}
    for condition in filter(is_equality, conditions):
        left, right = condition.left, condition.right
        if isinstance(left, Literal) or isinstance(right, Literal) or left.type != right.type or left == right:
            continue
        if not columns_of(left) or not columns_of(right):
            continue
        one, other = (class_of.setdefault(term, _Class(term)) for term in (left, right))
        one.equalities.append(condition)
        if one is not other:
            if len(one.terms) < len(other.terms):
                one, other = other, one
            one.terms |= other.terms
            one.equalities += other.equalities
            class_of |= dict.fromkeys(other.terms, one)
    return list(dict.fromkeys(class_of.values()))


def _can_be_carried(predicate: Expression) -> bool:
    # Terms that are equal are not NULL in the first place.
    return not isinstance(predicate, IsNull) and not may_fail(predicate)


def _is_asked_of(condition: Expression, right: NodeSet, classes: Iterable[_Class]) -> bool:
    """Whether a condition of ON on the left input was carried to the right one, so that every match fulfils it."""
    tables = tables_of(condition)
    if not tables or overlaps(tables, right):
        return False
    for each in classes:
        if any(is_subset(tables_of(term), right) for term in each.terms):
            predicates = (as_predicate(condition, term) for term in each.terms if tables_of(term) == tables)
            if any(predicate is not None and _can_be_carried(predicate) for predicate in predicates):
                return True
    return False


def _is_equality_known(left: Expression, right: Expression, known: _Known) -> bool:
    ends = {left, right}
    return any(
        is_equality(condition) and {condition.left, condition.right} == ends
        for condition in known.that_read(columns_of(left) | columns_of(right))
    )


def _is_constant(predicate: Expression) -> bool:
    """Whether the predicate says which value it is."""
    if not is_equality(predicate):
        return False
    ends = (predicate.left, predicate.right)
    return any(isinstance(end, Literal) for end in ends) and any(isinstance(end, ColumnRef) for end in ends)


def _is_within(expression: Expression, targets: _Targets) -> bool:
    """Whether the expression is about one of the inputs alone."""
    tables = tables_of(expression)
    return is_subset(tables, targets.get(lowest(tables), EMPTY))


def _targets(inputs: Iterable[RelationalExpression]) -> _Targets:
    targets: _Targets = {}
    for input_ in inputs:
        tables = output_tables(input_)
        targets |= dict.fromkeys(members(tables), tables)
    return targets


def _is_of_inputs(equality: Comparison, targets: _Targets) -> bool:
    """Whether the equality is between inputs, or between columns of one table of an input, a filter on it."""
    return not overlaps(tables_of(equality.left), tables_of(equality.right)) or _is_within(equality, targets)


# --- regions ----------------------------------------------------------------------------------------------------------


def _is_region(node: RelationalExpression) -> bool:
    """Whether inner joins stand here, under filters or not."""
    while isinstance(node, Filter):
        node = node.input
    return isinstance(node, Join) and node.type is JoinType.INNER


def _collect(node: RelationalExpression, conditions: list[Expression], leaves: list[RelationalExpression]) -> None:
    """Adds the conditions of a region and, from left to right, what it joins."""
    if not _is_region(node):
        leaves.append(node)
        return
    assert isinstance(node, Join | Filter)
    if isinstance(node, Filter):
        _collect(node.input, conditions, leaves)
    else:
        _collect(node.left, conditions, leaves)
        _collect(node.right, conditions, leaves)
    conditions += node.conditions


def _rebuilt(
    node: RelationalExpression,
    leaves: Iterator[RelationalExpression],
    marked: dict[int, Expression],
    joining: tuple[Expression, ...],
) -> RelationalExpression:
    """The region over new leaves, its topmost join with more conditions; the node itself where nothing differs."""
    if not _is_region(node):
        return next(leaves)
    assert isinstance(node, Join | Filter)
    conditions = node.conditions
    if marked:
        conditions = tuple([marked.get(id(condition), condition) for condition in conditions])
        if all(new is old for new, old in zip(conditions, node.conditions, strict=True)):
            conditions = node.conditions
    if isinstance(node, Filter):
        input_ = _rebuilt(node.input, leaves, marked, joining)
        if input_ is node.input and conditions is node.conditions:
            return node
        return replace(node, input=input_, conditions=conditions)
    left, right = _rebuilt(node.left, leaves, marked, ()), _rebuilt(node.right, leaves, marked, ())
    if left is node.left and right is node.right and conditions is node.conditions and not joining:
        return node
    return replace(node, left=left, right=right, conditions=conditions + joining)
