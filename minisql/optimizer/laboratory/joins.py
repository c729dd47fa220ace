"""Makes a tree of joins, as a query has it, of joins that are given one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from minisql.expression.nodes import Expression
from minisql.relational.relational_expression import Join, JoinType, RelationalExpression


@dataclass(slots=True)
class _Part:
    """A leaf, or a join of two parts."""

    tables: frozenset[str]
    visible: frozenset[str]
    leaf: RelationalExpression | None = None
    type: JoinType = JoinType.INNER
    inputs: tuple[_Part, ...] = ()
    conditions: list[Expression] = field(default_factory=list)


class JoinBuilder:
    """Each table is in one part, and a join makes one part of two; the last part is the query."""

    def __init__(self, leaves: Mapping[str, RelationalExpression]) -> None:
        self._part_of = {name: _Part(frozenset([name]), frozenset([name]), leaf) for name, leaf in leaves.items()}

    def add(self, type_: JoinType, left: frozenset[str], right: frozenset[str], condition: Expression) -> None:
        """Joins the parts of both sides or, if they are one already, adds a condition to the inner join of the sides.

        Raises:
            ValueError: a side is not joined yet, is hidden by a semi or an anti join, or the condition would have to be
                added to a join that is not inner.
        """
        left_part, right_part = self._part(left), self._part(right)
        if left_part is right_part:
            self._add_condition(left_part, type_, left | right, condition)
            return
        visible = left_part.visible
        if type_ not in (JoinType.SEMI, JoinType.ANTI):
            visible |= right_part.visible
        joined = _Part(left_part.tables | right_part.tables, visible, None, type_, (left_part, right_part), [condition])
        self._part_of.update(dict.fromkeys(joined.tables, joined))

    def finish(self) -> RelationalExpression:
        """The query, after the last join."""
        top = next(iter(self._part_of.values()))
        order = [top]
        for part in order:
            order += part.inputs
        made: dict[int, RelationalExpression] = {}
        for part in reversed(order):
            if part.leaf is not None:
                made[id(part)] = part.leaf
                continue
            left, right = (made[id(input_)] for input_ in part.inputs)
            made[id(part)] = Join(type=part.type, left=left, right=right, conditions=tuple(part.conditions))
        return made[id(top)]

    def _part(self, side: frozenset[str]) -> _Part:
        first, *others = sorted(side)
        part = self._part_of[first]
        for other in others:
            if self._part_of[other] is not part:
                raise ValueError(
                    f"The edges are joins one after the other, and {first} and {other} are not joined before the edge "
                    "that has both on one side."
                )
        if hidden := side - part.visible:
            raise ValueError(f"{', '.join(sorted(hidden))} is hidden by the semi or anti join before.")
        return part

    def _add_condition(self, part: _Part, type_: JoinType, used: frozenset[str], condition: Expression) -> None:
        while True:
            below = next((input_ for input_ in part.inputs if used <= input_.tables), None)
            if below is None:
                break
            part = below
        listed = ", ".join(sorted(used))
        if type_ is not JoinType.INNER:
            raise ValueError(f"{listed} are joined already, so that a {type_.value} join of them makes no sense.")
        if part.type is not JoinType.INNER:
            raise ValueError(
                f"The edge between {listed} is a condition of the {part.type.value} join that joined them: "
                "give that join one edge, with all of its tables."
            )
        part.conditions.append(condition)
