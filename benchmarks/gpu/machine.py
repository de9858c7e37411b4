"""What the command runs on, and what is not installed."""

from __future__ import annotations

import importlib.util
import os
import platform
from importlib.metadata import PackageNotFoundError, version

from benchmarks.figures import processor
from benchmarks.gpu.report import Report, Settings, rate

#: modules that some parts need, the package of each, and what is left out without it
_WANTED = {
    "cv2": (
        "opencv-python-headless",
        "text, hands, faces and bodies, flaws of the contract's pictures; slower on the CPU",
    ),
    "simplejpeg": ("simplejpeg", "JPEGs on the device: whether a file is whole is not known"),
    "onnxruntime": ("onnxruntime", "text and overlay on the CPU, composition"),
    "rapidocr": ("rapidocr", "text and overlay"),
    "ai_edge_litert": ("ai-edge-litert", "hands, faces, bodies, skin"),
    "open_clip": ("open_clip_torch", "the embedder open_clip"),
    "timm": ("timm", "the embedder timm"),
    "transformers": ("transformers", "the VLM, reading on the device"),
    "diffusers": ("diffusers", "drawing"),
    "fiftyone": ("fiftyone", "nothing here: the verbs, the App"),
}


def run(report: Report, settings: Settings) -> None:
    """Prints the device, the versions and what is missing."""
    report.attempt("device", lambda: _print_device(report, settings))
    report.row("processor", processor(), note=f"{os.cpu_count()} cores, Python {platform.python_version()}")
    names = ("torch", "torchvision", "numpy", "scipy", "Pillow", "transformers", "diffusers", "simplejpeg")
    report.row("libraries", ", ".join(filter(None, map(_version, names))))
    for module, (package, without) in _WANTED.items():
        # FiftyOne would start its database: nothing is imported to see that it is here
        if importlib.util.find_spec(module) is None:
            report.row(package, None, note=f"left out: {without}. {module} is not installed: pip install {package}")
    report.attempt("loupe", lambda: _print_package(report))
    report.attempt("waiting for the device", lambda: _print_wait(report, settings))


def _print_device(report: Report, settings: Settings) -> None:
    import torch

    if not settings.device.startswith("cuda"):
        report.row("device", settings.device, note="no GPU: a rehearsal, whose figures say nothing of a GPU")
        return
    facts = torch.cuda.get_device_properties(settings.device)
    memory = f"{facts.total_memory / 2**30:.0f} GiB, {facts.multi_processor_count} multiprocessors"
    report.row("device", facts.name, note=f"{memory}, CUDA {torch.version.cuda}")


def _print_package(report: Report) -> None:
    import loupe
    from loupe.brain.core import registry

    kinds = (registry.checks, registry.defects, registry.embedders, registry.generators)
    counts = ", ".join(f"{len(kind())} {kind.__name__}" for kind in kinds)
    report.row("loupe", loupe.__version__, note=f"imported, with {counts}")


def _print_wait(report: Report, settings: Settings) -> None:
    import torch

    number = torch.zeros(1, device=settings.device)
    each = 1e6 / rate(number.item, settings, settings.seconds / 4)
    report.row("waiting for the device", each, "µs", "for one number; each hidden wait costs so much at least")


def _version(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""
