"""What drift is looked for in, and what was found."""
