"""The panel "Repairs"."""
