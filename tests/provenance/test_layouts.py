"""Pictures as each tool writes them are read right, field by field; what a file does not tell stays unknown."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.provenance import containers, layouts, scoring
from loupe.brain.provenance import a1111, exif, invokeai, midjourney, stealth, xmp
from loupe.brain.provenance.files import read as read_file
from loupe.brain.provenance.read import of_file
from loupe.brain.provenance.records import Reading, merged


@pytest.mark.parametrize("seed", range(4))
def test_every_layout_is_read_right(tmp_path: Path, seed: int) -> None:
    wrong = []
    for case in layouts.cases(tmp_path, 2, seed):
        values = scoring.ours(case.path)
        for name in scoring.NAMES:
            if scoring.verdict(case.truth[name], values.get(name)) != "right":
                wrong.append((case.layout, name, case.truth[name], values.get(name)))
    assert wrong == []


def test_the_score_can_be_wrong() -> None:
    assert scoring.verdict("a", "b") == scoring.verdict(None, "a") == scoring.verdict(3, 4) == "wrong"
    assert scoring.verdict("a", None) == scoring.verdict(3, None) == "unknown"
    assert scoring.verdict("a\nb", "b\na") == scoring.verdict(3, 3) == scoring.verdict("", "") == "right"


@pytest.mark.parametrize(
    ("layout", "tool", "more"),
    [
        ("A1111 PNG tEXt", "A1111", {"scheduler": "DPM++ 2M", "noise_schedule": "Karras", "width": 64, "height": 48}),
        ("Forge PNG", "Forge", {"tool_version": "f2.0.1v1.10.1-previous-1"}),
        ("A1111 hires", "A1111", {"upscaler": "4x-UltraSharp", "denoise": 0.4}),
        (
            "Fooocus PNG",
            "Fooocus",
            {"scheduler": "dpmpp_2m_sde_gpu", "noise_schedule": "karras", "loras": "sd_xl_offset:0.1"},
        ),
        ("Fooocus PNG a1111", "Fooocus", {}),
        ("InvokeAI 3+", "InvokeAI", {"scheduler": "dpmpp_2m_k", "loras": "ink:0.7", "tool_version": "5.4.2"}),
        ("InvokeAI 2", "InvokeAI", {"scheduler": "k_lms", "width": 64}),
        ("InvokeAI 1", "InvokeAI", {"scheduler": "k_lms", "height": 48}),
        ("NovelAI PNG", "NovelAI", {"scheduler": "k_euler_ancestral", "model_hash": "C1E1DE52"}),
        ("NovelAI alpha", "NovelAI", {"noise_schedule": "native", "width": 160}),
        ("SwarmUI PNG", "SwarmUI", {"scheduler": "euler", "loras": "ink:0.7", "tool_version": "0.9.6.2"}),
        ("Draw Things PNG", "Draw Things", {"scheduler": "DPM++ 2M Karras", "loras": "ink.ckpt:0.6", "width": 64}),
        ("Midjourney PNG", "Midjourney", {"job": "0f8b4c1e-1111-2222-3333-444455556666"}),
        ("Midjourney name", "Midjourney", {"prompt_part": "ann a red fox in snow"}),
        ("DALL·E name", "DALL·E", {"prompt_part": "A red fox in the snow"}),
        ("ComfyUI LoRAs", "ComfyUI", {"loras": "ink.safetensors:0.7, b.safetensors:0.5", "scheduler": "euler"}),
        ("ComfyUI Flux", "ComfyUI", {"distilled_guidance": 3.5, "scheduler": "euler", "noise_schedule": "simple"}),
        ("ComfyUI model upscale", "ComfyUI", {"upscaler": "4x-UltraSharp.pth"}),
        ("ComfyUI SDXL, refiner", "ComfyUI", {"scheduler": "euler"}),
    ],
)
def test_the_settings_and_the_tool(tmp_path: Path, layout: str, tool: str, more: dict[str, object]) -> None:
    given = layouts.Facts("a red fox", "blurry", 7, "sd15", "abc", 20, 7.5)
    listed = {}
    for make in layouts._LAYOUTS:
        listed.update({name: path for name, path, _ in make(tmp_path, given)})
    known = of_file(listed[layout])
    assert known.values["tool"] == tool
    assert {name: known.values.get(name) for name in more} == more
    if "name" not in layout and tool not in ("Midjourney",):
        assert (known.values["steps"], known.sources["seed"] != "") == (20, True)
        if layout != "ComfyUI Flux":
            assert known.values["guidance"] == 7.5


def test_no_metadata_is_nothing_known(tmp_path: Path) -> None:
    known = of_file(containers.png(tmp_path / "a.png", {"Software": "GIMP", "Comment": "a holiday", "Title": "x"}))
    assert (known.values, known.unknown, known.raw, known.notes) == ({}, {}, {}, ())
    assert str(known) == "Provenance(nothing known)"


@pytest.mark.parametrize(
    "text",
    [
        "a prompt without settings",
        "Steps: 20",
        "my notes\nSteps: I took many, of all kinds",
        '{"prompt": "a", "note": 3}',
        "[1, 2]",
        "null",
    ],
)
def test_a_text_that_is_no_metadata_is_none(tmp_path: Path, text: str) -> None:
    assert of_file(containers.png(tmp_path / "a.png", {"parameters": text})).values == {}


def test_a1111s_text_that_reads_in_two_ways_is_read_in_none() -> None:
    text = "a\nNegative prompt: b\nNegative prompt: c\nSteps: 20, Sampler: x, Seed: 3"
    reading = a1111.read(text, "it")
    assert reading is not None
    assert {"prompt", "negative_prompt"} <= reading.unknown.keys()
    assert reading.values["seed"] == "3"
    reading = a1111.read("a: Negative prompt: b\nSteps: 20, Sampler: x, Seed: -1", "it")
    assert reading is not None
    assert (reading.values["prompt"], reading.values["negative_prompt"]) == ("a: Negative prompt: b", "")
    assert "seed" in reading.unknown


def test_civitais_and_controlnets_settings_do_not_become_the_models() -> None:
    line = (
        'Steps: 25, Sampler: DPM++ 2M, CFG scale: 7, Seed: 5, ControlNet 0: "Module: canny, Model: control_v11p, '
        'Weight: 1", Model: the_model, Civitai resources: [{"type":"lora","weight":1,"Model: x":"y, Seed: 9"}]'
    )
    reading = a1111.read(f"p\n{line}", "it")
    assert reading is not None
    assert (reading.values["model"], reading.values["seed"]) == ("the_model", "5")


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("code", ["UNICODE", "ASCII", "JIS"])
def test_user_comments_in_every_code_and_order(code: str, little: bool) -> None:
    text = "赤い狐" if code == "JIS" else "a red fox, 狐" if code == "UNICODE" else "a red fox"
    for order in ("utf-16-be", "utf-16-le") if code == "UNICODE" else ("utf-16-be",):
        block = containers.exif(containers.comment(text, code, order), little, b"tool v1\0")
        assert exif.texts(block) == {"UserComment": text, "Software": "tool v1"}


def test_hidden_texts_in_alpha_and_colors(tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    text = layouts.infotext(layouts.Facts("a red fox", "", 7, "m", "h", 20, 7.0))
    base = np.random.default_rng(0).integers(0, 256, (90, 120, 4), np.uint8)
    for packed in (True, False):
        assert stealth.of_pixels(stealth.hidden(base, text, packed=packed)) == text
        inside = stealth.hidden(base[..., :3], text, colors=True, packed=packed)
        assert (stealth.of_pixels(inside), stealth.of_pixels(inside, colors=True)) == (None, text)
    Image.fromarray(inside).save(tmp_path / "rgb.png")
    assert of_file(tmp_path / "rgb.png").values == {}
    assert of_file(tmp_path / "rgb.png", hidden=True).values["seed"] == 7
    Image.fromarray(stealth.hidden(base, text)).save(tmp_path / "rgba.png")
    assert of_file(tmp_path / "rgba.png").values["seed"] == 7
    assert of_file(tmp_path / "rgba.png", hidden=False).values == {}


def test_a_description_with_brackets_that_do_not_pair_up_is_unknown() -> None:
    reading = invokeai.read_dream('"a cat [dog" -s 20 -S 1', "it")
    assert {"prompt", "negative_prompt"} <= reading.unknown.keys()


def test_midjourneys_messages() -> None:
    for content, prompt in (
        ("**a red fox --ar 16:9 --v 6.0** - <@123> (fast)", "a red fox --ar 16:9 --v 6.0"),
        ("**<https://s.mj.run/abc> a red fox** - Image #2 <@123>", "a red fox"),
        ("**two\nlines** - Upscaled (Subtle) by <@123> (relaxed)", "two\nlines"),
    ):
        reading = midjourney.read_message(content, "it")
        assert reading is not None
        assert reading.values["prompt"] == prompt
    assert midjourney.read_message("nice **bold** picture", "it") is None
    for name in (
        "holiday_2024.png",
        "0f8b4c1e-1111-2222-3333-444455556666.png",
        "a0f8b4c1e-1111-2222-3333-444455556666.png",
    ):
        assert midjourney.read_name(name) is None


def test_the_digital_source_type(tmp_path: Path) -> None:
    path = containers.png(tmp_path / "a.png", {xmp.KEYWORD: xmp.packet("digitalCapture", 'a "tool" & <b>')}, "iTXt")
    assert of_file(path).values == {"digital_source_type": "digitalCapture"}
    assert read_file(path).texts["XMP CreatorTool"] == 'a "tool" & <b>'


def test_loupes_own_json_goes_before_its_text_for_others(tmp_path: Path) -> None:
    from loupe.brain.engine import output_folder

    key = "0" * 31 + "a"
    facts = {"key": key, "loupe_version": "1", "prompt": "a\nNegative prompt: b", "negative_prompt": "c", "seed": 3}
    facts |= {"width": 64, "height": 48, "steps": 2, "scheduler": "DDIM", "guidance": 1.0, "model": "m"}
    known = of_file(output_folder.write(tmp_path, key, containers.picture(), facts))
    assert {name: known.values[name] for name in facts if name in known.values} == {
        name: value for name, value in facts.items() if name not in ("key", "loupe_version")
    }
    assert (known.own, known.notes) == ({"key": key, "loupe_version": "1"}, ())
    assert known.values["digital_source_type"] == "trainedAlgorithmicMedia"
    changed = {**facts, "digital_source_type": "compositeWithTrainedAlgorithmicMedia"}
    known = of_file(output_folder.write(tmp_path, key, containers.picture(), changed))
    assert known.values["digital_source_type"] == "compositeWithTrainedAlgorithmicMedia"


def test_labels_of_boxes_beside_a_picture_are_no_prompt(tmp_path: Path) -> None:
    picture = containers.png(tmp_path / "a.png", {})
    for text, prompt in (("0 0.5 0.5 0.2 0.1\n3 .1 .2 .3 .4\n", None), ("7 8 9", "7 8 9"), ("5 cats", "5 cats")):
        picture.with_suffix(".txt").write_text(text)
        assert of_file(picture).values.get("prompt") == prompt


def test_two_places_that_differ() -> None:
    first = Reading("a", {"prompt": "x", "seed": 1, "model": "m"})
    second = Reading("b", {"prompt": " x ", "seed": 2, "model": "n"})
    known = merged([first, second])
    assert known.values == {"prompt": "x", "model": "m"}
    assert known.unknown["seed"] == "seed differs: a and b state two, neither is taken"
    assert known.notes == (known.unknown["seed"],)
    table = Reading("t", {"prompt": "y", "seed": 2}, level=0)
    known = merged([table, first])
    assert known.values == {"prompt": "y", "seed": 2, "model": "m"}
    assert [note.split(":")[0] for note in known.notes] == ["prompt differs", "seed differs"]
    assert Counter(known.sources.values()) == {"t": 2, "a": 1}
