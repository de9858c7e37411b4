"""The vision-language backend with a model of a few thousand weights, made here."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.gpu.report import Report, Settings, rate
from loupe.brain.perception.vlm.local import LocalVlm

_TINY = Path(__file__).resolve().parents[2] / "tests" / "support" / "tiny_vlm.py"


def run(report: Report, settings: Settings) -> None:
    """Prints the answers a second, and how far they are from the CPU's."""
    tiny = _tiny()
    with tempfile.TemporaryDirectory() as folder:
        tiny.build(Path(folder))
        for dtype in ("float32", "bfloat16"):
            report.attempt(f"parity, {dtype}", lambda dtype=dtype: _print_parity(report, settings, tiny, folder, dtype))
            for count in (8, settings.size(64, 8)):
                title = f"{dtype}, {count} at a time"
                report.attempt(
                    title,
                    lambda title=title, dtype=dtype, count=count: _print(
                        report, settings, tiny, folder, title, dtype, count
                    ),
                )


def _tiny() -> Any:
    """Returns the module that the tests make the model with."""
    spec = importlib.util.spec_from_file_location("loupe_tiny_vlm", _TINY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _print_parity(report: Report, settings: Settings, tiny: Any, folder: str, dtype: str) -> None:
    questions = tiny.questions(settings.size(20, 5))
    known = LocalVlm(folder, dtype="float32").answer(questions)
    again = LocalVlm(folder, device=settings.device, dtype=dtype).answer(questions)
    apart = max(abs(first.yes - second.yes) for first, second in zip(known, again, strict=True))
    changed = sum(first.verdict != second.verdict for first, second in zip(known, again, strict=True))
    note = f"of P(yes), to float32 on the CPU; verdicts changed {changed} of {len(questions)}"
    report.row(f"parity, {dtype}", float(apart), "max |difference|", note)


def _print(report: Report, settings: Settings, tiny: Any, folder: str, title: str, dtype: str, count: int) -> None:
    vlm = LocalVlm(folder, device=settings.device, dtype=dtype, batch_size=count)
    questions = tiny.questions(count)
    each = rate(lambda: vlm.answer(questions), settings) * count
    report.row(title, each, "answers/s", "a tiny model: what is measured is what comes around it, on the CPU")
