"""Random queries with random orders of their joins, and what has to be true of EXPLAIN WHY NOT about each.

- `chosen` and `dearer`: the hint JOIN_TREE with the order gives the rows of the query, on several databases; and the
  query written in that order, by the definition that gives forbidden orders a meaning, gives the rows of the query on
  hundreds of small ones.
- `illegal`: the hint is an error. The counterexample gives other rows in the two forms, in minisql, SQLite and DuckDB
  alike; `written` gives the rows of the query in all three; without any one of its rows the two forms agree.
- `illegal` without a counterexample: many small databases are tried in SQLite, one after the other, to see whether
  there is one.
- `not enumerated`: the hint is an error, or gives the rows of the query.
"""

from __future__ import annotations

import itertools
import random
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import minisql
from minisql.explain.counterexample.search import find_database
from minisql.explain.counterexample.write_sql import write_query, write_script
from minisql.parser.parse import parse_statement
from minisql.query_block.resolve_hints import resolve_join_tree
from minisql.session.explanations.forbidden import both_forms
from minisql.session.explanations.orders import block_of_region
from minisql.session.explanations.outermost_region import Region
from tests.differential.peers import Peers, Rows, bag, known_bug

COLUMNS = ("k", "x", "y", "s")
KINDS = ("JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "FULL JOIN")
CONSTRAINTS = ("", "", "", "", "", " NOT NULL", " UNIQUE", " PRIMARY KEY", " NOT NULL UNIQUE")
Tree = str | tuple["Tree", "Tree"]
Cell = int | str | None


@dataclass(frozen=True)
class Case:
    """Tables, a query over them, and an order of its joins; `is_plain` says that the query does nothing but join."""

    definitions: tuple[str, ...]
    query: str
    order: Tree
    is_plain: bool

    @property
    def statement(self) -> str:
        """The question."""
        return f"EXPLAIN WHY NOT {order_text(self.order)} {self.query}"

    @property
    def hinted(self) -> str:
        """The query in that order."""
        return self.query.replace("SELECT", f"SELECT /*+ JOIN_TREE({order_text(self.order)}) */", 1)


def order_text(tree: Tree) -> str:
    """The order as a hint says it."""
    return tree if isinstance(tree, str) else f"({order_text(tree[0])} {order_text(tree[1])})"


class CaseGenerator:
    """Makes cases over three to five tables."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def case(self, tables: int | None = None) -> Case:
        rng = self._rng
        names = list("abcde"[: tables or rng.choice((3, 3, 4, 4, 5))])
        definitions = tuple(
            f"CREATE TABLE {name} (k INTEGER{rng.choice(CONSTRAINTS)}, x INTEGER, y INTEGER, s VARCHAR)"
            for name in names
        )
        rng.shuffle(names)
        if rng.random() < 0.15:
            text, tree = self._using_chain(names)
            key = rng.random() < 0.5
        else:
            text, tree = self._from(names)
            key = False
        where = self._where(names) if rng.random() < 0.3 else ""
        roll = rng.random()
        if roll < 0.75:
            columns = [f"{name}.{column}" for name in sorted(names) for column in COLUMNS[: rng.choice((2, 3, 4))]]
        else:
            columns = [self._term(names) for _ in range(rng.randint(1, 3))]
        if key:
            columns.insert(0, "k")
        selected = ", ".join(columns)
        is_plain = rng.random() < 0.9
        query = f"SELECT {selected} FROM {text}{where}" if is_plain else f"SELECT count(*) FROM {text}{where}"
        return Case(definitions, query, self._order(tree, names), is_plain)

    # --- FROM ---------------------------------------------------------------------------------------------------------

    def _from(self, names: Sequence[str]) -> tuple[str, Tree]:
        if len(names) == 1:
            return self._leaf(names[0]), names[0]
        cut = len(names) - 1 if self._rng.random() < 0.6 else self._rng.randint(1, len(names) - 1)
        (left, left_tree), (right, right_tree) = self._from(names[:cut]), self._from(names[cut:])
        if cut < len(names) - 1:
            right = f"({right})"
        kind = self._rng.choice(KINDS)
        return f"{left} {kind} {right} ON {self._on(names[:cut], names[cut:])}", (left_tree, right_tree)

    def _leaf(self, name: str) -> str:
        """A table, another one under its name, or some rows of it."""
        roll = self._rng.random()
        if roll < 0.88:
            return name
        if roll < 0.95:
            return f"{self._rng.choice('abc')} AS {name}"
        test = self._rng.choice(("> 0", "IS NULL", "= 1"))
        return f"(SELECT * FROM {name} WHERE {self._column([name])} {test}) AS {name}"

    def _using_chain(self, names: Sequence[str]) -> tuple[str, Tree]:
        text, tree = names[0], names[0]  # type: tuple[str, Tree]
        kinds = self._rng.choice((("FULL JOIN",), KINDS))
        for name in names[1:]:
            text, tree = f"{text} {self._rng.choice(kinds)} {name} USING (k)", (tree, name)
        return text, tree

    def _on(self, left: Sequence[str], right: Sequence[str]) -> str:
        rng = self._rng
        conjuncts = [self._condition(left, right)]
        while rng.random() < 0.25:
            conjuncts.append(self._condition(left, right))
        return " AND ".join(conjuncts)

    def _condition(self, left: Sequence[str], right: Sequence[str]) -> str:
        rng = self._rng
        a, b = self._column(left), self._column(right)
        roll = rng.randrange(20)
        if roll < 7:
            return f"{a} = {b}"
        if roll < 9:
            return f"{a} IS NOT DISTINCT FROM {b}"
        if roll == 9:
            return f"coalesce({a}, {rng.randrange(3)}) = {b}"
        if roll == 10:
            return f"coalesce({self._column(left)}, {a}) = {b}"
        if roll == 11:
            return f"{a} {rng.choice(('<', '<=', '<>', '>'))} {b}"
        if roll == 12:
            return f"({a} = {b} OR {rng.choice((a, b))} IS NULL)"
        if roll == 13:
            return f"{a} + {self._column(rng.choice((left, right)))} = {b}"
        if roll == 14:
            return rng.choice(("TRUE", "1 = 1", "FALSE"))
        if roll == 15:
            return f"{rng.choice((a, b))} = {rng.randrange(3)}"
        if roll == 16:
            return f"{rng.choice((a, b))} IS {rng.choice(('', 'NOT '))}NULL"
        if roll == 17:
            return f"{rng.choice(left)}.s = {rng.choice(right)}.s"
        if roll == 18:
            return f"({a} = {b} OR {rng.choice((*left, *right))}.s LIKE '{rng.choice(('a%', '%b', '_'))}')"
        return f"coalesce({a}, {b}) {rng.choice(('IS NOT NULL', '= 1', '> 0'))}"

    def _column(self, names: Sequence[str]) -> str:
        return f"{self._rng.choice(names)}.{self._rng.choice(('k', 'k', 'x', 'y'))}"

    def _term(self, names: Sequence[str]) -> str:
        roll = self._rng.random()
        if roll < 0.7:
            return self._column(names)
        if roll < 0.85:
            return f"coalesce({self._column(names)}, {self._column(names)})"
        return f"CASE WHEN {self._column(names)} IS NULL THEN 1 ELSE {self._column(names)} END"

    def _where(self, names: Sequence[str]) -> str:
        rng = self._rng
        column = self._column(names)
        test = rng.choice(
            (
                f"{column} = 1",
                f"{column} IS NULL",
                f"{column} > 0",
                f"{column} IN (0, 1, NULL)",
                f"coalesce({column}, {self._column(names)}) = 1",
                f"({column} = 1 OR {self._column(names)} IS NULL)",
                f"{column} <> {self._column(names)}",
                f"{rng.choice(names)}.s LIKE 'a%'",
            )
        )
        return f" WHERE {test}"

    # --- orders -------------------------------------------------------------------------------------------------------

    def _order(self, written: Tree, names: Sequence[str]) -> Tree:
        """Any order, or one that is near the order of the query."""
        if self._rng.random() < 0.3:
            return self._random_tree(self._rng.sample(names, len(names)))
        tree = written
        for _ in range(self._rng.choice((1, 1, 2, 3))):
            tree = self._rng.choice([*neighbors(tree), tree])
        return tree

    def _random_tree(self, names: Sequence[str]) -> Tree:
        if len(names) == 1:
            return names[0]
        cut = self._rng.randint(1, len(names) - 1)
        return self._random_tree(names[:cut]), self._random_tree(names[cut:])


def neighbors(tree: Tree) -> Iterator[Tree]:
    """The trees that differ from one in two joins next to each other."""
    if isinstance(tree, str):
        return
    left, right = tree
    if not isinstance(left, str):
        yield left[0], (left[1], right)
        yield (left[0], right), left[1]
    if not isinstance(right, str):
        yield (left, right[0]), right[1]
        yield right[0], (left, right[1])
    yield from ((other, right) for other in neighbors(left))
    yield from ((left, other) for other in neighbors(right))


# --- what has to be true ----------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What was found so far. `seconds` are those of each question about an illegal order."""

    verdicts: Counter[str] = field(default_factory=Counter)
    counterexamples: int = 0
    missed: list[Case] = field(default_factory=list)
    without_difference: list[Case] = field(default_factory=list)
    known_bugs: Counter[str] = field(default_factory=Counter)
    """How often a peer gave other rows for the query because of a bug that is known."""
    failures: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def check(case: Case, rng: random.Random, tally: Tally, *, brute_force: int) -> None:
    """Checks what is said of a case. `brute_force` is the number of databases that a missing one is looked for in."""
    with minisql.connect() as connection:
        for statement in case.definitions:
            connection.execute(statement)
        _fill(connection, case, rng)
        start = time.perf_counter()
        try:
            verdict, reason, script, written, reordered = connection.execute(case.statement).fetchall()[0]
        except minisql.Error as error:
            tally.failures.append(f"{type(error).__name__}: {error}\n{_text(case)}")
            return
        seconds = time.perf_counter() - start
        tally.verdicts[str(verdict)] += 1
        hinted = _error_of_hint(connection, case)
        if (verdict == "illegal" and hinted is None) or (verdict in ("chosen", "dearer") and hinted is not None):
            tally.failures.append(f"{verdict}, but the hint says {hinted}\n{_text(case)}")
        if hinted is None:
            for _ in range(3):
                expected, found = (bag(connection.execute(query)) for query in (case.query, case.hinted))
                if expected != found:
                    tally.failures.append(f"{verdict}, but the hint gives other rows\n{_text(case)}")
                _fill(connection, case, rng)
            if difference := difference_of_forms(connection, case):
                tally.failures.append(
                    f"{verdict}, but by the definition it gives other rows\n{_text(case)}\n{difference}"
                )
    if verdict != "illegal":
        if (script, written, reordered) != (None, None, None):
            tally.failures.append(f"{verdict} with a counterexample\n{_text(case)}")
        return
    tally.seconds.append(seconds)
    if written is None or reordered is None:
        tally.failures.append(f"illegal, and not shown\n{_text(case)}")
    elif script is None:
        known = has_difference(case, str(written), str(reordered), rng, brute_force)
        (tally.missed if known else tally.without_difference).append(case)
    else:
        tally.counterexamples += 1
        hidden = "hides" in str(reason)
        _check_counterexample(case, str(script), str(written), str(reordered), tally, hidden=hidden)


def difference_of_forms(connection: minisql.Connection, case: Case) -> str:
    """A database on which the query in an allowed order, by the definition, gives other rows; '' without one."""
    planned = connection.plan(case.query)
    tree = parse_statement(case.statement).statement.order  # type: ignore[union-attr]
    assert tree is not None
    block = block_of_region(planned, Region.outermost(planned.rewritten))
    assert block is not None
    forms = both_forms(planned, block, resolve_join_tree(tree, block.from_))
    assert forms is not None
    region, other = forms
    found = find_database(region, other, batches=((300, 1), (300, 2), (200, 3)))
    if found.rows is None:
        return ""
    queries = [write_query(region, tree) for tree in (region.tree, other)]
    return "\n".join([write_script(region.tables, found.rows), *queries])


def _text(case: Case) -> str:
    return ";\n".join((*case.definitions, case.statement))


def _error_of_hint(connection: minisql.Connection, case: Case) -> str | None:
    try:
        connection.plan(case.hinted)
    except minisql.ProgrammingError as error:
        return str(error)
    return None


def _fill(connection: minisql.Connection, case: Case, rng: random.Random) -> None:
    """Other rows for the tables."""
    for definition in case.definitions:
        name = definition.split()[2]
        connection.execute(f"DELETE FROM {name}")
        for row in random_rows(definition, rng, rng.choice((0, 1, 2, 3, 5))):
            connection.execute(f"INSERT INTO {name} VALUES ({', '.join(map(_literal, row))})")


def random_rows(definition: str, rng: random.Random, count: int) -> list[tuple[Cell, ...]]:
    """Rows that keep what the definition promises of k."""
    rows: list[tuple[Cell, ...]] = []
    not_null = "NOT NULL" in definition or "PRIMARY" in definition
    unique = "UNIQUE" in definition or "PRIMARY" in definition
    for _ in range(count):
        numbers = [None if rng.random() < 0.25 else rng.randrange(3) for _ in range(3)]
        if not_null and numbers[0] is None:
            numbers[0] = rng.randrange(3)
        if unique and numbers[0] is not None and any(row[0] == numbers[0] for row in rows):
            continue
        rows.append((*numbers, None if rng.random() < 0.2 else rng.choice(("a", "ab", "b", ""))))
    return rows


def _literal(value: Cell) -> str:
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


def has_difference(case: Case, written: str, reordered: str, rng: random.Random, databases: int) -> bool:
    """Whether the two give other rows on one of many small databases, in SQLite, one after the other."""
    connection = sqlite3.connect(":memory:")
    try:
        for statement in case.definitions:
            connection.execute(statement)
        for number in range(databases):
            for definition in case.definitions:
                name = definition.split()[2]
                connection.execute(f"DELETE FROM {name}")
                rows = random_rows(
                    definition, rng, rng.randrange(2 if number % 3 == 0 else 3 if number % 3 == 1 else 4)
                )
                connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?, ?)", rows)
            first, second = (Counter(connection.execute(query)) for query in (written, reordered))
            if first != second:
                return True
    finally:
        connection.close()
    return False


