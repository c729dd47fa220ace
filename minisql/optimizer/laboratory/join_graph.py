"""Join graphs without a catalog: tables with rows, edges with selectivities, and joins of every type.

Where all edges are inner joins, they are a hypergraph as it is in the papers: each edge connects its two sides and
nothing else. Where an edge is another join, the edges are the joins of a query in the order in which they are made,
`a JOIN b`, then `(a JOIN b) LEFT JOIN c`; what may change places is found as for a query (`hypergraph.conflicts`).
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from minisql.datatypes import INTEGER
from minisql.expression.nodes import Arithmetic, Coalesce, ColumnId, ColumnRef, Comparison, Expression, Literal
from minisql.hypergraph.conflicts import ConflictRule, Eligibility, Operator
from minisql.hypergraph.connections import Connections
from minisql.hypergraph.hypergraph import Hyperedge, Hypergraph
from minisql.hypergraph.join_hypergraph import JoinEdge, JoinHypergraph
from minisql.hypergraph.make_join_hypergraph import make_join_hypergraph
from minisql.node import node, value_node
from minisql.node_set import EMPTY, NodeSet, members, node_set, single, union
from minisql.optimizer.cardinality import Cardinality, EdgeEstimate
from minisql.optimizer.laboratory.joins import JoinBuilder
from minisql.optimizer.statistics import Statistics
from minisql.partition import Partition
from minisql.relational.relational_expression import JoinType, Values

Tables: TypeAlias = frozenset[str]
"""A set of tables, by their names."""
Numbers: TypeAlias = float | Sequence[float] | Callable[[int], float]
"""One number for all, a number for each, or a function of its place, from 0 on."""

ROWS: Final = 1000.0
"""The rows of a table of which nothing is said."""
SELECTIVITY: Final = 0.001
"""The selectivity of an edge of which nothing is said: with `ROWS`, that of a foreign key."""
MOST_JOINED: Final = 300
"""The most tables of a graph with joins that are not inner."""


@value_node
class Edge:
    """A join condition between two disjoint sets of tables; see `edge`."""

    left: Tables
    right: Tables
    selectivity: float
    type: JoinType
    rejects: Tables
    rules: tuple[tuple[Tables, Tables], ...]

    @property
    def tables(self) -> Tables:
        """The tables of both sides."""
        return self.left | self.right


def edge(
    left: str | Iterable[str],
    right: str | Iterable[str],
    selectivity: float = SELECTIVITY,
    *,
    type: str = "inner",  # noqa: A002  (what it is called everywhere)
    rejects: Iterable[str] | None = None,
    rules: Iterable[tuple[Iterable[str], Iterable[str]]] = (),
) -> Edge:
    """A join condition between two tables, or two sets of tables.

    Args:
        left: a name, or several: the condition uses all of them. Of a `left`, `semi` or `anti` join, the side that is
            kept.
        right: the same for the other side.
        selectivity: the share of pairs of rows for which the condition is TRUE, from 0 to 1.
        type: `inner`, `left`, `full`, `semi` or `anti`.
        rejects: the tables on which the condition is not TRUE when their columns are all NULL, as for `a.x = b.x`;
            without an argument these are all. Matters only beside joins that are not inner.
        rules: conflict rules of one's own, as pairs (some, all): a join by this edge may make a set of tables only if
            none of `some`, or all of `all` are in it. For graphs of inner joins.

    Raises:
        ValueError: a side is empty, the sides overlap, or a number or type is none.
    """
    sides = _tables(left), _tables(right)
    if not all(sides):
        raise ValueError("An edge needs a table on each side.")
    if both := sides[0] & sides[1]:
        raise ValueError(f"An edge connects two disjoint sets of tables, and {listed(both)} is on both sides.")
    if type not in [known.value for known in JoinType]:
        raise ValueError(f"{type!r} is no type of join: there are {', '.join(known.value for known in JoinType)}.")
    if not 0 <= checked(selectivity, f"The selectivity between {listed(sides[0])} and {listed(sides[1])}") <= 1:
        raise ValueError(f"A selectivity is a share from 0 to 1, not {selectivity!r}.")
    rejected = sides[0] | sides[1] if rejects is None else _tables(rejects)
    if unused := rejected - sides[0] - sides[1]:
        raise ValueError(f"A condition rejects NULLs on tables that it uses, and it does not use {listed(unused)}.")
    return Edge(
        left=sides[0],
        right=sides[1],
        selectivity=float(selectivity),
        type=JoinType(type),
        rejects=rejected,
        rules=tuple((_tables(some), _tables(needed)) for some, needed in rules),
    )


EdgeLike: TypeAlias = (
    Edge | tuple[str | Iterable[str], str | Iterable[str]] | tuple[str | Iterable[str], str | Iterable[str], float]
)


@node
class JoinGraph:
    """What there is to join, and how many rows that gives. `make_graph` makes one; a planned query has one, too.

    Attributes:
        names: the name of each node, by its number.
        joins: the hypergraph with its operators and conflict rules.
        connections: the same in bits.
        cardinality: the graph's own estimates.
        statistics: what is known of columns; of a query only.
        is_query: whether the operators of `joins` are a query as written, whose order is always legal.
    """

    names: Mapping[int, str]
    joins: JoinHypergraph
    connections: Connections
    cardinality: Cardinality
    statistics: Statistics
    is_query: bool

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of all tables, in the order of their numbers."""
        return tuple(self.names[number] for number in members(self.joins.graph.nodes))

    def nodes(self, tables: str | Iterable[str]) -> NodeSet:
        """A set of tables as bits.

        Raises:
            ValueError: there is no such table.
        """
        wanted = _tables(tables)
        if unknown := wanted - set(self.names.values()):
            raise ValueError(f"There is no table {listed(unknown)} in the graph, only {listed(self.names.values())}.")
        return node_set(number for number, name in self.names.items() if name in wanted)

    def tables_of(self, nodes: int) -> Tables:
        """The tables of a set of bits."""
        return frozenset(self.names[number] for number in members(NodeSet(nodes)))

    def rows(self, tables: str | Iterable[str]) -> float:
        """How many rows the graph itself says that the join of some tables has.

        That is the product of the tables' rows and of the selectivities of the edges between them; with joins that are
        not inner it follows the query as written, and for the graph of a planned query it is the engine's estimate.
        """
        return self.cardinality.rows(self.nodes(tables))


