"""Simplifies outer joins: FULL becomes LEFT and LEFT becomes INNER where a condition rejects the padded rows.

`SELECT ... FROM a FULL JOIN b ON ... WHERE b.x > 5` keeps no row in which b is padded, so the join may as well be the
LEFT JOIN of b with a. Galindo-Legaria and Rosenthal, "Outerjoin Simplification and Reordering for Query Optimization",
TODS 1997, section 3.

Conditions travel down the tree from where they are written as long as every row of an input that fails one cannot
contribute to the result: through inner joins to both inputs, through outer joins to the preserved side; those of a left
join's own ON go to its right side. They are rewritten on the way through projections (so a merged USING key is seen as the
COALESCE that it is), group keys and set operations. Nothing passes a LIMIT, or an aggregate that is no key.
"""

from __future__ import annotations

