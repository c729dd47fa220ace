"""REGEXP_* and SIMILAR TO: the regular expressions of RE2, which pyarrow and DuckDB have in common.

As in `text_functions`, the pattern and all else but the strings are the same for all rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from minisql.columnar.column import Column
from minisql.columnar.strings import string_column
from minisql.datatypes import BOOLEAN
from minisql.errors import DataError
from minisql.execution.code_points import Strings
from minisql.execution.strings import bools

# RE2 rewrites with \1 to \9.
_MOST_GROUPS: Final = 9
_SIMILAR: Final = {"%": ".*", "_": ".", ".": r"\.", "^": r"\^", "$": r"\$"}


def _with_options(pattern: str, options: str, allowed: str) -> str:
    for option in options:
        if option not in allowed:
            listed = ", ".join(allowed)
            raise DataError(f'There is no option "{option}" of regular expressions; there are {listed}.')
    flags = "".join(flag for flag in "is" if flag in options)
    return f"(?{flags}){pattern}" if flags else pattern


def _run(compute: Callable[..., Any], strings: Strings, pattern: str, **options: Any) -> Any:
    """Raises:
    DataError: the pattern is no regular expression.
    """
    try:
        return compute(strings, pattern=pattern, **options)
    except pa.ArrowInvalid as error:
        raise DataError(f"{error}".partition("\n")[0]) from None


def _regexp_matches(strings: Strings, pattern: str, options: str = "") -> Column:
    pattern = _with_options(pattern, options, "isc")
    return Column(BOOLEAN, bools(_run(pc.match_substring_regex, strings, pattern)))


def _regexp_full_match(strings: Strings, pattern: str, options: str = "") -> Column:
    return _regexp_matches(strings, rf"\A(?:{pattern})\z", options)


def _regexp_replace(strings: Strings, pattern: str, replacement: str, options: str = "") -> Column:
    pattern = _with_options(pattern, options, "iscg")
    limit = None if "g" in options else 1
    found = _run(
        pc.replace_substring_regex, strings, pattern, replacement=replacement.replace(r"\&", r"\0"),
        max_replacements=limit,
    )  # fmt: skip
    return string_column(found, None)


def _regexp_extract(strings: Strings, pattern: str, group: int = 0) -> Column:
    """The text of a group of the first match: all before and after the match is replaced by nothing."""
    if not 0 <= group <= _MOST_GROUPS:
        raise DataError(f"A group of a regular expression is 0 to {_MOST_GROUPS}, not {group}.")
    matches = np.flatnonzero(_regexp_matches(strings, pattern).values)
    inner = f"({pattern})" if group == 0 else f"(?:{pattern})"
    around = rf"\A(?s:.*?){inner}(?s:.*)\z"
    found = _run(
        pc.replace_substring_regex, strings.take(pa.array(matches)), around, replacement=rf"\{max(group, 1)}",
        max_replacements=1,
    )  # fmt: skip
    places = np.zeros(len(strings), np.int64)
    places[matches] = np.arange(1, len(matches) + 1)
    parts = pa.concat_arrays([pa.array([""], pa.large_string()), found])
    return string_column(parts.take(pa.array(places)), None)


def _similar_to(strings: Strings, pattern: str) -> Column:
    """SQL's patterns: `%` and `_` of LIKE with `| * + ? {} () []` of regular expressions; a backslash escapes."""
    parts: list[str] = []
    characters = iter(pattern)
    in_set = False
    for character in characters:
        if character == "\\":
            following = next(characters, None)
            if following is None:
                raise DataError("SIMILAR TO pattern must not end with escape character")
            parts.append(re.escape(following))
        elif in_set:
            in_set = character != "]"
            parts.append(character)
        else:
            in_set = character == "["
            parts.append(_SIMILAR.get(character, character))
    return _regexp_full_match(strings, "".join(parts), "s")


REGULAR_EXPRESSIONS: Final[dict[str, Callable[..., Column]]] = {
    "regexp_matches": _regexp_matches,
    "regexp_full_match": _regexp_full_match,
    "regexp_replace": _regexp_replace,
    "regexp_extract": _regexp_extract,
    "similar_to": _similar_to,
}
