"""How well prompts are read: what they ask for."""
