"""Record-keeping behind every noun: key, ARN, list, page, filter, sort, tags."""
