"""Shapley values of tables: coalitions, games, Kernel SHAP, trees and interactions."""
