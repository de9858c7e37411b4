"""Models, runs or dates side by side."""
