"""Amazon SageMaker: one folder per chapter, one file per noun."""
