"""Signs drawn by the built-in diffusion model."""

from __future__ import annotations

from benchmarks.gpu.report import Report, Settings, rate
from loupe.brain.core.records import Request
from loupe.brain.generators.diffusion import Diffusion

_PROMPT = 'a red sign that says "{}", day, clear'


def run(report: Report, settings: Settings) -> None:
    """Prints the signs a second, in the model's own number of images at a time and in more."""
    for count in (None, settings.size(64, 2), settings.size(256, 4)):
        title = f"tiny-signs, {count or 'its own number'} at a time"
        report.attempt(title, lambda title=title, count=count: _print(report, settings, title, count))


def _print(report: Report, settings: Settings, title: str, count: int | None) -> None:
    import diffusers  # noqa: F401  where it is not installed, that is what is said

    steps = 2 if settings.small else None
    session = Diffusion("tiny-signs", steps=steps, images_per_call=count).load(settings.device)
    at_once = session.facts["images_per_call"]
    requests = [Request(_PROMPT.format(10 + at % 90), seed=at) for at in range(at_once)]
    each = rate(lambda: session.draw(requests), settings, 2 * settings.seconds) * at_once
    report.row(
        title, each, "images/s", f"{at_once} of 96 x 32, {session.facts['steps']} steps, {session.facts['dtype']}"
    )
