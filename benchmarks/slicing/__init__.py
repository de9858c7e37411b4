"""Benchmarks of slices and of what is decided of them."""
