"""The panel "Duplicates"."""
