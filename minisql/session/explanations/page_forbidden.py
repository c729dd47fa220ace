"""The forbidden orders in the model of a page: why not, and a database on which the order changes the rows."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Final

from minisql.errors import counted
from minisql.expression.nodes import Value
from minisql.printable import cut
from minisql.session.explanations.page_plan import Model
from minisql.session.explanations.why_not import Answer, forbidden_orders, why_not
from minisql.session.pipeline import PlannedQuery
from minisql.session.result import Row
from minisql.session.value_text import text_of

MOST_CASES: Final = 6
SECONDS: Final = 4.0
"""After this time no further order is looked at."""


def forbidden_answers(planned: PlannedQuery) -> tuple[list[Answer], bool]:
    """Why not, of some orders that the rules forbid, those with a counterexample first; whether there are more."""
    deadline = monotonic() + SECONDS
    orders = forbidden_orders(planned, MOST_CASES + 1, SECONDS / 3)
    answers: list[Answer] = []
    for order in orders:
        if len(answers) == MOST_CASES or monotonic() > deadline:
            return _proved_first(answers), True
        answer = why_not(planned, order)
        if answer.verdict == "illegal":
            answers.append(answer)
    return _proved_first(answers), False


def _proved_first(answers: list[Answer]) -> list[Answer]:
    return sorted(answers, key=lambda answer: answer.script is None)


def forbidden_model(answers: Sequence[Answer], most: int, longest: int, *, has_more: bool) -> Model | None:
    """The model of forbidden orders; None where there are none.

    Args:
        answers: the orders, each with its reason and the two results.
        most: how many there may be.
        longest: how many characters of a value.
        has_more: whether there are more of them than answers.
    """
    if not answers:
        return None
    shown = answers[:most]
    more = has_more or len(shown) < len(answers)
    return {
        "cases": [_case(answer, longest) for answer in shown],
        "count": None if more else len(shown),
        "left_out": f"{counted(len(shown), 'forbidden order')}; there are more." if more else None,
    }


def _case(answer: Answer, longest: int) -> Model:
    has_rows = answer.script is not None
    return {
        "order": answer.order,
        "reason": answer.reason,
        "script": answer.script,
        "written": answer.written,
        "reordered": answer.reordered,
        "written_rows": _rows(answer.names, answer.rows_written, longest) if has_rows else None,
        "reordered_rows": _rows(answer.names, answer.rows_reordered, longest) if has_rows else None,
    }


def _rows(names: Sequence[str], rows: Sequence[Row], longest: int) -> Model:
    return {"columns": list(names), "rows": [[_text(value, longest) for value in row] for row in rows]}


def _text(value: Value, longest: int) -> str | None:
    return None if value is None else cut(text_of(value), longest)
