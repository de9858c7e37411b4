"""One model in an ONNX file, run by ONNX Runtime: without its telemetry, and without numbers that are next to nothing.

Numbers below 1.2e-38 (subnormal ones) take a processor some hundred times as long as others, and a network may be full
of them: of PP-OCR's detector two small layers took two thirds of the time. They are zero here; what came out of the
pictures that it was tried with was the same to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from loupe.brain.core import interrupts


@contextmanager
def subnormals_as_zero() -> Iterator[None]:
    """Inside of it, this thread takes numbers below 1.2e-38 for zero, as do those that it starts."""
    import torch

    # each thread has its own setting: who had it before keeps it
    before = bool(np.float32(1e-40) + np.float32(0) == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


class Model:
    """A model that takes one tensor. Several threads may run it at once.

    Args:
        path: an .onnx file
        threads: how many it may use
        device: "cpu", or "cuda" / "cuda:1" where onnxruntime has its CUDA provider; otherwise the CPU is used

    Attributes:
        inputs, outputs: what onnxruntime tells of them: ``name``, ``shape``, ``type``
        provider: the onnxruntime provider in use, e.g. ``"CPUExecutionProvider"``
        metadata: what the file says of itself, by name

    Raises:
        ImportError: onnxruntime is not installed
        Exception: onnxruntime has no base class of its own for what a broken file brings

    Example:
        >>> Model(Path("yolox_nano.onnx")).provider  # doctest: +SKIP
        'CPUExecutionProvider'
    """

    def __init__(self, path: Path, threads: int = 1, device: str = "cpu") -> None:
        import onnxruntime

        # core/privacy sets a variable that is read as it is imported: where somebody did that before, this is left
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        # idle threads that spin take the cores from the reader's and from other processes
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # of its own threads; the first session of a process would set this one, too, which is undone below
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        providers: list[Any] = ["CPUExecutionProvider"]
        if device.startswith("cuda") and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
            providers.insert(0, ("CUDAExecutionProvider", {"device_id": int(device.partition(":")[2] or 0)}))
        with subnormals_as_zero():
            self._session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        self.inputs, self.outputs = self._session.get_inputs(), self._session.get_outputs()
        self.provider: str = self._session.get_providers()[0]
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)

    def __call__(self, tensor: np.ndarray) -> list[np.ndarray]:
        """Returns the model's outputs for a tensor."""
        interrupts.point()
        with subnormals_as_zero():
            return [np.asarray(output) for output in self._session.run(None, {self.inputs[0].name: tensor})]
