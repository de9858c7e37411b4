"""The panel "Worst slices": which slices fail more often than the rest, as cards."""
