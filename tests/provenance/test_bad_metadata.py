"""Metadata from strangers: whatever stands there, a file's message at most, nothing guessed, nothing endless."""

from __future__ import annotations

import contextlib
import copy
import json
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from benchmarks.provenance import containers, graphs, layouts
from benchmarks.provenance.editor import workflow
from loupe.brain.provenance import exif, formats, plain, png, stealth, tabled, xmp
from loupe.brain.provenance.read import UnreadableMetadata, of_file
from loupe.brain.provenance.records import FIELDS, MetadataError, Provenance

GIVEN = layouts.Facts("a red fox", "blurry", 7, "sd15", "abc", 20, 7.0)


def known(path: Path) -> tuple[Provenance, str]:
    """What is known, and the message."""
    try:
        return of_file(path), ""
    except UnreadableMetadata as error:
        return error.known, str(error)


def test_a_workflow_of_40_mb_is_that_files_message(tmp_path: Path) -> None:
    graph, _ = graphs.plain(GIVEN)
    graph["3"]["inputs"]["more"] = "x" * 40_000_000
    path = containers.png(tmp_path / "a.png", {"prompt": json.dumps(graph)})
    result, message = known(path)
    assert "at most 16 MB of texts" in message
    assert result.values == {}


def test_a_bomb_in_ztxt_stays_packed(tmp_path: Path) -> None:
    packed = zlib.compress(b"x" * 50_000_000)
    data = b"parameters\0\0" + packed
    bomb = struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    path = containers.png(tmp_path / "a.png", {})
    whole = path.read_bytes()
    path.write_bytes(whole[:33] + bomb + whole[33:])
    result, message = known(path)
    assert "'parameters': expected at most" in message
    assert result.values == {}
    with pytest.raises(MetadataError, match="at most 100 bytes"):
        png.unpacked(packed, 100)


def test_many_texts_together_are_bounded(tmp_path: Path) -> None:
    texts = {f"t{number}": "x" * 1_000_000 for number in range(20)}
    with containers.png(tmp_path / "a.png", texts).open("rb") as file:
        parts = png.read(file)
    assert len(parts.texts) == 16
    assert len(parts.problems) == 4


@pytest.mark.parametrize("length", [0, 7, 20, 40, 200, 400])
def test_a_truncated_png(tmp_path: Path, length: int) -> None:
    path = containers.png(tmp_path / "a.png", {"parameters": layouts.infotext(GIVEN)})
    path.write_bytes(path.read_bytes()[:length])
    result, message = known(path)
    assert message
    # a text that is whole is read, one that is cut is not
    assert result.values.get("seed") in (None, 7)


def test_a_damaged_text_is_not_read(tmp_path: Path) -> None:
    path = containers.png(tmp_path / "a.png", {"parameters": layouts.infotext(GIVEN)})
    path.write_bytes(path.read_bytes().replace(b"red fox", b"rod fox"))
    result, message = known(path)
    assert "its checksum is wrong" in message
    assert result.values == {}


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("a\0b", "U\\+0000"),
        ("a\x07b", "U\\+0007"),
        ("a\ud800b", "U\\+D800"),
        ("x" * 100_001, "at most 100,000 characters, got 100,001"),
    ],
)
def test_a_prompt_that_cannot_be_stored_is_unknown(tmp_path: Path, prompt: str, reason: str) -> None:
    import re

    value = {"sui_image_params": {"prompt": prompt, "seed": 7, "model": "m"}}
    result, _ = known(containers.png(tmp_path / "a.png", {"parameters": json.dumps(value)}))
    assert "prompt" not in result.values
    assert re.search(reason, result.unknown["prompt"])
    assert result.values["seed"] == 7


def test_a_prompt_of_100_kb_and_html_are_kept_as_they_stand(tmp_path: Path) -> None:
    prompt = "<script>alert(1)</script> " + "é" * 99_000
    result, message = known(
        containers.png(tmp_path / "a.png", {"parameters": f"{prompt}\nSteps: 2, Sampler: x, Seed: 1"})
    )
    assert message == ""
    assert result.values["prompt"] == prompt
    assert sum(map(len, result.raw.values())) < 17_000


def test_nan_as_comfyui_writes_it(tmp_path: Path) -> None:
    graph, truth = graphs.plain(GIVEN)
    text = json.dumps(graph).replace('"_meta"', '"is_changed": [NaN, Infinity], "_meta"')
    assert "NaN" in text
    result, message = known(containers.png(tmp_path / "a.png", {"prompt": text}))
    assert message == ""
    assert result.values["prompt"] == truth["prompt"]


def test_a_value_that_is_not_finite_is_unknown(tmp_path: Path) -> None:
    text = "x\nSteps: 20, Sampler: x, CFG scale: inf, Seed: 99999999999999999999, Model: m"
    result, _ = known(containers.png(tmp_path / "a.png", {"parameters": text}))
    assert {"guidance", "seed"} <= result.unknown.keys()
    assert result.values["steps"] == 20


