"""Reads statements from a terminal with prompt_toolkit: several lines, colours, completion, history."""

from __future__ import annotations

import os
from collections.abc import Iterable

from prompt_toolkit import PromptSession
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer
from prompt_toolkit.completion import Completion as Shown
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout.processors import TabsProcessor
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from minisql.shell.completion import complete
from minisql.shell.highlighting import STYLE, MinisqlLexer
from minisql.shell.history import open_history
from minisql.shell.schema import Schema
from minisql.shell.script import is_complete
from minisql.shell.shell import Shell

_INDENT = "    "


class LineEditor:
    """The prompt."""

    def __init__(self, shell: Shell, prompt: str, continuation: str) -> None:
        self._session: PromptSession[str] = PromptSession(
            prompt,
            multiline=True,
            # A line that is too long for the screen goes on without a mark.
            prompt_continuation=lambda width, line, wraps: "" if wraps else continuation,
            lexer=PygmentsLexer(MinisqlLexer),
            completer=_Completer(Schema(shell)),
            complete_while_typing=False,
            history=open_history(),
            enable_suspend=True,  # Ctrl-Z, as in every other shell
            input_processors=[TabsProcessor(tabstop=len(_INDENT), char1=" ", char2=" ")],  # pasted ones
            key_bindings=_key_bindings(),
            style=Style.from_dict(STYLE),
            color_depth=ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None,
        )

    def read(self) -> str:
        """What the user types, up to the Enter behind a complete statement or a command.

        Raises:
            KeyboardInterrupt: Ctrl-C: the user takes back what is typed.
            EOFError: Ctrl-D on an empty line.
        """
        return self._session.prompt()


class _Completer(Completer):
    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Shown]:
        for found in complete(document.text, document.cursor_position, self._schema):
            yield Shown(found.text, -found.replaced, display_meta=found.kind)


def _key_bindings() -> KeyBindings:
    bindings = KeyBindings()
    focused = has_focus(DEFAULT_BUFFER)

    @bindings.add("enter", filter=focused)
    def enter(event: KeyPressEvent) -> None:
        """Takes the chosen completion, or runs what is complete, or goes on in a new line."""
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion is not None:
            buffer.complete_state = None
        elif is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.newline(copy_margin=False)

    @bindings.add("escape", "enter", filter=focused)
    def new_line(event: KeyPressEvent) -> None:
        """A new line wherever the cursor is."""
        event.current_buffer.newline(copy_margin=False)

    def line_is_blank() -> bool:
        from prompt_toolkit.application import get_app

        return _is_indented(get_app().current_buffer)

    @bindings.add("tab", filter=focused & Condition(line_is_blank))
    def indent(event: KeyPressEvent) -> None:
        """Indents: at the start of a line there is nothing to complete, and pasted text may have tabs there."""
        event.current_buffer.insert_text(_INDENT)

    return bindings


def _is_indented(buffer: Buffer) -> bool:
    """Whether the cursor is at the start of a line that goes on with a statement."""
    document = buffer.document
    return document.cursor_position_row > 0 and not document.current_line_before_cursor.strip()
