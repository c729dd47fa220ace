"""What a stored table promises of its rows: keys, conditions, references; and its indexes. Data only.

Columns are positions in the table. NOT NULL and DEFAULT belong to a column, and are in its `ColumnDefinition`.
"""

from __future__ import annotations

from typing import TypeAlias

from minisql.expression.nodes import Expression
from minisql.node import record


@record
class UniqueConstraint:
    """No two rows agree in these columns, unless there is a NULL in them. Those of a primary key are NOT NULL."""

    name: str
    columns: tuple[int, ...]
    is_primary: bool

    @property
    def kind(self) -> str:
        """What SQL calls it."""
        return "PRIMARY KEY" if self.is_primary else "UNIQUE"


@record
class CheckConstraint:
    """A condition that is TRUE or NULL for every row; it reads the columns as `ColumnId(0, position)`."""

    name: str
    condition: Expression


@record
class ForeignKey:
    """A row without a NULL in these columns agrees with a row of the parent in its key columns, which go by name."""

    name: str
    columns: tuple[int, ...]
    parent: str
    parent_columns: tuple[str, ...]


@record
class Index:
    """An index by name. A unique one is held as a key is; others change nothing, for no plan uses them."""

    name: str
    columns: tuple[int, ...]
    unique: bool


Constraint: TypeAlias = UniqueConstraint | CheckConstraint | ForeignKey
