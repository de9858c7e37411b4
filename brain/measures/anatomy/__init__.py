"""What hands, faces, bodies and skin look like when they are sound: pure functions of points and pixels."""
