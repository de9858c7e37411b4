"""What other tools wrote becomes ``generation.*``; a table goes before files beside, those before the image's own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.provenance import containers, graphs, layouts, odd_graphs
from benchmarks.provenance.layouts import Facts

pytestmark = pytest.mark.database

GIVEN = Facts("a red fox", "blurry", 7, "sd15", "abc", 20, 7.5)


def by_name(dataset: Any) -> dict[str, Any]:
    return {Path(sample.filepath).name: sample for sample in dataset}


def test_each_tool_becomes_generation(dataset: Any, tmp_path: Path) -> None:
    import loupe

    containers.png(tmp_path / "a.png", {"parameters": layouts.infotext(GIVEN)})
    containers.png(tmp_path / "b.png", {"prompt": json.dumps(graphs.plain(GIVEN)[0])})
    containers.png(tmp_path / "c.png", {"prompt": json.dumps(odd_graphs.language_model(GIVEN)[0])})
    containers.picture().save(tmp_path / "d.jpg")
    run = loupe.import_images(dataset, tmp_path)
    assert (run.n, run.errors) == (4, 0)
    assert run.messages["metadata"] == "ComfyUI 2, A1111 1"
    assert run.messages["unknown prompt"].startswith("1 of the images, first c.png: the node 'OllamaGenerate'")
    samples = by_name(dataset)
    for name in ("a.png", "b.png"):
        made = samples[name].generation
        assert (samples[name].prompt, made.negative_prompt, made.seed) == ("a red fox", "blurry", 7)
        assert (made.model, made.steps, made.guidance, made.width, made.height) == ("sd15", 20, 7.5, 64, 48)
    assert samples["a.png"].generation.scheduler == "DPM++ 2M"
    assert samples["a.png"].generation.read_from == "PNG text 'parameters'"
    assert "OllamaGenerate" in samples["c.png"].generation.unknown
    assert "OllamaGenerate" in json.loads(samples["c.png"].generation.raw)["prompt"]
    assert samples["c.png"].prompt is None
    assert samples["d.jpg"].generation is None
    assert loupe.import_images(dataset, tmp_path).skipped == 4


def test_photos_get_no_fields_of_generation(dataset: Any, tmp_path: Path) -> None:
    import loupe

    containers.picture().save(tmp_path / "d.jpg")
    loupe.import_images(dataset, tmp_path)
    assert not dataset.has_field("generation")
    assert not dataset.has_field("scenario")


def test_the_table_goes_before_the_file_beside_and_that_before_the_images_own(dataset: Any, tmp_path: Path) -> None:
    import loupe

    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        containers.png(folder / name, {"parameters": layouts.infotext(GIVEN)})
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text("from beside")
    (tmp_path / "t.csv").write_text("file,prompt,seed,negative_prompt,time\na.png,from the table,9,none,night\n")
    run = loupe.import_images(dataset, folder, prompts=tmp_path / "t.csv")
    samples = by_name(dataset)
    assert [samples[name].prompt for name in sorted(samples)] == ["from the table", "from beside", "a red fox"]
    assert (samples["a.png"].generation.seed, samples["a.png"].generation.negative_prompt) == (9, "none")
    assert samples["a.png"].scenario.time == "night"
    assert samples["a.png"].generation.steps == 20
    assert (samples["b.png"].generation.seed, samples["b.png"].generation.negative_prompt) == (7, "blurry")
    assert run.messages["prompt differs"] == (
        "3 of the images, first a.png: t.csv and a.txt state two, that of t.csv is kept"
    ) or run.messages["prompt differs"].startswith("3 of the images, first a.png: the table and ")
    assert run.messages["seed differs"].startswith("1 of the images, first a.png: the table and PNG text 'parameters'")


def test_without_metadata_only_prompts_are_taken(dataset: Any, tmp_path: Path) -> None:
    import loupe

    containers.png(tmp_path / "a.png", {"parameters": layouts.infotext(GIVEN)})
    containers.png(tmp_path / "b.png", {"parameters": layouts.infotext(GIVEN)})
    (tmp_path / "b.txt").write_text("from beside")
    dataset.add_sample_field("generation", __import__("fiftyone").StringField)
    run = loupe.import_images(dataset, tmp_path, metadata=False)
    assert (sorted(map(str, dataset.values("prompt"))), run.messages) == (["None", "from beside"], {})
    assert dataset.values("generation") == [None, None]


def test_a_field_of_the_users_own_is_refused_before_anything_is_added(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe
    from loupe import errors

    containers.png(tmp_path / "a.png", {"parameters": layouts.infotext(GIVEN)})
    dataset.add_sample_field("generation", fo.StringField)
    with pytest.raises(errors.InputError, match=r"'generation' is a StringField .* or give metadata=False"):
        loupe.import_images(dataset, tmp_path)
    assert len(dataset) == 0
    with pytest.raises(errors.InputError, match="expected hidden to be"):
        loupe.import_images(dataset, tmp_path, hidden="maybe")  # type: ignore[arg-type]


def test_a_file_whose_metadata_are_damaged_is_added_and_the_import_goes_on(dataset: Any, tmp_path: Path) -> None:
    import loupe

    containers.png(tmp_path / "a.png", {"parameters": "{" * 5000 + "}"})
    containers.png(tmp_path / "b.png", {"parameters": layouts.infotext(GIVEN)})
    (tmp_path / "c.png").write_bytes(b"no picture")
    containers.png(
        tmp_path / "d.png", {"parameters": json.dumps({"sui_image_params": {"prompt": "a\0b\ud800", "seed": 3}})}
    )
    (tmp_path / "b.json").write_text("{broken")
    run = loupe.import_images(dataset, tmp_path)
    assert (run.n, run.errors) == (4, 3)
    assert "nested at most" in run.messages[str(tmp_path / "a.png")]
    assert "b.json" in run.messages[str(tmp_path / "b.png")]
    assert "expected a picture" in run.messages[str(tmp_path / "c.png")]
    samples = by_name(dataset)
    assert samples["b.png"].prompt == "a red fox"
    assert (samples["d.png"].prompt, samples["d.png"].generation.seed) == (None, 3)
    assert "U+0000" in samples["d.png"].generation.unknown


def test_what_loupe_wrote_comes_back_the_same(dataset: Any, tmp_path: Path) -> None:
    import loupe

    drawn = type(dataset)()
    try:
        loupe.generate(
            drawn,
            'a {color} sign that says "{text}", day, clear',
            factors={"color": ["red", "blue"], "text": [1]},
            negative_prompt="blur",
            steps=1,
            output_dir=tmp_path / "drawn",
        )
        again = tmp_path / "again"
        shutil.copytree(tmp_path / "drawn", again)
        run = loupe.import_images(dataset, again)
        assert (run.n, run.errors, run.messages) == (2, 0, {"metadata": "Loupe 2"})
        before, after = by_name(drawn), by_name(dataset)
        assert before.keys() == after.keys()
        for name, sample in before.items():
            other = after[name]
            assert other.prompt == sample.prompt
            assert other.scenario.to_dict() == sample.scenario.to_dict()
            made = {key: value for key, value in sample.generation.to_dict().items() if value is not None}
            stated = other.generation.to_dict()
            assert {key: stated.get(key) for key in made} == made
            assert (stated["tool"], stated["digital_source_type"]) == ("Loupe", "trainedAlgorithmicMedia")
        first = {path.name: path.read_bytes() for path in sorted((tmp_path / "drawn").glob("*.png"))}
        assert all(b"trainedAlgorithmicMedia" in data for data in first.values())
    finally:
        drawn.delete()


def test_diffusiondb_in_both_forms(dataset: Any, tmp_path: Path) -> None:
    import loupe

    folder = tmp_path / "part-000001"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        containers.picture().save(folder / name)
    part = {"a.png": {"p": "a fox", "se": 3, "c": 7.0, "st": 50, "sa": "k_lms"}, "x.png": {"p": "y", "se": 1}}
    (folder / "part-000001.json").write_text(json.dumps(part))
    run = loupe.import_images(dataset, folder, prompts=folder / "part-000001.json")
    made = by_name(dataset)["a.png"].generation
    assert (made.seed, made.guidance, made.steps, made.scheduler, made.tool) == (
        3,
        7.0,
        50,
        "k_lms",
        "Stable Diffusion",
    )
    assert (made.to_dict().get("negative_prompt"), made.to_dict().get("model")) == (None, None)
    assert by_name(dataset)["b.png"].prompt is None
    assert run.messages[str(folder / "part-000001.json")].startswith("1 of 2 rows name no image here")
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    columns = {
        "image_name": ["a.png", "b.png", "other.png"],
        "prompt": ["a fox", "a cat", "x"],
        "part_id": [1, 1, 2],
        "seed": pyarrow.array([3, 4, 5], pyarrow.uint32()),
        "step": pyarrow.array([50, 25, 1], pyarrow.uint16()),
        "cfg": pyarrow.array([7.0, 12.0, 1.0], pyarrow.float32()),
        "sampler": pyarrow.array([8, 9, 1], pyarrow.uint8()),
        "width": pyarrow.array([64, 512, 1], pyarrow.uint16()),
        "height": pyarrow.array([48, 512, 1], pyarrow.uint16()),
        "user_name": ["u", "u", "u"],
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "metadata.parquet")
    other = type(dataset)()
    try:
        run = loupe.import_images(other, folder, prompts=tmp_path / "metadata.parquet")
        samples = by_name(other)
        first, second = samples["a.png"].generation, samples["b.png"].generation
        assert (samples["b.png"].prompt, second.seed, second.guidance, second.steps) == ("a cat", 4, 12.0, 25)
        assert (first.scheduler, first.width, second.to_dict().get("scheduler"), second.to_dict().get("width")) == (
            "k_lms",
            64,
            None,
            None,
        )
        assert run.messages["size differs"].startswith("1 of the images, first b.png")
    finally:
        other.delete()


def test_discords_export_of_midjourneys_messages(dataset: Any, tmp_path: Path) -> None:
    import loupe

    folder = tmp_path / "mj"
    folder.mkdir()
    jobs = [f"0f8b4c1e-1111-2222-3333-44445555666{number}" for number in range(3)]
    names = [f"ann_a_red_fox_{job}.png" for job in jobs]
    for name in names:
        containers.picture().save(folder / name)
    header = "AuthorID,Author,Date,Content,Attachments,Reactions\n"
    link = "https://cdn.discordapp.com/attachments/1/2"
    rows = [
        '1,Midjourney Bot,2024,"**a red fox, ""at night"" --no dogs --seed 5 --v 6.1** - <@1> (fast)",'
        f"{link}/{names[0]}?ex=1,",
        f'1,Midjourney Bot,2024,"**a blue fox** - Image #1 <@1>",{link}/bob_other_{jobs[1]}.png,',
        '1,ann,2024,"nice!",,',
    ]
    (tmp_path / "export.csv").write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    loupe.import_images(dataset, folder, prompts=tmp_path / "export.csv")
    samples = by_name(dataset)
    first = samples[names[0]]
    assert first.prompt == 'a red fox, "at night" --no dogs --seed 5 --v 6.1'
    assert (first.generation.negative_prompt, first.generation.seed, first.generation.model) == (
        "dogs",
        5,
        "Midjourney 6.1",
    )
    assert samples[names[1]].prompt == "a blue fox"
    assert samples[names[2]].prompt is None
    assert samples[names[2]].generation.prompt_part == "ann a red fox"


def test_an_import_that_is_stopped_goes_on(dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import loupe
    from loupe import errors
    from loupe.brain.verbs import import_images as module

    monkeypatch.setattr(module, "_CHUNK", 2)
    for number in range(5):
        containers.png(tmp_path / f"{number}.png", {"parameters": layouts.infotext(GIVEN)})

    def stop(progress: Any) -> None:
        raise errors.Stopped("enough")

    with pytest.raises(errors.Stopped):
        loupe.import_images(dataset, tmp_path, progress=stop)
    assert len(dataset) == 2
    run = loupe.import_images(dataset, tmp_path)
    assert (run.n, run.skipped, len(dataset)) == (3, 2, 5)


def test_hidden_texts_are_looked_for_as_asked(dataset: Any, tmp_path: Path) -> None:
    import loupe
    from loupe.brain.provenance import stealth

    base = np.random.default_rng(0).integers(0, 256, (90, 120, 4), np.uint8)
    Image.fromarray(stealth.hidden(base, layouts.infotext(GIVEN))).save(tmp_path / "a.png")
    for hidden, prompt in (("never", None), ("auto", "a red fox"), ("always", "a red fox")):
        loupe.import_images(dataset, tmp_path, hidden=hidden)  # type: ignore[arg-type]
        assert dataset.values("prompt") == [prompt]
        dataset.clear()