def make_graph(tables: Mapping[str, float] | Iterable[str], edges: Iterable[EdgeLike]) -> JoinGraph:
    """A join graph.

        make_graph({"a": 100, "b": 1000, "c": 10}, [("a", "b", 0.01), edge({"a", "b"}, "c", 0.1, type="left")])

    Args:
        tables: their names, and of each how many rows it has, or without that `ROWS`.
        edges: made by `edge`, or tuples of its first arguments.

    Raises:
        ValueError: a name that is not known or there twice, a number that is negative or none, tables that nothing
            connects, or edges that are no joins one after the other.
    """
    rows = dict(tables) if isinstance(tables, Mapping) else _without_rows(tables)
    if not rows:
        raise ValueError("A graph needs a table.")
    for name, count in rows.items():
        if not isinstance(name, str) or not name:
            raise ValueError(f"A table has a name, not {name!r}.")
        rows[name] = checked(count, f"The number of rows of {name}")
    made = [each if isinstance(each, Edge) else edge(*each) for each in edges]
    _check_edges(rows, made)
    names = dict(enumerate(rows))
    leaves: dict[int, Values] = {single(number): _leaf(number, name) for number, name in names.items()}
    conditions = _conditions({name: number for number, name in names.items()}, made)
    is_query = any(each.type is not JoinType.INNER for each in made)
    if is_query:
        if len(rows) > MOST_JOINED:
            raise ValueError(f"Joins that are not inner may be of {MOST_JOINED} tables, not {len(rows)}.")
        if any(each.rules for each in made):
            raise ValueError("Beside joins that are not inner, rules follow from the joins: give edges none.")
        builder = JoinBuilder({name: leaves[single(number)] for number, name in names.items()})
        for each, condition in zip(made, conditions, strict=True):
            builder.add(each.type, each.left, each.right, condition)
        joins = make_join_hypergraph(builder.finish())
    else:
        joins = _inner_joins(names, leaves, made, conditions)
    selectivity_of = {id(condition): each.selectivity for each, condition in zip(made, conditions, strict=True)}
    connections = Connections(joins)
    estimates = {
        number: estimate_of(math.prod(selectivity_of[id(condition)] for condition in joined.conditions))
        for number, joined in enumerate(joins.edges, len(joins.filters))
    }
    leaf_rows: dict[int, float] = {single(number): rows[name] for number, name in names.items()}
    statistics = Statistics()
    return JoinGraph(
        names=names,
        joins=joins,
        connections=connections,
        cardinality=Cardinality(joins, connections, leaf_rows, statistics, estimates),
        statistics=statistics,
        is_query=is_query,
    )


