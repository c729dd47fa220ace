"""Random queries with grouping sets, which neither SQLite nor a naive reading has: each is also written as UNION ALL.

SQLite and DuckDB are asked the UNION ALL of plain groupings, DuckDB the query itself as well.
"""

from __future__ import annotations

import random
from itertools import combinations, product

import duckdb
import pytest

import minisql
from tests.differential.generator import random_database
from tests.differential.peers import Peers, bag

KEYS = ("t0.k", "t1.x", "t0.s")
JOINS = ("t0 LEFT JOIN t1 ON t0.k = t1.k", "t0 FULL JOIN t1 ON t0.k = t1.k", "t0 JOIN t1 ON t0.x = t1.x", "t0, t1")
AGGREGATES = ("count(*)", "count(t1.y)", "sum(t0.x)", "min(t0.s)", "max(t1.y)", "count(DISTINCT t1.s)", "avg(t1.x)",
              "sum(DISTINCT t0.y)", "count(*) FILTER (WHERE t1.x > 1)")  # fmt: skip
CONDITIONS = ("{0} IS NOT NULL", "{0} IS NULL", "{0} = 1", "{0} = 'a'", "count(*) > 1")
Set = tuple[int, ...]


def element(rng: random.Random, depth: int = 0) -> tuple[str, list[Set]]:
    """An element of GROUP BY, and the sets that it stands for."""
    roll = rng.random()
    if roll < 0.25:
        place = rng.randrange(3)
        return KEYS[place], [(place,)]
    if roll < 0.4:
        places = tuple(rng.sample(range(3), rng.choice((0, 2, 3))))
        return f"({', '.join(KEYS[place] for place in places)})", [places]
    if roll < 0.75 or depth:
        parts = [(place,) for place in rng.sample(range(3), rng.randint(1, 3))]
        if len(parts) > 1 and rng.random() < 0.3:
            parts = [(*parts[0], *parts[1]), *parts[2:]]
        texts = [KEYS[p[0]] if len(p) == 1 else f"({', '.join(KEYS[place] for place in p)})" for p in parts]
        if roll < 0.55:
            sets = [sum(parts[:length], ()) for length in range(len(parts), -1, -1)]
            return f"ROLLUP ({', '.join(texts)})", sets
        chosen = [each for length in range(len(parts) + 1) for each in combinations(parts, length)]
        return f"CUBE ({', '.join(texts)})", [sum(each, ()) for each in chosen]
    elements = [element(rng, depth + 1) for _ in range(rng.randint(1, 3))]
    sets = [each for _, found in elements for each in found]
    return f"GROUPING SETS ({', '.join(text for text, _ in elements)})", sets


def query(rng: random.Random) -> tuple[str, str]:
    """A query with grouping sets, and the UNION ALL that it means."""
    elements = [element(rng) for _ in range(rng.randint(1, 2))]
    sets = [frozenset(sum(chosen, ())) for chosen in product(*[found for _, found in elements])]
    used = sorted(frozenset().union(*sets))
    aggregates = ", ".join(rng.sample(AGGREGATES, 2))
    source = rng.choice(JOINS)
    where = rng.choice(("", "", " WHERE t0.y > 0"))
    condition = rng.choice(CONDITIONS)
    if "{0}" in condition and used:
        condition = condition.format(KEYS[rng.choice(used)])
    having = f" HAVING {condition}" if "{0}" not in condition and rng.random() < 0.5 else ""
    if ("= 1" in having and KEYS[2] in having) or ("'a'" in having and KEYS[2] not in having):
        having = ""
    bits = f", grouping({', '.join(KEYS[place] for place in used)})" if used else ""
    columns = "".join(f"{KEYS[place]}, " for place in used)
    group_by = ", ".join(text for text, _ in elements)
    text = f"SELECT {columns}{aggregates}{bits} FROM {source}{where} GROUP BY {group_by}{having}"
    parts = []
    for each in sets:
        chosen = "".join(f"{KEYS[place]}, " if place in each else "NULL, " for place in used)
        number = int("".join(str(int(place not in each)) for place in used), 2) if used else 0
        keys = ", ".join(KEYS[place] for place in sorted(each))
        tail = f" GROUP BY {keys}" if keys else ""
        own = having
        for place in used:
            if place not in each:
                own = own.replace(KEYS[place], "NULL")
        number_text = f", {number}" if used else ""
        parts.append(f"SELECT {chosen}{aggregates}{number_text} FROM {source}{where}{tail}{own}")
    return text, " UNION ALL ".join(parts)


