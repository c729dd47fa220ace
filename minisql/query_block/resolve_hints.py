"""Resolves the hints of a query block: names become tables, and the tree of JOIN_TREE a list of joins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from minisql.errors import ProgrammingError, Span, did_you_mean
from minisql.node_set import NodeSet, single
from minisql.parser.keywords import quoted_name
from minisql.parser.parse_tree import Identifier, JoinTree, JoinTreePair, JoinTreeTable, JoinValidation
from minisql.query_block import query_block
from minisql.query_block.query_block import FromTree, OrderedJoin
from minisql.query_block.scope import same_name
from minisql.query_block.table_names import FromItem, from_items, inner_items


def resolve_join_tree(tree: JoinTree, from_: FromTree | None, called: str = "JOIN_TREE") -> tuple[OrderedJoin, ...]:
    """The joins of the tree, each after those in its sides; none where it is a single table.

    A derived table is named as a whole, or all of its tables are. Messages call the tree `called`.

    Raises:
        ProgrammingError: a table is unknown, missing or there twice.
    """
    items = from_items(from_)
    nodes: list[JoinTree] = [tree]
    for node in nodes:
        if isinstance(node, JoinTreePair):
            nodes += [node.left, node.right]
    leaves = [node for node in nodes if isinstance(node, JoinTreeTable)]
    tables = _Tables(items)
    for leaf in sorted(leaves, key=lambda leaf: leaf.span.start):
        tables.add(leaf)
    missing = list(tables.missing(items))
    if missing:
        hint = None
        if "" in missing:
            hint = "Give the subquery an alias, so that it can be named."
            missing.remove("")
        left_out = ", ".join(missing) or "a subquery without a name"
        raise ProgrammingError(f"{called} leaves out {left_out}.", tree.span, hint=hint)
    sets: dict[int, NodeSet] = {}
    joins = []
    for node in reversed(nodes):
        if isinstance(node, JoinTreePair):
            left, right = sets[id(node.left)], sets[id(node.right)]
            joins.append(OrderedJoin(left=left, right=right, span=node.span))
            sets[id(node)] = NodeSet(left | right)
        else:
            sets[id(node)] = tables.found[id(node)]
    return tuple(joins)


VALIDATION_KINDS: Final = {
    "1:1": "1:1",
    "1:m": "1:m",
    "1:n": "1:m",
    "m:1": "m:1",
    "n:1": "m:1",
    "m:n": "m:n",
    "n:m": "m:n",
    "m:m": "m:n",
    "n:n": "m:n",
    "one_to_one": "1:1",
    "one_to_many": "1:m",
    "many_to_one": "m:1",
    "many_to_many": "m:n",
}
"""How many rows of two tables may meet, as it may be written, among others as pandas writes it, and as we do."""


def resolve_validations(
    trees: Iterable[JoinValidation], from_: FromTree | None
) -> tuple[query_block.JoinValidation, ...]:
    """What VALIDATE hints ask for.

    Raises:
        ProgrammingError: a table or a kind is unknown, or both tables are the same.
    """
    items = from_items(from_)
    return tuple(
        [validation(find_item(tree.left, items), find_item(tree.right, items), tree.kind, tree.span) for tree in trees]
    )


def validation(left: FromItem, right: FromItem, kind: str, span: Span | None) -> query_block.JoinValidation:
    """A validation of two tables.

    Raises:
        ProgrammingError: the kind is unknown, or both tables are the same.
    """
    known = VALIDATION_KINDS.get(kind.lower())
    if known is None:
        raise ProgrammingError(f"A join is 1:1, 1:m, m:1 or m:n, not {kind!r}.", span)
    if left is right:
        raise ProgrammingError(f'"{left.alias}" is not joined with itself: name two tables of FROM.', span)
    return query_block.JoinValidation(left=left.table, right=right.table, kind=known, span=span)


class _Tables:
    """The tables that a tree has named so far."""

    def __init__(self, items: Sequence[FromItem]) -> None:
        self._items = items
        self._named: dict[int, JoinTreeTable] = {}  # by ids of items, as those below
        self._partly_named: set[int] = set()
        self.found: dict[int, NodeSet] = {}
        """The table of each leaf, by the id of the leaf."""

    def add(self, leaf: JoinTreeTable) -> None:
        """Finds what a leaf names, which nothing before it may have named."""
        items, above = self._items, list[FromItem]()
        for name in leaf.path:
            if above and not items:
                raise ProgrammingError(
                    f'"{above[-1].alias}" has no tables inside that take part in this order.', leaf.span
                )
            above.append(find_item(name, items))
            items = inner_items(above[-1])
        item = above.pop()
        if id(item) in self._named or any(id(outer) in self._named for outer in above):
            raise self._twice(leaf, self._named.get(id(item)))
        if id(item) in self._partly_named:
            raise ProgrammingError(f'Tables of "{item.alias}" are in the tree already.', leaf.span)
        self._named[id(item)] = leaf
        self._partly_named.update(map(id, above))
        self.found[id(leaf)] = single(item.table)

    @staticmethod
    def _twice(leaf: JoinTreeTable, first: JoinTreeTable | None) -> ProgrammingError:
        if first is None or not first.path or same_name(first.path[0].name, leaf.path[0].name):
            return ProgrammingError(f'"{leaf.span.source}" is in the tree already.', leaf.span)
        return ProgrammingError(
            f"{leaf.span.source} is {first.span.source}, a table of a query that is used twice: "
            "its uses cannot be told apart by what is in them.",
            leaf.span,
            hint=f"Name {first.path[0].span.source} and {leaf.path[0].span.source} in their places.",
        )

    def missing(self, items: Sequence[FromItem], prefix: str = "") -> Iterator[str]:
        """The names of the tables that are not in the tree."""
        for item in items:
            if id(item) in self._partly_named:
                yield from self.missing(inner_items(item), f"{prefix}{quoted_name(item.alias)}.")
            elif id(item) not in self._named:
                yield prefix + quoted_name(item.alias) if item.alias else ""


def find_item(name: Identifier, items: Sequence[FromItem]) -> FromItem:
    """The table of a FROM with this name.

    Raises:
        ProgrammingError: there is none.
    """
    for item in items:
        if item.alias and same_name(item.alias, name.name):
            return item
    known = [item.alias for item in items if item.alias]
    hint = did_you_mean(name.name, known)
    if hint is None and known:
        hint = f"The tables here are {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}."
    raise ProgrammingError(f'There is no table "{name.name}" in FROM here.', name.span, hint=hint)
