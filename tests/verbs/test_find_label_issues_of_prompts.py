"""Pictures that are unlike what their prompt asks for, by the pictures of other prompts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.database

ANIMALS, PLACES, N = ["cat", "dog", "horse"], ["on a beach", "in a forest", "next to a car"], 270
#: these pictures show another animal than the prompt asks for
SHOWS = {4: "cat", 100: "horse", 201: "dog"}


@pytest.fixture
def dataset(database: str, tmp_path: Path) -> Any:
    import fiftyone as fo

    rng = np.random.default_rng(0)
    centers, places = 2 * rng.normal(size=(3, 24)), 0.5 * rng.normal(size=(3, 24))
    dataset, samples = fo.Dataset(), []
    for at in range(N):
        asked, place = ANIMALS[at % 3], at // 3 % 3
        vector = centers[ANIMALS.index(SHOWS.get(at, asked))] + places[place] + 0.5 * rng.normal(size=24)
        samples.append(
            fo.Sample(
                filepath=str(tmp_path / f"{at}.png"),
                prompt=f"a photo of a {asked} {PLACES[place]}" if at != 7 else None,
                scenario=fo.DynamicEmbeddedDocument(animal=asked),
                embeddings=vector.astype(np.float32),
            )
        )
    dataset.add_samples(samples, dynamic=True)
    yield dataset
    dataset.delete()


def by_place(dataset: Any, made: Any) -> dict[int, Any]:
    order = {sample_id: at for at, sample_id in enumerate(dataset.values("id"))}
    return {order[issue.id]: issue for issue in made.issues}


def test_a_factor_of_the_prompt(dataset: Any) -> None:
    import loupe

    issues = by_place(dataset, loupe.find_label_issues(dataset, "scenario.animal"))
    assert set(issues) == set(SHOWS)
    for at, shown in SHOWS.items():
        assert (issues[at].given, issues[at].suggested) == (ANIMALS[at % 3], shown)
        assert issues[at].reason.startswith(f"the prompt asks for {ANIMALS[at % 3]} (")
        assert f"the picture is like {shown}'s (" in issues[at].reason


def test_what_the_prompt_names(dataset: Any) -> None:
    import loupe

    made = loupe.find_label_issues(dataset, "prompt")
    issues = by_place(dataset, made)
    assert set(issues) == set(SHOWS)
    for at, shown in SHOWS.items():
        assert issues[at].wrong == (ANIMALS[at % 3],)
        # what a picture shows beside what was asked for is no flaw
        assert issues[at].missing == ()
        assert shown in issues[at].suggested.split(", ")
        assert issues[at].reason.startswith(f"the prompt asks for {ANIMALS[at % 3]} (")
        assert f"the picture is like {shown}'s (" in issues[at].reason
    assert (made.kind, made.unknown, made.n) == ("prompt", 1, N - 1)
    assert "unlike those of other prompts" in made.sentences()[0]
    seventh = dataset.skip(7).first()
    assert seventh.unknown.classifications[0].reason == "no prompt, or none that names a thing"


def test_prompts_that_name_nothing(dataset: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError

    dataset.set_values("prompt", ["masterpiece, 8k"] * N)
    with pytest.raises(InputError, match="got none"):
        loupe.find_label_issues(dataset, "prompt")
