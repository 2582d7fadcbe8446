"""Measures of bias that Clarify does not have, and remedies with their effect."""
