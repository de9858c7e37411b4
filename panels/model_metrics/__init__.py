"""The panel "Model metrics": how models do by slice, at any threshold, with curves and confusions."""
