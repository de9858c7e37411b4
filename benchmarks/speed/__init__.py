"""How fast checks, neighbours, writing and panels are, and what they need."""
