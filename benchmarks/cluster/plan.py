"""A plan of 1M to 1B images: arithmetic on measured figures, so that nobody has to do it by hand."""

from __future__ import annotations

from benchmarks.cluster.database import measured
from benchmarks.figures import header, row, title
from benchmarks.speed.end_to_end import own_database

#: samples of a dataset that a driver, its database and the App's own queries are planned for
SHARD = 10_000_000
_SIZES = (1_000_000, 10_000_000, 100_000_000, 1_000_000_000)
_NIGHT = 12  # hours


def print_plan(rate: float, writing: float, driver: float, n: int) -> None:
    """Prints core-hours, bytes and hours of writing.

    Args:
        rate: images a second of one core, end to end
        writing: samples whose scores are written a second
        driver: milliseconds of the driver's CPU an image, without the writing
        n: samples that are measured in the database
    """
    with own_database():
        steps = measured(n)
    document, disk, index = (sum(getattr(each, name) for each in steps) for name in ("document", "disk", "index"))
    # taking in results and writing scores both are the driver's, in threads that share an interpreter
    busy = 1 / (driver / 1000 + 1 / writing)
    title(
        f"{rate:.0f} images a second a core, {writing:,.0f} samples with scores written a second, {driver} ms a result"
    )
    spent = ("core-hours of checks", f"cores for {_NIGHT} h", "driver-hours")
    header("images", "datasets", *spent, "documents", "on disk", "indexes in memory")
    for images in _SIZES:
        hours = images / rate / 3600
        row(
            f"{images:,}",
            -(-images // SHARD),
            f"{hours:,.1f}",
            max(1, round(hours / _NIGHT)),
            f"{images / busy / 3600:,.1f}",
            *(_bytes(images * each) for each in (document, disk, index)),
        )
    print(f"\nOne driver takes in {busy:,.0f} images a second: as many as {busy / rate:.0f} cores check.")
    print(f"A sample with scores, fingerprint and vector: {document:,.0f} of the 16,777,216 bytes of a document.")
    print(f"A dataset of {SHARD:,}: {_bytes(SHARD * document)} of documents, {_bytes(SHARD * index)} of indexes.")


def _bytes(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"
