"""What Clary asks of the world: protocols and frozen dataclasses. Names no backend."""
