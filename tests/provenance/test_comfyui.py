"""ComfyUI's graphs and workflows: from the picture back to its texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import data
from benchmarks.provenance import graphs, layouts, odd_graphs
from benchmarks.provenance.editor import workflow as as_workflow
from benchmarks.provenance.graphs import Drawing, out
from loupe.brain.provenance import files
from loupe.brain.provenance.comfyui import facts, graph, workflow
from loupe.brain.provenance.records import Reading

SHAPES = {**graphs.SHAPES, **odd_graphs.SHAPES}
GIVEN = layouts.Facts("a red fox", "blurry", 7, "sd15.safetensors", "abc", 20, 7.0)


def read(nodes: dict[str, Any], file_name: str | None = None) -> Reading:
    return facts.read(graph.of_prompt(nodes), "it", file_name)


def read_editor(value: dict[str, Any]) -> Reading:
    return facts.read(workflow.of_workflow(value), "it", edited=True)


@pytest.mark.parametrize("name", SHAPES)
def test_the_editors_workflow_says_what_the_graph_says_or_that_it_is_unknown(name: str) -> None:
    nodes, truth = SHAPES[name](GIVEN)
    stated = read(nodes, "ComfyUI_named_00001_.png").values
    edited = facts.read(workflow.of_workflow(as_workflow(nodes)), "it", "ComfyUI_named_00001_.png", edited=True).values
    for field in ("prompt", "negative_prompt", "seed", "model"):
        assert stated.get(field) == truth[field], field
        if field in edited:
            assert edited[field] == truth[field], field
    assert len(edited.keys() & {"prompt", "negative_prompt", "seed", "model"}) >= len(
        [value for value in truth.values() if value is not None]
    )


def test_the_shared_pictures_say_the_same_both_ways() -> None:
    listed = data.pictures(data.at("5_generated", "comfyui_png_with_metadata"))
    if not listed:
        pytest.skip("the shared pictures are not there: LOUPE_DATA")
    for path in listed:
        texts = files.read(path).texts
        stated = facts.read(graph.of_prompt(json.loads(texts["prompt"])), "it", path.name)
        assert stated.values == read_editor(json.loads(texts["workflow"])).values
        assert stated.unknown == {}


def test_swapped_outputs_of_a_known_node_swap_the_texts() -> None:
    nodes, _ = SHAPES["ControlNet"](GIVEN)
    sampler = next(node for node in nodes.values() if node["class_type"] == "KSampler")
    inputs = sampler["inputs"]
    inputs["positive"], inputs["negative"] = inputs["negative"], inputs["positive"]
    values = read(nodes).values
    assert (values["prompt"], values["negative_prompt"]) == ("blurry", "a red fox")


def test_the_workflows_output_names_tell_which_is_which() -> None:
    nodes, _ = SHAPES["unknown pair"](GIVEN)
    (name,) = [name for name, node in nodes.items() if node["class_type"] == "SomebodysConditioner"]
    outputs = {name: ("negative", "positive")}
    values = facts.read(graph.of_prompt(nodes, outputs), "it").values
    assert (values["prompt"], values["negative_prompt"]) == ("blurry", "a red fox")


def _editor() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    value = as_workflow(SHAPES["LoRAs"](GIVEN)[0])
    return value, {node["type"]: node for node in value["nodes"]}


def test_a_bypassed_node_hands_on_and_a_muted_one_ends_it() -> None:
    value, nodes = _editor()
    assert read_editor(value).values["loras"] == "ink.safetensors:0.7, b.safetensors:0.5"
    loader = nodes["LoraLoader"]
    loader["outputs"] = [{"name": "MODEL", "type": "MODEL"}, {"name": "CLIP", "type": "CLIP"}]
    loader["mode"] = 4
    bypassed = read_editor(value).values
    assert (bypassed["loras"], bypassed["model"], bypassed["prompt"]) == ("b.safetensors:0.5", GIVEN.model, "a red fox")
    nodes["KSampler"]["mode"] = 2
    muted = read_editor(value)
    assert "prompt" in muted.unknown
    assert "prompt" not in muted.values


def test_braces_in_the_editor_are_chosen_from_when_it_runs() -> None:
    value = as_workflow(SHAPES["plain"](layouts.Facts("a {red|blue} fox", "", 7, "m", "h", 2, 7.0))[0])
    assert "the editor chooses" in read_editor(value).unknown["prompt"]
    assert read(SHAPES["plain"](layouts.Facts("a {red|blue} fox", "", 7, "m", "h", 2, 7.0))[0]).values["prompt"]


def test_widgets_without_sure_names_are_unknown() -> None:
    node = {"type": "Somebodys", "widgets_values": [1, "a", 3], "inputs": [{"name": "model", "link": 3}]}
    assert workflow.widgets(node) == {}
    for values in ([7, "randomize", 20, 7, "euler", "normal", 1], [7, True, 20, 7, "euler", "normal", 1]):
        assert workflow.widgets({"type": "KSampler", "widgets_values": values})["steps"] == 20
    assert workflow.widgets({"type": "KSampler", "widgets_values": [7, 20, 7, "euler", "normal", 1, 2, 3]}) == {}
    assert workflow.widgets({"type": "VHS", "widgets_values": {"a": 1}}) == {"a": 1}


def test_set_and_get_nodes_and_reroutes() -> None:
    value = as_workflow(SHAPES["plain"](GIVEN)[0])
    loader = next(node for node in value["nodes"] if node["type"] == "CheckpointLoaderSimple")
    sampler = next(node for node in value["nodes"] if node["type"] == "KSampler")
    link = next(entry["link"] for entry in sampler["inputs"] if entry["name"] == "model")
    value["nodes"] += [
        {
            "id": 90,
            "type": "SetNode",
            "widgets_values": ["m"],
            "inputs": [{"name": "MODEL", "type": "MODEL", "link": 90}],
        },
        {"id": 91, "type": "GetNode", "widgets_values": ["m"], "outputs": [{"name": "MODEL", "type": "MODEL"}]},
        {"id": 92, "type": "Reroute", "inputs": [{"name": "", "type": "*", "link": 91}], "outputs": [{"name": ""}]},
    ]
    value["links"] = [each for each in value["links"] if each[0] != link]
    value["links"] += [
        [90, loader["id"], 0, 90, 0, "MODEL"],
        [91, 91, 0, 92, 0, "*"],
        [link, 92, 0, sampler["id"], 0, "MODEL"],
    ]
    assert read_editor(value).values["model"] == GIVEN.model


def test_a_primitive_of_the_editor_stands_in_the_widget() -> None:
    value = as_workflow(SHAPES["plain"](GIVEN)[0])
    text = next(node for node in value["nodes"] if node["widgets_values"] == ["a red fox"])
    value["nodes"].append(
        {"id": 90, "type": "PrimitiveNode", "widgets_values": ["a red fox", "fixed"], "outputs": [{}]}
    )
    value["links"].append([90, 90, 0, text["id"], 0, "STRING"])
    text["inputs"][0]["link"] = 90
    assert read_editor(value).values["prompt"] == "a red fox"


def test_a_subgraph_is_put_in_with_its_widgets() -> None:
    body = {
        "id": "11111111-2222-3333-4444-555555555555",
        "name": "encode",
        "inputs": [{"name": "clip", "type": "CLIP"}, {"name": "text", "type": "STRING"}],
        "outputs": [{"name": "CONDITIONING", "type": "CONDITIONING"}],
        "nodes": [
            {
                "id": 1,
                "type": "CLIPTextEncode",
                "widgets_values": ["the inner one"],
                "inputs": [
                    {"name": "clip", "type": "CLIP", "link": 1},
                    {"name": "text", "type": "STRING", "link": 2, "widget": {"name": "text"}},
                ],
                "outputs": [{"name": "CONDITIONING", "type": "CONDITIONING", "links": [3]}],
            }
        ],
        "links": [
            {"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 1, "target_slot": 0, "type": "CLIP"},
            {"id": 2, "origin_id": -10, "origin_slot": 1, "target_id": 1, "target_slot": 1, "type": "STRING"},
            {"id": 3, "origin_id": 1, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "CONDITIONING"},
        ],
    }
    value = as_workflow(SHAPES["plain"](GIVEN)[0])
    node = next(node for node in value["nodes"] if node["widgets_values"] == ["a red fox"])
    node["type"] = body["id"]
    value["definitions"] = {"subgraphs": [body]}
    assert read_editor(value).values["prompt"] == "a red fox"
    assert read_editor(value).values["negative_prompt"] == "blurry"
    # what is shown outside says whose value is whose; one that is stated twice and differs is unknown
    node["properties"] = {"proxyWidgets": [["-1", "text"], ["1", "text"]]}
    node["widgets_values"] = ["a red fox", "the inner one"]
    assert read_editor(value).values["prompt"] == "a red fox"
    # values that fit no widget: the inner one is not used in their place
    node["widgets_values"] = ["a red fox", "b", "c"]
    node["properties"] = {}
    assert "prompt" in read_editor(value).unknown
    node["widgets_values"] = ["a red fox"]
    body["nodes"][0]["type"] = body["id"]
    with pytest.raises(Exception, match="nested at most"):
        read_editor(value)


def test_a_primitive_seed_that_is_drawn_at_random_is_unknown() -> None:
    nodes, _ = SHAPES["plain"](GIVEN)
    sampler = next(node for node in nodes.values() if node["class_type"] == "KSampler")
    nodes["99"] = {"class_type": "Seed Generator Random", "inputs": {"seed": 3}}
    sampler["inputs"]["seed"] = ["99", 0]
    assert "Random" in read(nodes).unknown["seed"]


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("MagicPromptEnhancer", {"text": "a fox"}),
        ("SomebodysText", {"text": "a fox", "seed": 3}),
        ("SomebodysText", {"text": "a fox", "extra": "b"}),
        ("TextLoadLine", {"text": "a fox"}),
    ],
)
def test_a_node_that_may_change_its_text_is_unknown_and_a_box_is_not(kind: str, inputs: dict[str, Any]) -> None:
    drawing, loader, latent = graphs.start(GIVEN)
    text = graphs.encoded(drawing, loader, drawing.add(kind, **inputs))
    box = graphs.encoded(drawing, loader, drawing.add("Somebodys Text", text="bad"))
    nodes = graphs.saved(drawing, graphs.sampler(drawing, GIVEN, loader, text, box, latent), loader)
    assert kind in read(nodes).unknown["prompt"]
    assert read(nodes).values["negative_prompt"] == "bad"


def test_two_samplers_beside_each_other_are_no_chain() -> None:
    drawing, loader, latent = graphs.start(GIVEN)
    pictures = []
    for text in ("a fox", "a cat"):
        words = graphs.encoded(drawing, loader, text)
        drawn = graphs.sampler(drawing, GIVEN, loader, words, words, latent)
        pictures.append(drawing.add("VAEDecode", samples=drawn, vae=out(loader, 2)))
    blended = drawing.add("ImageBlend", image1=pictures[0], image2=pictures[1], blend_factor=0.5)
    drawing.add("SaveImage", filename_prefix="x", images=blended)
    reading = read(drawing.nodes)
    assert reading.values == {"tool": "ComfyUI"}
    assert "2 samplers" in reading.unknown["prompt"]


def test_a_detailer_over_a_picture_that_was_there_is_not_what_drew_it() -> None:
    nodes, _ = SHAPES["pipes"](GIVEN)
    detailer = next(node for node in nodes.values() if node["class_type"] == "FaceDetailer")
    nodes["90"] = {"class_type": "LoadImage", "inputs": {"image": "a.png"}}
    detailer["inputs"]["image"] = ["90", 0]
    assert "only a part" in read(nodes).unknown["prompt"]


def test_an_encoder_that_chooses_is_unknown() -> None:
    nodes, _ = SHAPES["plain"](GIVEN)
    encoder = next(node for node in nodes.values() if node["inputs"].get("text") == "a red fox")
    encoder["inputs"] |= {"mode": "Noodle Soup Prompts", "seed": 3}
    assert "when it runs" in read(nodes).unknown["prompt"]


def test_a_node_that_is_given_two_models_is_not_followed() -> None:
    nodes, _ = SHAPES["LoRAs"](GIVEN)
    sampler = next(node for node in nodes.values() if node["class_type"] == "KSampler")
    nodes["90"] = {"class_type": "SomebodysMix", "inputs": {"model": sampler["inputs"]["model"], "unet": ["3", 0]}}
    sampler["inputs"]["model"] = ["90", 0]
    assert "SomebodysMix" in read(nodes).unknown["model"]


def test_noise_that_is_off_has_no_seed() -> None:
    drawing, loader, latent = graphs.start(GIVEN)
    text = drawing.add("CLIPTextEncode", text="a", clip=out(loader, 1))
    drawn = drawing.add(
        "SamplerCustomAdvanced",
        noise=drawing.add("DisableNoise"),
        guider=drawing.add("BasicGuider", model=loader, conditioning=text),
        sampler=drawing.add("KSamplerSelect", sampler_name="euler"),
        sigmas=drawing.add("BasicScheduler", scheduler="simple", steps=4, denoise=1.0, model=loader),
        latent_image=latent,
    )
    reading = read(graphs.saved(drawing, drawn, loader))
    assert "no seed" in reading.unknown["seed"]
    assert reading.values["steps"] == 4


def test_a_graph_without_a_picture_or_a_sampler() -> None:
    drawing = Drawing()
    drawing.add("CLIPTextEncode", text="a", clip=["0", 1])
    assert "no node of the graph saves" in read(drawing.nodes).unknown["prompt"]
    image = drawing.add("LoadImage", image="a.png")
    drawing.add("SaveImage", filename_prefix="x", images=image)
    assert "no node that samples" in read(drawing.nodes).unknown["prompt"]


def test_a_long_chain_ends(tmp_path: Path) -> None:
    drawing, loader, latent = graphs.start(GIVEN)
    text = drawing.add("CLIPTextEncode", text="a", clip=out(loader, 1))
    for _ in range(3000):
        text = drawing.add("ConditioningSetArea", width=1, height=1, x=0, y=0, strength=1.0, conditioning=text)
    reading = read(graphs.saved(drawing, graphs.sampler(drawing, GIVEN, loader, text, text, latent), loader))
    assert "back to itself" in reading.unknown["prompt"]
    assert reading.values["seed"] == 7
