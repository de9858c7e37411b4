"""What is there again in a picture, pixel for pixel, some way on."""
