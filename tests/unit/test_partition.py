from __future__ import annotations

import random

from minisql.partition import Partition


def test_parts_are_those_that_joining_by_hand_gives() -> None:
    rng = random.Random(1)
    for _ in range(50):
        parts: Partition[int] = Partition()
        by_hand = [{thing} for thing in range(12)]
        for _ in range(rng.randrange(15)):
            first, second = rng.randrange(12), rng.randrange(12)
            one = next(part for part in by_hand if first in part)
            other = next(part for part in by_hand if second in part)
            assert parts.join(first, second) is (one is not other)
            if one is not other:
                by_hand.remove(other)
                one |= other
        for part in by_hand:
            assert len({parts.find(thing) for thing in part}) == 1
        assert len({parts.find(thing) for thing in range(12)}) == len(by_hand)
