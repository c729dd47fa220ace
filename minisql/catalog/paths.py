"""Paths as users write them."""

from __future__ import annotations

from pathlib import Path


def user_path(path: str) -> Path:
    """The path, with somebody's folder for a `~` at its start; as it is where nobody knows that folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
