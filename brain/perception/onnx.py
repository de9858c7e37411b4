"""ONNX Runtime, which reports to its maker unless it is asked not to."""

from __future__ import annotations

from typing import Any


def runtime() -> Any:
    """Returns the module ``onnxruntime``, its telemetry off.

    The variable that ``core/privacy`` sets is read as it is imported; where somebody else did that before, this is what
    is left to do.

    Raises:
        ImportError: it is not installed
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime
