"""The panel "Compare": models, runs or dates side by side, and where one got worse than another."""
