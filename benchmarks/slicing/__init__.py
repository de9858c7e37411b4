"""Slices of samples: where failures are, what differs between sets, how sure that is."""
