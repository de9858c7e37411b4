"""How fast checks, neighbors, writing and panels are, and what they need."""
