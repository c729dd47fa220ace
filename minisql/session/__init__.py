"""Connections: the API that programs use, and the stages of a query in their order.

`connection` is what a program holds, `statements` executes each kind of statement, `pipeline` takes a query through the
stages, `result` is what comes back.
"""
