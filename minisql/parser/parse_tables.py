"""The LALR(1) tables of the grammar: made by Lark, kept in a file, loaded at the first parse.

Lark analyses `grammar/sql.lark`; that takes half a second. So the tables are kept beside the grammar, in
`sql.tables.json`, with the hash of the grammar that they were made of. They load in a few milliseconds, and without
importing Lark. Where the hash does not fit, because someone is working on the grammar, they are made anew in memory:
the grammar always decides. `python -m minisql.parser.parse_tables` writes the file; a test fails when it is stale.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from minisql.errors import InternalError

START: Final = "statement"
END: Final = 0
"""The number of the terminal at the end of a statement."""

LARK_OPTIONS: Final[dict[str, Any]] = {
    "start": START,
    "parser": "lalr",
    "maybe_placeholders": True,
    "g_regex_flags": re.IGNORECASE,
}
"""How Lark reads the grammar."""

_GRAMMAR_FILE: Final = "sql.lark"
_TABLES_FILE: Final = "sql.tables.json"


class Rule(NamedTuple):
    """A production. Its value is what `callback` makes of the arguments that `recipe` picks from the symbols.

    An argument is the value of symbol `n`, or None for an optional part that is absent; `~n` stands for all the
    elements of symbol `n`, which is a repetition. `callback` is None where the only argument is the value, and empty
    where the list of arguments is: the repetitions.
    """

    result: int
    size: int
    callback: str | None
    recipe: tuple[int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseTables:
    """What the shift-reduce loop and the scanner need. Terminals, nonterminals, states and rules are numbers.

    `actions[state][terminal]` is the next state, or `~rule` to reduce by a rule. `gotos[state][nonterminal]` is the
    state after a reduction. State 0 is the first one; shifting END accepts. `literals` are the terminals with one
    spelling, keywords in lower case; `patterns` are the regular expressions of the others, in the order in which they
    are tried; `reserved` are the words, in lower case, that are no names.
    """

    terminals: tuple[str, ...]
    patterns: tuple[tuple[str, str], ...]
    literals: dict[str, int]
    reserved: frozenset[str]
    rules: tuple[Rule, ...]
    actions: tuple[dict[int, int], ...]
    gotos: tuple[dict[int, int], ...]

    def advance(self, states: list[int], terminal: int) -> bool:
        """Reduces and shifts on a stack of states alone; False where the terminal does not fit.

        That a terminal is in the row of a state is not enough: LALR merges states, and finds out only while reducing.
        """
        while True:
            action = self.actions[states[-1]].get(terminal)
            if action is None:
                return False
            if action >= 0:
                states.append(action)
                return True
            rule = self.rules[~action]
            del states[len(states) - rule.size :]
            states.append(self.gotos[states[-1]][rule.result])


@functools.cache
def load_parse_tables() -> ParseTables:
    """The tables of the grammar, from the file where it fits, else from Lark."""
    folder = _grammar_folder()
    grammar = (folder / _GRAMMAR_FILE).read_text(encoding="utf-8")
    tables_file = folder / _TABLES_FILE
    if tables_file.exists():
        tables = json.loads(tables_file.read_text(encoding="utf-8"))
        if tables["grammar"] == _fingerprint(grammar):
            return _unpack(tables)
    return _unpack(make_tables(grammar))


def make_tables(grammar: str) -> dict[str, Any]:
    """The tables of a grammar in the form of the file: everything numbered, equal rows kept once.

    The numbers do not depend on the order in which Lark, which goes through sets, happens to find the states.
    """
    from lark import Lark
    from lark.grammar import Rule as LarkRule
    from lark.lexer import TerminalDef

    data, memo = Lark(grammar, **LARK_OPTIONS).memo_serialize([TerminalDef, LarkRule])
    definitions = [item for item in memo.values() if item["__type__"] == "TerminalDef"]
    table = data["parser"]["parser"]
    symbols = table["tokens"]
    transitions = {
        state: {symbols[symbol]: (kind, argument) for symbol, (kind, argument) in row.items()}
        for state, row in table["states"].items()
    }
    first, last = table["start_states"][START], table["end_states"][START]

    terminals = ["$END", *sorted(definition["name"] for definition in definitions)]
    terminal_numbers = {name: number for number, name in enumerate(terminals)}
    nonterminals = sorted(set(symbols.values()) - set(terminals))
    nonterminal_numbers = {name: number for number, name in enumerate(nonterminals)}

    lark_rules = sorted(
        {argument["@"] for row in transitions.values() for kind, argument in row.values() if kind == 1},
        key=lambda key: json.dumps(memo[key], sort_keys=True),
    )
    rule_numbers = {key: number for number, key in enumerate(lark_rules)}
    state_numbers = _number_states(transitions, first)

    rows: dict[str, int] = {}
    states: list[tuple[int, int]] = []
    for state in state_numbers:
        actions: dict[int, int] = {}
        gotos: dict[int, int] = {}
        for symbol, (kind, argument) in transitions[state].items():
            if kind == 1:
                actions[terminal_numbers[symbol]] = ~rule_numbers[argument["@"]]
            elif symbol in terminal_numbers:
                actions[terminal_numbers[symbol]] = state_numbers[argument]
            else:
                gotos[nonterminal_numbers[symbol]] = state_numbers[argument]
        if state == last:
            actions[END] = 0
        packed = [json.dumps([n for pair in sorted(row.items()) for n in pair]) for row in (actions, gotos)]
        states.append((rows.setdefault(packed[0], len(rows)), rows.setdefault(packed[1], len(rows))))

    return {
        "grammar": _fingerprint(grammar),
        "terminals": terminals,
        "patterns": _patterns(definitions),
        "literals": {
            definition["pattern"]["value"].lower(): terminal_numbers[definition["name"]]
            for definition in sorted(definitions, key=lambda definition: str(definition["name"]))
            if definition["pattern"]["__type__"] == "PatternStr"
        },
        "reserved": _reserved_words(definitions),
        "rules": [_rule(memo[key], nonterminal_numbers) for key in lark_rules],
        "rows": [json.loads(row) for row in rows],
        "states": states,
    }


def _number_states(transitions: dict[int, dict[str, tuple[int, Any]]], first: int) -> dict[int, int]:
    """The states in the order of a breadth-first walk by the names of the symbols."""
    numbers = {first: 0}
    queue = deque([first])
    while queue:
        for _, (kind, argument) in sorted(transitions[queue.popleft()].items()):
            if kind == 0 and argument not in numbers:
                numbers[argument] = len(numbers)
                queue.append(argument)
    return numbers


def _rule(rule: dict[str, Any], nonterminal_numbers: dict[str, int]) -> Rule:
    """What Lark's tree builder would do for the rule (lark/parse_tree_builder.py), as a recipe."""
    options, expansion = rule["options"], rule["expansion"]
    recipe: list[int | None] = []
    symbols = enumerate(expansion)
    for absent in options["empty_indices"] or [False] * len(expansion):
        if absent:
            recipe.append(None)
            continue
        index, symbol = next(symbols)
        if symbol["__type__"] == "NonTerminal":
            recipe.append(~index if symbol["name"].startswith("_") else index)
        elif not symbol["filter_out"]:
            recipe.append(index)
    name: str = rule["origin"]["name"]
    callback: str | None
    if name.startswith("_"):
        callback = ""
    elif rule["alias"] is None and options["expand1"]:
        if len(recipe) != 1 or recipe[0] is None or recipe[0] < 0:
            raise InternalError(f"An alternative of ?{name} has not exactly one value, and no name for a callback.")
        callback = None
    else:
        callback = rule["alias"] or name
    return Rule(nonterminal_numbers[name], len(expansion), callback, tuple(recipe))


