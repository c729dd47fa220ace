"""The code blocks of a Markdown file, and what runs them.

    ```sql        statements, run one after the other on the file's connection
    ```python     a program; all of a file share their variables
    ```ipython    a cell of a notebook
    ```console    lines that begin with `$ ` are commands, what follows each is what it prints
    ```sh         commands; those that install, test or measure are known, and not run again here

A plain block (no word behind the backticks) directly after a `sql`, `python` or `ipython` block is what that prints. A
line of it that is `...` stands for any lines, `...` within a line for any text; what a clock has measured is not
compared. Any other plain block is a drawing. Where a page says `<!-- a fresh database for each section -->`, each
heading of the second level begins a new one.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import minisql
from minisql.shell.output import print_result

ROOT = Path(__file__).parents[2]

_KNOWN_COMMANDS = (
    "pip install",
    "MINISQL_INTERPRETED=1 pip install",
    "python -m venv",
    "python -m pytest",
    "python -m tests.tpc.workload",
    "source ",
    "git clone",
    "cd ",
    "pre-commit",
)
"""What `sh` blocks have that is not run here: `.ci/run` does, or the reader for himself."""


@dataclass(frozen=True)
class Block:
    """A block of a file: the line of its text, its language, its text, what it is said to print or None.

    `section` counts the parts of the page that have a database each.
    """

    file: Path
    section: int
    line: int
    language: str
    text: str
    output: str | None

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


def blocks_of(file: Path) -> list[Block]:
    """The blocks of a file that are code.

    Raises:
        ValueError: code that is indented, which nothing would run, or a block that is not closed.
    """
    fences = list(_fences(file))
    blocks = []
    starts = []
    if "<!-- a fresh database for each section -->" in file.read_text(encoding="utf-8"):
        starts = [
            line for line, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if text[:3] == "## "
        ]
    for place, (line, language, text, _) in enumerate(fences):
        if not language:
            continue
        output = text if language == "console" else None
        if place + 1 < len(fences) and not fences[place + 1][1] and fences[place + 1][3] and language in _WITH_OUTPUT:
            output = fences[place + 1][2]
        section = sum(start < line for start in starts)
        blocks.append(Block(file, section, line, language, text, output))
    return blocks


_WITH_OUTPUT = ("sql", "python", "ipython")


def _fences(file: Path) -> Iterator[tuple[int, str, str, bool]]:
    """Each fenced block: line, language, text, and whether nothing stands between it and the one before."""
    language, start, lines, follows, after_fence = "", 0, list[str](), False, False
    is_open = False
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("```"):
            if is_open:
                yield start, language, "\n".join(lines), follows
                is_open, after_fence = False, True
            else:
                is_open, language, start, lines, follows = True, stripped[3:].strip(), number + 1, [], after_fence
        elif is_open:
            lines.append(line)
        elif stripped:
            after_fence = False
            if re.match(r"    +(pip|python|minisql|pre-commit|SELECT|EXPLAIN|import|from) ", line):
                raise ValueError(f"{file}:{number}: code that is only indented")
    if is_open:
        raise ValueError(f"{file}:{start}: the block is not closed")


class Runner:
    """Runs the blocks of one file, from the root of the repository."""

    def __init__(self) -> None:
        self._connection = minisql.connect()
        self._section = 0
        self._variables: dict[str, object] = {"__name__": "__main__"}
        self._shell: object = None

    def close(self) -> None:
        self._connection.close()

    def run(self, block: Block) -> str:
        """Runs a block; what it prints, of commands with the commands."""
        if block.section != self._section:
            self._connection.close()
            self._connection, self._section = minisql.connect(), block.section
        match block.language:
            case "sql":
                return self._sql(block)
            case "python":
                return self._python(block)
            case "ipython":
                return self._cell(block)
            case "console":
                commands = re.findall(r"(?m)^\$ (.*)", block.text)
                return "".join(f"$ {command}\n{_run_command(command).rstrip()}\n" for command in commands)
            case "sh":
                _check_commands(block)
                return ""
            case _:
                raise AssertionError(f"{block}: nothing runs a block of {block.language}")

    def _sql(self, block: Block) -> str:
        stream = io.StringIO()
        try:
            for result in self._connection.execute_script(block.text):
                print_result(result, "table", stream)
        except minisql.Error as error:
            if block.output is None:
                raise
            stream.write(str(error))
        return stream.getvalue()

    def _python(self, block: Block) -> str:
        stream = io.StringIO()
        code = compile("\n" * (block.line - 1) + block.text, str(block.file), "exec")
        with contextlib.redirect_stdout(stream):
            exec(code, self._variables)
        return stream.getvalue()

    def _cell(self, block: Block) -> str:
        from IPython.core.interactiveshell import InteractiveShell

        if self._shell is None:
            self._shell = InteractiveShell.instance()
            InteractiveShell.clear_instance()
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream):
            result = self._shell.run_cell(block.text)  # type: ignore[attr-defined]
        result.raise_error()
        return re.sub(r"(?m)^Out\[\d+\]:\s?", "", stream.getvalue())


def _check_commands(block: Block) -> None:
    text = block.text.replace("\\\n", " ")
    for line in filter(None, (line.split("#")[0].strip() for line in text.splitlines())):
        for command in line.split(" && "):
            if command.startswith("minisql"):
                if shlex.split(command) != ["minisql"]:  # which waits for somebody to type
                    _run_command(command)
            elif not command.startswith(_KNOWN_COMMANDS):
                match = re.fullmatch(r"python ((?:benchmarks|tests|docs)/\S+\.py)( .*)?", command)
                assert match, f"{block}: nobody knows the command {command}"
                assert (ROOT / match[1]).exists(), f"{block}: there is no {match[1]}"


def _run_command(command: str) -> str:
    """What a command of minisql prints, errors included."""
    words = shlex.split(command)
    assert words[0] == "minisql", command
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout.decode("utf-8")


def rewritten(page: str, block: Block, printed: str) -> str:
    """The text of a page with what a block prints now; text with `...` in it stays as it is."""
    if block.output is None or "..." in block.output or prints(printed, block.output):
        return page
    shown = "\n".join(line.rstrip() for line in printed.rstrip().splitlines())
    opening = "```console\n" if block.language == "console" else f"```{block.language}\n{block.text}\n```\n```\n"
    assert page.count(f"{opening}{block.output}\n```") >= 1, block
    return page.replace(f"{opening}{block.output}\n```", f"{opening}{shown}\n```")


def assert_prints(printed: str, expected: str, where: str) -> None:
    """Compares what is printed with what a page says, line by line, ends of lines and `...` apart."""
    assert prints(printed, expected), f"{where} prints\n{printed}\nand not\n{expected}"


def prints(printed: str, expected: str) -> bool:
    """Whether what is printed is what a page says."""
    pattern = "\n".join(_pattern(line) for line in _without_clock(expected).rstrip().splitlines())
    pattern = pattern.replace("\n<any lines>", r"(?:\n.*)*?").replace("<any lines>\n", r"(?:.*\n)*?")
    shown = "\n".join(line.rstrip() for line in _without_clock(printed).rstrip().splitlines())
    return re.fullmatch(pattern, shown) is not None


def _without_clock(text: str) -> str:
    text = re.sub(r" <- hottest, \d+% of the time", "", text)
    return re.sub(r"\b(time|own)=[^ )]+", r"\1=", text)


def _pattern(line: str) -> str:
    if line.strip() == "...":
        return "<any lines>"
    return ".*?".join(re.escape(part) for part in line.rstrip().split("..."))
