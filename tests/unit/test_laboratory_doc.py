"""docs/laboratory.md: its examples run, one after the other, and print what stands below them.

`pytest --rewrite tests/unit/test_laboratory_doc.py` writes what they print now.
"""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "laboratory.md"
EXAMPLE = re.compile(r"```python\n(.*?)```\n```\n(.*?)```", re.DOTALL)


def test_the_examples_print_what_is_said(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    namespace: dict[str, object] = {}

    def run(example: re.Match[str]) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(example[1], "<laboratory.md>", "exec"), namespace)
        return f"```python\n{example[1]}```\n```\n{printed.getvalue()}```"

    text = DOCUMENT.read_text()
    assert len(EXAMPLE.findall(text)) == text.count("```python") == 2
    answer = EXAMPLE.sub(run, text)
    if request.config.getoption("--rewrite"):
        DOCUMENT.write_text(answer)
    assert answer == DOCUMENT.read_text()
