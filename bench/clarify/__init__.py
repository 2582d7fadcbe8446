"""Clarify's speed beside named peers."""
