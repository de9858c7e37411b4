"""Further defects than brain/defects has, and what looks like a defect and is none: one failure mode a file."""
