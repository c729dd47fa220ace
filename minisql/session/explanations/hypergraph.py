"""EXPLAIN HYPERGRAPH: what the joins of a query are to the optimizer, and why they may not be made in every order."""

from __future__ import annotations

from minisql.explain.regions import RegionDescription, describe_regions
from minisql.query_block.table_names import block_of_tables, table_names
from minisql.session.pipeline import PlannedQuery


def describe_hypergraph(planned: PlannedQuery) -> list[RegionDescription]:
    """The join regions of a query, the outermost first; none where it joins nothing."""
    names: dict[int, str] = {}
    for block in dict.fromkeys(block_of_tables(planned.query).values()):
        names |= table_names(block, planned.copies)
    return describe_regions(planned.rewritten, planned.path, names)
