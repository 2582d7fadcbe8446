"""The Clarify processing container: an analysis_config.json and data in, reports out."""
