"""Explanations of what a model sees in images: superpixels, their Shapley values, heat maps."""
