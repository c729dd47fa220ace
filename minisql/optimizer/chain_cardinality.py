"""How many rows full joins that merge a key have.

The members of a chain (`hypergraph.key_chain`) draw their keys from one set of D distinct keys, where D is the
largest number that a member has. A key is in member i with the probability p_i = d_i / D, in r_i / d_i rows of it. The
join has for each key the product over the members of the rows with it, a padded one where there are none, less the case
that no member has it:

    D (prod_i (1 - p_i + p_i r_i / d_i) - prod_i (1 - p_i)),

and in addition every row whose key is NULL. This does not depend on the order of the joins, and for two members it is
the number of the pairs and of the rows without a match.
"""

from __future__ import annotations

from collections.abc import Sequence

from minisql.hypergraph.join_hypergraph import KeyChain
from minisql.optimizer.statistics import Statistics


class ChainCardinality:
    """The estimates of one chain.

    Attributes:
        tables: the tables of each member.
        edges: bit 2i for every edge i of the chain, in the numbering of `Connections`.
    """

    def __init__(self, chain: KeyChain, edges: int, rows: Sequence[float], statistics: Statistics) -> None:
        """`rows` are those of each member as a whole."""
        self.tables: tuple[int, ...] = chain.tables
        self.edges = edges
        self._distinct: list[float] = []
        self._null_fraction: list[float] = []
        for keys, member_rows in zip(chain.keys, rows, strict=True):
            distinct, not_null = 1.0, 1.0
            for key in keys:
                known = statistics.of(key)
                distinct = min(distinct * known.distinct_count, 1e150)
                not_null *= 1 - known.null_fraction
            self._distinct.append(max(1.0, min(distinct, member_rows * not_null)))
            self._null_fraction.append(1 - not_null)
        self._all_distinct = max(self._distinct)

    def rows(self, members: Sequence[tuple[int, float]]) -> float:
        """The rows of the join of these members, each given by its number and its rows."""
        some, none, alone = 1.0, 1.0, 0.0
        for member, rows in members:
            with_key = rows * (1 - self._null_fraction[member])
            absent = self._absent(member, with_key)
            some *= absent + with_key / self._all_distinct
            none *= absent
            alone += rows - with_key
        return self._all_distinct * (some - none) + alone

    def padded_share(self, padded: int, members: Sequence[tuple[int, float]]) -> float:
        """The share of the rows of the join in which the member with this number is padded."""
        total = self.rows(members)
        without = self.rows([(member, rows) for member, rows in members if member != padded])
        rows = dict(members)[padded]
        absent = self._absent(padded, rows * (1 - self._null_fraction[padded]))
        others_alone = sum(rows * self._null_fraction[member] for member, rows in members if member != padded)
        return min(1.0, ((without - others_alone) * absent + others_alone) / max(total, 1e-9))

    def _absent(self, member: int, rows_with_key: float) -> float:
        """The probability that a key is not in the member."""
        return 1 - min(self._distinct[member], rows_with_key) / self._all_distinct
