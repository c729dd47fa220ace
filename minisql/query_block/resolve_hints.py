"""Resolves the JOIN_TREE hint of a query block: names become tables, and the tree a list of joins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from minisql.errors import ProgrammingError, did_you_mean
from minisql.node_set import NodeSet, single
from minisql.parser.parse_tree import Identifier, JoinTree, JoinTreePair, JoinTreeTable
from minisql.query_block.query_block import FromTree, OrderedJoin
from minisql.query_block.scope import same_name
from minisql.query_block.table_names import FromItem, from_items, inner_items, quoted_name


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


class _Tables:
    """The tables that a tree has named so far."""

    def __init__(self, items: Sequence[FromItem]) -> None:
        self._items = items
        self._named: set[int] = set()  # ids of items, as those below
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
            above.append(_find(name, items))
            items = inner_items(above[-1])
        item = above.pop()
        if id(item) in self._named or any(id(outer) in self._named for outer in above):
            raise ProgrammingError(f'"{leaf.span.source}" is in the tree already.', leaf.span)
        if id(item) in self._partly_named:
            raise ProgrammingError(f'Tables of "{item.alias}" are in the tree already.', leaf.span)
        self._named.add(id(item))
        self._partly_named.update(map(id, above))
        self.found[id(leaf)] = single(item.table)

    def missing(self, items: Sequence[FromItem], prefix: str = "") -> Iterator[str]:
        """The names of the tables that are not in the tree."""
        for item in items:
            if id(item) in self._partly_named:
                yield from self.missing(inner_items(item), f"{prefix}{quoted_name(item.alias)}.")
            elif id(item) not in self._named:
                yield prefix + quoted_name(item.alias) if item.alias else ""


def _find(name: Identifier, items: Sequence[FromItem]) -> FromItem:
    for item in items:
        if item.alias and same_name(item.alias, name.name):
            return item
    known = [item.alias for item in items if item.alias]
    hint = did_you_mean(name.name, known)
    if hint is None and known:
        hint = f"The tables here are {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}."
    raise ProgrammingError(f'There is no table "{name.name}" in FROM here.', name.span, hint=hint)
