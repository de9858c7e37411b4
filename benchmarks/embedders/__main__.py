"""What the embedders' vectors know of meaning, and what they cost.

python -m benchmarks.embedders meaning      ImageNet's top-1; CIFAR-10 by a linear probe and by the nearest neighbors
python -m benchmarks.embedders speed        milliseconds a picture on one thread
python -m benchmarks.embedders all
"""

from __future__ import annotations

import sys

from benchmarks.commands import Family, each
from benchmarks.embedders.meaning import print_cifar, print_imagenet
from benchmarks.embedders.speed import print_speed


def family() -> Family:
    """Returns the commands."""
    made = Family("embedders", __doc__)
    made.command("meaning", lambda _: each(print_imagenet, print_cifar), "top-1, probe and neighbors")
    made.command("speed", lambda _: print_speed(), "milliseconds a picture")
    made.command("all", lambda _: each(print_imagenet, print_cifar, print_speed), "all of these")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
