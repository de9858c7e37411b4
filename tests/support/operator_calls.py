"""Operators as the App calls them: their forms, and the messages that they send when they run."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DECLARED: dict[str, list[str]] = yaml.safe_load((ROOT / "fiftyone.yml").read_text(encoding="utf-8"))
#: operators without a form: buttons of a run's dialog
BUTTONS = {"open_workspace", "stop"}
#: the names of all operators with a form, and of those that call a verb
ALL = [name for name in DECLARED["operators"] if name not in BUTTONS]
VERBS = [name for name in ALL if name != "jobs"]
#: what stands in a form beside what is asked for
AROUND = {
    *("held_out", "no_duplicates", "view_target", "count", "settings", "report", "too_few", "no_worker", "kept"),
    *("no_vectors", "no_key", "price", "plan", "originals"),
}


def verb_of(name: str) -> Callable[..., Any]:
    """Returns the verb that an operator calls."""
    from loupe.brain import api

    verb: Callable[..., Any] = getattr(api, name)
    return verb


def parameters(name: str) -> dict[str, inspect.Parameter]:
    """Returns a verb's parameters but for the first one, which is the samples or the dataset, and ``progress``."""
    _, *others = inspect.signature(verb_of(name)).parameters.values()
    return {each.name: each for each in others if each.name != "progress"}


def operator(name: str) -> Any:
    import fiftyone.operators as foo

    return foo.get_operator(f"@loupe/loupe/{name}")


def context(name: str, dataset: Any, params: dict[str, Any] | None = None, **request: Any) -> Any:
    from fiftyone.operators.executor import ExecutionContext, Executor

    facts = {"dataset_name": dataset.name, "view": [], "params": dict(params or {}), **request}
    return ExecutionContext(request_params=facts, executor=Executor(), operator_uri=f"@loupe/loupe/{name}")


def form(name: str, dataset: Any, params: dict[str, Any] | None = None, **request: Any) -> dict[str, Any]:
    """Returns the inputs of an operator's form by name; all of it is JSON-able, as the App needs it."""
    made = operator(name).resolve_type(context(name, dataset, params, **request), "inputs")
    json.dumps(made.to_json())
    inputs: dict[str, Any] = made.type.properties
    return inputs


def whole_form(name: str, dataset: Any, needed: dict[str, Any]) -> dict[str, Any]:
    """Returns all that a form can ask for, settings included."""
    inputs = form(name, dataset, {**needed, "settings": True})
    if name == "generate":
        for source in ("template", "file", "suite"):
            inputs |= form(name, dataset, {"prompts__source": source, "settings": True})
        inputs |= form(name, dataset, {"model__drawn_by": "openai", "settings": True})
        inputs |= form(name, dataset, {"source": "what the grid shows", "upscale": 2, "settings": True})
    if name == "find_label_issues":
        inputs |= form(name, dataset, {**needed, "label": "boxes", "settings": True})
    return inputs


def problems(inputs: dict[str, Any]) -> dict[str, str]:
    """Returns what keeps a form from being submitted, by input."""
    return {name: made.error_message for name, made in inputs.items() if made.invalid}


def untouched(name: str, dataset: Any, params: dict[str, Any] | None = None, **request: Any) -> dict[str, Any]:
    """Returns what the App sends of a form that nobody has touched, but for ``params``: each input's default."""
    inputs = form(name, dataset, params, **request)
    defaults = {key: made.default for key, made in inputs.items() if made.default is not None and key != "view_target"}
    return {**defaults, **(params or {})}


def messages(
    name: str, dataset: Any, params: dict[str, Any] | None = None, *, app: bool = False, **request: Any
) -> list[dict[str, Any]]:
    """Runs an operator, by ``app`` as the App does, and returns the lines that it would be sent."""
    # the App sends no prompt_id here, though it does so for the form
    request |= {"operator_uri": f"@loupe/loupe/{name}"} if app else {}
    sent = operator(name).execute(context(name, dataset, params, **request))
    return [json.loads(message.to_json_line()) for message in sent]


def result(name: str, dataset: Any, params: dict[str, Any] | None = None, **request: Any) -> dict[str, Any]:
    """Runs an operator as the App does, and returns its result."""
    last = messages(name, dataset, params, app=True, **request)[-1]
    assert last.get("error_message") is None, last
    body: dict[str, Any] = last["body"]
    return body


def triggered(sent: list[dict[str, Any]]) -> list[str]:
    """Returns the App's own operators that the messages call."""
    return [message["body"]["operator_uri"] for message in sent if message["cls"] == "InvocationRequest"]


def execute(name: str, dataset: Any, params: dict[str, Any], **more: Any) -> Any:
    """Runs an operator as FiftyOne does from Python: its form is validated first."""
    import fiftyone.operators as foo

    return foo.execute_operator(f"@loupe/loupe/{name}", {"dataset": dataset, "params": params, **more})
