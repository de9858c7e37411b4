"""What the figures of generators rest on."""
