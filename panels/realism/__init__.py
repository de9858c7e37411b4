"""The panel "Realism": how a synthetic set lies to a real one, what it is worth, and what to do next."""
