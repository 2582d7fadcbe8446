"""Whether a new batch of data drifts from a baseline: bias, attributions, and captured requests as data."""
