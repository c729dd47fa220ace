"""Conditions that compare one term with constants, taken together: `x > 5 AND x > 3` is `x > 5`.

A *test* is a comparison, an IN or an IS NULL of a term with constants other than NULL. The values of a type are totally
ordered, NaN of DOUBLE above all others, so tests of one term are the ends of a range, and values that are in or out.
Where a term is NULL, all tests but IS NULL are NULL, and so are their AND and their OR: a test that follows from the
others may go. A contradiction is FALSE, which differs from NULL: the caller says whether that matters.

A test that is kept moves to the place of the first one of its term. It may protect what stands behind that.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from minisql.datatypes import TypeKind
from minisql.expression.failure import may_fail
from minisql.expression.nodes import MIRRORED, Comparison, Expression, InList, IsNull, Literal

_ORDERED: Final = frozenset(
    {
        TypeKind.INTEGER,
        TypeKind.BIGINT,
        TypeKind.DECIMAL,
        TypeKind.DOUBLE,
        TypeKind.VARCHAR,
        TypeKind.DATE,
        TypeKind.TIMESTAMP,
    }
)
"""The types whose constants Python orders as SQL does, NaN apart."""
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class _Test(NamedTuple):
    """`term operator constants`, with an operator of Comparison, or IN, NOT IN, IS NULL or IS NOT NULL."""

    term: Expression
    operator: str
    constants: tuple[Literal, ...]
    condition: Expression


def merge_conjuncts(conditions: tuple[Expression, ...], *, null_is_false: bool) -> tuple[Expression, ...] | None:
    """Fewer conditions with the same conjunction, the given ones where none goes; None for a contradiction.

    `null_is_false` says that it may be FALSE instead of NULL. Otherwise contradictions stay.
    """
    return _merge(conditions, lambda tests: _conjunction(tests, null_is_false=null_is_false))


def merge_disjuncts(conditions: tuple[Expression, ...]) -> tuple[Expression, ...]:
    """Fewer conditions with the same disjunction, the given ones where none goes."""
    merged = _merge(conditions, _disjunction)
    assert merged is not None, "no test is TRUE of all values"
    return merged


def _merge(
    conditions: tuple[Expression, ...], merge: Callable[[list[_Test]], list[Expression] | None]
) -> tuple[Expression, ...] | None:
    """The conditions with all tests of a term in the place of the first one."""
    groups: dict[Expression, list[_Test]] = {}
    places: list[Expression | list[_Test]] = []
    for condition in conditions:
        test = _as_test(condition)
        if test is None:
            places.append(condition)
            continue
        group = groups.get(test.term)
        if group is None:
            places.append(groups.setdefault(test.term, [test]))
        else:
            group.append(test)
    if len(places) == len(conditions):
        return conditions
    result: list[Expression] = []
    for place in places:
        if not isinstance(place, list):
            result.append(place)
            continue
        merged = [place[0].condition] if len(place) == 1 else merge(place)
        if merged is None:
            return None
        result += merged
    if len(result) == len(conditions) and set(map(id, result)) == set(map(id, conditions)):
        return conditions
    return tuple(result)


def _as_test(condition: Expression) -> _Test | None:
    match condition:
        case Comparison(left=Literal() as constant, right=term):
            test = _Test(term, MIRRORED[condition.operator], (constant,), condition)
        case Comparison(left=term, right=Literal() as constant):
            test = _Test(term, condition.operator, (constant,), condition)
        case InList(operand=term):
            items = tuple([item for item in condition.items if isinstance(item, Literal)])
            if len(items) < len(condition.items):
                return None
            test = _Test(term, "not in" if condition.negated else "in", items, condition)
        case IsNull(operand=term):
            test = _Test(term, "is not null" if condition.negated else "is null", (), condition)
        case _:
            return None
    if isinstance(term, Literal) or not all(map(_is_ordered, test.constants)) or may_fail(term):
        return None
    return test


def _is_ordered(constant: Literal) -> bool:
    value = constant.value
    # A NaN is not equal to itself.
    return value is not None and constant.type.kind in _ORDERED and value == value


@dataclass(slots=True)
class _Range:
    """Values between two ends, of which a test each tells."""

    low: _Test | None = None
    high: _Test | None = None

    def narrow(self, test: _Test) -> None:
        """Leaves the values that pass the test, too."""
        self._take(test, stricter=True)

    def widen(self, test: _Test) -> None:
        """Keeps, on this side, the end that lets more values through."""
        self._take(test, stricter=False)

    def _take(self, test: _Test, *, stricter: bool) -> None:
        if test.operator in (">", ">="):
            if self.low is None or _is_stricter(test, self.low) is stricter:
                self.low = test
        elif self.high is None or _is_stricter(test, self.high) is stricter:
            self.high = test

    def has(self, value: Any) -> bool:
        """Whether the value passes every end."""
        return all(_passes(value, end) for end in (self.low, self.high) if end is not None)

    def has_one_end(self, value: Any) -> bool:
        """Whether the value passes one of the ends."""
        return any(_passes(value, end) for end in (self.low, self.high) if end is not None)

    def is_empty(self) -> bool:
        """Whether no value lies between the ends."""
        if self.low is None or self.high is None:
            return False
        return not (_passes(_value(self.high), self.low) and _passes(_value(self.low), self.high))

    def only_value(self) -> Literal | None:
        """The one value between the ends, where they meet."""
        if self.low is None or self.high is None or _value(self.low) != _value(self.high):
            return None
        return self.low.constants[0]

    def conditions(self) -> list[Expression]:
        """The ends as conditions."""
        return [end.condition for end in (self.low, self.high) if end is not None]


def _value(test: _Test) -> Any:
    return test.constants[0].value


def _passes(value: Any, end: _Test) -> bool:
    return _COMPARE[end.operator](value, _value(end))


def _is_stricter(test: _Test, other: _Test) -> bool:
    """Whether one end of a range lets fewer values through than another one on the same side."""
    if _value(test) == _value(other):
        return test.operator in ("<", ">") and other.operator in ("<=", ">=")
    return _passes(_value(test), other)


def _conjunction(tests: list[_Test], *, null_is_false: bool) -> list[Expression] | None:
    of_null = [test for test in tests if _is_of_null(test)]
    strict = [test for test in tests if not _is_of_null(test)]
    if of_null and strict and null_is_false:
        if any(test.operator == "is null" for test in of_null):
            return None
        of_null = []
    passed = _all_of(strict) if strict else []
    if passed is None:
        return None if null_is_false else [test.condition for test in tests]
    return [test.condition for test in of_null] + passed


def _all_of(tests: list[_Test]) -> list[Expression] | None:
    """What all the tests together say of a term that is not NULL; None where they let no value through."""
    range_ = _Range()
    members: dict[Any, Literal] | None = None
    excluding: list[_Test] = []
    for test in tests:
        if test.operator in _COMPARE:
            range_.narrow(test)
        elif test.operator in ("=", "in"):
            values = {constant.value: constant for constant in test.constants}
            members = values if members is None else {v: each for v, each in members.items() if v in values}
        else:
            excluding.append(test)
    if range_.is_empty():
        return None
    if members is None and (only := range_.only_value()) is not None:
        members = {only.value: only}
    if members is None:
        inside = [test for test in excluding if any(range_.has(constant.value) for constant in test.constants)]
        return range_.conditions() + [test.condition for test in inside]
    excluded = {constant.value for test in excluding for constant in test.constants}
    kept = {v: each for v, each in members.items() if range_.has(v) and v not in excluded}
    return [_is_one_of(kept, tests)] if kept else None


def _disjunction(tests: list[_Test]) -> list[Expression]:
    range_ = _Range()
    members: dict[Any, Literal] = {}
    others: list[Expression] = []
    for test in tests:
        if test.operator in _COMPARE:
            range_.widen(test)
        elif test.operator in ("=", "in"):
            members.update({constant.value: constant for constant in test.constants})
        else:
            others.append(test.condition)
    kept = {v: each for v, each in members.items() if not range_.has_one_end(v)}
    return ([_is_one_of(kept, tests)] if kept else []) + range_.conditions() + others


def _is_of_null(test: _Test) -> bool:
    return test.operator in ("is null", "is not null")


def _is_one_of(members: dict[Any, Literal], tests: list[_Test]) -> Expression:
    """That the term of the tests is one of the values: one of the tests itself where it says that."""
    for test in tests:
        if test.operator in ("=", "in") and {constant.value for constant in test.constants} == members.keys():
            return test.condition
    term, items = tests[0].term, tuple(members.values())
    if len(items) == 1:
        return Comparison(operator="=", left=term, right=items[0])
    return InList(operand=term, items=items, negated=False)
