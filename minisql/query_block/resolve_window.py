"""Resolves window functions: their windows, named or written out, their frames, and their types.

A window that builds on a named one adds to it and takes nothing back: it may give an ORDER BY where the named window
has none, and the named window has no frame (SQL:2016, 7.15).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from minisql.datatypes import BIGINT, DOUBLE, SqlType, TypeKind, arithmetic_type
from minisql.errors import ProgrammingError, Span, did_you_mean
from minisql.expression.aggregates import AGGREGATES_BY_NAME
from minisql.expression.nodes import AggregateCall, ColumnId, ColumnRef, Expression, Literal, SortKey, Value
from minisql.expression.window import (
    DEFAULT_FRAME,
    WHOLE_PARTITION,
    WINDOW_FUNCTIONS,
    BoundKind,
    Frame,
    FrameBound,
    FrameUnit,
    WindowCall,
    WindowFunction,
)
from minisql.parser import parse_tree
from minisql.query_block.coerce import coerce, coerce_to_common
from minisql.query_block.scope import same_name

if TYPE_CHECKING:
    from minisql.query_block.resolve_expression import ExpressionResolver

_DERIVED_TABLE: Final = "Compute it in a derived table first: FROM (SELECT ..., {}(...) OVER (...) AS x FROM ...)."
_PLACES: Final = list(BoundKind)


class WindowCollector:
    """The window functions of a query block as they are found, each stands in for a column; and its named windows."""

    def __init__(
        self,
        new_table: Callable[[], int],
        named: Sequence[parse_tree.NamedWindow],
        constant: Callable[[parse_tree.Expression], tuple[Value, SqlType]],
    ) -> None:
        """`new_table` gives the number of the windows, and is asked only if there are any.

        `constant` computes an expression without columns.
        """
        self._new_table = new_table
        self._table: int | None = None
        self.constant = constant
        self.calls: list[WindowCall] = []
        self._named: dict[str, parse_tree.WindowSpecification] = {}
        for window in named:
            if any(same_name(window.name.name, name) for name in self._named):
                raise ProgrammingError(f'The window "{window.name.name}" is defined twice.', window.name.span)
            # A window may build on those before it.
            self._named[window.name.name] = self.specification(window.specification)

    @property
    def table(self) -> int:
        """The number of the table that the calls are columns of."""
        if self._table is None:
            self._table = self._new_table()
        return self._table

    def column(self, call: WindowCall, name: str) -> ColumnRef:
        """The column of this call; equal calls share one."""
        if call in self.calls:
            position = self.calls.index(call)
        else:
            position = len(self.calls)
            self.calls.append(call)
        return ColumnRef(column=ColumnId(self.table, position), name=name, type=call.type, span=call.span)

    def specification(
        self, window: parse_tree.Identifier | parse_tree.WindowSpecification
    ) -> parse_tree.WindowSpecification:
        """The window as if no other were named in it."""
        if isinstance(window, parse_tree.Identifier):
            return self._find(window)
        if window.base is None:
            return window
        base, name = self._find(window.base), window.base.name
        if window.partition_by:
            raise ProgrammingError(
                f'PARTITION BY cannot be added to the window "{name}".',
                window.partition_by[0].span,
                hint=f'Give "{name}" the PARTITION BY, or write the whole window here.',
            )
        if window.order_by and base.order_by:
            raise ProgrammingError(f'The window "{name}" has an ORDER BY already.', window.order_by[0].span)
        if base.frame is not None:
            raise ProgrammingError(
                f'The window "{name}" has a frame, so nothing can be added to it.',
                window.base.span,
                hint=f"To use it as it is, write OVER {name} without parentheses.",
            )
        order_by = window.order_by or base.order_by
        return replace(window, base=None, partition_by=base.partition_by, order_by=order_by)

    def check_named(self, resolver: ExpressionResolver) -> None:
        """Has the named windows resolved, for mistakes in those that nobody uses."""
        for window in self._named.values():
            _resolve_window(window, resolver, self)

    def _find(self, name: parse_tree.Identifier) -> parse_tree.WindowSpecification:
        for known, window in self._named.items():
            if same_name(known, name.name):
                return window
        hint = did_you_mean(name.name, list(self._named)) or (
            None if self._named else f"Define it after FROM: WINDOW {name.name} AS (PARTITION BY ... ORDER BY ...)."
        )
        raise ProgrammingError(f'There is no window "{name.name}".', name.span, hint=hint)


def no_windows_here(clause: str, tree: parse_tree.WindowCall) -> ProgrammingError:
    """The error for a window function in a clause that takes none."""
    if clause in ("WHERE", "HAVING"):
        hint = "A condition on a window function belongs into QUALIFY, which comes after HAVING and WINDOW."
    else:
        hint = _DERIVED_TABLE.format(tree.call.name.name)
    return ProgrammingError(f"{clause} takes no window functions.", tree.span, hint=hint)


def no_windows_inside(what: str, tree: parse_tree.WindowCall) -> ProgrammingError:
    """The error for a window function inside `what`: an aggregate or another one."""
    name = tree.call.name.name
    return ProgrammingError(
        f"The window function {name} cannot stand inside {what}.", tree.span, hint=_DERIVED_TABLE.format(name)
    )


def needs_window(tree: parse_tree.Call) -> ProgrammingError:
    """The error for a window function without OVER."""
    name = tree.name.name.lower()
    return ProgrammingError(
        f"{name} is a window function and needs OVER.",
        tree.span,
        hint=f"Write {name}(...) OVER (ORDER BY ...), with PARTITION BY where it is to start anew.",
    )


def resolve_window_call(
    tree: parse_tree.WindowCall, resolver: ExpressionResolver, windows: WindowCollector
) -> WindowCall:
    """The call with everything in it resolved."""
    call, name = tree.call, tree.call.name.name.lower()
    signature = WINDOW_FUNCTIONS.get(name)
    function: WindowFunction | AggregateCall
    if signature is not None:
        function = _window_function(tree, name, resolver)
    elif name in AGGREGATES_BY_NAME:
        if tree.ignore_nulls:
            raise _ignores_no_nulls(name, tree)
        function = resolver.aggregate_call(call, name)
    else:
        known = (*WINDOW_FUNCTIONS, *AGGREGATES_BY_NAME)
        raise ProgrammingError(
            f"{name} is neither a window function nor an aggregate, so it takes no OVER.",
            tree.span,
            hint=did_you_mean(name, known),
        )
    partition_by, order_by, frame = _resolve_window(windows.specification(tree.window), resolver, windows)
    if signature is not None and not signature.reads_frame:
        frame = DEFAULT_FRAME
    return WindowCall(function=function, partition_by=partition_by, order_by=order_by, frame=frame, span=tree.span)


def _window_function(tree: parse_tree.WindowCall, name: str, resolver: ExpressionResolver) -> WindowFunction:
    call, signature = tree.call, WINDOW_FUNCTIONS[name]
    if call.star or call.distinct or call.filter is not None:
        what = "*" if call.star else "DISTINCT" if call.distinct else "FILTER"
        raise ProgrammingError(f"{name} is no aggregate, so it takes no {what}.", call.span)
    if tree.ignore_nulls and not signature.takes_null_treatment:
        raise _ignores_no_nulls(name, tree)
    least, most, given = signature.minimum, len(signature.parameters), len(call.arguments)
    if not least <= given <= most:
        wanted = f"{least} to {most} arguments" if most > least else f"{least or 'no'} argument{'s' * (least != 1)}"
        raise ProgrammingError(f"{name} takes {wanted}, not {given}.", call.span, hint=f"It is {signature.signature}.")
    arguments = [resolver.resolve(argument) for argument in call.arguments]
    type_ = DOUBLE if name in ("percent_rank", "cume_dist") else BIGINT
    if name == "ntile":
        arguments = [_integer(arguments[0], "The number of buckets", call.span)]
    elif arguments:
        if name in ("lag", "lead") and len(arguments) == 3:
            arguments[0], arguments[2] = coerce_to_common((arguments[0], arguments[2]), name, call.span)
        if len(arguments) > 1:
            arguments[1] = _integer(arguments[1], f"The second argument of {name}", call.span)
        type_ = arguments[0].type
    return WindowFunction(
        name=name, arguments=tuple(arguments), ignore_nulls=tree.ignore_nulls, type=type_, span=call.span
    )


def _integer(expression: Expression, what: str, span: Span) -> Expression:
    if not expression.type.is_integer and expression.type.kind is not TypeKind.NULL:
        raise ProgrammingError(f"{what} is an integer, not {expression.type}.", expression.span or span)
    return coerce(expression, BIGINT)


def _ignores_no_nulls(name: str, tree: parse_tree.WindowCall) -> ProgrammingError:
    takers = ", ".join(function.name for function in WINDOW_FUNCTIONS.values() if function.takes_null_treatment)
    return ProgrammingError(f"{name} takes no IGNORE NULLS.", tree.call.span, hint=f"It is for {takers}.")


# --- windows and frames -----------------------------------------------------------------------------------------------


def _resolve_window(
    window: parse_tree.WindowSpecification, resolver: ExpressionResolver, windows: WindowCollector
) -> tuple[tuple[Expression, ...], tuple[SortKey, ...], Frame]:
    partition_by = tuple(dict.fromkeys([resolver.resolve(key) for key in window.partition_by]))
    order_by = []
    for item in window.order_by:
        nulls_first = item.descending if item.nulls_first is None else item.nulls_first
        key = resolver.resolve(item.expression)
        order_by.append(SortKey(expression=key, descending=item.descending, nulls_first=nulls_first))
    if window.frame is None:
        return partition_by, tuple(order_by), DEFAULT_FRAME if order_by else WHOLE_PARTITION
    _check_frame(window.frame, window)
    if window.frame.unit is FrameUnit.RANGE:
        return partition_by, *_range_frame(window.frame, order_by, windows)
    start, end = (_counted_bound(bound, window.frame.unit, windows) for bound in (window.frame.start, window.frame.end))
    frame = Frame(unit=window.frame.unit, start=start, end=end, exclusion=window.frame.exclusion)
    return partition_by, tuple(order_by), _simplest(frame)


def _check_frame(frame: parse_tree.WindowFrame, window: parse_tree.WindowSpecification) -> None:
    start, end = frame.start, frame.end
    if start.kind is BoundKind.UNBOUNDED_FOLLOWING:
        raise ProgrammingError("A frame cannot start with UNBOUNDED FOLLOWING.", start.span)
    if end.kind is BoundKind.UNBOUNDED_PRECEDING:
        raise ProgrammingError("A frame cannot end with UNBOUNDED PRECEDING.", end.span)
    if _PLACES.index(start.kind) > _PLACES.index(end.kind):
        raise ProgrammingError(
            f"A frame that starts with {start.kind.value} cannot end with {end.kind.value}.",
            frame.span,
            hint="Its end comes after its start: write BETWEEN start AND end in this order.",
        )
    if frame.unit is FrameUnit.GROUPS and not window.order_by:
        raise ProgrammingError("GROUPS needs an ORDER BY, whose equal rows are the groups.", frame.span)
    if frame.unit is FrameUnit.RANGE and len(window.order_by) != 1 and (start.offset or end.offset):
        raise ProgrammingError(
            f"RANGE with an offset needs one ORDER BY key, not {len(window.order_by)}.",
            frame.span,
            hint="The offset is added to the key and subtracted from it. ROWS and GROUPS count instead.",
        )


def _counted_bound(bound: parse_tree.FrameBound, unit: FrameUnit, windows: WindowCollector) -> FrameBound:
    """A bound of ROWS or GROUPS."""
    if bound.offset is None:
        return FrameBound(kind=bound.kind)
    offset = _offset(bound.offset, windows)
    if not offset.type.is_integer:
        raise ProgrammingError(f"An offset of {unit.value} is an integer, not {offset.type}.", bound.offset.span)
    return FrameBound(kind=bound.kind, offset=replace(offset, type=BIGINT))


def _range_frame(
    frame: parse_tree.WindowFrame, order_by: list[SortKey], windows: WindowCollector
) -> tuple[tuple[SortKey, ...], Frame]:
    """A frame of RANGE, and the ORDER BY with its key in a type that the offsets can be added to."""
    written = (frame.start, frame.end)
    offsets: Sequence[Literal] = [_offset(bound.offset, windows) for bound in written if bound.offset is not None]
    if offsets:
        key, offsets = _with_offsets(order_by[0].expression, offsets, frame.span)
        order_by = [replace(order_by[0], expression=key)]
    given = iter(offsets)
    start, end = (
        FrameBound(kind=bound.kind, offset=None if bound.offset is None else next(given)) for bound in written
    )
    resolved = Frame(unit=FrameUnit.RANGE, start=start, end=end, exclusion=frame.exclusion)
    if not order_by:
        # All rows of the partition are peers.
        resolved = replace(WHOLE_PARTITION, exclusion=frame.exclusion)
    return tuple(order_by), _simplest(resolved)


def _with_offsets(key: Expression, offsets: Sequence[Literal], span: Span) -> tuple[Expression, Sequence[Literal]]:
    """The key and the offsets: numbers of one type, or what can be added to a date or the like."""
    if key.type.is_numeric and all(offset.type.is_numeric for offset in offsets):
        common, *others = coerce_to_common((key, *offsets), "RANGE", span)
        numbers = [each for each in others if isinstance(each, Literal)]
        if len(numbers) == len(offsets):
            return common, numbers
    sums = {arithmetic_type("-", key.type, offset.type) for offset in offsets}
    type_ = sums.pop() if len(sums) == 1 else None
    if type_ is None or not type_.is_temporal:
        given = " and ".join(dict.fromkeys(str(offset.type) for offset in offsets))
        raise ProgrammingError(f"RANGE cannot add {given} to an ORDER BY key that is {key.type}.", span)
    return coerce(key, type_), offsets


def _offset(tree: parse_tree.Expression, windows: WindowCollector) -> Literal:
    if isinstance(tree, parse_tree.ColumnName):
        raise ProgrammingError("The offset of a frame is a constant, not a column.", tree.span)
    value, type_ = windows.constant(tree)
    if value is None:
        raise ProgrammingError("The offset of a frame cannot be NULL.", tree.span)
    if isinstance(value, bool | str):
        raise ProgrammingError(f"The offset of a frame is a number, not {type_}.", tree.span)
    if isinstance(value, float) and not 0 <= value < float("inf"):
        raise ProgrammingError("The offset of a frame is a finite number, not negative.", tree.span)
    offset = Literal(value=value, type=type_, span=tree.span)
    if type_.is_numeric and value < 0:  # type: ignore[operator]  # a number
        raise ProgrammingError("The offset of a frame cannot be negative.", tree.span)
    return offset


def _simplest(frame: Frame) -> Frame:
    """A frame of all rows is written in one way, so that equal calls are equal."""
    whole = frame.start.kind is BoundKind.UNBOUNDED_PRECEDING and frame.end.kind is BoundKind.UNBOUNDED_FOLLOWING
    return replace(WHOLE_PARTITION, exclusion=frame.exclusion) if whole else frame
