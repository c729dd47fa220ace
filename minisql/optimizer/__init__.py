"""From a relational expression to the cheapest access path; `find_best_plan` is the entry.

Statistics give selectivities, these give cardinalities, and these costs; `costing_receiver` keeps the cheapest plan of
every set of tables that the enumeration reports.

`laboratory` plans joins without a catalog, for teaching and research.
"""
