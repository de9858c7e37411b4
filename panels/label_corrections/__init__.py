"""The panel "Label issues"."""
