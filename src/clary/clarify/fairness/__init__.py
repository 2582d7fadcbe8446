"""Bias: groups counted, metrics measured, how sure they are, and what can be done."""
