"""Repaired pictures, and what people decide of them."""
