"""`minisql`, the command: the shell, or SQL from the command line, from files, from standard input."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and gives its exit code: 0, or 1 after the first statement that fails."""
    from minisql.shell.command import run_command_line

    return run_command_line(arguments)


def run() -> None:
    """The command as a process: starts and ends quickly around `main`.

    Nothing that loading the engine makes is garbage, and to look for it would take a tenth of the start-up. At the end
    everything is written and closed, so the interpreter need not be taken apart piece by piece.
    """
    gc.disable()
    import_module("minisql.shell.command")
    gc.freeze()
    gc.set_threshold(1_000_000)  # which the tables of the grammar do not reach
    gc.enable()
    try:
        code = main()
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = 1  # the reader has seen enough, as `head` does
    except OSError as error:
        with suppress(OSError):
            sys.stderr.write(f"minisql: {error.strerror or error}\n")  # a disk is full
            sys.stderr.flush()
        code = 1
    except KeyboardInterrupt:
        with suppress(OSError):
            sys.stdout.flush()
        code = 130  # 128 + SIGINT, what a shell says of a program that Ctrl-C ended
    os._exit(code)


if __name__ == "__main__":
    run()
