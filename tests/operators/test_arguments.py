"""What an operator makes of its form: the verb gets what a person filled in, and nothing else."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from operator_calls import (
    ALL,
    AROUND,
    VERBS,
    context,
    form,
    operator,
    parameters,
    problems,
    untouched,
    verb_of,
    whole_form,
)

from loupe.brain.core.errors import InputError, LoupeError

pytestmark = [pytest.mark.database, pytest.mark.slow]


#: what a form proposes where the dataset lacks what the verb's own default names
PROPOSED = {"compare": {"by"}, "select": {"n"}}
#: what a form asks for all the same, though the verb can do without: of a source the samples' own prompts
PROPOSED |= {"generate": {"prompts"}}


class Called(Exception):
    """Raised by a spy in a verb's place."""


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """Puts a spy in a verb's place; returns what it was called with, once it was."""

    def put(name: str) -> dict[str, Any]:
        real = verb_of(name)
        seen: dict[str, Any] = {}

        @functools.wraps(real)
        def record(*args: Any, **kwargs: Any) -> None:
            seen.update(inspect.signature(real).bind(*args, **kwargs).arguments)
            raise Called

        monkeypatch.setattr(importlib.import_module(f"loupe.brain.verbs.{name}"), name, record)
        return seen

    return put


def _call(name: str, dataset: Any, params: dict[str, Any]) -> None:
    with pytest.raises(Called):
        list(operator(name).execute(context(name, dataset, params)))


@pytest.mark.parametrize("name", VERBS)
def test_an_untouched_form_calls_the_verb_with_nothing_but_what_it_needs(
    filled: Any, needed: dict[str, Any], spy: Callable[[str], dict[str, Any]], name: str
) -> None:
    seen = spy(name)
    _call(name, filled, untouched(name, filled, needed[name]))
    first, *_ = inspect.signature(verb_of(name)).parameters
    assert seen.pop(first) == filled
    if "progress" in inspect.signature(verb_of(name)).parameters:
        assert callable(seen.pop("progress"))
    required = {key for key, facts in parameters(name).items() if facts.default is inspect.Parameter.empty}
    assert set(seen) == required | PROPOSED.get(name, set())

    proposed = dict(seen)
    seen.clear()
    with_settings = {**needed[name], "settings": True}
    _call(name, filled, untouched(name, filled, with_settings))
    assert {key: value for key, value in seen.items() if key not in (first, "progress")} == proposed