@pytest.mark.parametrize("name", ["prompt", "workflow", "parameters", "invokeai_metadata", "sd-metadata", "loupe"])
def test_deep_nesting_and_long_numbers(tmp_path: Path, name: str) -> None:
    for text in ("{" + '"a":{' * 100_000 + "}" * 100_001, '{"seed": ' + "9" * 100_000 + "}", '{"a": [' * 101 + "}"):
        result, message = known(containers.png(tmp_path / "a.png", {name: text}))
        assert result.values == {}
        assert "expected" in message


def test_brackets_within_texts_are_no_nesting() -> None:
    assert plain.loaded("[" * 100 + "]" * 100, "it")
    with pytest.raises(MetadataError, match="nested at most 100 deep"):
        plain.loaded("[" * 101 + "]" * 101, "it")
    assert plain.loaded(json.dumps({"a": "[" * 5000 + '\\"' + "{" * 5000}), "it")["a"].startswith("[[")


@pytest.mark.parametrize(
    "value",
    [
        {"sui_image_params": []},
        {"sui_image_params": {"prompt": 3, "seed": [], "loras": {}, "model": {}}},
        {"base_model": [], "prompt": {}, "styles": 3, "loras": [[1, 2], 3, [None, None]]},
        {"positive_prompt": 1, "scheduler": [], "loras": [3, {"model": []}], "model": "x", "app_version": 3},
        {"c": 1, "uc": [], "scale": {}, "sampler": 2, "lora": [1, {"model": 2}], "size": 3},
        {"1": {"class_type": "KSampler", "inputs": {"positive": ["1", 0], "seed": {}, "model": ["1", 0]}}},
        {"1": {"class_type": "SaveImage", "inputs": {"images": ["9", 0]}}},
        {
            "nodes": [3, None, {"type": 3}, {"id": [], "type": "KSampler", "inputs": [3, {"link": []}]}],
            "links": [1, [], {}],
        },
        {"loupe_version": 1, "key": [], "seed": "x", "factors": 3, "prompt": None},
        {"image": {"prompt": [{"prompt": 3}]}, "model_weights": {}},
    ],
)
def test_wrong_types_are_unknown(tmp_path: Path, value: Any) -> None:
    for name in ("parameters", "prompt", "workflow", "sd-metadata", "invokeai_metadata", "loupe"):
        result, _ = known(containers.png(tmp_path / "a.png", {name: json.dumps(value)}))
        assert not {"prompt", "negative_prompt", "seed"} & {n for n, v in result.values.items() if v not in ("", None)}


def test_a_size_that_is_not_the_files_is_unknown_and_named(tmp_path: Path) -> None:
    text = layouts.infotext(GIVEN).replace("64x48", "512x512")
    result, _ = known(containers.png(tmp_path / "a.png", {"parameters": text}))
    assert not {"width", "height"} & result.values.keys()
    assert result.notes == ("size differs: the metadata state 512 x 512 pixels, the file has 64 x 48",)
    enlarged = layouts.infotext(GIVEN, more=", Hires upscale: 2, Hires upscaler: Latent").replace("64x48", "32x24")
    result, _ = known(containers.png(tmp_path / "b.png", {"parameters": enlarged}))
    assert (result.values["width"], result.values["height"], result.notes) == (64, 48, ())
    lies = enlarged.replace("Hires upscale: 2", "Hires upscale: 3")
    result, _ = known(containers.png(tmp_path / "c.png", {"parameters": lies}))
    assert len(result.notes) == 1


def test_texts_that_are_made_to_take_time_take_none(tmp_path: Path) -> None:
    long = 200_000
    texts = {
        "parameters": "Steps: 20, Sampler: x, Seed: 1" + " " * long + "\nx",
        "Dream": '"a" ' + "-a" * long + " x y",
        "Description": " " * long + "Job ID: x",
        "Exif UserComment": "Steps: 20, " + 'a:"' * long,
    }
    for name, text in texts.items():
        list(formats.readings({name: text}, "PNG text"))
    for text in ("{" + "|" * long, "{" * long + "|", "\n" * long, "[" * long):
        graph, _ = graphs.plain(layouts.Facts(text, "", 7, "m", "h", 2, 7.0))
        list(formats.readings({"workflow": json.dumps(workflow(graph))}, "PNG text"))
    for text in ("- " * 50_000, "[" * 50_000, "a: *a\n" * 2000, "x" * 300_000):
        picture = containers.png(tmp_path / "a.png", {})
        picture.with_suffix(".yaml").write_text(text)
        assert known(picture)[1]


