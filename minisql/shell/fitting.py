"""Makes tables fit the width of a terminal: cells are cut, then columns in the middle left out.

Widths are those of a terminal: a Chinese character or an emoji takes two columns, a combining one none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

ELLIPSIS: Final = "…"
LEAST_WIDTH: Final = 8
"""A column of text is not cut below this while columns can be left out."""


class Fitted(NamedTuple):
    """The columns that are shown, by their places, `None` standing for those left out; and the width of each."""

    columns: list[int | None]
    widths: list[int]


def display_width(text: str) -> int:
    """The columns of a terminal that a text without control characters takes."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    return max(wcswidth(text), 0)


def shortened(text: str, width: int) -> str:
    """The text, cut to a width and with an ellipsis if it is wider."""
    if display_width(text) <= width:
        return text
    kept, used = "", 0
    for character in _clusters(text):
        used += display_width(character)
        if used > width - 1:
            break
        kept += character
    return kept + ELLIPSIS


def _clusters(text: str) -> Iterator[str]:
    """What the eye sees as characters: an emoji of several code points, a letter with its accents."""
    if text.isascii():
        return iter(text)
    from wcwidth import iter_graphemes

    return iter(iter_graphemes(text))


def fit(natural: Sequence[int], least: Sequence[int], width: int, frame: Callable[[int], int]) -> Fitted:
    """Which columns fit, and how wide they are.

    Args:
        natural: the width that each column needs.
        least: the width below which what is left of its cells is of no use.
        width: of the terminal.
        frame: the width of all that stands between and around so many columns.
    """
    columns: list[int | None] = list(range(len(natural)))
    left = len(natural)  # how many stand before the gap, and how many after it
    right = 0
    while sum(least[place] for place in columns if place is not None) + _gap(columns) + frame(len(columns)) > width:
        shown = left + right
        if shown <= 1:
            break
        # The first column often says what the row is: of an odd number one more stays on the left.
        left, right = shown // 2, (shown - 1) // 2
        columns = [*range(left), None, *range(len(natural) - right, len(natural))]
    room = width - frame(len(columns)) - _gap(columns)
    shown_places = [place for place in columns if place is not None]
    cap = _cap([natural[place] for place in shown_places], [least[place] for place in shown_places], room)
    widths = [1 if place is None else min(natural[place], max(least[place], cap)) for place in columns]
    if len(shown_places) == 1 and widths[columns.index(shown_places[0])] > room:
        widths[columns.index(shown_places[0])] = max(room, 1)
    return Fitted(columns, widths)


def _gap(columns: Sequence[int | None]) -> int:
    return columns.count(None)


def _cap(natural: Sequence[int], least: Sequence[int], room: int) -> int:
    """The largest width to which all columns can be cut so that they have room together."""
    low, high = 0, max(natural, default=0)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(need, max(few, middle)) for need, few in zip(natural, least, strict=True)) <= room:
            low = middle
        else:
            high = middle - 1
    return low
