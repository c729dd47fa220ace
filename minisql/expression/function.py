"""What is known of a scalar function: its names, which arguments it takes, what type it gives, and what it means.

The functions themselves stand in tables by theme (`string_functions`, `number_functions`, `date_functions`,
`conditional_functions`), which `functions` puts together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from minisql.datatypes import BIGINT, BOOLEAN, DATE, DOUBLE, INTERVAL, TIMESTAMP, VARCHAR, SqlType, TypeKind

Types = tuple[SqlType, ...]
ResultType = SqlType | Callable[[Types], SqlType | None]

CAST_OF_STRING: Final = {"i": BIGINT, "n": DOUBLE, "d": DOUBLE, "D": DATE, "t": TIMESTAMP, "w": TIMESTAMP,
                         "e": TIMESTAMP, "b": BOOLEAN, "T": TIMESTAMP,
                         "I": INTERVAL, "x": INTERVAL}  # fmt: skip
"""What a string literal is cast to where a parameter takes no string."""

_CAST: Final = {"s": VARCHAR, "v": VARCHAR, "d": DOUBLE, "D": DATE, "t": TIMESTAMP, "b": BOOLEAN}
_OF_NULL: Final = {**_CAST, "i": BIGINT, "w": TIMESTAMP, "e": TIMESTAMP, "T": TIMESTAMP, "I": INTERVAL, "x": INTERVAL}
# What is kept as it is stands for itself.
_TRUNCATED: Final = {TypeKind.DATE: TIMESTAMP, TypeKind.TIME: INTERVAL}


class Function(NamedTuple):
    """A function. (A tuple, for there are many, and all are made at every start.)

    `signature` is how it is written, `substring(string, start [, count])`: its name and the names of its arguments, the
    optional ones in square brackets; the last one may end with `...`: any number of them. `accepts` has a letter for
    each, which says what it takes and what that is cast to:

        s  a VARCHAR                         v  anything, cast to VARCHAR
        i  an INTEGER or BIGINT              n  a number of any type
        d  a number, cast to DOUBLE          b  a BOOLEAN
        w  a point in time: DATE, TIMESTAMP  t  the same, cast to TIMESTAMP
           [WITH TIME ZONE]
        D  the same, cast to DATE            e  the same, a TIME or an INTERVAL
        I  an INTERVAL                       x  an INTERVAL, or an INTEGER or BIGINT
        T  as e, cast to TIMESTAMP, TIMESTAMP WITH TIME ZONE or INTERVAL
        a  anything                          c  anything, cast to the common type of all such arguments

    `result` is the type of the result, or gives it, None for argument types that the function does not take.
    `aliases` are its other names, with spaces between them.

    A *strict* function is NULL where an argument is NULL. A *volatile* one gives another value for each row and each
    call. One that is *total* raises no error, whatever its arguments. One that is *written out* is replaced by other
    expressions where names are resolved, and comes no further.

    `meaning` and `example`, with its value as text, are for the documentation; every example is run as a test.
    """

    signature: str
    accepts: str
    result: ResultType
    meaning: str
    example: str
    value: str | None
    aliases: str = ""
    strict: bool = True
    volatile: bool = False
    total: bool = False
    written_out: bool = False

    @property
    def name(self) -> str:
        return self.signature.partition("(")[0]

    @property
    def fewest(self) -> int:
        """The least number of arguments."""
        return self._names().index("[") if "[" in self.signature else len(self._names())

    @property
    def most(self) -> int | None:
        """The largest number of arguments; None where there is no limit."""
        return None if "..." in self.signature else len([name for name in self._names() if name != "["])

    def _names(self) -> list[str]:
        """The names of the arguments, and the brackets that open before the optional ones."""
        inner = self.signature.partition("(")[2].rstrip(")]").replace("[", ", [, ").replace("]", "")
        return [name for name in map(str.strip, inner.split(",")) if name]

    def letter(self, place: int) -> str:
        """What the argument at this place may be."""
        return self.accepts[min(place, len(self.accepts) - 1)]

    def result_type(self, types: Types) -> SqlType | None:
        """The type of the result for arguments of these types; None where one of them is not what is taken."""
        if not all(_takes(self.letter(place), type_) for place, type_ in enumerate(types)):
            return None
        return self.result if isinstance(self.result, SqlType) else self.result(types)

    def argument_types(self, types: Types) -> Types:
        """The types that the arguments are cast to before the call."""
        return tuple([self._argument_type(self.letter(place), type_) for place, type_ in enumerate(types)])

    def _argument_type(self, letter: str, type_: SqlType) -> SqlType:
        if letter == "T" and type_.kind is not TypeKind.NULL:
            return _TRUNCATED.get(type_.kind, type_)
        return (_OF_NULL if type_.kind is TypeKind.NULL else _CAST).get(letter, type_)


def _takes(letter: str, type_: SqlType) -> bool:
    if type_.kind is TypeKind.NULL:
        return True
    match letter:
        case "s":
            return type_.kind is TypeKind.VARCHAR
        case "i":
            return type_.is_integer
        case "n" | "d":
            return type_.is_numeric
        case "b":
            return type_.kind is TypeKind.BOOLEAN
        case "w" | "t" | "D":
            return type_.is_temporal
        case "I":
            return type_.kind is TypeKind.INTERVAL
        case "x":
            return type_.kind is TypeKind.INTERVAL or type_.is_integer
        case "e" | "T":
            return type_.is_temporal or type_.kind in (TypeKind.TIME, TypeKind.INTERVAL)
        case _:
            return True
