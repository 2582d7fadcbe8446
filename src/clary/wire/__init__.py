"""AWS's contract as pure functions: shapes, parse, validate, serialise, errors, SigV4, ARNs."""
