"""Every code block of README and docs is run, and prints what the page says that it prints."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from minisql.settings import Settings
from tests.docs.blocks import ROOT, Runner, assert_prints, blocks_of, rewritten

PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_runs(page: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.chdir(ROOT)
    rewrite, text = request.config.getoption("--rewrite"), page.read_text(encoding="utf-8")
    runner = Runner()
    try:
        for block in blocks_of(page):
            printed = runner.run(block)
            if rewrite:
                text = rewritten(text, block, printed)
            elif block.output is not None:
                assert_prints(printed, block.output, str(block))
    finally:
        runner.close()
    if rewrite:
        page.write_text(text, encoding="utf-8")


def test_a_page_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sql\nSELECT 1 AS one\n```\n```\n one\n-----\n   2\n(1 row)\n```\n")
    (block,) = blocks_of(page)
    assert block.output is not None
    with pytest.raises(AssertionError, match="and not"):
        assert_prints(" one\n-----\n   1\n(1 row)\n", block.output, "page")


def test_dots_stand_for_anything() -> None:
    assert_prints("a\nb\nc=5 d\n", "a\n...\nc=... d", "page")
    assert_prints("a\nc=5 d\n", "a\n...\nc=... d", "page")
    with pytest.raises(AssertionError):
        assert_prints("a\nb\nc=5 e\n", "a\n...\nc=... d", "page")


def test_the_reference_has_every_setting() -> None:
    page = (ROOT / "docs" / "sql.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"(?m)^\| `(\w+)` \| (\S+) \|", page))
    defaults = asdict(Settings())
    assert listed.keys() == defaults.keys()
    for name, default in defaults.items():
        shown = {True: "on", False: "off"}.get(default) if isinstance(default, bool) else default
        assert listed[name] == (f"{shown:,}" if isinstance(shown, int) else shown)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