def estimate_of(selectivity: float) -> EdgeEstimate:
    """The estimate of an edge of which nothing but the selectivity is known."""
    return EdgeEstimate(selectivity, selectivity, math.inf, math.inf)


def checked(value: float, what: str) -> float:
    """A number of rows, a cost or a share, if it is one.

    Raises:
        ValueError: it is negative, infinite, NaN or no number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError(f"{what} is a number, 0 or more, not {value!r}.")
    return float(value)


def listed(names: Collection[str] | Iterable[str]) -> str:
    """Names for a message."""
    return ", ".join(sorted(names))


def _tables(names: str | Iterable[str]) -> Tables:
    return frozenset([names] if isinstance(names, str) else names)


def _without_rows(names: Iterable[str]) -> dict[str, float]:
    rows: dict[str, float] = {}
    for name in names:
        if name in rows:
            raise ValueError(f"There are two tables {name}.")
        rows[name] = ROWS
    return rows


def _check_edges(rows: Mapping[str, float], edges: Sequence[Edge]) -> None:
    parts: Partition[str] = Partition()
    for each in edges:
        rule_tables = frozenset[str]().union(*(side for rule in each.rules for side in rule))
        if unknown := (each.tables | rule_tables) - rows.keys():
            raise ValueError(f"An edge names {listed(unknown)}, and the tables are {listed(rows)}.")
        first, *others = each.tables
        for other in others:
            parts.join(first, other)
    first, *others = rows
    if apart := [name for name in others if parts.find(name) != parts.find(first)]:
        raise ValueError(
            f"Nothing connects {listed(apart)} with {first}. A product is an edge with a selectivity of 1."
        )


def _leaf(number: int, name: str) -> Values:
    return Values(table=number, alias=name, names=(), types=(), rows=())


def _conditions(numbers: Mapping[str, int], edges: Sequence[Edge]) -> list[Expression]:
    """A condition for each edge that uses its tables and rejects NULLs where it is said to: `a.k1 = b.k1 + c.k1`."""
    return [
        Comparison(
            operator="=",
            left=_sum(place, each.left, each.rejects, numbers),
            right=_sum(place, each.right, each.rejects, numbers),
        )
        for place, each in enumerate(edges, 1)
    ]


def _sum(place: int, tables: Tables, rejects: Tables, numbers: Mapping[str, int]) -> Expression:
    total: Expression | None = None
    for name in sorted(tables, key=numbers.__getitem__):
        key: Expression = ColumnRef(column=ColumnId(numbers[name], place), name=f"{name}.k{place}", type=INTEGER)
        if name not in rejects:
            key = Coalesce(operands=(key, Literal(value=0, type=INTEGER)), type=INTEGER)
        total = key if total is None else Arithmetic(operator="+", left=total, right=key, type=INTEGER)
    assert total is not None
    return total


def _inner_joins(
    names: Mapping[int, str], leaves: Mapping[int, Values], edges: Sequence[Edge], conditions: Sequence[Expression]
) -> JoinHypergraph:
    """Each edge as it is. The operators, which estimates follow, join the tables in the order of their numbers."""
    numbers = {name: number for number, name in names.items()}

    def nodes(tables: Tables) -> NodeSet:
        return node_set(numbers[name] for name in tables)

    operators = []
    for number in range(1, len(names)):
        left = node_set(range(number))
        used = NodeSet(left | single(number))
        operators.append(
            Operator(type=JoinType.INNER, left_tables=left, right_tables=single(number), ses=used, rejected=EMPTY)
        )
    joined = []
    for each, condition in zip(edges, conditions, strict=True):
        left, right = nodes(each.left), nodes(each.right)
        rules = tuple(ConflictRule(nodes(some), nodes(needed)) for some, needed in each.rules)
        last = NodeSet(left | right).bit_length() - 1
        joined.append(JoinEdge(operator=last - 1, conditions=(condition,), eligibility=Eligibility(left, right, rules)))
    joined.sort(key=lambda each: each.operator)
    hyperedges = [Hyperedge(each.eligibility.left, each.eligibility.right) for each in joined]
    return JoinHypergraph(
        graph=Hypergraph(union(single(number) for number in names), hyperedges),
        leaves=dict(leaves),
        operators=tuple(operators),
        edges=tuple(joined),
        filters=(),
    )


# --- shapes -----------------------------------------------------------------------------------------------------------


def chain(tables: int, rows: Numbers = ROWS, selectivity: Numbers = SELECTIVITY) -> JoinGraph:
    """t1 - t2 - ... - tn."""
    return _shape(tables, [(i, i + 1) for i in range(tables - 1)], rows, selectivity)


def cycle(tables: int, rows: Numbers = ROWS, selectivity: Numbers = SELECTIVITY) -> JoinGraph:
    """A chain whose last table is connected with the first one; of at least three tables."""
    if tables < 3:
        raise ValueError("A cycle has three tables at least.")
    return _shape(tables, [*((i, i + 1) for i in range(tables - 1)), (0, tables - 1)], rows, selectivity)


def star(tables: int, rows: Numbers = ROWS, selectivity: Numbers = SELECTIVITY) -> JoinGraph:
    """t1 in the middle, connected with each of the others."""
    return _shape(tables, [(0, i) for i in range(1, tables)], rows, selectivity)


def clique(tables: int, rows: Numbers = ROWS, selectivity: Numbers = SELECTIVITY) -> JoinGraph:
    """Every table connected with every other."""
    return _shape(tables, [(i, j) for j in range(tables) for i in range(j)], rows, selectivity)


def grid(width: int, height: int, rows: Numbers = ROWS, selectivity: Numbers = SELECTIVITY) -> JoinGraph:
    """Tables in rows and columns, each connected with those beside, above and below it."""
    across = [(y * width + x, y * width + x + 1) for y in range(height) for x in range(width - 1)]
    down = [(y * width + x, (y + 1) * width + x) for y in range(height - 1) for x in range(width)]
    return _shape(width * height, across + down, rows, selectivity)


def random_graph(
    tables: int, seed: int, *, density: float = 0.2, types: Sequence[str] = ("inner",), most_rows: float = 1e6
) -> JoinGraph:
    """A random tree of edges and, where all are inner, any other edge with the probability `density`.

    Rows lie between 1 and `most_rows`, selectivities between the inverse of that and 1, both evenly by their
    logarithms. `types` are what the type of each edge of the tree is drawn from. The same seed gives the same graph.
    """
    rng = random.Random(seed)
    names = [f"t{number}" for number in range(1, tables + 1)]
    exponent = math.log10(most_rows)
    rows = {name: float(round(10 ** rng.uniform(0, exponent))) for name in names}
    visible = names[:1]
    edges: list[Edge] = []
    for name in names[1:]:
        type_ = rng.choice(list(types))
        left = rng.choice(visible)
        edges.append(edge(left, name, 10 ** rng.uniform(-exponent, 0), type=type_))
        if type_ not in ("semi", "anti"):
            visible.append(name)
    if set(types) == {"inner"}:
        known = {frozenset(each.tables) for each in edges}
        others = [pair for pair in itertools.combinations(names, 2) if frozenset(pair) not in known]
        edges += [edge(*pair, 10 ** rng.uniform(-exponent, 0)) for pair in others if rng.random() < density]
    return make_graph(rows, edges)


def _shape(tables: int, pairs: Sequence[tuple[int, int]], rows: Numbers, selectivity: Numbers) -> JoinGraph:
    if tables < 1:
        raise ValueError(f"A graph has one table at least, not {tables}.")
    names = [f"t{number}" for number in range(1, tables + 1)]
    counts = _numbers(rows, tables, "rows")
    shares = _numbers(selectivity, len(pairs), "selectivities")
    edges = [edge(names[i], names[j], share) for (i, j), share in zip(pairs, shares, strict=True)]
    return make_graph(dict(zip(names, counts, strict=True)), edges)


def _numbers(numbers: Numbers, count: int, what: str) -> list[float]:
    if callable(numbers):
        return [numbers(place) for place in range(count)]
    if isinstance(numbers, int | float):
        return [numbers] * count
    if len(numbers) != count:
        raise ValueError(f"There are {len(numbers)} {what} given, and {count} are needed.")
    return list(numbers)
