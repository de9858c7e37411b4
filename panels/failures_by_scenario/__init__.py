"""The panel "Failures by scenario": how often each failure happens, for each value of a factor."""
