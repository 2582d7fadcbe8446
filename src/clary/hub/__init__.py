"""Text models and their recipes: a library that needs no server."""
