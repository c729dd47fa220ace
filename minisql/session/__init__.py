"""Connections: the API that programs use, and the stages of a query in their order.

`connection` is what a program holds, `statements` executes each kind of statement, `pipeline` takes a query through the
stages, `orders` looks at the orders of its joins, `plan_cache` keeps its plan, `result` is what comes back.
"""
