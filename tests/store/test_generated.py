"""The samples of generated images: their fields, one sample a key, and facts that do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.database


def image(folder: Path, key: str, size: int = 10, **facts: Any) -> Any:
    from loupe.brain.engine.drawing import Generated

    path = folder / f"{key}.png"
    path.write_bytes(b"x" * size)
    known = {"key": key, "width": 5, "height": 4, **facts}
    return Generated(path=path, prompt=f"a fox {key}", factors={"time": "night"}, facts=known)


def test_fields_are_declared_once_in_the_order_of_the_factors(dataset: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store import generated

    for _ in range(2):
        generated.prepare(dataset, ["weather", "time", "weather"])
    assert dataset.media_type == "image", "what has no samples yet takes images only from now on"
    schema = dataset.get_field_schema(flat=True)
    assert isinstance(schema["prompt"], fo.StringField)
    assert isinstance(schema["generation.seed"], (fo.IntField, fo.StringField))
    assert schema["generation.key"].description == "Hash of all that decides the pixels"
    assert schema["scenario.time"].description == "The prompt's time"
    assert [path for path in schema if path.startswith("scenario.")] == ["scenario.weather", "scenario.time"]


def test_what_cannot_take_images_is_refused(dataset: Any) -> None:
    import fiftyone as fo

    from loupe.brain.core.errors import InputError
    from loupe.brain.store import generated

    with pytest.raises(InputError, match="expected a FiftyOne dataset to add images to, got DatasetView"):
        generated.prepare(dataset.view(), [])
    dataset.add_sample_field("prompt", fo.IntField)
    with pytest.raises(InputError, match="'prompt' is an IntField and would have to be a StringField"):
        generated.prepare(dataset, [])
    dataset.delete_sample_field("prompt")
    dataset.media_type = "video"
    with pytest.raises(InputError, match="got media type 'video'"):
        generated.prepare(dataset, [])


def test_a_sample_says_how_its_image_was_made(dataset: Any, tmp_path: Path) -> None:
    from loupe.brain.store import generated

    generated.prepare(dataset, ["time"])
    generated.add(dataset, [image(tmp_path, "a", steps=20, guidance=7, model="tiny", nsfw=False, unheard_of=1)])
    sample = dataset.first()
    assert sample.filepath == str(tmp_path / "a.png")
    assert (sample.prompt, sample.scenario.time) == ("a fox a", "night")
    made = sample.generation
    assert (made.key, made.steps, made.guidance, made.model, made.nsfw) == ("a", 20, 7, "tiny", False)
    assert made.negative_prompt is None
    assert not dataset.has_field("generation.unheard_of")
    facts = sample.metadata
    assert (facts.size_bytes, facts.width, facts.height, facts.num_channels) == (10, 5, 4, 3)
    assert facts.mime_type == "image/png"


def test_facts_of_another_type_are_left_out(dataset: Any, tmp_path: Path) -> None:
    from loupe.brain.store import generated

    generated.prepare(dataset, ["time"])
    generated.add(dataset, [image(tmp_path, "a", steps="many", guidance=True, model=3, nsfw=1)])
    made = dataset.first().generation
    assert (made.steps, made.guidance, made.model, made.nsfw) == (None, None, None, None)


def test_a_key_has_one_sample_and_a_file_drawn_again_its_new_size(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    from loupe.brain.store import generated

    generated.prepare(dataset, ["time"])
    dataset.add_sample(fo.Sample(filepath="/nowhere/own.png"))
    generated.add(dataset, [image(tmp_path, "a"), image(tmp_path, "b")])
    generated.add(dataset, [image(tmp_path, "b", size=12), image(tmp_path, "c")])
    generated.add(dataset, [])
    assert generated.files_by_key(dataset) == {key: str(tmp_path / f"{key}.png") for key in "abc"}
    assert len(dataset) == 4
    assert dataset[1:].values("metadata.size_bytes") == [10, 12, 10]


def test_a_dataset_has_a_folder_of_its_own(dataset: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store import generated

    assert generated.default_folder(dataset) == Path(fo.config.default_dataset_dir) / dataset.slug