@pytest.mark.parametrize("seed", range(4))
def test_grouping_sets_give_the_rows_of_a_union_all_of_groupings(seed: int) -> None:
    rng = random.Random(seed)
    compared = asked = 0
    for _ in range(8):
        script = random_database(rng, 2).script()
        peers = Peers(script)
        with minisql.connect() as connection:
            for statement in script:
                connection.execute(statement)
            for _ in range(15):
                text, union = query(rng)
                asked += 1
                found = bag(connection.execute(text).fetchall())
                for setting in ("push_down_conditions", "simplify_outer_joins", "derive_conditions"):
                    connection.execute(f"SET {setting} = off")
                    assert bag(connection.execute(text).fetchall()) == found, (script, setting, text)
                    connection.execute(f"SET {setting} = DEFAULT")
                expected = peers.rows(union)
                if expected is not None:
                    compared += 1
                    assert found == expected, (script, text, union)
        peers.close()
    assert compared > asked / 2


VALUES = "(VALUES {}) AS t(g, i, s, d)"
CALLS = (
    "string_agg(s, ';' ORDER BY i, s, d)", "string_agg(DISTINCT s, '-' ORDER BY s DESC)", "median(i)", "median(d)",
    "quantile_cont(d, 0.3)", "quantile_disc(i, 0.3)", "quantile_disc(s, 0.7)", "stddev(d)", "stddev_pop(i)",
    "variance(i)", "var_pop(d)", "corr(i, d)", "covar_pop(i, d)", "covar_samp(i, d)", "regr_slope(i, d)",
    "regr_intercept(i, d)", "regr_r2(i, d)", "regr_count(i, d)", "regr_avgx(i, d)", "regr_avgy(i, d)", "regr_sxx(i, d)",
    "regr_syy(i, d)", "regr_sxy(i, d)", "bool_and(i > 0)", "bool_or(i > 0)", "bit_and(i)", "bit_or(i)", "bit_xor(i)",
    "product(i)", "coalesce(count_if(i > 0), 0)", "array_agg(i ORDER BY i NULLS LAST)", "first(s ORDER BY i, s, d)",
    "last(s ORDER BY i, s, d)", "any_value(i ORDER BY i)", "arg_min(i, d * 8 + i)", "max_by(i, d * 8 + i)",
    "percentile_cont(0.25) WITHIN GROUP (ORDER BY i DESC)", "percentile_disc(0.25) WITHIN GROUP (ORDER BY s DESC)",
    "sum(DISTINCT i) FILTER (WHERE d > 0)", "array_agg(DISTINCT i ORDER BY i)",
)  # fmt: skip


def rounded(value: object) -> object:
    """Lists and numbers so that they compare; NaN, which DuckDB gives where PostgreSQL gives NULL, as that."""
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return round(float(value), 7) + 0.0 if isinstance(value, (int, float)) and not isinstance(value, bool) else value


@pytest.mark.parametrize("seed", range(3))
def test_aggregates_give_what_they_give_in_duckdb(seed: int) -> None:
    rng = random.Random(seed)
    other = duckdb.connect()
    with minisql.connect() as connection:
        for _ in range(12):
            rows = []
            for _ in range(rng.choice((1, 3, 12))):
                number = rng.choice(("NULL", "-1", "0", "1", "2", "3"))
                text = rng.choice(("NULL", "'a'", "'b'", "'ab'", "''"))
                double = rng.choice(("NULL", "0.5", "-1.5", "2.0", "0.25"))
                rows.append(f"({rng.randint(1, 2)}, CAST({number} AS INTEGER), {text}, CAST({double} AS DOUBLE))")
            source = VALUES.format(", ".join(rows))
            calls = rng.sample(CALLS, 12)
            for tail in ("", " GROUP BY g ORDER BY g"):
                sql = f"SELECT {', '.join(calls)} FROM {source}{tail}"
                expected = [rounded(list(row)) for row in other.execute(sql).fetchall()]
                assert [rounded(list(row)) for row in connection.execute(sql).fetchall()] == expected, sql
    other.close()
