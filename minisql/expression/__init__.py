"""Bound expressions and what can be found out about them without data: their columns, constants, null rejection."""
