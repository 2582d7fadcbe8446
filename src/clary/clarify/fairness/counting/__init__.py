"""Rows into contingency cells: from tables in memory and from files, in one pass over all asked columns."""
