"""How well the checks find defects of known severity, and how often they cry wolf."""