@pytest.mark.parametrize(
    ("name", "params", "given"),
    [
        ("calibrate", {"false_positive_rate": 0.05, "apply": True, "failures": ["dark", "dark"]},
         {"false_positive_rate": 0.05, "apply": True, "failures": ["dark"]}),
        ("check", {"checks": "", "resume": False, "batch_size": 4.0}, {"resume": False, "batch_size": 4}),
        ("compare", {"by": "split", "failure": "(any failure)", "against": "(none)"}, {"by": "split"}),
        ("compare", {"by": "split", "failure": "dark", "against": "train", "settings": True, "paired_by": "(none)",
                     "groups": "scenario.time", "confidence": 0.9},
         {"by": "split", "failure": "dark", "against": "train", "paired_by": False, "groups": "scenario.time",
          "confidence": 0.9}),
        ("embed", {"visualize": "none", "field": " other "}, {"visualize": None, "field": "other"}),
        ("embed", {"visualize": "pca", "field": "  "}, {"visualize": "pca"}),
        ("evaluate", {"ground_truth": "ground_truth", "predictions": ["model"], "by": ["split"], "confidence": 0.5},
         {"ground_truth": "ground_truth", "predictions": ["model"], "by": ["split"], "confidence": 0.5}),
        ("evaluate", {"ground_truth": "model", "predictions": ["ground_truth"], "positive": " cat "},
         {"ground_truth": "model", "predictions": ["ground_truth"], "positive": "cat"}),
        ("find_duplicates", {"embeddings": "embeddings", "threshold": 1},
         {"embeddings": "embeddings", "threshold": 1.0}),
        ("find_drift", {"by": "split"}, {"by": "split", "reference": "first"}),
        ("find_drift", {"by": "split", "reference": "batch: train", "settings": True, "scores": ["quality.luma_mean"],
                        "labels": [], "alpha": 0.01},
         {"by": "split", "reference": "train", "scores": ["quality.luma_mean"], "labels": [], "alpha": 0.01}),
        ("find_duplicates", {"near": False, "threshold": 0.5}, {"near": False}),
        ("find_leaks", {"splits": "(sample tags)"}, {"splits": ["train", "test"]}),
        ("find_leaks", {"splits": "(sample tags)", "splits__tags": "a, b,"}, {"splits": ["a", "b"]}),
        ("find_leaks", {"splits": "split", "splits__tags": "a, b"}, {"splits": "split"}),
        ("find_clusters", {"n": 3.0, "field": "look"}, {"n": 3, "field": "look"}),
        ("find_outliers", {"neighbors": 10}, {"neighbors": 10}),
        ("find_words", {"words": "day, night ,", "margin": 0.02}, {"words": ("day", "night"), "margin": 0.02}),
        ("flag", {"thresholds__dark": 1.0}, {"thresholds": {"dark": 1.0}}),
        ("relabel", {"label": "ground_truth", "accept": 0.9, "top": 5.0, "field": " right "},
         {"label": "ground_truth", "accept": 0.9, "top": 5, "field": "right"}),
        ("scores", {"failure": "dark", "only_failing": True}, {"failure": "dark"}),
        ("slice", {"by": [], "failure": "dark"}, {"by": [], "failure": "dark"}),
        ("slice", {"by": ["split"], "failure": "(all failures)", "confidence": 0.9},
         {"by": ["split"], "confidence": 0.9}),
        ("slice", {"by": [], "failure": "any", "groups": "prompt", "min_n": 30},
         {"by": [], "failure": "any", "groups": "prompt", "min_n": 30}),
        ("slice", {"by": [], "groups": "(none)"}, {"by": []}),
        ("generate", {"prompts": "a cup\n\n a hat ", "steps": 4, "dtype": "float32", "negative_prompt": " x "},
         {"prompts": ["a cup", " a hat"], "steps": 4, "dtype": "float32", "negative_prompt": "x"}),
        ("generate", {"prompts__source": "suite", "prompts__suite": "signs", "sample": 3, "settings": True,
                      "syntax": "refuse"}, {"prompts": "signs", "sample": 3, "syntax": "refuse"}),
        ("generate", {"prompts": ["a\nb"], "seed": 2**62}, {"prompts": ["a\nb"], "seed": 2**62}),
        ("generate", {"prompts__source": "template", "prompts__template": "a {color} cup", "factors": "color: red",
                      "sample": 1}, {"prompts": "a {color} cup", "factors": {"color": ["red"]}, "sample": 1}),
        ("generate", {"prompts__source": "template", "prompts__template": "a cup", "prompts": "no"},
         {"prompts": "a cup", "factors": {}}),
        ("generate", {"prompts": "a cup", "source": "a file or a folder", "image": " x.png ", "strength": 0.5,
                      "upscale": 2, "upscale_strength": 0.2, "settings": True},
         {"prompts": ["a cup"], "image": "x.png", "strength": 0.5, "upscale": 2.0, "upscale_strength": 0.2}),
        ("generate", {"prompts": "a cup", "source": "(the prompts alone)", "image": "x.png", "mask": "boxes"},
         {"prompts": ["a cup"]}),
    ],
)  # fmt: skip
def test_what_a_person_fills_in_is_what_the_verb_gets(
    filled: Any, spy: Callable[[str], dict[str, Any]], name: str, params: dict[str, Any], given: dict[str, Any]
) -> None:
    seen = spy(name)
    _call(name, filled, params)
    first, *_ = inspect.signature(verb_of(name)).parameters
    assert {key: value for key, value in seen.items() if key not in (first, "progress")} == given


def test_settings_of_specs_reach_theverb_of(filled: Any, spy: Callable[[str], dict[str, Any]]) -> None:
    from loupe.brain.core import registry

    known = registry.checkable()
    seen = spy("check")
    _call("check", filled, {"checks": ["hands", "exposure"], "checks__hands__vlm": "mine"})
    assert seen["checks"] == [known["hands"](vlm="mine"), known["exposure"]()]  # type: ignore[call-arg]
    everything = [name for name, spec in known.items() if spec.default]
    seen.clear()
    _call("check", filled, {"checks": everything[::-1]})
    assert "checks" not in seen

    seen = spy("embed")
    _call("embed", filled, {"embedder": "open_clip", "embedder__open_clip__model": "ViT-L-14"})
    assert seen["embedder"].model == "ViT-L-14"
    seen.clear()
    _call("embed", filled, {"embedder": "auto", "embedder__open_clip__model": "ViT-L-14"})
    assert "embedder" not in seen
    seen.clear()
    _call("embed", filled, {"embedder": "hog"})
    assert seen["embedder"] == registry.embedders()["hog"]()


@pytest.mark.parametrize("name", ALL)
def test_whatever_the_app_sends_an_input_of_another_kind_is_refused(
    filled: Any, needed: dict[str, Any], spy: Callable[[str], dict[str, Any]], name: str
) -> None:
    """Each input in turn gets what no input of its kind sends: the form says so, and the verb is not called."""
    from fiftyone.operators import types

    if name == "jobs":
        with pytest.raises(InputError, match="What to do: expected a text, got"):
            list(operator(name).execute(context(name, filled, {"action": {"$where": "1"}})))
        return
    seen = spy(name)
    tried = 0
    for key, made in whole_form(name, filled, needed[name]).items():
        if key in AROUND or isinstance(made.type, types.Void) or isinstance(made.view, types.MarkdownView):
            continue  # it is read only
        params = untouched(name, filled, needed[name])
        if key in ("factors", "sample", "prompts__template"):
            params = {"prompts__source": "template", "prompts__template": "a {b}", "factors": "b: c"}
        if key == "prompts__file":
            params = {"prompts__source": "file"}
        if key.startswith("model__openai__") or key == "budget":
            params = {**needed[name], "model__drawn_by": "openai"}
        if name == "generate" and key in ("image", "mask", "strength", "control", "reference"):
            params["source"] = "what the grid shows"
        if key == "upscale_strength":
            params["upscale"] = 2
        if key == "prompts__suite":
            params = {"prompts__source": "suite"}
        if key.startswith("splits__"):
            params["splits"] = "(sample tags)"
        if name == "find_label_issues" and key in ("predictions", "overlap"):
            params["label"] = "boxes"
        params[key] = {"$where": "1"}
        with pytest.raises(LoupeError, match=r"expected .*, got|unknown") as error:
            list(operator(name).execute(context(name, filled, params)))
        assert not seen
        reported = problems(form(name, filled, {**params, "settings": True}))
        assert any(str(error.value) in text for text in reported.values()), (key, reported)
        tried += 1
    assert tried


