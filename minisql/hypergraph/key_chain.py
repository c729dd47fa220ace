"""FULL JOINs that merge one key, in whatever order the query makes them.

    SELECT k, a.x, b.y, c.z FROM a FULL JOIN b USING (k) FULL JOIN c USING (k)

says `a FULL b ON a.k = b.k FULL c ON COALESCE(a.k, b.k) = c.k`. The second predicate is TRUE for rows in which a is
padded and for rows in which b is, so it rejects nulls on neither, and by the conflict rules these joins would have to
stay in the order in which they are written. Yet every order gives the same bag of rows, as long as each join compares
the merged keys of its inputs. Let R_k be the rows of R with the key k, and R^_k the same, or a single row of NULLs
where there is none. For a k that is not NULL, (a FULL b)_k is a^_k x b^_k, unless both are empty, and in every case
((a FULL b)^)_k = a^_k x b^_k; and products commute and associate. A row whose key is NULL matches nothing and stays
alone in every order. Several columns in USING make one key, which is NULL where one of them is.

So a *chain* is a tree of full joins over *members*, relations with a key each. It becomes one edge for every pair of
members instead of one edge for every join. Two sets of tables are joined by comparing the COALESCE of the keys of the
members in one with that of the members in the other. What is between the members is subject to the usual rules, in
which a chain rejects nulls on all of its keys: its predicate is not TRUE when everything on one side of it is NULL.

    a FULL JOIN b ON a.k = b.k FULL JOIN c ON b.k = c.k

is no chain: where a row of c matches no row of b, it does not matter whether it matches one of a.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from minisql.expression.equalities import coalesced, is_equality, operands_by_side
from minisql.expression.nodes import Coalesce, Expression
from minisql.node import node
from minisql.relational.merged_keys import is_null_if_padded
from minisql.relational.relational_expression import Join, JoinType, RelationalExpression, output_tables

MOST_MEMBERS: Final = 40
"""A chain has an edge for each pair of members. Joins above a chain of this many keep their place."""


@node
class KeyedRelation:
    """An input of full joins that merge a key, with the columns of its key: NULL where the whole relation is padded."""

    relation: RelationalExpression
    keys: tuple[Expression, ...]


class ChainFinder:
    """Finds the chains in a tree of joins."""

    def __init__(self) -> None:
        self._known: dict[Join, tuple[KeyedRelation, ...]] = {}

    def chain(self, join: Join) -> tuple[KeyedRelation, ...]:
        """The members, from left to right, of the chain with this join at its top; none where it has less than three.

        Two members are an ordinary join.
        """
        members = self._members(join)
        return members if len(members) > 2 else ()

    def _members(self, expression: RelationalExpression) -> tuple[KeyedRelation, ...]:
        """The members of the joins at the top of the expression; none where these do not merge a key."""
        if not isinstance(expression, Join) or expression.type is not JoinType.FULL or not expression.conditions:
            return ()
        known = self._known.get(expression)
        if known is None:
            known = self._known[expression] = self._find_members(expression)
        return known

    def _find_members(self, join: Join) -> tuple[KeyedRelation, ...]:
        left_tables, right_tables = output_tables(join.left), output_tables(join.right)
        sides = [
            operands_by_side(condition, left_tables, right_tables) if is_equality(condition) else None
            for condition in join.conditions
        ]
        left = self._side(join.left, [side[0] for side in sides if side is not None])
        right = self._side(join.right, [side[1] for side in sides if side is not None])
        if None in sides or not left or not right or len(left) + len(right) > MOST_MEMBERS:
            return ()
        return left + right

    def _side(self, relation: RelationalExpression, keys: Sequence[Expression]) -> tuple[KeyedRelation, ...]:
        """The members that one side of a join brings: those of a chain whose merged key it is, or itself."""
        below = _in_order_of(keys, self._members(relation))
        if below:
            return below
        if all(map(is_null_if_padded, keys)):
            return (KeyedRelation(relation=relation, keys=tuple(keys)),)
        return ()


def merged_key(members: Sequence[Sequence[Expression]]) -> tuple[Expression, ...]:
    """The key, column by column, of the full join of relations with these keys."""
    if len(members) == 1:
        return tuple(members[0])
    return tuple([Coalesce(operands=column, type=column[0].type) for column in zip(*members, strict=True)])


def _in_order_of(keys: Sequence[Expression], members: tuple[KeyedRelation, ...]) -> tuple[KeyedRelation, ...]:
    """The members with the columns of their keys in the order of `keys`; none where these are not the merged key."""
    if not members or len(members[0].keys) != len(keys):
        return ()
    merged = [frozenset(member.keys[place] for member in members) for place in range(len(keys))]
    places = []
    for key in keys:
        place = next(
            (
                place
                for place, column in enumerate(merged)
                if place not in places and frozenset(coalesced(key, column)) == column
            ),
            None,
        )
        if place is None:
            return ()
        places.append(place)
    if places == sorted(places):
        return members
    return tuple(
        [
            KeyedRelation(relation=member.relation, keys=tuple([member.keys[place] for place in places]))
            for member in members
        ]
    )
