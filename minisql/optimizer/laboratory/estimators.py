"""How many rows the join of a set of tables has: functions of the set of their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from minisql.optimizer.cardinality import Cardinality
from minisql.optimizer.laboratory.join_graph import JoinGraph, Tables, checked, estimate_of, listed

Estimator: TypeAlias = Callable[[Tables], float]
"""A set of names to a number of rows. It is asked once for each set, for connected sets only."""


def independence(
    graph: JoinGraph,
    *,
    rows: Mapping[str, float] | None = None,
    selectivity: float | Mapping[Tables, float] | None = None,
) -> Estimator:
    """The textbook's assumption that conditions are independent of each other, with numbers of one's own.

    A set of inner joins has the product of its tables' rows and of the selectivities of the conditions between them.
    With other joins in the graph, their formulas follow the query as written (`optimizer.cardinality`). What is known
    of the conditions of a query stays as it is: shares of filters, and of full joins that merge a key their keys.

    Args:
        graph: the graph.
        rows: the rows of tables; those that are not there have the graph's.
        selectivity: one for all conditions, or by the set of all tables that the edge connects; those that are not
            there have the graph's.

    Raises:
        ValueError: a table or an edge is not in the graph, or a number is none.
    """
    counts = dict(graph.cardinality.leaf_rows)
    for name, count in (rows or {}).items():
        counts[graph.nodes(name)] = checked(count, f"The number of rows of {name}")
    given = dict(graph.cardinality.edges)
    sides = _tables_of_edges(graph)
    if isinstance(selectivity, Mapping):
        for tables, share in selectivity.items():
            edges = [number for number, connected in sides.items() if connected == frozenset(tables)]
            if not edges:
                raise ValueError(f"No edge connects {listed(tables)}.")
            for number in edges:
                given[number] = estimate_of(checked(share, f"The selectivity between {listed(tables)}"))
    elif selectivity is not None:
        given = dict.fromkeys(given, estimate_of(checked(selectivity, "The selectivity")))
    statistics = graph.statistics
    known = dict(statistics.padding)
    try:
        # How often the tables of the graph are padded follows from the estimate.
        statistics.padding = {table: share for table, share in known.items() if table not in graph.names}
        cardinality = Cardinality(graph.joins, graph.connections, counts, statistics, given)
    finally:
        statistics.padding = known
    return lambda tables: cardinality.rows(graph.nodes(tables))


def given(cardinalities: Mapping[Tables, float], otherwise: Estimator | None = None) -> Estimator:
    """Cardinalities that are known, such as true ones.

    Args:
        cardinalities: the rows by the set of the tables' names.
        otherwise: what is asked for the sets that are not there; without it they are an error.

    Raises:
        ValueError: when it is asked for a set that is not known.
    """
    known = {frozenset(tables): rows for tables, rows in cardinalities.items()}

    def rows_of(tables: Tables) -> float:
        if tables in known:
            return known[tables]
        if otherwise is None:
            raise ValueError(f"No cardinality is given for {listed(tables)}.")
        return otherwise(tables)

    return rows_of


def _tables_of_edges(graph: JoinGraph) -> dict[int, Tables]:
    """What the conditions of each edge connect, by its number."""
    joins = graph.joins
    return {
        number: graph.tables_of(each.eligibility.tables) for number, each in enumerate(joins.edges, len(joins.filters))
    }
