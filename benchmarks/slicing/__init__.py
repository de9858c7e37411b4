"""Failures by scenario: how often what is said of slices is right, and how fast it is said."""
