from __future__ import annotations

from minisql.node_set import NodeSet, is_subset, lowest, members, node_set, overlaps, single, subsets, union


def test_members_come_lowest_first() -> None:
    assert list(members(node_set([70, 3, 0]))) == [0, 3, 70]
    assert list(members(NodeSet(0))) == []


def test_relations() -> None:
    assert is_subset(node_set([1]), node_set([1, 2]))
    assert not is_subset(node_set([1, 3]), node_set([1, 2]))
    assert overlaps(node_set([1, 3]), node_set([1, 2]))
    assert not overlaps(node_set([3]), node_set([1, 2]))
    assert union([single(1), single(2)]) == node_set([1, 2])
    assert lowest(node_set([5, 9])) == 5


def test_every_subset_comes_once_and_after_its_own_subsets() -> None:
    whole = node_set([0, 2, 3])
    seen = list(subsets(whole))
    assert len(seen) == len(set(seen)) == 7
    for position, subset in enumerate(seen):
        assert all(smaller in seen[:position] for smaller in subsets(subset) if smaller != subset)
