"""Explanations that are text."""

from __future__ import annotations

from collections.abc import Sequence

from minisql.columnar.column import Batch
from minisql.columnar.python_values import from_values
from minisql.datatypes import VARCHAR
from minisql.session.result import Result


def text_of_lines(texts: Sequence[str]) -> Result:
    """A result of one column, EXPLAIN, with a row for each text; a shell prints the texts as they are."""
    batches = [Batch([from_values(texts, VARCHAR)], len(texts))] if texts else []
    return Result(("EXPLAIN",), (VARCHAR,), batches, layout="text")
