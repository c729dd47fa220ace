"""The fan-out of a join as a sentence."""

from __future__ import annotations

from typing import Final

from minisql.execution.fan_out import FanOut, KeyFanOut
from minisql.explain.plan_description import NodeDescription
from minisql.expression.format import format_value
from minisql.optimizer.access_path import HashJoin, NestedLoopJoin
from minisql.printable import printable
from minisql.relational.relational_expression import JoinType

_MOST_TABLES: Final = 3
_MOST_CHARACTERS: Final = 40


def fan_out_text(join: NodeDescription, fan_out: FanOut) -> str:
    """What the data say of a join: `fan-out 1:n: each row of a matches at most 3 of b, ...`."""
    sides = _sides(join)
    left, right = _names(*sides)
    for side, name in zip(sides, (left, right), strict=True):
        if side.actual is not None and not side.actual.rows:
            return f"fan-out: {name} has no rows"
    parts = [_most(fan_out, left, right)]
    if fan_out.worst_keys and not _keeps_one_side(join):
        parts.append(f"worst: {', '.join(_key(key) for key in fan_out.worst_keys)}")
    if fan_out.complete:
        parts.append(_unmatched(fan_out, left, right))
    kind = "" if fan_out.kind == "none" else f" {fan_out.kind}"
    read = "" if fan_out.complete else " of the rows read"
    return f"fan-out{kind}{read}: {'; '.join(parts)}"


def _most(fan_out: FanOut, left: str, right: str) -> str:
    match fan_out.kind:
        case "none":
            return f"no row of {left} matches one of {right}"
        case "1:1":
            return f"each row of {left} matches at most 1 of {right}, and the other way round"
        case _:
            return (
                f"each row of {left} matches at most {fan_out.left_most:,} of {right}, "
                f"each row of {right} at most {fan_out.right_most:,} of {left}"
            )


def _unmatched(fan_out: FanOut, left: str, right: str) -> str:
    if not fan_out.left_unmatched and not fan_out.right_unmatched:
        return "every row has a match"
    sides = (
        (fan_out.left_unmatched, fan_out.left_null_keys, left),
        (fan_out.right_unmatched, fan_out.right_null_keys, right),
    )
    counted = [f"{rows:,} of {side}{_nulls(rows, nulls)}" for rows, nulls, side in sides]
    return f"without a match: {', '.join(counted)}"


def _nulls(rows: int, nulls: int) -> str:
    if not nulls:
        return ""
    return " (NULL in the key)" if nulls == rows else f" ({nulls:,} with NULL in the key)"


def _key(key: KeyFanOut) -> str:
    values = [_cut(format_value(value)) for value in key.values]
    name = values[0] if len(values) == 1 else f"({', '.join(values)})"
    product = f"{name}: {key.left_rows:,} x {key.right_rows:,}"
    return product if key.pairs == key.left_rows * key.right_rows else f"{product} of which {key.pairs:,} match"


def _cut(text: str) -> str:
    """A value on one line, and not too long."""
    shown = printable(text)
    return shown if len(shown) <= _MOST_CHARACTERS else f"{shown[: _MOST_CHARACTERS - 3]}..."


def _sides(join: NodeDescription) -> tuple[NodeDescription, NodeDescription]:
    """The left and the right side of the type of the join."""
    first, second = join.inputs
    return (second, first) if isinstance(join.path, HashJoin) and join.path.build_left else (first, second)


def _names(left: NodeDescription, right: NodeDescription) -> tuple[str, str]:
    """What the sides are called."""
    left_name, right_name = _name(left), _name(right)
    if left_name is None or right_name is None or left_name == right_name:
        return "the left side", "the right side"
    return left_name, right_name


def _name(side: NodeDescription) -> str | None:
    tables = tuple(dict.fromkeys(side.tables))
    if len(tables) > _MOST_TABLES:
        return f"({', '.join(tables[: _MOST_TABLES - 1])} and {len(tables) - _MOST_TABLES + 1} more)"
    return f"({', '.join(tables)})" if len(tables) > 1 else tables[0] if tables else None


def _keeps_one_side(join: NodeDescription) -> bool:
    """Whether the join gives the rows of one side, which it does not multiply."""
    path = join.path
    return isinstance(path, HashJoin | NestedLoopJoin) and path.type in (JoinType.SEMI, JoinType.ANTI)
