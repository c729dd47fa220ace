"""EXPLAIN HYPERGRAPH: what the joins of a query are to the optimizer, and why they may not be made in every order."""

from __future__ import annotations

from minisql.explain.region_text import regions_as_text
from minisql.explain.regions import QueryToDescribe, RegionDescription, describe_regions, describe_rewrites
from minisql.query_block.table_names import block_of_tables, table_names
from minisql.session.pipeline import PlannedQuery
from minisql.session.result import Result
from minisql.session.result_of_rows import text_of_lines


def describe_hypergraph(planned: PlannedQuery) -> list[RegionDescription]:
    """The join regions of a query, the outermost first; none where it joins nothing."""
    return describe_regions(_query(planned))


def explain_hypergraph(planned: PlannedQuery) -> Result:
    """The result of EXPLAIN HYPERGRAPH."""
    query = _query(planned)
    text = regions_as_text(describe_regions(query))
    return text_of_lines([text or "\n     ".join(["The query joins nothing.", *describe_rewrites(query)])])


def _query(planned: PlannedQuery) -> QueryToDescribe:
    names: dict[int, str] = {}
    for block in reversed(dict.fromkeys(block_of_tables(planned.query).values())):
        names |= table_names(block, planned.copies)
    return QueryToDescribe(
        as_written=planned.as_written,
        rewritten=planned.rewritten,
        path=planned.path,
        simplifications=planned.simplifications,
        derivations=planned.derivations,
        names=names,
    )
