"""The stupid oracle of window functions: the frame of each row, row by row, as the standard says (SQL:2016, 4.16.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cmp_to_key
from typing import Any

from minisql.errors import DataError
from minisql.expression.nodes import AggregateCall, ColumnId, Expression, SortKey, Value
from minisql.expression.window import BoundKind, Exclusion, Frame, FrameBound, FrameUnit, WindowCall, WindowFunction

Row = Mapping[ColumnId, Value]
Evaluate = Callable[[Expression, Row], Value]
Aggregate = Callable[[AggregateCall, list[Row]], Value]
Move = Callable[[Value, str, Value], Any]
"""`move(key, "+" or "-", offset)`."""


def window_values(
    call: WindowCall, rows: Sequence[Row], evaluate: Evaluate, aggregate: Aggregate, move: Move
) -> list[Value]:
    """The value of the call in each of the rows."""
    values: list[Value] = [None] * len(rows)
    partitions: dict[tuple[Value, ...], list[int]] = {}
    for number, row in enumerate(rows):
        partitions.setdefault(tuple(evaluate(key, row) for key in call.partition_by), []).append(number)
    for members in partitions.values():
        keys = {number: [evaluate(key.expression, rows[number]) for key in call.order_by] for number in members}

        def compare(left: int, right: int, keys: dict[int, list[Value]] = keys) -> int:
            return compared(call.order_by, keys[left], keys[right])

        members.sort(key=cmp_to_key(compare))
        partition = [rows[number] for number in members]
        ordered_keys = [keys[number] for number in members]
        for place, number in enumerate(members):
            frame = frame_of(call.frame, call.order_by, ordered_keys, place, move)
            if isinstance(call.function, AggregateCall):
                values[number] = aggregate(call.function, [partition[i] for i in frame])
            else:
                peers = [i for i, key in enumerate(ordered_keys) if key == ordered_keys[place]]
                values[number] = function_value(call.function, partition, place, peers, frame, ordered_keys, evaluate)
    return values


def compared(order_by: Sequence[SortKey], left: Sequence[Any], right: Sequence[Any]) -> int:
    """Negative where `left` comes first, 0 for peers."""
    for key, a, b in zip(order_by, left, right, strict=True):
        if a is None or b is None:
            if a is None and b is None:
                continue
            return -1 if (a is None) is key.nulls_first else 1
        if a != b:
            return -1 if (a < b) is not key.descending else 1
    return 0


def frame_of(
    frame: Frame, order_by: Sequence[SortKey], keys: Sequence[Sequence[Any]], place: int, move: Move
) -> list[int]:
    """The places in the frame of the row at `place`, in order."""
    groups = []  # the number of the group of peers of each place
    for i in range(len(keys)):
        groups.append(0 if i == 0 else groups[-1] + (keys[i] != keys[i - 1]))
    found = []
    for i in range(len(keys)):
        after_start = is_within(frame, frame.start, order_by, keys, groups, place, i, is_start=True, move=move)
        before_end = is_within(frame, frame.end, order_by, keys, groups, place, i, is_start=False, move=move)
        if not after_start or not before_end:
            continue
        is_peer = keys[i] == keys[place]
        excluded = {
            Exclusion.NO_OTHERS: False,
            Exclusion.CURRENT_ROW: i == place,
            Exclusion.GROUP: is_peer,
            Exclusion.TIES: is_peer and i != place,
        }[frame.exclusion]
        if not excluded:
            found.append(i)
    return found


def is_within(
    frame: Frame,
    bound: FrameBound,
    order_by: Sequence[SortKey],
    keys: Sequence[Sequence[Any]],
    groups: Sequence[int],
    place: int,
    other: int,
    *,
    is_start: bool,
    move: Move,
) -> bool:
    """Whether the row at `other` does not lie beyond this end of the frame."""
    if bound.kind in (BoundKind.UNBOUNDED_PRECEDING, BoundKind.UNBOUNDED_FOLLOWING):
        return True
    if bound.kind is BoundKind.CURRENT_ROW:
        here, there = (place, other) if frame.unit is FrameUnit.ROWS else (groups[place], groups[other])
        return there >= here if is_start else there <= here
    assert bound.offset is not None
    offset: Any = bound.offset.value
    forward = bound.kind is BoundKind.FOLLOWING
    if frame.unit is not FrameUnit.RANGE:
        here, there = (place, other) if frame.unit is FrameUnit.ROWS else (groups[place], groups[other])
        end = here + offset if forward else here - offset
        return there >= end if is_start else there <= end
    (key,) = order_by
    (own,), (another,) = keys[place], keys[other]
    if own is None or another is None:
        if own is None and another is None:
            return True
        # NULLs lie before or after all others, and no offset reaches from here to there.
        other_comes_first = (another is None) is key.nulls_first
        return other_comes_first is not is_start
    limit = move(own, "+" if forward is not key.descending else "-", offset)
    if key.descending:
        return bool(another <= limit) if is_start else bool(another >= limit)
    return bool(another >= limit) if is_start else bool(another <= limit)


def function_value(
    function: WindowFunction,
    partition: Sequence[Row],
    place: int,
    peers: Sequence[int],
    frame: Sequence[int],
    keys: Sequence[Sequence[Any]],
    evaluate: Evaluate,
) -> Value:
    size = len(partition)
    arguments: list[Any] = [evaluate(argument, partition[place]) for argument in function.arguments]
    match function.name:
        case "row_number":
            return place + 1
        case "rank":
            return peers[0] + 1
        case "dense_rank":
            return 1 + sum(keys[i] != keys[i - 1] for i in range(1, place + 1))
        case "percent_rank":
            return peers[0] / (size - 1) if size > 1 else 0.0
        case "cume_dist":
            return (peers[-1] + 1) / size
        case "ntile":
            buckets: Any = evaluate(function.arguments[0], partition[0])
            if buckets is None:
                return None
            if buckets <= 0:
                raise DataError("no buckets")
            sizes = [size // buckets + (bucket < size % buckets) for bucket in range(buckets)]
            return next(bucket + 1 for bucket in range(buckets) if place < sum(sizes[: bucket + 1]))
        case "lag" | "lead":
            return shifted(function, partition, place, arguments, evaluate)
    values = [evaluate(function.arguments[0], partition[i]) for i in frame]
    if function.ignore_nulls:
        values = [value for value in values if value is not None]
    match function.name:
        case "first_value":
            return values[0] if values else None
        case "last_value":
            return values[-1] if values else None
        case "nth_value":
            if arguments[1] is None:
                return None
            if arguments[1] <= 0:
                raise DataError("no such row")
            return values[arguments[1] - 1] if arguments[1] <= len(values) else None
    raise ValueError(function.name)


def shifted(
    function: WindowFunction, partition: Sequence[Row], place: int, arguments: list[Any], evaluate: Evaluate
) -> Value:
    steps = arguments[1] if len(arguments) > 1 else 1
    if steps is None:
        return None
    if steps == 0:
        return arguments[0]  # type: ignore[no-any-return]
    forward = (function.name == "lead") is (steps > 0)
    others = range(place + 1, len(partition)) if forward else range(place - 1, -1, -1)
    values = [evaluate(function.arguments[0], partition[i]) for i in others]
    if function.ignore_nulls:
        values = [value for value in values if value is not None]
    if abs(steps) <= len(values):
        return values[abs(steps) - 1]
    return arguments[2] if len(arguments) > 2 else None
