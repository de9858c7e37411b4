"""How well the composition check tells pictures that keep to their prompt from those that do not: a file a part."""
