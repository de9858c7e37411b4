"""Object measures: what the place of a box says of its object. One file each; they do not know each other."""
