"""What is asked: analysis_config.json, checked key by key."""
