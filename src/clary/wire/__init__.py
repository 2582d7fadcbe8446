"""AWS's contract as pure functions over botocore's models: parse, validate, serialise, errors, SigV4, ARNs."""
