"""Ternary-logic partitioning: a condition is TRUE, FALSE or NULL for every row, so three queries make up one.

Rigger and Su, "Finding Bugs in Database Systems via Query Partitioning", OOPSLA 2020.
"""

from __future__ import annotations


def parts(query: str, condition: str) -> tuple[str, str, str, str]:
    """A query without a condition, and the three parts of it in which the condition is TRUE, FALSE and NULL.

    `query` has `{}` where the condition stands: in WHERE, in HAVING, or in ON of an inner join that no outer join is
    above. It gives rows as they are, without DISTINCT; so the rows of the three parts are those of the whole.
    """
    whole, *three = [
        query.replace("{}", each) for each in ("TRUE", f"({condition})", f"NOT ({condition})", f"({condition}) IS NULL")
    ]
    return whole, three[0], three[1], three[2]
