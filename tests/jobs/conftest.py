"""A house for jobs: real records in SQLite, real files, real processes."""
