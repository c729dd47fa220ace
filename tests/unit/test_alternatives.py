from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest

import minisql
from minisql.explain.numbers import number_text
from minisql.optimizer.plan_selection import NEAR, are_near_copies, plan_distance, plan_features
from minisql.session.explanations.alternatives import Alternative, find_alternatives
from minisql.session.explanations.join_steps import intermediate_rows, join_steps, shape_of


@pytest.fixture
def connection() -> Iterator[minisql.Connection]:
    with minisql.connect() as connection:
        for number in range(13):
            connection.execute(
                f"CREATE TABLE t{number} AS SELECT range % {number + 3} AS k, range AS x FROM range({8 + 11 * number})"
            )
        yield connection


def chain(tables: int, join: str = "JOIN") -> str:
    return "FROM t0" + "".join(f" {join} t{i} ON t{i - 1}.x = t{i}.x" for i in range(1, tables))


QUERIES = {
    "chain": f"SELECT count(*), sum(t4.x) {chain(5)}",
    "left joins": f"SELECT count(*), sum(t4.x) {chain(5, 'LEFT JOIN')}",
    "full joins": f"SELECT count(*), sum(t3.x), sum(t0.x) {chain(4, 'FULL JOIN')}",
    "simplified": "SELECT count(*), sum(t1.x) FROM t0 FULL JOIN t1 ON t0.k = t1.k LEFT JOIN t2 ON t1.x = t2.x "
    "JOIN t3 ON t1.x = t3.x WHERE t1.x > 5",
    "two tables": "SELECT count(*) FROM t1 FULL JOIN t9 ON t1.k = t9.k",
    "subquery": "SELECT count(*) FROM t5 WHERE EXISTS (SELECT 1 FROM t3 WHERE t3.x = t5.k AND t3.k = 2)",
    "derived": "SELECT t0.x, d.n FROM t0 JOIN "
    "(SELECT t1.k, count(*) AS n FROM t1 JOIN t2 ON t1.x = t2.x GROUP BY t1.k) AS d ON t0.k = d.k "
    "ORDER BY 1, 2 LIMIT 5",
    "grouped": "SELECT t0.x, count(*), sum(t12.x) FROM t12 JOIN t0 ON t12.k = t0.x GROUP BY t0.x ORDER BY 1",
    "on top": "SELECT t1.x, d.n FROM t1 FULL JOIN (SELECT k, count(*) AS n FROM t12 GROUP BY k) AS d ON t1.x = d.k "
    "WHERE d.k = 2",
    "product as written": "SELECT count(*), sum(t3.x) FROM t1, t2, t3, t4 WHERE t1.k = t3.k AND t2.x = t3.x "
    "AND t4.x = t2.x",
    "several subqueries": "SELECT count(*) FROM t5 WHERE x > (SELECT avg(x) FROM t1 WHERE t1.k = t5.k) "
    "AND x < (SELECT max(x) FROM t2 WHERE t2.k = t5.k) AND k IN (SELECT k FROM t3 WHERE t3.x > 2)",
    "no join": "SELECT count(*) FROM t5 WHERE k > 1",
    "union": "SELECT t0.x FROM t0 JOIN t1 USING (k) UNION ALL SELECT t2.x FROM t2 ORDER BY 1",
    "cte": "WITH w AS (SELECT t3.k AS k, count(*) AS n FROM t3 JOIN t4 ON t3.x = t4.x GROUP BY t3.k) "
    "SELECT v.n, w.n FROM w JOIN w AS v ON w.k = v.k ORDER BY 1, 2",
}


def found(connection: minisql.Connection, query: str, count: int = 5) -> tuple[Alternative, ...]:
    return find_alternatives(connection.plan(query), count).others


@pytest.mark.parametrize("name", QUERIES)
def test_alternatives_give_the_rows_of_the_query(connection: minisql.Connection, name: str) -> None:
    query = QUERIES[name]
    expected = connection.execute(query).fetchall()
    result = connection.execute(f"EXPLAIN ALTERNATIVES {query}")
    assert result.names == ("number", "order", "shape", "cost", "factor", "rows", "setting", "difference")
    rows = result.fetchall()
    assert [row[0] for row in rows] == list(range(len(rows)))
    planned = connection.plan(query)
    assert rows[0][1:3] == (planned.order, shape_of(join_steps(planned)))
    assert rows[0][4:] == (
        1.0,
        pytest.approx(intermediate_rows(join_steps(planned)), rel=1e-5),
        None,
        "The chosen plan.",
    )
    for _, order, _, cost, factor, _, setting, _ in rows[1:]:
        assert factor == pytest.approx(cost / planned.cost, rel=1e-2)
        if setting is not None:
            connection.execute(f"SET {setting}")
            again = connection.plan(query)
            given = connection.execute(query).fetchall()
            connection.execute(f"SET {str(setting).split()[0]} = default")
        elif "#" in str(order):
            continue  # the table of a subquery, which a hint cannot name
        else:
            place = query.rindex("SELECT", 0, query.index("FROM", query.index("WITH") + 60) if "WITH" in query else 8)
            hinted = f"{query[:place]}SELECT /*+ JOIN_TREE({order}) */{query[place + 6 :]}"
            again = connection.plan(hinted)
            given = connection.execute(hinted).fetchall()
        assert again.order == order
        assert again.cost == pytest.approx(cost, rel=1e-5)
        assert given == expected
    for alternative in found(connection, query):
        assert alternative.planned.execute().fetchall() == expected


