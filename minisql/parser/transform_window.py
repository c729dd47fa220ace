"""The callbacks of window functions, their windows and frames: see `transform`."""

from __future__ import annotations

from typing import Final

from lark import Token, v_args

from minisql.expression.window import BoundKind, Exclusion, FrameUnit
from minisql.parser.parse_tree import (
    Call,
    Expression,
    FrameBound,
    Identifier,
    NamedWindow,
    OrderItem,
    WindowCall,
    WindowFrame,
    WindowSpecification,
)
from minisql.parser.transform_expression import ExpressionTransform

_EXCLUSIONS: Final = {
    "CURRENT": Exclusion.CURRENT_ROW, "GROUP": Exclusion.GROUP, "TIES": Exclusion.TIES, "NO": Exclusion.NO_OTHERS,
}  # fmt: skip


@v_args(inline=True)
class WindowTransform(ExpressionTransform):
    """The callbacks of expressions, those of window functions included."""

    def window_call(self, call: Call, treatment: Token | None, window: Identifier | WindowSpecification) -> WindowCall:
        return WindowCall(span=self._span(call), call=call, window=window, ignore_nulls=_ignores_nulls(treatment))

    def window_call_treatment_inside(
        self,
        name: Identifier,
        arguments: tuple[Expression, ...],
        treatment: Token,
        window: Identifier | WindowSpecification,
    ) -> WindowCall:
        span = self._span(name)
        call = Call(span=span, name=name, arguments=arguments)
        return WindowCall(span=span, call=call, window=window, ignore_nulls=_ignores_nulls(treatment))

    def named_windows(self, *windows: NamedWindow) -> tuple[NamedWindow, ...]:
        return windows

    def named_window(self, name: Identifier, specification: WindowSpecification) -> NamedWindow:
        return NamedWindow(span=self._span(name), name=name, specification=specification)

    def window_specification(
        self,
        opening: Token,
        base: Identifier | None,
        partition_by: tuple[Expression, ...] | None,
        order_by: tuple[OrderItem, ...] | None,
        frame: WindowFrame | None,
    ) -> WindowSpecification:
        return WindowSpecification(
            span=self._span(opening),
            base=base,
            partition_by=partition_by or (),
            order_by=order_by or (),
            frame=frame,
        )

    def frame(self, unit: Token, start: FrameBound, exclusion: Exclusion | None) -> WindowFrame:
        end = FrameBound(span=start.span, kind=BoundKind.CURRENT_ROW)
        return self._frame(unit, start, end, exclusion)

    def frame_between(
        self, unit: Token, start: FrameBound, end: FrameBound, exclusion: Exclusion | None
    ) -> WindowFrame:
        return self._frame(unit, start, end, exclusion)

    def _frame(self, unit: Token, start: FrameBound, end: FrameBound, exclusion: Exclusion | None) -> WindowFrame:
        return WindowFrame(
            span=self._span(unit),
            unit=FrameUnit(unit.type),
            start=start,
            end=end,
            exclusion=exclusion or Exclusion.NO_OTHERS,
        )

    def unbounded(self, unbounded: Token, direction: Token) -> FrameBound:
        return FrameBound(span=self._span(unbounded), kind=BoundKind(f"UNBOUNDED {direction.type}"))

    def current_row(self, current: Token) -> FrameBound:
        return FrameBound(span=self._span(current), kind=BoundKind.CURRENT_ROW)

    def offset_bound(self, offset: Expression, direction: Token) -> FrameBound:
        return FrameBound(span=self._span(offset), kind=BoundKind(direction.type), offset=offset)

    def excluded(self, what: Token) -> Exclusion:
        return _EXCLUSIONS[what.type]


def _ignores_nulls(treatment: Token | None) -> bool:
    return treatment is not None and treatment.upper().startswith("IGNORE")
