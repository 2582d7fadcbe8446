"""`clary demo`: the main job on real data, by boto3 alone, as a client of a running Clary."""