def _check_counterexample(case: Case, script: str, written: str, reordered: str, tally: Tally, *, hidden: bool) -> None:
    def fail(what: str) -> None:
        tally.failures.append(f"{what}\n{_text(case)}\n-- the counterexample\n{script}\n{written};\n{reordered};")

    statements = [line.rstrip(";") for line in script.split("\n")]
    shown = [written, reordered]
    if case.is_plain and not hidden:
        shown.append(case.query)
    answers = {"minisql": _rows_in_minisql(statements, shown)}
    peers = Peers(statements)
    try:
        each = [peers.rows_of_each(query) for query in shown]
    finally:
        peers.close()
    for engine in ("SQLite", "DuckDB"):
        answers[engine] = [rows[engine] for rows in each]
    for engine, rows in answers.items():
        if rows[0] == rows[1]:
            fail(f"no difference in {engine}: {rows[0]}")
        if len(rows) > 2 and rows[0] != rows[2]:
            if known := known_bug(engine, case.query):
                tally.known_bugs[known] += 1
            else:
                fail(f"written is not the query in {engine}: {rows[0]} and {rows[2]}")
        if rows[:2] != answers["minisql"][:2]:
            fail(f"{engine} gives other rows than minisql: {rows} and {answers['minisql']}")
    for smaller in without_one_row(statements):
        first, second = _rows_in_minisql(smaller, [written, reordered])
        if first != second:
            fail(f"a row is not needed: {smaller}")


def without_one_row(statements: Sequence[str]) -> Iterator[list[str]]:
    """The script without one of its rows, for each row."""
    for place, statement in enumerate(statements):
        found = re.fullmatch(r"(INSERT INTO \S+ VALUES )(\(.*\))", statement)
        if not found:
            continue
        rows = re.findall(r"\((?:'[^']*'|[^()'])*\)", found[2])
        for number in range(len(rows)):
            rest = rows[:number] + rows[number + 1 :]
            insert = [found[1] + ", ".join(rest)] if rest else []
            yield [*statements[:place], *insert, *statements[place + 1 :]]


def _rows_in_minisql(statements: Sequence[str], queries: Sequence[str]) -> list[Rows | None]:
    with minisql.connect() as connection:
        for statement in statements:
            connection.execute(statement)
        return [bag(connection.execute(query)) for query in queries]


def cases(seed: int, tables: int | None = None) -> Iterator[tuple[Case, random.Random]]:
    """Cases without end, each with a source of random numbers for its data."""
    for number in itertools.count():
        rng = random.Random(f"{seed} {number}")
        yield CaseGenerator(rng).case(tables), rng
