"""The form of every operator: it can be drawn anywhere, and it says of each parameter what the verb says."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from operator_calls import (
    ALL,
    AROUND,
    BUTTONS,
    DECLARED,
    VERBS,
    context,
    form,
    operator,
    parameters,
    problems,
    untouched,
    whole_form,
)

from loupe.brain.core.errors import PromptError

pytestmark = pytest.mark.database

ON_SAMPLES = [
    name for name in VERBS if name not in ("experiment", "generate", "import_images", "rebalance", "suggest_prompts")
]

_ON_OBJECTS = ("check", "embed", "find_duplicates", "find_leaks", "flag", "slice")
_LISTS = ("scores", "labels", "factors", "groups")
#: where a form's default is not the verb's own value, and why; untouched, it still means the verb's default
_DRAWN_FROM = ("source", "image", "mask", "control", "reference")
DIFFERENT = {
    ("augment", "split"): "None is a choice with a name",
    ("augment", "labels"): "None means all without a confidence: they are listed, so that some can be left out",
    ("augment", "train"): "they are written in one line",
    ("augment", "transforms"): "a list here",
    ("coverage", "groups"): "they are written in one line",
    ("coverage", "label"): "None is a choice with a name",
    ("coverage", "reference"): "None is a choice with a name",
    ("calibrate", "failures"): "None means all of them: they are listed, so that some can be left out",
    ("check", "checks"): "None means the quick ones: they are listed, so that some can be left out",
    ("find_label_issues", "groups"): "None means the duplicates, where they are known",
    ("find_label_issues", "predictions"): "None is a choice with a name, and of boxes, which need it, it is asked",
    ("find_label_issues", "probabilities"): "None is a choice with a name",
    ("evaluate", "by"): "None means no slices: an empty list",
    ("evaluate", "objects"): "none is an empty list here",
    ("compare", "by"): "the dataset has no models: the first field that can be compared by is proposed",
    ("compare", "failure"): "None is a choice with a name",
    ("compare", "paired_by"): "None is a choice with a name",
    ("compare", "groups"): "None is a choice with a name",
    ("compare", "against"): "None is a choice with a name",
    ("compare", "within"): "None is a choice with a name",
    ("deduplicate", "splits"): "None is a choice with a name",
    ("deduplicate", "prefer"): "they are written in one line",
    ("compare_to_real", "embeddings"): "one name of the verb is a list of one here",
    ("compare_to_real", "label"): "None is a choice with a name",
    ("compare_to_real", "by"): "None is a choice with a name",
    ("compare_to_real", "groups"): "None means the usual ones: they are listed, so that some can be left out",
    ("experiment", "captions"): "None is a choice with a name",
    ("experiment", "guidance"): "they are written in one line, and the model's own has a name",
    ("experiment", "seeds"): "they are written in one line",
    ("experiment", "styles"): "a list here",
    ("discover_slices", "by"): "None means what is worth looking at: none is chosen then",
    ("discover_slices", "embeddings"): "None is a choice with a name",
    ("discover_slices", "failure"): "None is a choice with a name",
    ("discover_slices", "groups"): "they are written in one line",
    ("find_bias", "groups"): "None means the usual ones: they are listed, so that some can be left out",
    ("find_bias", "label"): "None is a choice with a name",
    ("find_bias", "predictions"): "none is an empty list here",
    ("find_bias", "scores"): "None means all of them: they are listed, so that some can be left out",
    ("find_drift", "by"): "None is a choice with a name",
    ("find_drift", "embeddings"): "None is a choice with a name",
    ("find_drift", "predictions"): "None is a choice with a name",
    ("find_drift", "ground_truth"): "None is a choice with a name",
    **{
        ("find_drift", name): "None means all of them: they are listed, so that some can be left out" for name in _LISTS
    },
    ("find_duplicates", "embeddings"): "None is a choice with a name",
    ("find_shortcuts", "by"): "none is an empty list here",
    ("find_shortcuts", "groups"): "None means the usual ones: they are listed, so that some can be left out",
    ("find_shortcuts", "order"): "None is a choice with a name",
    ("find_shortcuts", "embeddings"): "None is a choice with a name",
    **{(name, "objects"): "None is a choice with a name" for name in _ON_OBJECTS},
    **{("generate", name): "None is a choice with a name" for name in _DRAWN_FROM},
    ("flag", "thresholds"): "each failure mode has an input of its own, at the threshold in use",
    **{("more_like", name): "None is a choice with a name" for name in ("failing", "unlabeled")},
    **{("repair", name): "None is a choice with a name" for name in ("failure", "method", "control", "region")},
    ("repair", "checks"): "None means all that judged the samples: they are listed, so that some can be left out",
    **{("rebalance", name): "None is a choice with a name" for name in ("source", "label", "reference", "captions")},
    ("rebalance", "allow_unknown"): "names with commas between, and none is nothing",
    ("decide_repairs", "failure"): "None is a choice with a name",
    ("report", "by"): "None means the first few that are worth it: they are listed, so that some can be left out",
    ("select", "groups"): "None means the duplicates, where they are known",
    ("select", "n"): "a quarter of the samples is proposed",
    ("select", "per"): "None means none: an empty list",
    ("select", "without"): "any is one of a list of failure modes",
    **{("select", name): "None is a choice with a name" for name in ("score", "label", "split", "keep")},
    ("split", "groups"): "None means the duplicates, where they are known",
    ("split", "order"): "None is a choice with a name",
    ("split", "repair"): "None is a choice with a name",
    ("split", "sizes"): "None means three splits, which are named with their shares",
    ("split", "stratify"): "None means none: an empty list",
    ("review", "decisions"): "None is a choice with a name",
    ("review", "field"): "None is a choice with a name",
    ("reviewed", "failures"): "None means all that were reviewed: they are listed, so that some can be left out",
    ("slice", "failure"): "None is a choice with a name",
    ("test_transfer", "pool"): "None is a choice with a name",
    ("slice", "groups"): "None is a choice with a name",
}


def _first_signs() -> list[str]:
    from loupe.brain.prompts import suites

    return [prompt.prompt for prompt in suites.read("signs", sample=50)[:3]]


def _of(inputs: dict[str, Any], parameter: str) -> dict[str, Any]:
    return {key: made for key, made in inputs.items() if key == parameter or key.startswith(f"{parameter}__")}


def test_each_verb_is_an_operator_and_every_operator_is_tested(database: str) -> None:
    import fiftyone.operators as foo

    from loupe.brain import api

    prefix = "@loupe/loupe/"
    registered = {each.uri.removeprefix(prefix) for each in foo.list_operators() if each.uri.startswith(prefix)}
    verbs = {name for name, module in api.PUBLIC.items() if module.startswith("loupe.brain.verbs.")}
    assert registered - set(DECLARED["panels"]) - BUTTONS == set(ALL) == verbs | {"jobs"}
    assert set(VERBS) == verbs


@pytest.mark.parametrize("name", ALL)
def test_what_the_app_shows_of_an_operator(database: str, name: str) -> None:
    config = operator(name).config
    assert config.label.startswith("Loupe: ")
    assert 20 < len(config.description) < 120
    assert config.icon
    assert config.execute_as_generator
    assert config.allow_delegated_execution == (name not in ("jobs", "scores"))


@pytest.mark.parametrize("name", ALL)
def test_the_form_builds_on_an_empty_dataset_and_says_what_is_missing(dataset: Any, name: str) -> None:
    reported = problems(form(name, dataset, {"settings": True}))
    assert ("no_samples" in reported) == (name in ON_SAMPLES)


@pytest.mark.parametrize("name", ALL)
def test_the_form_builds_and_can_be_submitted_as_it_is(filled: Any, needed: dict[str, Any], name: str) -> None:
    inputs = form(name, filled, untouched(name, filled, needed[name]))
    assert inputs
    assert not problems(inputs)
    assert ("view_target" in inputs) == (name in ON_SAMPLES)
    output = operator(name).resolve_type(context(name, filled, results={"summary": "x"}), "outputs")
    assert list(output.type.properties) == ["summary"]


@pytest.mark.parametrize("name", ON_SAMPLES)
def test_the_form_builds_on_selected_samples_and_on_a_view(filled: Any, needed: dict[str, Any], name: str) -> None:
    chosen = filled.values("id")[:4]
    inputs = form(name, filled, {**needed[name], "view_target": "SELECTED_SAMPLES"}, selected=chosen)
    assert inputs["view_target"].type.values == ["DATASET", "SELECTED_SAMPLES"]
    assert inputs["count"].view.label == "4 samples"
    assert not problems(inputs)
    stages = json.loads(json.dumps(filled.limit(5)._serialize()))
    assert form(name, filled, needed[name], view=stages)["count"].view.label == "5 samples"


@pytest.mark.parametrize("name", ON_SAMPLES)
def test_an_empty_selection_is_no_reason_to_fail(filled: Any, needed: dict[str, Any], name: str) -> None:
    assert not problems(form(name, filled, needed[name], selected=[]))


def test_without_a_dataset_a_form_says_so(database: str) -> None:
    from fiftyone.operators.executor import ExecutionContext, Executor

    for name in ALL:
        nothing = ExecutionContext({"params": {}}, executor=Executor(), operator_uri=f"@loupe/loupe/{name}")
        inputs = operator(name).resolve_type(nothing, "inputs").type.properties
        assert problems(inputs) == {"dataset": "No dataset is open. Open a dataset first."}


@pytest.mark.parametrize("name", ALL)
def test_each_input_has_a_label_and_a_description(filled: Any, needed: dict[str, Any], name: str) -> None:
    from fiftyone.operators import types

    for key, made in whole_form(name, filled, needed[name]).items():
        if key in AROUND - {"settings"} or isinstance(made.type, types.Void):
            continue
        if isinstance(made.view, types.MarkdownView):
            continue  # it is read only
        assert made.view.label, key
        assert made.view.description, key
        assert "``" not in made.view.description, key
        assert not re.search(r"(?<!\\)(\*|__)", made.view.description), (key, "the App reads Markdown there")


@pytest.mark.parametrize("name", VERBS)
def test_each_parameter_is_asked_for_or_hidden_for_a_reason(filled: Any, needed: dict[str, Any], name: str) -> None:
    made = operator(name)
    names = set(parameters(name))
    inputs = whole_form(name, filled, needed[name])
    asked = {parameter for parameter in names if _of(inputs, parameter)}
    assert asked.isdisjoint(made.hidden)
    assert asked | set(made.hidden) == names
    assert all(len(reason) > 10 for reason in made.hidden.values())
    assert set(made.widgets) <= asked
    assert set(made.settings) <= asked
    own = {parameter.name for parameter in made.own}
    assert own.isdisjoint(names)
    known = {key for parameter in names | own for key in _of(inputs, parameter)}
    assert set(inputs) <= known | AROUND, "each input is of a parameter"


@pytest.mark.parametrize("name", VERBS)
def test_settings_are_shown_only_where_somebody_wants_them(filled: Any, needed: dict[str, Any], name: str) -> None:
    settings = operator(name).settings
    inputs = form(name, filled, needed[name])
    assert ("settings" in inputs) == bool(settings)
    assert not any(_of(inputs, parameter) for parameter in settings)


@pytest.mark.parametrize("name", VERBS)
def test_the_forms_defaults_are_the_verbs(filled: Any, needed: dict[str, Any], name: str) -> None:
    inputs = whole_form(name, filled, needed[name])
    compared = 0
    for parameter, facts in parameters(name).items():
        if facts.default is inspect.Parameter.empty or parameter in operator(name).hidden:
            continue
        same = parameter in inputs and inputs[parameter].default == facts.default
        assert same != ((name, parameter) in DIFFERENT), (parameter, facts.default)
        compared += 1
    assert compared or name in ("scores",)


def test_a_parameter_that_no_input_fits_is_the_developers_to_decide(database: str) -> None:
    from types import SimpleNamespace

    from loupe.operators.check import CheckImages
    from loupe.operators.forms import Form

    class Careless(CheckImages):
        """Forgets a parameter."""

        widgets = {}

    with pytest.raises(TypeError, match="expected a widget for check\\(checks: Sequence"):
        list(Careless(_builtin=False).asked(Form(SimpleNamespace(params={}), None)))


def test_fields_that_no_sample_has_are_said_before_running(scenes: Any) -> None:
    from loupe.brain.core import registry

    needing = [name for name, spec in registry.checks().items() if "prompt" in spec.needs]
    assert needing
    assert not any("absent_prompt" in name for name in form("check", scenes, {"checks": needing}))
    own = {"checks__preset": "own"}
    assert set(needing) & set(form("check", scenes, own)["checks"].default)
    scenes.clear_sample_field("prompt")
    assert not set(form("check", scenes, own)["checks"].default) & set(needing)
    inputs = form("check", scenes, {"checks": needing})
    assert all(f"checks__{name}__absent_prompt" in inputs for name in needing)
    assert not problems(inputs)


def test_what_has_to_come_first_is_a_problem_of_the_form(scenes: Any) -> None:
    assert "check images" in problems(form("scores", scenes))["no_failure"]
    assert "check images" in problems(form("flag", scenes))["no_scores"]
    assert "check images" in problems(form("slice", scenes))["no_failures"]
    assert "embed images" in problems(form("find_outliers", scenes))["no_field"]
    assert "Choose exact, near" in problems(form("find_duplicates", scenes, {"near": False, "exact": False}))["nothing"]
    one_sample = json.loads(json.dumps(scenes.limit(1)._serialize()))
    assert "needs two" in problems(form("find_duplicates", scenes, view=one_sample))["one_sample"]


def test_a_field_of_vectors_of_another_name_is_proposed(scenes: Any) -> None:
    import fiftyone as fo

    scenes.add_sample_field("mine", fo.VectorField)
    scenes.add_sample_field("fingerprint", fo.VectorField)
    inputs = form("find_outliers", scenes)
    assert (inputs["field"].default, inputs["field"].type.values) == ("mine", ["mine"])
    settings = form("find_duplicates", scenes, {"settings": True})
    assert settings["embeddings"].type.values == ["(none)", "mine"]


def test_calibrating_on_too_few_pictures_is_said_before(scenes: Any) -> None:
    label = form("calibrate", scenes)["too_few"].view.label
    assert label.startswith("A threshold for 1 % needs at least 197 pictures, here are 12")
    assert "too_few" in form("calibrate", scenes, {"false_positive_rate": 0.1})
    assert "here are 10" in form("calibrate", scenes, {"false_positive_rate": 0.1, "limit": 10})["too_few"].view.label
    assert "too_few" not in form("calibrate", scenes, {"false_positive_rate": 0.2})


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"prompts": "one\n\ntwo", "per_prompt": 3}, "2 prompts × 3 = 6 images. The first prompts: one · two"),
        (
            {
                "prompts__source": "template",
                "prompts__template": "a {color} {thing}",
                "factors": "color: red, blue\nthing: cup, hat, bag",
            },
            "6 prompts × 1 = 6 images. The first prompts: a red cup · a red hat · a red bag",
        ),
        (
            {"prompts__source": "suite", "prompts__suite": "signs", "sample": 50},
            "50 prompts × 1 = 50 images. The first prompts: " + " · ".join(_first_signs()),
        ),
        ({"prompts": "a (cat:1.3) --ar 1:1"}, "1 prompt × 1 = 1 image. The first prompt: a cat"),
    ],
)
def test_generating_says_how_many_before(dataset: Any, params: dict[str, Any], says: str) -> None:
    inputs = form("generate", dataset, params)
    assert not problems(inputs)
    assert inputs["count"].view.label == says
    assert ("left_out" in inputs) == ("1.3" in str(params))
    if "left_out" in inputs:
        assert (
            "Weights: left out of 1 prompt, for diffusion does not read them: (cat:1.3)"
            in inputs["left_out"].view.label
        )


def test_the_devices_to_choose_from(dataset: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def offered(params: dict[str, Any]) -> Any:
        inputs = form("generate", dataset, {"prompts": "a cup", "settings": True, **params})
        return inputs.get("device"), problems(inputs)

    made, _ = offered({})
    assert [choice.value for choice in made.view.choices] == ["all"]
    assert "0 GPUs here" in made.view.choices[0].label
    monkeypatch.setattr("loupe.operators.devices.gpus", lambda: {"cuda:0": "H200", "cuda:1": "H200"})
    made, _ = offered({})
    assert [choice.value for choice in made.view.choices] == ["all", "cuda:0", "cuda:1"]
    assert (made.default, made.required) == (None, False)
    for device in ("all", "cuda:1", "cuda:0, cuda:1", "mps", ""):
        assert not offered({"device": device})[1], device
    for device in ("cuda:0;cuda:1", "ALL", "cuda:", "cpu,", "cpu," * 1000, 7, ["cpu"]):
        assert "Device to run on: expected" in str(offered({"device": device})[1]), device
    assert offered({"model__drawn_by": "openai"})[0] is None


def test_the_suites_to_choose_from(dataset: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOUPE_SUITES_DIRS", raising=False)
    inputs = form("generate", dataset, {"prompts__source": "suite"})
    assert {"signs", "geneval", "partiprompts"} <= set(inputs["prompts__suite"].type.values)
    assert "sample" in inputs
    assert "factors" not in inputs
    reported = problems(form("generate", dataset, {"prompts__source": "suite", "prompts__suite": "geneval"}))
    assert "LOUPE_SUITES_DIRS" in reported["bad_prompts"]


def test_prompts_that_cannot_be_used_are_refused_in_the_form(dataset: Any, tmp_path: Path) -> None:
    file = tmp_path / "prompts.csv"
    file.write_text("promt\na cup\n", encoding="utf-8")
    template = {"prompts__source": "template", "prompts__template": "a {color} cup"}
    bad: list[tuple[dict[str, Any], str]] = [
        ({"prompts__source": "file", "prompts__file": str(file)}, "expected the column 'prompt'"),
        ({"prompts__source": "file", "prompts__file": str(tmp_path / "none.txt")}, "none.txt"),
        ({**template, "factors": ""}, "color"),
        ({**template, "factors": "color red"}, "Factors, line 1"),
        ({"prompts": "x" * 10_000}, "characters"),
        ({"prompts": "a (cat:1e999)"}, "1e999"),
        ({"prompts": "a {red|blue"}, "Expected }"),
        ({"prompts": "a __cat__"}, "Expected 'Folder of wildcards'"),
        ({"prompts": "a <lora:x:1>", "syntax": "refuse", "settings": True}, "does not understand '<lora:x:1>'"),
        ({"prompts": "a cup", "seed": -1}, "Random seed: expected a whole number from 0"),
    ]
    for params, says in bad:
        reported = problems(form("generate", dataset, params))
        assert says in reported["bad_prompts"], (params, reported)


def test_factors_are_read_line_by_line(database: str) -> None:
    from loupe.operators.generate import read_factors

    assert read_factors('time: day, night\n\ntext: "a, b", c\n') == {"time": ["day", "night"], "text": ["a, b", "c"]}
    with pytest.raises(PromptError, match="factors, line 2: expected 'name: value, value', got 'night'"):
        read_factors("time: day\nnight")
    with pytest.raises(PromptError, match="line 2: expected each factor once, got 'time' twice"):
        read_factors("time: day\ntime: night")
