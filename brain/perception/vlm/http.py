"""A VLM behind an OpenAI-compatible HTTP endpoint, such as vLLM's server."""

from __future__ import annotations

import base64
import io
import json
import math
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from loupe.brain.core.errors import InputError
from loupe.brain.perception.vlm.answers import Answer, Cuts, Question, VlmError, from_tokens, unknown
from loupe.brain.perception.vlm.base import WORDING, Vlm, conversation
from loupe.brain.perception.vlm.endpoint import Dropped, Endpoint, Reply, Unreachable

if TYPE_CHECKING:
    import numpy as np

_TOP = 20  # as many as OpenAI's API and vLLM's server give unless told otherwise

# so many questions in a row without an answer, and the endpoint is left alone for so many seconds
_IN_A_ROW = 3
_REST = 30.0


class HttpVlm(Vlm):
    """Asks a model behind an OpenAI-compatible endpoint, and reads P(yes) off the 20 likeliest first tokens.

    A reply that cannot be read, or that says neither yes nor no, is an unknown answer with its reason. An endpoint that
    cannot be reached, refuses or stays silent is an error: nothing was learned of the picture, and a later run asks
    again. One that was down or silent three questions in a row is left alone for 30 seconds, and what is asked
    meanwhile fails at once: a dead endpoint does not hold up a run for hours.

    Redirects are not followed, proxies are not used, and the key is sent over https or to this machine only. It
    stands in no error, in no repr and in none of the facts.

    The server's numbers have to be probabilities over all tokens: with vLLM that is ``--logprobs-mode raw_logprobs``,
    its default. Then constrained decoding changes nothing, and is not asked for; with other modes it would hide that a
    model would rather answer something else. ``extra={"structured_outputs": {"choice": ["Yes", "No"]}}`` asks for it.

    >>> vlm = HttpVlm("http://localhost:8000/v1", "Qwen/Qwen3-VL-8B-Instruct")  # doctest: +SKIP
    >>> vlm.answer([Question(is_there("dog"), picture)])[0].verdict  # doctest: +SKIP
    'yes'
    """

    def __init__(
        self,
        url: str,
        model: str,
        token: str = "",
        timeout: float = 60.0,
        retries: int = 3,
        concurrency: int = 8,
        deadline: float = 180.0,
        cuts: Cuts | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Keeps the settings; nothing is sent yet.

        Args:
            url: the endpoint's base, e.g. ``http://localhost:8000/v1``, or the whole address of its chat completions
            model: the model's name at the endpoint
            token: the API key; empty for none
            timeout: seconds for one attempt, all of it, in (0, 3600]
            retries: further attempts after the first one, 0 to 20
            concurrency: questions on the way at once, 1 to 256
            deadline: seconds for one question with all its attempts, in (0, 86400]
            cuts: where P(yes) becomes a verdict
            extra: further fields of the request; None as a value takes a field out

        Raises:
            InputError: the address, the key or a setting cannot be used
        """
        for name, value, high in (("timeout", timeout, 3600), ("deadline", deadline, 86400)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= high:
                raise InputError(f"expected {name} to be seconds above 0, at most {high}, got {value!r}")
        for name, value, low, high in (("retries", retries, 0, 20), ("concurrency", concurrency, 1, 256)):
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise InputError(f"expected {name} to be a whole number from {low} to {high}, got {value!r}")
        if not isinstance(model, str) or not model.strip():
            raise InputError(f"expected the name of a model at the endpoint, got {model!r}")
        try:
            json.dumps(extra)
        except (TypeError, ValueError) as error:
            raise InputError(f"expected extra to be fields of a JSON request: {error}") from error
        self._endpoint = Endpoint(url, token, timeout, retries, deadline)
        self._model = model
        self._concurrency = concurrency
        self._cuts = cuts or Cuts()
        self._extra = dict(extra or {})
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._rests_until = -math.inf
        self._last = ""

    def __repr__(self) -> str:
        return f"HttpVlm({self._endpoint.url!r}, {self._model!r})"

    @property
    def facts(self) -> dict[str, Any]:
        """Model, endpoint, further fields of the request and wording: what the answers depend on, without the key."""
        return {"model": self._model, "url": self._endpoint.url, "extra": dict(self._extra), "wording": WORDING}

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Returns one answer for each question, in their order.

        Raises:
            VlmError: the endpoint cannot be reached, refuses, or did not answer one of them in time
        """
        if not questions:
            return []
        stop = threading.Event()
        pool = ThreadPoolExecutor(min(self._concurrency, len(questions)), thread_name_prefix="vlm")
        try:
            asked = [pool.submit(self._ask, question, stop) for question in questions]
            wait(asked, return_when=FIRST_EXCEPTION)
        finally:
            # after an error, or where the caller stops, nothing more is sent and nobody waits for a next attempt
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
        errors = [error for future in asked if not future.cancelled() and (error := future.exception())]
        if errors:
            raise next((error for error in errors if not isinstance(error, Dropped)), errors[0])
        return [future.result() for future in asked]

    def _ask(self, question: Question, stop: threading.Event) -> Answer:
        try:
            with self._lock:
                if time.monotonic() < self._rests_until:
                    raise Unreachable(f"{self._last}. It is left alone for {_REST:.0f} s")
            try:
                reply = self._endpoint.post(self._body(question), stop)
            except Unreachable as error:
                self._count(str(error))
                raise
        except VlmError:
            # set here, before this thread takes up the next question
            stop.set()
            raise
        with self._lock:
            self._in_a_row = 0
        return read(reply, self._cuts)

    def _count(self, message: str) -> None:
        with self._lock:
            self._in_a_row += 1
            self._last = message
            if self._in_a_row >= _IN_A_ROW:
                # if the first question after the rest fails, too, the next rest begins
                self._in_a_row = _IN_A_ROW - 1
                self._rests_until = time.monotonic() + _REST

    def _body(self, question: Question) -> bytes:
        body = {
            "model": self._model,
            "messages": conversation(question, _part),
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": _TOP,
            **self._extra,
        }
        return json.dumps({name: value for name, value in body.items() if value is not None}).encode()


def read(reply: Reply, cuts: Cuts) -> Answer:
    """Returns the answer that a reply holds; one that cannot be read is unknown, with its reason.

    >>> top = [{"token": "Yes", "logprob": -0.1}, {"token": "No", "logprob": -2.4}]
    >>> token = {**top[0], "top_logprobs": top}
    >>> body = json.dumps({"choices": [{"logprobs": {"content": [token]}}]}).encode()
    >>> read(Reply(body, whole=True), Cuts()).verdict
    'yes'
    """
    if not reply.whole:
        return unknown("the endpoint's reply is longer than any answer could be")
    try:
        answer = json.loads(reply.body)
    except (ValueError, RecursionError):
        return unknown("the endpoint's reply is no JSON")
    try:
        choice = answer["choices"][0]
        positions = choice["logprobs"] and choice["logprobs"]["content"]
    except (KeyError, IndexError, TypeError):
        return unknown("the endpoint's reply is no chat completion with log-probabilities")
    if not positions:
        return unknown("the endpoint's reply has no log-probabilities: its model or its settings do not give them")
    try:
        first, tokens = _token(positions[0]), [_token(item) for item in positions[0]["top_logprobs"] or ()]
    except (KeyError, IndexError, TypeError, ValueError, OverflowError):
        return unknown("the log-probabilities in the endpoint's reply cannot be read")
    # some servers list the token that was drawn beside the others
    tokens += [first] if first[0] not in {token for token, _ in tokens} else []
    if len(tokens) < 2:
        return unknown("the endpoint gives the probability of one token only: P(yes) needs that of yes and that of no")
    return from_tokens(tokens, cuts)


def _token(item: Any) -> tuple[str, float]:
    token, value = item["token"], item["logprob"]
    if not isinstance(token, str) or isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("expected a token with its log-probability")
    return token, float(value)


def _part(picture: np.ndarray) -> dict[str, Any]:
    from PIL import Image

    buffer = io.BytesIO()
    # PNG: a JPEG's own artifacts would be judged, too
    Image.fromarray(picture).save(buffer, format="PNG", compress_level=3)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
