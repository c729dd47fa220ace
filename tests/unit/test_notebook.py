"""docs/laboratory.ipynb: its cells run in their order, and print what is stored with them.

`pytest --rewrite tests/unit/test_notebook.py` stores what they print now.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "laboratory.ipynb"


def run(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with the outputs that its cells have now."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile("".join(cell["source"]), f"<{cell['id']}>", "exec"), namespace)
            text = printed.getvalue().splitlines(keepends=True)
            outputs = [{"name": "stdout", "output_type": "stream", "text": text}] if text else []
            cell = {**cell, "execution_count": None, "outputs": outputs}
        cells.append(cell)
    return {**notebook, "cells": cells}


def test_the_notebook_runs_and_prints_what_is_stored(request: pytest.FixtureRequest) -> None:
    notebook = json.loads(NOTEBOOK.read_text())
    answer = run(notebook)
    if request.config.getoption("--rewrite"):
        NOTEBOOK.write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n")
        notebook = json.loads(NOTEBOOK.read_text())
    assert answer == notebook


def test_the_notebook_is_one_that_can_be_opened() -> None:
    notebook = json.loads(NOTEBOOK.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    identifiers = [cell["id"] for cell in notebook["cells"]]
    assert len(set(identifiers)) == len(identifiers)
    kinds = {"markdown": {"cell_type", "id", "metadata", "source"}}
    kinds["code"] = kinds["markdown"] | {"execution_count", "outputs"}
    assert all(set(cell) == kinds[cell["cell_type"]] for cell in notebook["cells"])
    assert sum("assert" in "".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code") >= 10
    text = "".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    links = re.findall(r"\]\((?!http)([^)#]+)", text)
    assert links
    assert all((NOTEBOOK.parent / link).exists() for link in links)
