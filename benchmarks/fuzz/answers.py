"""What models and services answer: an answer, a clear reason, never an error of their making in our hands."""

from __future__ import annotations

import base64
import io
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from benchmarks.fuzz import changes, moment, pictures
from benchmarks.fuzz.changes import Rng, pick

_Tried = tuple[str, Literal["ok", "refused"], int]
_VLM = {
    "choices": [
        {"logprobs": {"content": [{"token": "Yes", "logprob": -0.1, "top_logprobs": [
            {"token": "Yes", "logprob": -0.1}, {"token": " no", "logprob": -2.4}]}]}}
    ]
}  # fmt: skip
_LLM = {"objects": [{"name": "cup", "count": 2, "exact": True, "attributes": [{"kind": "color", "value": "red"}]}],
        "relations": [{"subject": 0, "name": "left of", "object": 0}], "excluded": ["dog"]}  # fmt: skip
_BFL = {"id": "x", "polling_url": "https://api.bfl.ai/v1/x", "status": "Ready", "cost": 4.5,
        "result": {"sample": "https://delivery.bfl.ai/x.png", "seed": 3}, "detail": "no"}  # fmt: skip
_IDEOGRAM = {"generation_id": "abcdef12", "status": "completed", "usage_cost_usd_micros": 30000,
             "failure_reason": "x", "error": "no",
             "data": [{"url": "https://ideogram.ai/x.png", "seed": 3, "is_image_safe": True}]}  # fmt: skip
_STATUSES = (200, 200, 200, 201, 202, 302, 400, 401, 402, 404, 408, 409, 422, 429, 500, 503, 504, 99, 999)
_KEY = "sk-0123456789abcdef"


def answer(rng: Rng, folder: Path) -> _Tried:
    """Tries one kind of answer."""
    name = pick(rng, ("vlm", "vlm", "llm", "bfl", "ideogram", "openai", "picture"))
    content = _content(name, rng)
    (folder / "input.bin").write_bytes(content)
    moment.begins()
    return f"answers {name}", _TRIED[name](content, rng), 0


def _content(name: str, rng: Rng) -> bytes:
    if name == "picture":
        return pictures.made(rng)[1]
    base = {"vlm": _VLM, "llm": _LLM, "bfl": _BFL, "ideogram": _IDEOGRAM, "openai": _openai()}[name]
    made: Any = base
    for _ in range(int(rng.integers(0, 4))):
        made = changes.tree(made, rng)
    text = changes.as_json(made, rng)
    if name == "llm" and rng.random() < 0.3:
        text = changes.text(rng) + text
    return text.encode("utf-8", "surrogatepass")


def _vlm(content: bytes, rng: Rng) -> Literal["ok", "refused"]:
    from loupe.brain.perception.vlm import http
    from loupe.brain.perception.vlm.answers import Cuts, Verdict
    from loupe.brain.perception.vlm.endpoint import Reply

    made = http.read(Reply(content, whole=bool(rng.random() < 0.95)), Cuts())
    assert made.verdict in get_args(Verdict), made
    assert made.verdict == "unknown" or 0 <= made.yes <= 1, made
    assert bool(made.reason) == (made.verdict == "unknown"), made
    made.reason.encode()
    return "refused" if made.verdict == "unknown" else "ok"


def _llm(content: bytes, rng: Rng) -> Literal["ok", "refused"]:
    from loupe.brain.prompts import llm, reworded

    text = content.decode("utf-8", "replace")
    spec = llm.read_with("two red cups", lambda question: text)
    # a model may add nothing of its own
    assert all("cup" in requested.name for requested in spec.objects), spec
    listed = json.dumps([changes.value(rng), "a cup that is red", text], default=str)
    reworded.reworded("a red cup", ["red"], lambda question: listed)
    return "ok" if spec.source == "llm" else "refused"