@pytest.mark.parametrize("name", QUERIES)
def test_no_two_are_near_copies(connection: minisql.Connection, name: str) -> None:
    planned = connection.plan(QUERIES[name])
    plans = [planned, *(each.planned for each in find_alternatives(planned, 8).others)]
    features = [plan_features(plan.path) for plan in plans]
    for one, other in itertools.combinations(features, 2):
        assert plan_distance(one, other) >= NEAR
        assert not are_near_copies(one, other)


def test_there_is_something_of_everything(connection: minisql.Connection) -> None:
    alternatives = found(connection, QUERIES["chain"], 8)
    assert len({each.shape for each in alternatives}) >= 3
    assert {each.setting for each in alternatives} >= {None, "hash_join = off"}
    assert min(each.factor for each in alternatives) < 1.5
    assert max(each.factor for each in alternatives) > 1.8


def test_the_query_decides_which_rewrites_are_switched_off(connection: minisql.Connection) -> None:
    def settings(name: str) -> set[str | None]:
        return {each.setting for each in found(connection, QUERIES[name], 20)}

    assert "simplify_outer_joins = off" in settings("simplified")
    assert "unnest_subqueries = off" in settings("subquery")
    assert "push_down_conditions = off" in settings("on top")
    assert settings("chain") <= {None, "hash_join = off", "join_order = 'as_written'"}
    assert settings("no join") == set()


@pytest.mark.parametrize("name", QUERIES)
def test_sentences_are_true(connection: minisql.Connection, name: str) -> None:
    """The numbers of a sentence are those of the two plans, and no two sentences are the same."""
    planned = connection.plan(QUERIES[name])
    alternatives = find_alternatives(planned, 8).others
    assert len({each.difference for each in alternatives}) == len(alternatives)
    chosen = {step.names: step for step in join_steps(planned)}
    for each in alternatives:
        text, steps = each.difference, join_steps(each.planned)
        assert text.endswith(".")
        assert "\n" not in text
        if "times the cost" in text:
            (written,) = re.findall(r"at ([\d.,]+) times", text)
            assert float(written.replace(",", "")) == pytest.approx(each.factor, rel=0.05)
        if match := re.search(r"for (\d+)% more", text):
            assert int(match[1]) == pytest.approx((each.factor - 1) * 100, abs=0.51)
        if match := re.search(r"oins (\w+) with (\w+) first: ([\d.,]+) rows?", text):
            (step,) = [step for step in steps if step.names == {match[1], match[2]}]
            assert number_text(step.rows) == match[3]
            assert step.names not in chosen
        if match := re.search(r"Hashes (\w+) \(([\d.,]+) rows?\)", text):
            (step,) = [step for step in steps if step.right.names == (match[1],)]
            assert number_text(step.right.rows) == match[2]
            assert match[1] not in [step.right.names[0] for step in chosen.values() if len(step.right.names) == 1]
        if match := re.search(r"in place of the ([\d.,]+) rows? of", text):
            missing = [step for step in chosen.values() if step.names not in {other.names for other in steps}]
            assert match[1] in [number_text(step.rows) for step in missing]
        if match := re.search(r"oins (\w+) to ([\w, ]+) before ([\w, ]+):", text):
            rest, after = set(re.split(", | and ", match[2])), set(re.split(", | and ", match[3]))
            if "more table" not in text:
                assert rest | {match[1]} in [set(step.names) for step in steps]
                assert rest | after in [set(step.names) for step in chosen.values()]


def test_how_many(connection: minisql.Connection) -> None:
    def count(number: str, query: str) -> int:
        return connection.execute(f"EXPLAIN ALTERNATIVES {number} {query}").rowcount - 1

    assert count("", QUERIES["chain"]) == 5
    assert count("0", QUERIES["chain"]) == 0
    assert count("1", QUERIES["chain"]) == 1
    assert 5 < count("1000", QUERIES["chain"]) < 100
    assert count("10", QUERIES["two tables"]) in (1, 2)
    assert count("10", "SELECT 1") == 0
    with pytest.raises(minisql.ProgrammingError):
        connection.execute("EXPLAIN ALTERNATIVES 5 DROP TABLE t0")


def test_they_are_the_same_each_time(connection: minisql.Connection) -> None:
    query = f"EXPLAIN ALTERNATIVES 7 SELECT count(*) {chain(8)}"
    assert connection.execute(query).fetchall() == connection.execute(query).fetchall()


def test_over_the_budget_there_are_alternatives_all_the_same(connection: minisql.Connection) -> None:
    connection.execute("SET pair_budget = 10")
    query = f"SELECT count(*), sum(t7.x) {chain(8)}"
    result = connection.execute(f"EXPLAIN ALTERNATIVES {query}")
    assert result.notice is not None
    assert "10 pairs" in result.notice
    assert result.rowcount > 3
    expected = connection.execute(query).fetchall()
    for alternative in found(connection, query):
        assert alternative.planned.execute().fetchall() == expected


def test_a_hint_is_one_plan_among_others(connection: minisql.Connection) -> None:
    plain = connection.plan(QUERIES["chain"]).cost
    hinted = QUERIES["chain"].replace("SELECT", "SELECT /*+ JOIN_TREE(((((t4 t3) t2) t1) t0)) */")
    rows = connection.execute(f"EXPLAIN ALTERNATIVES 8 {hinted}").fetchall()
    assert rows[0][1] == "((((t4 t3) t2) t1) t0)"
    assert min(cost for _, _, _, cost, *_ in rows[1:]) == pytest.approx(plain, rel=0.2)
    assert any("less by the estimates" in str(row[-1]) for row in rows[1:])
