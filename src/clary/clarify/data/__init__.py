"""The data set: its columns and the parts they play, and what a model answers of it."""