@pytest.mark.parametrize(
    ("name", "params", "says"),
    [
        ("calibrate", {"failures": []}, "Failure modes: expected at least one, got none"),
        ("calibrate", {"failures": ["blurr"]}, "Did you mean 'blur'?"),
        ("calibrate", {"false_positive_rate": 0}, "False positive rate: expected a number from 0.001 to 0.2, got 0"),
        ("calibrate", {"limit": 10.5}, "Pictures at most: expected a whole number of at least 10, got 10.5"),
        ("check", {"checks": []}, "Checks to run: expected at least one, got none"),
        ("check", {"checks": ["sharpnes"]}, "Did you mean 'sharpness'?"),
        ("check", {"checks": "sharpness"}, "Checks to run: expected a list of names, got 'sharpness'"),
        ("check", {"batch_size": 0}, "Images at once: expected a whole number from 1 to 4096, got 0"),
        ("embed", {"embedder": "hogg"}, "unknown embedder 'hogg'. Did you mean 'hog'?"),
        ("embed", {"visualize": "tsne"}, "Map of the vectors: expected one of umap, pca, got 'tsne'"),
        (
            "evaluate",
            {"ground_truth": "ground_truth", "predictions": []},
            "Models to evaluate: expected at least one, got none",
        ),
        ("evaluate", {"ground_truth": "ground_truth", "predictions": ["modell"]}, "Did you mean 'model'?"),
        ("evaluate", {"predictions": ["model"], "ground_truth": "mine"}, "Ground truth: expected one of ground_truth"),
        (
            "find_copies",
            {"path": "/no/such.png"},
            "Image file to look for: expected a file, got '/no/such.png'",
        ),
        ("find_copies", {}, "Image file to look for: expected a value, got nothing"),
        ("find_copies", {"path": "/"}, "Image file to look for: expected a file, got '/': there is none"),
        ("find_drift", {"reference": "nowhere"}, "unknown dataset 'nowhere'"),
        ("find_drift", {"reference": "saved view: nowhere"}, "unknown saved view 'nowhere'"),
        ("find_drift", {"by": "nothing"}, "unknown field 'nothing'"),
        (
            "find_leaks",
            {"splits": "split", "threshold": 1.5},
            "Similarity threshold: expected a number from 0 to 1",
        ),
        ("find_memorized", {"reference": "nowhere"}, "unknown dataset 'nowhere'"),
        ("flag", {"thresholds__dark": "0.2"}, "Dark: expected a number, got '0.2'"),
        ("generate", {"prompts": "a cup", "seed": -1}, "Random seed: expected a whole number from 0"),
        ("generate", {"prompts": " \n"}, "Prompts: expected a value, got nothing"),
        (
            "generate",
            {"prompts": "a cup", "steps": 1001},
            "Denoising steps: expected a whole number from 1 to 1000",
        ),
        (
            "generate",
            {"prompts": "a", "prompts__source": "web"},
            "Where the prompts come from: expected one of list, template, file, suite, got",
        ),
        ("import_images", {"folder": "/no/such"}, "Folder of images: expected a folder, got '/no/such': there is none"),
        (
            "import_images",
            {"folder": "s3://b/renders"},
            "Folder of images: s3://b/renders: it lies elsewhere",
        ),
        ("import_images", {"folder": " "}, "Folder of images: expected a value, got nothing"),
        (
            "import_images",
            {"folder": "/", "prompts": "x.csv"},
            "Table of prompts: expected a file, got 'x.csv'",
        ),
        ("slice", {}, "Fields to slice by: expected a value, got nothing"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_before_the_verb_is_called(
    filled: Any, spy: Callable[[str], dict[str, Any]], name: str, params: dict[str, Any], says: str
) -> None:
    seen = spy(name)
    with pytest.raises(InputError) as error:
        list(operator(name).execute(context(name, filled, params)))
    assert says in str(error.value)
    assert not seen
    if "got nothing" not in says:  # an input that is still empty is marked by the App itself
        reported = problems(form(name, filled, {**params, "settings": True}))
        assert any(says.casefold() in text.casefold() for text in reported.values()), reported
