"""docs/api.md is that of the code, its examples run, and nothing public is without a docstring."""

from __future__ import annotations

import ast
import inspect
import re

import pytest

import minisql
from docs.list_api import HEAD, SECTIONS, TARGET, page


def test_the_page_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == page(), "run python docs/list_api.py"


def test_everything_public_is_on_the_page() -> None:
    described = {name for names in SECTIONS.values() for name in names}
    globals_ = {"apilevel", "paramstyle", "threadsafety"}
    assert described | globals_ == set(minisql.__all__)
    assert all(name in HEAD for name in globals_)


@pytest.mark.parametrize("example", re.findall(r"```python\n(.*?)```", HEAD, re.DOTALL))
def test_examples(example: str) -> None:
    exec(compile(ast.parse(example), "docs/api.md", "exec"), {})


@pytest.mark.parametrize(
    "class_",
    [
        minisql.Connection,
        minisql.Cursor,
        minisql.Result,
        minisql.PreparedStatement,
        minisql.PlannedQuery,
        minisql.Progress,
        minisql.Span,
        minisql.Interval,
        minisql.SqlError,
    ],
)
def test_what_is_public_has_a_docstring(class_: type) -> None:
    assert class_.__doc__
    for name, member in vars(class_).items():
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            assert member.__doc__ or isinstance(member, property), name
            assert f"`{class_.__name__}.{name}" in TARGET.read_text(encoding="utf-8")


def test_types_are_known_to_type_checkers() -> None:
    from importlib.resources import files

    assert (files("minisql") / "py.typed").is_file()
