"""Clary: an open, self-hosted SageMaker."""

__version__ = "0.1.0"
