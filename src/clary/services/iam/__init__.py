"""AWS Identity and Access Management: what the SDKs ask of it."""