def _patterns(definitions: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The regular expressions of the terminals that need one, by falling priority; longer alternatives come first."""
    found = [
        (-definition["priority"], definition["name"], definition["pattern"])
        for definition in definitions
        if definition["pattern"]["__type__"] == "PatternRE"
    ]
    return [
        (name, "".join(f"(?{flag}:" for flag in pattern["flags"]) + pattern["value"] + ")" * len(pattern["flags"]))
        for _, name, pattern in sorted(found, key=lambda item: item[:2])
    ]


def _reserved_words(definitions: list[dict[str, Any]]) -> list[str]:
    """The words that the pattern of NAME mentions and does not match."""
    (name,) = (pattern for terminal, pattern in _patterns(definitions) if terminal == "NAME")
    is_name = re.compile(name, re.IGNORECASE)
    return sorted(word.lower() for word in set(re.findall("[A-Z]+", name)) if not is_name.fullmatch(word))


def _unpack(tables: dict[str, Any]) -> ParseTables:
    rows = [dict(zip(row[::2], row[1::2], strict=True)) for row in tables["rows"]]
    return ParseTables(
        terminals=tuple(tables["terminals"]),
        patterns=tuple((name, pattern) for name, pattern in tables["patterns"]),
        literals=tables["literals"],
        reserved=frozenset(tables["reserved"]),
        rules=tuple([Rule(result, size, name, tuple(recipe)) for result, size, name, recipe in tables["rules"]]),
        actions=tuple([rows[actions] for actions, _ in tables["states"]]),
        gotos=tuple([rows[gotos] for _, gotos in tables["states"]]),
    )


def _fingerprint(grammar: str) -> str:
    return hashlib.sha256(grammar.encode()).hexdigest()


def _grammar_folder() -> Path:
    """`minisql/grammar` where minisql is installed, `grammar` beside `minisql` in a source tree."""
    package = Path(__file__).parent.parent
    for folder in (package / "grammar", package.parent / "grammar"):
        if (folder / _GRAMMAR_FILE).exists():
            return folder
    raise InternalError(f"The grammar {_GRAMMAR_FILE} is missing from the installation.")


def write_tables() -> Path:
    """Makes the tables and writes them beside the grammar: to be run after each change of the grammar."""
    folder = _grammar_folder()
    tables = make_tables((folder / _GRAMMAR_FILE).read_text(encoding="utf-8"))
    lines = (f"{json.dumps(key)}: {_one_item_a_line(value)}" for key, value in tables.items())
    path = folder / _TABLES_FILE
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return path


def _one_item_a_line(value: object) -> str:
    if not isinstance(value, list):
        return json.dumps(value)
    return "[\n" + ",\n".join(json.dumps(item, separators=(",", ":")) for item in value) + "\n]"


if __name__ == "__main__":
    print(write_tables())
