"""Where hands, faces and bodies are, and their points: MediaPipe's models, run by LiteRT."""
