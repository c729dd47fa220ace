"""The counterexample of an order that the rules forbid, found by a search and run before it is shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields

from minisql.errors import InternalError, SqlError
from minisql.explain.counterexample.reorder import reordered
from minisql.explain.counterexample.script_table import ScriptRegion, conditions_in, script_region
from minisql.explain.counterexample.search import BATCHES, SECONDS, Found, find_database
from minisql.explain.counterexample.write_sql import write_query, write_script
from minisql.expression.functions import is_volatile, uses_user_function
from minisql.expression.nodes import Expression
from minisql.expression.walk import column_references, outer_references
from minisql.hypergraph.leaves import tables_of_region
from minisql.node import node
from minisql.node_set import is_subset
from minisql.optimizer.search_space import Order
from minisql.query_block.query_block import QueryBlock
from minisql.relational.relational_expression import JoinOrder, Project, RelationalExpression, Sort
from minisql.relational.rewriting import expressions_of, nodes_of
from minisql.session.explanations.prescribed import prescribe_for_any_data
from minisql.session.pipeline import PlannedQuery
from minisql.session.result import Row
from minisql.settings import Settings

_KEPT = ("hash_join", "plan_cache", "materialize_common_tables")
"""Settings that are no rewrites."""


@node
class Counterexample:
    """A query as written and in another order, and the database on which their rows differ; see `why_not.Answer`."""

    sentence: str
    written: str | None = None
    reordered: str | None = None
    databases: int = 0
    script: str | None = None
    names: tuple[str, ...] = ()
    rows_written: tuple[Row, ...] = ()
    rows_reordered: tuple[Row, ...] = ()


def counterexample(planned: PlannedQuery, block: QueryBlock, order: Order) -> Counterexample:
    """The query as written and in the order, and a database on which they differ if one is found.

    Raises:
        InternalError: the two do not differ on the database that was found.
    """
    forms = both_forms(planned, block, order)
    if forms is None:
        return Counterexample(
            sentence="With other rows in the tables a subquery would be no join, so no database was tried."
        )
    region, other = forms
    note = "" if region.names else "What is compared are the rows of the joins, before anything is made of them."
    unknown = _unknown(region)
    if unknown:
        return _shown(region, other, Found(None, 0), note=unknown)
    found = find_database(region, other)
    if found.rows is None and region.names:
        whole = region.all_columns()
        more = find_database(whole, other, batches=BATCHES[:4], seconds=SECONDS / 3)
        if more.rows is not None:
            hidden = "The select list hides the difference, so all columns of the joined rows are compared."
            return _shown(whole, other, Found(more.rows, found.tried + more.tried), note=hidden)
    return _shown(region, other, found, note=note)


def both_forms(
    planned: PlannedQuery, block: QueryBlock, order: Order
) -> tuple[ScriptRegion, RelationalExpression] | None:
    """The joins of the query over tables of a script, as written and in the order.

    None where these joins are all in one region only because of the rows that the tables have: `NOT IN` over columns
    that have no NULL is an anti join, and is none where they may have.

    What is compared of them is the select list where the query does nothing else with the joined rows; else the columns
    are all there are, and have no names.
    """
    prescribed = prescribe_for_any_data(planned, block, order)
    joins = prescribed.order
    if joins is None:
        raise InternalError("What follows from the data alone is not known of any data.")
    if not is_subset(joins.joins[-1].tables, tables_of_region(joins.input)):
        return None
    selected = _select_list(planned, prescribed.rewritten, joins)
    names = planned.names if selected else ()
    mentioned = [
        reference
        for node in nodes_of(prescribed.as_written)
        for expression in expressions_of(node)
        for reference in column_references(expression)
    ]
    region = script_region(joins.input, selected, names, joins.names, mentioned)
    return region, reordered(region.tree, joins.joins)


def _select_list(planned: PlannedQuery, rewritten: RelationalExpression, joins: JoinOrder) -> tuple[Expression, ...]:
    """The select list over the joins, of a query that does nothing else with their rows."""
    node = rewritten
    while isinstance(node, Sort):
        node = node.input
    if not isinstance(node, Project) or node.input is not joins:
        return ()
    return node.expressions[: len(planned.names)]


def _unknown(region: ScriptRegion) -> str:
    """Why the rows cannot be compared, a sentence; empty where they can."""
    for expression in (*conditions_in(region.tree), *region.expressions):
        if outer_references(expression):
            return "The joins read columns of a query around them, so no database was tried."
        if is_volatile(expression):
            return "The joins use random numbers, so no database was tried."
        if uses_user_function(expression):
            return "The joins use functions of the program, which no script has, so no database was tried."
    return ""


def _shown(region: ScriptRegion, other: RelationalExpression, found: Found, *, note: str) -> Counterexample:
    written, asked = write_query(region, region.tree), write_query(region, other)
    if found.rows is None:
        vain = f"No difference was found in {found.tried:,} databases: the rule forbids the order all the same."
        sentence = " ".join(filter(None, (vain if found.tried else "", note)))
        return Counterexample(sentence=sentence, written=written, reordered=asked, databases=found.tried)
    script = write_script(region.tables, found.rows)
    names, rows_written, rows_reordered = _run(script, written, asked)
    counts = f"the query as written gives {_rows(rows_written)} and this order {_rows(rows_reordered)}"
    if len(rows_written) == len(rows_reordered):
        counts = f"the two give different rows ({len(rows_written)} each)"
    sentence = f"On the database of the script, the smallest found among {found.tried:,}, {counts}."
    return Counterexample(
        sentence=f"{sentence} {note}" if note else sentence,
        written=written,
        reordered=asked,
        databases=found.tried,
        script=script,
        names=names,
        rows_written=rows_written,
        rows_reordered=rows_reordered,
    )


def _rows(rows: tuple[Row, ...]) -> str:
    return "1 row" if len(rows) == 1 else f"{len(rows)} rows"


def _run(script: str, written: str, asked: str) -> tuple[tuple[str, ...], tuple[Row, ...], tuple[Row, ...]]:
    """Runs what is shown, word by word, without any rewrite."""
    from minisql.session.connection import connect

    with connect() as connection:
        for setting in fields(Settings):
            if isinstance(setting.default, bool) and setting.name not in _KEPT:
                connection.execute(f"SET {setting.name} = off")
        connection.execute("SET join_order = 'as_written'")
        try:
            for _ in connection.execute_script(script):
                pass
            results = [connection.execute(query) for query in (written, asked)]
        except SqlError as error:
            raise InternalError(f"The counterexample cannot be run:\n{script}\n{written};\n{asked};") from error
        names = results[0].names
        rows = [tuple(result.fetchall()) for result in results]
    if Counter(map(repr, rows[0])) == Counter(map(repr, rows[1])):
        raise InternalError(f"The counterexample shows no difference:\n{script}\n{written};\n{asked};")
    return names, rows[0], rows[1]
