"""What Loupe does on a GPU: parity with the CPU, speed and where it goes, memory; each part for itself."""
