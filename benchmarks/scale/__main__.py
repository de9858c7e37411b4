"""How far one machine goes.

Each thing that is measured runs in a process of its own, so that its memory is its own:

    python -m benchmarks.scale million                  # verbs and panels at 100,000 and 1,000,000 samples
    python -m benchmarks.scale million -n 20000 --only flag slice
    python -m benchmarks.scale near -n 20000 100000     # near pairs of fingerprints and of vectors: CPU, memory, found
    python -m benchmarks.scale near --what peers        # of the same vectors by FAISS and LanceDB, where installed
    python -m benchmarks.scale peer --peer PYTHON       # the same flow by LightlyStudio (in an environment of its own)
    python -m benchmarks.scale check -n 5000 20000      # check on files of 64 pixels: memory as the number grows
    python -m benchmarks.scale growth -n 3000 12000     # how the time of each verb grows with the samples
    python -m benchmarks.scale remote                   # reading pictures from a web server that answers after 20 ms,
                                                        # against the same files here: first pass, second pass
    python -m benchmarks.scale remote -n 2000 --delay 100
"""

from __future__ import annotations

import sys

from benchmarks.commands import Family
from benchmarks.scale import files, growth, million, near, peer, remote


def family() -> Family:
    """Returns the commands."""
    made = Family("scale", __doc__)
    million.add_to(made)
    near.add_to(made)
    files.add_to(made)
    peer.add_to(made)
    growth.add_to(made)
    remote.add_to(made)
    return made


if __name__ == "__main__":
    sys.exit(family().main())