class _Client:
    """Answers each request with the same bytes."""

    def __init__(self, content: bytes, status: int, headers: Mapping[str, str]) -> None:
        self._content, self.status_code, self.headers = content, status, headers
        #: where something was asked for
        self.asked: list[str] = []

    @contextmanager
    def stream(self, method: str, url: str, **_: Any) -> Iterator[_Client]:
        self.asked.append(url)
        yield self

    def iter_bytes(self) -> Iterator[bytes]:
        """Yields the body."""
        yield self._content


def _service(name: str, content: bytes, rng: Rng) -> Literal["ok", "refused"]:
    from loupe.brain.core.records import Request
    from loupe.brain.hosted import replies

    service = _services()[name]
    headers = {"retry-after": changes.text(rng, 1), "location": changes.text(rng, 2)} if rng.random() < 0.3 else {}
    client = _Client(content, int(pick(rng, _STATUSES)), headers)
    service._web._client = client
    made = [
        service.submit("key", Request("a cup", 3)),
        service.collect("https://api.bfl.ai/v1/x" if name == "bfl" else "abc"),
    ]
    for reply in made:
        assert isinstance(reply, get_args(replies.Reply)), reply
        shown = repr(reply)
        assert _KEY not in shown, "the key"
        reason = getattr(reply, "reason", "")
        reason.encode()
        assert "\n" not in reason and len(reason) < 2000, reason  # noqa: PT018
        cost = getattr(reply, "cost", None)
        assert cost is None or 0 <= cost < 1e9, cost
    for url in client.asked:
        assert url.startswith("https://"), url
    return "ok" if any(isinstance(reply, (replies.Answer, replies.Accepted)) for reply in made) else "refused"


def _bfl(content: bytes, rng: Rng) -> Literal["ok", "refused"]:
    return _service("bfl", content, rng)


def _ideogram(content: bytes, rng: Rng) -> Literal["ok", "refused"]:
    return _service("ideogram", content, rng)


def _openai_read(content: bytes, rng: Rng) -> Literal["ok", "refused"]:
    from loupe.brain.hosted import replies, web

    service = _services()["openai"]
    made = service._read(content)
    assert isinstance(made, get_args(replies.Reply)), made
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    refused = service._refused(web.Response(int(pick(rng, _STATUSES)), body, None), changes.text(rng, 2))
    assert isinstance(refused, get_args(replies.Reply)), refused
    assert _KEY not in repr(refused)
    return "ok" if isinstance(made, (replies.Answer, replies.Accepted)) else "refused"


def _picture(content: bytes, rng: Rng) -> Literal["ok", "refused"]:
    from loupe.brain.hosted.pictures import decoded

    try:
        image = decoded(content)
    except ValueError as error:
        str(error).encode()
        return "refused"
    assert image.mode == "RGB", image.mode
    return "ok"


_TRIED = {
    "vlm": _vlm,
    "llm": _llm,
    "bfl": _bfl,
    "ideogram": _ideogram,
    "openai": _openai_read,
    "picture": _picture,
}


@lru_cache(maxsize=1)
def _services() -> dict[str, Any]:
    from loupe.brain.generators.bfl import Bfl
    from loupe.brain.generators.ideogram import Ideogram
    from loupe.brain.generators.openai_images import OpenAIImages
    from loupe.brain.hosted.secrets import Secret

    key = Secret(_KEY)
    # whether a picture's address is a public one is looked up; here all are, and nobody is asked
    socket.getaddrinfo = lambda host, port, *_, **__: [(socket.AF_INET, 1, 6, "", ("93.184.216.34", port))]  # type: ignore
    return {
        "bfl": Bfl().service("https://api.bfl.ai", key),
        "ideogram": Ideogram().service("https://api.ideogram.ai", key),
        "openai": OpenAIImages().service("https://api.openai.com/v1", key),
    }


@lru_cache(maxsize=1)
def _openai() -> dict[str, Any]:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(buffer, "PNG")
    usage = {"input_tokens": 10, "output_tokens": 100}
    item = {"b64_json": base64.b64encode(buffer.getvalue()).decode(), "url": None, "revised_prompt": "a cup"}
    return {"created": 1, "data": [item], "usage": usage, "code": "moderation_blocked", "type": "x", "message": "no"}
