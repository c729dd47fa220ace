"""Simplifies conditions by the laws of logic that hold with NULL as well.

- NOT goes inwards: `NOT (x < 5 AND y IS NULL)` is `x >= 5 OR y IS NOT NULL`. The values of a type are totally ordered.
- Factors that all branches of an OR have in common come out of it: `(a AND b) OR (a AND c)` is `a AND (b OR c)`.
  So a join condition that is written into each branch becomes one that joins.
- `a OR (a AND b)` is a, and so is `a AND (a OR b)`; what stands twice goes once.
- Tests of one term are merged (`value_tests`): `x = 1 OR x = 2` is `x IN (1, 2)`.

All of that keeps the value, NULL included. Where a condition has to be TRUE, in WHERE and ON, NULL may become FALSE:
there `x > 5 AND x < 3` is FALSE, though it is NULL for a NULL. What may fail is not moved in front of what stood before
it and may protect it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from minisql.datatypes import BOOLEAN
from minisql.expression.failure import may_fail
from minisql.expression.nodes import (
    And,
    Comparison,
    Expression,
    InList,
    IsDistinctFrom,
    IsNull,
    IsTruth,
    Like,
    Literal,
    Not,
    Or,
)
from minisql.expression.value_tests import merge_conjuncts, merge_disjuncts
from minisql.expression.walk import conjuncts, outer_references, tables_of
from minisql.node_set import members

_COMPLEMENTS: Final = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def simplify_conjuncts(conditions: tuple[Expression, ...], *, with_implied: bool) -> tuple[Expression, ...]:
    """Conditions that are all TRUE of the same rows as the given ones; these themselves where nothing gets simpler.

    With `with_implied`, an OR over several tables is joined by what it implies for each of them.
    """
    simplified = _simplified_conjuncts(conditions, null_is_false=True)
    if not with_implied or not any(isinstance(condition, Or) for condition in simplified):
        return simplified
    new: list[Expression] = []
    for condition in simplified:
        if isinstance(condition, Or) and not condition.implied_are_asked and (implied := implied_conditions(condition)):
            new += implied
            condition = replace(condition, implied_are_asked=True)
        new.append(condition)
    if len(new) == len(simplified):
        return simplified
    return _simplified_conjuncts(tuple(new), null_is_false=True)


def simplify(condition: Expression, *, null_is_false: bool) -> Expression:
    """The condition in a simpler form; itself where there is none.

    It has the same value, or, if `null_is_false`, is TRUE of the same rows.
    """
    match condition:
        case Not():
            inward = negated(condition.operand)
            return inward if isinstance(inward, Not) else simplify(inward, null_is_false=null_is_false)
        case And():
            parts = _simplified_conjuncts(condition.operands, null_is_false=null_is_false)
            return condition if parts is condition.operands else conjunction_of(parts)
        case Or():
            return _simplified_or(condition, null_is_false=null_is_false)
        case _:
            return condition


def negated(condition: Expression) -> Expression:
    """NOT the condition, with the NOT as far inside as it goes."""
    match condition:
        case Literal(value=bool() as truth):
            return replace(condition, value=not truth)
        case Literal(value=None):
            return condition
        case Comparison():
            return Comparison(
                operator=_COMPLEMENTS[condition.operator],
                left=condition.left,
                right=condition.right,
                span=condition.span,
            )
        case IsNull() | InList() | Like() | IsDistinctFrom() | IsTruth():
            return replace(condition, negated=not condition.negated)
        case And():
            return Or(operands=_flat(Or, map(negated, condition.operands)), span=condition.span)
        case Or():
            return And(operands=_flat(And, map(negated, condition.operands)), span=condition.span)
        case Not():
            return condition.operand
        case _:
            return Not(operand=condition)


def implied_conditions(condition: Or) -> list[Expression]:
    """Conditions on one table each that are TRUE wherever the OR is, which reads several.

    `(a.x = 1 AND b.y = 2) OR (a.x = 3 AND b.y = 4)` implies `a.x IN (1, 3)` and `b.y IN (2, 4)`.
    """
    tables = tables_of(condition)
    if tables & (tables - 1) == 0 and not outer_references(condition):
        return []
    found = (_implied(condition, table) for table in members(tables))
    return [implied for implied in found if implied is not None and not isinstance(implied, Literal)]


def _implied(condition: Expression, table: int) -> Expression | None:
    """What the condition says of one table alone."""
    tables = tables_of(condition)
    if not tables >> table & 1:
        return None
    if tables == 1 << table and not outer_references(condition):
        return None if may_fail(condition) else condition
    if isinstance(condition, And):
        parts = [part for operand in condition.operands if (part := _implied(operand, table)) is not None]
        return conjunction_of(_simplified_conjuncts(tuple(parts), null_is_false=True)) if parts else None
    if isinstance(condition, Or):
        branches = [_implied(operand, table) for operand in condition.operands]
        known = [branch for branch in branches if branch is not None]
        if len(known) == len(branches):
            return simplify(Or(operands=_flat(Or, known)), null_is_false=True)
    return None


# --- AND --------------------------------------------------------------------------------------------------------------


def _simplified_conjuncts(conditions: tuple[Expression, ...], *, null_is_false: bool) -> tuple[Expression, ...]:
    """The operands of a conjunction, simplified; the given ones where they stay as they are."""
    simple = [simplify(condition, null_is_false=null_is_false) for condition in conditions]
    parts = conditions
    if any(a is not b for a, b in zip(simple, conditions, strict=True)):
        parts = _flat(And, simple)
    if len(parts) <= 1 and not any(isinstance(part, Literal) for part in parts):
        return parts
    kept: dict[Expression, None] = {}
    for part in parts:
        if isinstance(part, Literal):
            if part.value is False or (part.value is None and null_is_false):
                return parts if len(parts) == 1 and part.value is False else (_false(),)
            if part.value is True:
                continue
        kept[part] = None
    absorbed = [part for part in kept if isinstance(part, Or) and any(operand in kept for operand in part.operands)]
    if absorbed and not any(map(may_fail, kept)):
        for part in absorbed:
            del kept[part]
    merged = merge_conjuncts(parts if len(kept) == len(parts) else tuple(kept), null_is_false=null_is_false)
    return (_false(),) if merged is None else merged


def conjunction_of(parts: Sequence[Expression]) -> Expression:
    """The AND of the conditions, TRUE if there is none."""
    if len(parts) == 1:
        return parts[0]
    return And(operands=_flat(And, parts)) if parts else Literal(value=True, type=BOOLEAN)


# --- OR ---------------------------------------------------------------------------------------------------------------


def _simplified_or(condition: Or, *, null_is_false: bool) -> Expression:
    operands = condition.operands
    simple = [simplify(operand, null_is_false=null_is_false) for operand in operands]
    if any(a is not b for a, b in zip(simple, operands, strict=True)):
        operands = _flat(Or, simple)
    kept: dict[Expression, None] = {}
    for operand in operands:
        if isinstance(operand, Literal):
            if operand.value is True:
                return operand
            if operand.value is False or null_is_false:
                continue
        kept[operand] = None
    branches = [operand for operand in kept if not _is_absorbed(operand, kept)]
    merged = merge_disjuncts(operands if len(branches) == len(operands) else tuple(branches))
    if not merged:
        return _false()
    if len(merged) == 1:
        return merged[0]
    factored = _without_common_factors(merged)
    if factored is not None:
        return simplify(factored, null_is_false=null_is_false)
    return condition if merged is condition.operands else replace(condition, operands=merged)


def _is_absorbed(branch: Expression, branches: dict[Expression, None]) -> bool:
    """Whether a branch is `a AND b` where a is a branch."""
    return isinstance(branch, And) and any(operand in branches for operand in branch.operands)


def _without_common_factors(branches: Sequence[Expression]) -> Expression | None:
    """The OR with what all branches have in common taken out; None where they have nothing in common."""
    first, *others = [dict.fromkeys(conjuncts(branch)) for branch in branches]
    if not all(isinstance(branch, And) for branch in branches):
        return None  # a branch of one conjunct that is in all others has absorbed them
    common = [factor for factor in first if all(factor in other for other in others) and not may_fail(factor)]
    if not common:
        return None
    rests = [[part for part in branch if part not in common] for branch in (first, *others)]
    if not all(rests):
        return conjunction_of(common)
    rest = Or(operands=_flat(Or, [conjunction_of(parts) for parts in rests]))
    return conjunction_of([*common, rest])


def _flat(kind: type[And] | type[Or], operands: Iterable[Expression]) -> tuple[Expression, ...]:
    """The operands, with those of an operand of the same kind in its place."""
    found: list[Expression] = []
    for operand in operands:
        if isinstance(operand, kind):
            found += operand.operands
        else:
            found.append(operand)
    return tuple(found)


def _false() -> Literal:
    return Literal(value=False, type=BOOLEAN)
