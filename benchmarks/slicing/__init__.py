"""Failures by scenario: how often what is said of slices is right, and how fast it is said."""
"""Slices of samples: where failures are, what differs between sets, how sure that is."""
"""Benchmarks of slices and of what is decided of them."""
