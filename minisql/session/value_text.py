"""Values of SQL as people read them."""

from __future__ import annotations

from decimal import Decimal


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