def test_xmp_with_a_document_type_is_refused() -> None:
    for packet in ('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "<x>", "", "\0<x/>", "<x/>" + " " * 5_000_000):
        with pytest.raises(MetadataError):
            xmp.texts(packet)


def test_exif_that_leads_back_to_itself() -> None:
    head = b"II*\0" + struct.pack("<I", 8)
    entry = struct.pack("<HHII", 34665, 4, 1, 8)
    assert exif.texts(head + struct.pack("<H", 1) + entry + bytes(4)) == {}
    cut = struct.pack("<HHII", 37510, 7, 4_000_000_000, 100)
    with pytest.raises(MetadataError, match="UserComment is cut off"):
        exif.texts(head + struct.pack("<H", 1) + cut + bytes(4))


def test_a_hidden_text_that_lies_about_its_length() -> None:
    import numpy as np

    for bits in (8 * 30 + 1, 8 * 10_000, 2**32 - 8):
        pixels = stealth.hidden(np.zeros((40, 40, 4), np.uint8), "x" * 30, packed=False)
        stated = np.unpackbits(np.frombuffer(bits.to_bytes(4, "big"), np.uint8))
        plane = pixels[..., 3].T.reshape(-1).copy()
        plane[8 * 15 : 8 * 19] = stated
        pixels[..., 3] = plane.reshape(40, 40).T
        with pytest.raises(MetadataError, match="damaged hidden text"):
            stealth.of_pixels(pixels)


def test_thousands_of_mutations_break_nothing(tmp_path: Path) -> None:
    rng = random.Random(15)
    cases = layouts.cases(tmp_path / "good", 1, seed=1)
    texts = [dict(Image.open(case.path).info) for case in cases if case.path.suffix == ".png"]
    texts = [{n: v for n, v in each.items() if isinstance(v, str)} for each in texts if each]
    for _ in range(3000):
        mutated = {name: _mutated(rng, text) for name, text in rng.choice(texts).items()}
        problems: list[str] = []
        for reading in formats.readings(mutated, "PNG text", "a.png", problems):
            assert reading.values.keys() <= set(FIELDS)
    files = [case.path for case in cases]
    for number in range(400):
        path = files[number % len(files)]
        data = bytearray(path.read_bytes())
        for _ in range(rng.randrange(1, 8)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        broken = tmp_path / f"broken{path.suffix}"
        broken.write_bytes(data[: rng.randrange(len(data))] if rng.random() < 0.3 else data)
        result, _ = known(broken)
        json.dumps(result.to_dict())
    for _ in range(1500):
        block = bytearray(containers.exif(containers.comment("a {prompt}"), rng.random() < 0.5, b"Software\0"))
        block[rng.randrange(6, len(block))] = rng.randrange(256)
        with contextlib.suppress(MetadataError):
            exif.texts(bytes(block))


def _mutated(rng: random.Random, text: str) -> str:
    """A text with some of it changed: characters, or values of its JSON."""
    if plain.looks_like_json(text) and rng.random() < 0.7:
        value = json.loads(text)
        for _ in range(rng.randrange(1, 4)):
            _change(rng, value)
        return json.dumps(value)
    characters = list(text)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(characters) + 1)
        action = rng.randrange(3)
        if action == 0:
            characters[at:at] = rng.choice('{}[]",:\\\n\0\ud800é0-<')
        elif action == 1:
            del characters[at : at + rng.randrange(1, 40)]
        else:
            start = rng.randrange(len(characters) + 1)
            characters[at:at] = characters[start : start + 50]
    return "".join(characters)


_ODD: tuple[Any, ...] = (None, True, -1, 2**70, 1e308, "", "-1", [], {}, ["3", 0], ["4", -5], [[]], "x" * 300, "\ud800")


def _change(rng: random.Random, value: Any) -> None:
    for _ in range(rng.randrange(1, 7)):
        keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
        if not keys:
            return
        key = rng.choice(keys)
        if rng.random() < 0.35 or not isinstance(value[key], (dict, list)):
            if isinstance(value, dict) and rng.random() < 0.2:
                del value[key]
            else:
                value[key] = copy.deepcopy(rng.choice(_ODD))
            return
        value = value[key]


def test_the_editors_workflow_with_anything_in_it() -> None:
    rng = random.Random(3)
    whole = json.dumps(workflow(graphs.sdxl(GIVEN)[0]))
    for _ in range(600):
        value = json.loads(whole)
        for _ in range(3):
            _change(rng, value)
        list(formats.readings({"workflow": json.dumps(value)}, "PNG text"))


def test_a_broken_parquet_is_named(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from loupe.brain.core.errors import PromptError

    (tmp_path / "m.parquet").write_bytes(b"PAR1 no table")
    with pytest.raises(PromptError, match="expected a Parquet file"):
        list(tabled.read(tmp_path / "m.parquet", lambda name: True))


def test_a_parquet_without_pyarrow_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from loupe.brain.core.errors import MissingDependency

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependency, match="parquet"):
        list(tabled.read(tmp_path / "m.parquet", lambda name: True))


def test_a_parquet_file_whose_texts_are_none_is_a_clear_error(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    from loupe.brain.core.errors import PromptError

    offsets, data = pyarrow.py_buffer(struct.pack("<2i", 0, 5)), pyarrow.py_buffer(b"a\x80png")
    broken = pyarrow.Array.from_buffers(pyarrow.string(), 1, [None, offsets, data])
    for name, columns in {
        "name": {"image_name": broken, "prompt": ["a cup"]},
        "prompt": {"image_name": ["a.png"], "prompt": broken},
    }.items():
        path = tmp_path / f"{name}.parquet"
        parquet.write_table(pyarrow.table(columns), path)
        with pytest.raises(PromptError, match=r"expected a Parquet file: .*utf-8"):
            list(tabled.read(path, lambda name: True))
