"""Text explanations: which words, sentences or paragraphs move a model's score."""
