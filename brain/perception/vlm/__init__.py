"""Vision-language models that answer yes, no or unknown to a question about a picture."""
