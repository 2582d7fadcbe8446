"""HTTP in and out: sign, authorise, parse, dispatch, serialise. Knows no noun."""
