"""The reports of an analysis: one self-contained page and one notebook."""
