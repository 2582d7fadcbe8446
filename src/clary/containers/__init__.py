"""What runs inside a job or endpoint process. Knows no server."""
