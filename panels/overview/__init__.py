"""The panel "Overview": which failures there are, and what is left to do; it needs no factor."""
