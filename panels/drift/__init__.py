"""The panel "Drift": what of each batch differs from the reference, over time, and where it comes from."""
