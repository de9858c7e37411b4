"""How right the metadata of generated pictures are read."""
