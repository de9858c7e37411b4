"""What a synthetic set lacks becomes prompts that ``loupe.generate`` takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loupe.brain.core import errors

pytestmark = pytest.mark.database

KINDS = ("bike", "bus", "car", "dog", "owl")
MISSING = "dog"
_CENTERS = np.random.default_rng(3).normal(size=(5, 2, 16))


def _dataset(folder: Path, seed: int, n: int, *, missing: str | None = None, captions: bool = False) -> Any:
    """Returns samples in a cluster for each kind by day and by night; none of one kind by night where it is missing."""
    import fiftyone as fo

    rng = np.random.default_rng(seed)
    samples = []
    while len(samples) < n:
        kind, night = int(rng.integers(5)), bool(rng.integers(2))
        if missing == KINDS[kind] and night:
            continue
        vector = _CENTERS[kind, int(night)] + 0.35 * rng.normal(size=16)
        time = "night" if night else "day"
        sample = fo.Sample(
            filepath=str(folder / f"{seed}_{len(samples)}.png"),
            embeddings=vector.astype(np.float32),
            kind=fo.Classification(label=KINDS[kind]),
            scenario=fo.DynamicEmbeddedDocument(time=time, number=str(len(samples))),
        )
        if captions:
            sample["caption"] = f"a {KINDS[kind]} by {time}, photo {len(samples)}"
        samples.append(sample)
    dataset = fo.Dataset()
    dataset.add_samples(samples, dynamic=True, progress=False)
    return dataset


@pytest.fixture
def synthetic(database: str, tmp_path: Path) -> Iterator[Any]:
    own = _dataset(tmp_path, 1, 400, missing=MISSING)
    yield own
    own.delete()


@pytest.fixture(params=[False, True], ids=["words", "captions"])
def real(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    own = _dataset(tmp_path, 2, 400, captions=request.param)
    yield own
    own.delete()


def test_a_planted_hole_is_named_and_its_prompts_say_what_it_is(synthetic: Any, real: Any) -> None:
    import loupe
    from loupe.brain.prompts import files
    from loupe.brain.store import suggestions
    from loupe.brain.store.realism import kept as realism_kept

    made = loupe.compare_to_real(synthetic, real, label="kind", spectra=False)
    assert made.holes is not None
    (hole,) = made.holes.holes
    planted = real.match({"kind.label": MISSING, "scenario.time": "night"}).values("id")
    assert set(hole.ids) <= set(planted)
    assert hole.size >= 0.8 * len(planted)
    assert hole.mostly[0] == (MISSING, 1.0)
    assert hole.scenario == (("time", "night", 1.0),)
    assert set(loupe.view_of(real, hole).values("kind.label")) == {MISSING}

    prompts = loupe.suggest_prompts(made)
    assert len(prompts) == int(np.ceil(hole.expected))
    assert hole.expected == pytest.approx(hole.size * 400 / 400)
    texts = {row["prompt"] for row in prompts}
    if hole.texts:
        assert texts == set(hole.texts)
        assert all(f"a {MISSING} by night" in text for text in texts)
        # what a caption's own picture shows goes along, whatever the others of the hole show
        assert {row["factors"]["number"] for row in prompts} == {text.rsplit(" ", 1)[1] for text in texts}
    else:
        assert texts == {"a photo of a dog, night"}
    assert {(row["factors"]["kind"], row["factors"]["time"]) for row in prompts} == {(MISSING, "night")}
    assert "hole 1" in prompts.suggestions[0].why
    assert "are expected" in prompts.suggestions[0].why
    assert len(files.read(prompts)) == len(prompts), "generate reads them"
    assert len(loupe.suggest_prompts(made, each=3)) == 3
    assert loupe.suggest_prompts(hole, each=3).suggestions == loupe.suggest_prompts(made, each=3).suggestions

    # what is kept says the same, and so does the dataset itself
    assert realism_kept.load(synthetic).realism.holes == made.holes
    assert suggestions.load(synthetic) is None
    again = loupe.suggest_prompts(synthetic)
    assert again.suggestions == prompts.suggestions
    assert suggestions.load(synthetic) == again


def test_the_holes_are_those_that_coverage_finds(synthetic: Any, real: Any) -> None:
    import loupe

    made = loupe.compare_to_real(synthetic, real, label="kind", spectra=False)
    covered = loupe.coverage(synthetic, [], label="kind", reference=real)
    assert made.holes == covered.holes


@pytest.mark.slow
def test_what_is_drawn_for_a_hole_is_of_its_class_and_scenario(synthetic: Any, real: Any, tmp_path: Path) -> None:
    import loupe

    made = loupe.compare_to_real(synthetic, real, label="kind", spectra=False)
    loupe.generate(synthetic, loupe.suggest_prompts(made, synthetic, each=2), steps=1, output_dir=tmp_path / "drawn")
    drawn = synthetic.exists("generation.seed")
    assert drawn.values("scenario.kind") == [MISSING] * 2
    assert drawn.values("scenario.time") == ["night"] * 2


def test_nothing_missing_and_sets_that_differ_as_wholes(real: Any, tmp_path: Path) -> None:
    import loupe

    same = _dataset(tmp_path, 5, 400)
    made = loupe.compare_to_real(same, real, label="kind", spectra=False)
    assert made.holes is not None
    assert made.holes.holes == ()
    assert len(loupe.suggest_prompts(made)) == 0
    same.set_values("embeddings", [-np.abs(vector) - 9 for vector in same.values("embeddings")])
    far = loupe.compare_to_real(same, real, label="kind", spectra=False)
    assert far.holes.holes
    assert any("differ as wholes" in note for note in loupe.suggest_prompts(far).notes)
    same.delete()


def test_few_real_samples_have_no_holes_and_captions_must_be_texts(synthetic: Any, real: Any) -> None:
    import loupe

    made = loupe.compare_to_real(synthetic, real[:15], spectra=False)
    assert made.holes is None
    prompts = loupe.suggest_prompts(made)
    assert (len(prompts), prompts.notes[0][:27]) == (0, "no holes were looked for: t")
    with pytest.raises(errors.UnknownName, match="nothing"):
        loupe.compare_to_real(synthetic, real, captions="nothing", spectra=False)
    with pytest.raises(errors.InputError, match="field of texts"):
        loupe.compare_to_real(synthetic, real, captions="embeddings", spectra=False)


def test_pictures_of_a_group_count_once(synthetic: Any, real: Any) -> None:
    """A hundred copies of one prompt's picture fill a place no more than one does."""
    import loupe

    synthetic.set_values("prompt", ["a photo"] * 400)
    free = loupe.compare_to_real(synthetic, real, spectra=False)
    assert len(free.holes.holes) == 1, "a prompt that all share ties nothing together"
    synthetic.set_values("scene", [f"s{at // 4}" for at in range(400)])
    tied = loupe.compare_to_real(synthetic, real, groups="scene", spectra=False)
    assert any("100 of 400 samples count" in note for note in tied.holes.notes)
