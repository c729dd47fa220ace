"""Plans of the queries run last, so that a query that is run again is neither parsed nor planned again.

A plan is found by the text of the query, letter by letter, and the settings. It is good for as long as the catalog has
the version that it was made for and every file that it reads is still the same. Not kept are
- plans of queries with parameters: their values are constants in the plan, which may depend on them;
- plans of queries with CURRENT_DATE and the like, which are constants in the plan, too;
- plans that read CSV files: such a file is in memory as a whole, and only as long as somebody uses it;
- plans of long texts, which are most likely full of data, and run once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

from minisql.catalog.arrow_table import ArrowTable
from minisql.catalog.catalog import Catalog
from minisql.catalog.table import Table
from minisql.errors import SqlError
from minisql.query_block.environment import View
from minisql.session.pipeline import PlannedQuery
from minisql.settings import Settings

MOST_PLANS: Final = 128
"""How many plans are kept: those used last."""
LONGEST_TEXT: Final = 20_000
"""The most characters of a query whose plan is kept."""


class NewPlan(NamedTuple):
    """A plan, the version of the catalog it was made for, and the files that it reads: paths and what they were.

    `is_of_this_moment` says that the time of planning is a constant in it, or an object given for one statement.
    """

    planned: PlannedQuery
    version: int
    files: Sequence[tuple[str, Table]]
    is_of_this_moment: bool = False


class PlanCache:
    """See the module. One for each connection, which lets one thread at a time use it."""

    def __init__(self, catalog: Catalog[View]) -> None:
        self._catalog = catalog
        self._version = catalog.version
        self._plans: OrderedDict[tuple[str, Settings], NewPlan] = OrderedDict()

    def __len__(self) -> int:
        return len(self._plans)

    def find(self, text: str, settings: Settings) -> PlannedQuery | None:
        """The plan of a query without parameters that would be made now; None where none is kept."""
        self.forget_old()
        key = text, settings
        known = self._plans.get(key)
        if known is None:
            return None
        if not all(self._is_current(path, table) for path, table in known.files):
            del self._plans[key]
            return None
        self._plans.move_to_end(key)
        return known.planned

    def keep(self, text: str, new: NewPlan) -> None:
        """Keeps a plan that was made of this text and no parameters, unless the plan is of no use later."""
        self.forget_old()
        settings = new.planned.settings
        if not settings.plan_cache or len(text) > LONGEST_TEXT or new.version != self._version:
            return
        if new.is_of_this_moment or any(isinstance(table, ArrowTable) for _, table in new.files):
            return
        self._plans[text, settings] = new
        if len(self._plans) > MOST_PLANS:
            self._plans.popitem(last=False)

    def forget_old(self) -> None:
        """Lets go of all plans if the catalog has changed, and with them of the tables as they were."""
        if self._version != self._catalog.version:
            self._version = self._catalog.version
            self._plans.clear()

    def _is_current(self, path: str, table: Table) -> bool:
        try:
            return self._catalog.files.open(path) is table
        except SqlError:
            return False  # planning says what is wrong with the file
