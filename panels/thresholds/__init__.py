"""The panel "Thresholds": where a score becomes a failure."""
