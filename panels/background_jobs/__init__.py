"""The panel "Background jobs": what was scheduled, and how far it has come."""
