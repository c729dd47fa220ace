"""The notebooks of docs/: their cells run in their order, and give what is stored with them.

`pytest --rewrite tests/docs` stores what they give now.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from tests.docs.blocks import ROOT

NOTEBOOKS = sorted((ROOT / "docs").glob("*.ipynb"))


def run(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with the outputs that its cells have now."""
    shell = InteractiveShell()
    for printing in ("write_output_prompt", "write_format_data", "finish_displayhook"):
        setattr(shell.displayhook, printing, lambda *_: None)  # the value of a cell is stored, and not printed as well
    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            with capture_output() as captured:
                ran = shell.run_cell("".join(cell["source"]))
            ran.raise_error()
            outputs: list[dict[str, Any]] = []
            if captured.stdout:
                outputs.append({"name": "stdout", "output_type": "stream", "text": _lines(captured.stdout)})
            if ran.result is not None:
                data, _ = shell.display_formatter.format(ran.result)
                texts = {kind: _lines(text) for kind, text in data.items()}
                outputs.append(
                    {"data": texts, "execution_count": None, "metadata": {}, "output_type": "execute_result"}
                )
            cell = {**cell, "execution_count": None, "outputs": outputs}
        cells.append(cell)
    return {**notebook, "cells": cells}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_runs_and_gives_what_is_stored(
    file: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    notebook = json.loads(file.read_text())
    answer = run(notebook)
    if request.config.getoption("--rewrite"):
        file.write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n")
    else:
        assert answer == notebook


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_can_be_opened(file: Path) -> None:
    notebook = json.loads(file.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    identifiers = [cell["id"] for cell in notebook["cells"]]
    assert len(set(identifiers)) == len(identifiers)
    kinds = {"markdown": {"cell_type", "id", "metadata", "source"}}
    kinds["code"] = kinds["markdown"] | {"execution_count", "outputs"}
    assert all(set(cell) == kinds[cell["cell_type"]] for cell in notebook["cells"])
    text = "".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    links = re.findall(r"\]\((?!http)([^)#]+)", text)
    assert links
    assert all((file.parent / link).exists() for link in links)


def test_the_laboratory_says_what_has_to_hold() -> None:
    notebook = json.loads((ROOT / "docs" / "laboratory.ipynb").read_text())
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert sum("assert" in source for source in code) >= 10
