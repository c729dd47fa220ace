"""Values of SQL as people read them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

MESSAGE_WIDTH: Final = 80
"""Values in messages are cut to so many characters."""


def text_of(value: object, null: str = "NULL") -> str:
    """A value for people; `null` is what NULL is shown as, but for those in lists."""
    match value:
        case None:
            return null
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case bytes():
            return f"\\x{value.hex()}"
        case list():
            return f"[{', '.join(map(text_of, value))}]"
        case _:
            return str(value)


def cut(text: str, longest: int) -> str:
    """A text, shortened where it is longer."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
