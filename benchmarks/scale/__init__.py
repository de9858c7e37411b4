"""What fits: on one machine, and beyond it."""
