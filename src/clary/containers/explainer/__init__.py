"""Clarify's online explainability: before a model in its worker, answering predictions with their reasons."""
