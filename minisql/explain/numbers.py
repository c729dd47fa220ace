"""Numbers in plans, for people."""

from __future__ import annotations

from typing import Final

_BYTE_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def format_number(value: float) -> str:
    """An estimate: whole from 10 on, in powers of ten from a million on."""
    if value >= 1e6:
        return f"{value:.3g}"
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"


def number_text(number: float) -> str:
    """An estimate in a sentence: `1,200`, `2.5`, `36.4 million`."""
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if number >= size:
            return f"{number / size:,.1f} {word}" if number < 1e15 else f"{number:.3g}"
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.2g}"


def rows_text(rows: float) -> str:
    """An estimated number of rows: `1,200 rows`, `1 row`."""
    number = number_text(rows)
    return f"{number} row" if number == "1" else f"{number} rows"


def six_digits(value: float) -> float:
    """An estimate in a column of numbers."""
    return float(f"{value:.6g}")


def format_milliseconds(seconds: float) -> str:
    """A time with three digits: `0.024ms`, `1210ms`."""
    milliseconds = seconds * 1000
    return f"{milliseconds:.0f}ms" if milliseconds >= 100 else f"{milliseconds:.3g}ms"


def format_bytes(count: int) -> str:
    """A size with three digits: `512B`, `1.25MB`; a kB is 1,000 bytes."""
    size, unit = float(count), 0
    while size >= 999.5 and unit + 1 < len(_BYTE_UNITS):
        size, unit = size / 1000, unit + 1
    return f"{size:.3g}{_BYTE_UNITS[unit]}"


def format_factor(factor: float) -> str:
    """A q-error: two digits after the point below 10, whole from 100 on."""
    if factor >= 1e6:
        return f"{factor:.3g}"
    return f"{factor:.0f}" if factor >= 100 else f"{factor:.1f}" if factor >= 10 else f"{factor:.2f}"
