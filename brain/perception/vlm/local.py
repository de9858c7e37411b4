"""A VLM that runs a vision-language model on this machine, through transformers."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from loupe.brain.core import interrupts
from loupe.brain.core.errors import InputError, ModelError, Stopped
from loupe.brain.perception.vlm.answers import Answer, Cuts, Question, VlmError, from_sums, spelled
from loupe.brain.perception.vlm.base import WORDING, Vlm, conversation
from loupe.brain.perception.vlm.folder import DEFAULT, locate

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

_DTYPES = ("auto", "float32", "float16", "bfloat16")


class LocalVlm(Vlm):
    """Asks an image-text-to-text model of transformers, and reads P(yes) off the probabilities of its next token.

    An answer depends on the model, the question, the pictures and the number format, and on nothing else: nothing is
    sampled, and the questions of a batch do not see each other. Kernels sum in another order for other shapes, so that
    P(yes) of a question in another batch may differ in its last digits: by less than 1e-5 for the small float32 model
    of the tests, by more with 16 bits.

    Only safetensors weights are loaded, and no code that comes with a model is run. VQAScore reads answers the same
    way: Lin et al., Evaluating Text-to-Visual Generation with Image-to-Text Generation, ECCV 2024. Each model has its
    own license; Qwen3-VL is Apache-2.0.

    >>> vlm = LocalVlm("Qwen/Qwen3-VL-2B-Instruct", device="cuda")  # doctest: +SKIP
    >>> vlm.answer([Question(is_there("dog"), picture)])[0].verdict  # doctest: +SKIP
    'yes'
    """

    def __init__(
        self,
        model: str = DEFAULT,
        revision: str | None = None,
        device: str = "cpu",
        dtype: str = "auto",
        batch_size: int = 8,
        cuts: Cuts | None = None,
    ) -> None:
        """Loads the model.

        Args:
            model: a hub id, or a local folder in transformers' format
            revision: of a hub id: a branch, a tag or a commit
            device: "cpu", "cuda", "cuda:1", "mps"
            dtype: number format of the weights; "auto" is float32 on a CPU and bfloat16 elsewhere
            batch_size: questions that run at once, 1 to 1024; halved for good where memory runs out
            cuts: where P(yes) becomes a verdict

        Raises:
            InputError: a setting is out of its bounds
            ModelError: the model cannot be loaded, or it has no tokens for yes and no
        """
        import torch

        if dtype not in _DTYPES:
            raise InputError(f"expected dtype to be one of {', '.join(_DTYPES)}, got {dtype!r}")
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or not 1 <= batch_size <= 1024:
            raise InputError(f"expected batch_size to be a whole number from 1 to 1024, got {batch_size!r}")
        folder, fingerprint = locate(model, revision)
        kind = torch.device(device).type
        chosen = dtype if dtype != "auto" else "float32" if kind == "cpu" else "bfloat16"
        self._name = folder.name if Path(model).is_dir() else model
        self._device = device
        self._cuts = cuts or Cuts()
        self._at_once = batch_size
        self._processor = _load_processor(folder, self._name)
        self._model = _load_model(folder, self._name, getattr(torch, chosen), device)
        self._control = _control_tokens(self._processor)
        self._yes, self._no = (_ids(self._processor, word, self._name) for word in ("yes", "no"))
        takes = inspect.signature(self._model.forward).parameters
        # the logits of all positions would take vocabulary x length numbers for each question
        self._last_only = {"logits_to_keep": 1} if "logits_to_keep" in takes else {}
        self._facts = {
            "model": self._name,
            "fingerprint": fingerprint,
            "dtype": chosen,
            "device": kind,
            "wording": WORDING,
        }

    @property
    def facts(self) -> dict[str, Any]:
        """Model, fingerprint, dtype, kind of device and wording: what the answers depend on beside the question."""
        return dict(self._facts)

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Returns one answer for each question, in their order.

        Raises:
            VlmError: a single question does not fit into memory, or the model cannot take its picture
        """
        import torch

        answers: list[Answer] = []
        while len(answers) < len(questions):
            part = questions[len(answers) : len(answers) + self._at_once]
            try:
                answers += self._answers(part)
                continue
            except torch.OutOfMemoryError as error:
                if len(part) == 1:
                    raise VlmError(
                        f"{self._name} has no memory left on {self._device} for one question: use smaller pictures, "
                        "fewer examples, a smaller model or dtype='bfloat16'"
                    ) from error
            # out here, where the error no longer holds on to what was allocated
            self._at_once = max(1, len(part) // 2)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
        return answers

    def _answers(self, questions: Sequence[Question]) -> list[Answer]:
        import torch

        try:
            inputs = self._inputs(questions)
            with torch.inference_mode():
                logits = self._model(**inputs, **self._last_only, use_cache=False).logits[:, -1]
        except (torch.OutOfMemoryError, Stopped):
            raise
        # foreign code: templates refuse conversations, processors refuse pictures of extreme shape, each in its own way
        except Exception as error:
            raise VlmError(f"{self._name} cannot answer: {type(error).__name__}: {error}"[:500]) from error
        probabilities = logits.float().softmax(dim=1).cpu()
        sums = [probabilities[:, ids].sum(dim=1).tolist() for ids in (self._yes, self._no)]
        return [from_sums(yes, no, self._cuts) for yes, no in zip(*sums, strict=True)]

    def _inputs(self, questions: Sequence[Question]) -> dict[str, Tensor]:
        from PIL import Image

        def part(picture: np.ndarray) -> dict[str, Any]:
            return {"type": "image", "image": Image.fromarray(picture)}

        with _quiet():
            inputs = self._processor.apply_chat_template(
                [self._plain(conversation(question, part)) for question in questions],
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
                processor_kwargs={"padding": True},
            )
        return dict(inputs.to(self._device, dtype=self._model.dtype))

    def _plain(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Takes the model's own control tokens out of the texts: a prompt must not end a turn or add a picture."""
        for message in messages:
            for piece in message["content"]:
                for token in self._control if piece["type"] == "text" else ():
                    piece["text"] = piece["text"].replace(token, " ")
        return messages


def _load_processor(folder: Path, name: str) -> Any:
    from transformers import AutoProcessor

    try:
        with _quiet():
            processor = AutoProcessor.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    # what a foreign folder can make transformers raise has no end
    except Exception as error:
        raise _cannot_load(name, error) from error
    tokenizer = getattr(processor, "tokenizer", None)
    if tokenizer is None or getattr(processor, "image_processor", None) is None or not processor.chat_template:
        raise ModelError(f"{name}: expected a model with a tokenizer, an image processor and a chat template")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    # the next token comes after the last one of each question
    tokenizer.padding_side = "left"
    return processor


def _load_model(folder: Path, name: str, dtype: Any, device: str) -> Any:
    from transformers import AutoModelForImageTextToText

    try:
        with _quiet():
            model, report = AutoModelForImageTextToText.from_pretrained(
                folder,
                dtype=dtype,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
            )
        wrong = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
        model = interrupts.watch(model.to(device).eval())
    except Exception as error:
        raise _cannot_load(name, error) from error
    if wrong:
        # transformers would fill them with random numbers
        raise ModelError(f"{name}: expected all weights, got none for {', '.join(wrong[:3])} and {len(wrong)} in all")
    return model


def _cannot_load(name: str, error: Exception) -> ModelError:
    if "trust_remote_code" in str(error):
        return ModelError(f"{name} brings code of its own, which Loupe does not run: choose a model that needs none")
    return ModelError(
        f"expected an image-text-to-text model in transformers' format, and {name} cannot be loaded as one: "
        f"{type(error).__name__}: {error}"[:1000]
    )


def _control_tokens(processor: Any) -> tuple[str, ...]:
    tokens = {token.content for token in processor.tokenizer.added_tokens_decoder.values() if token.special}
    # the mark that a picture is put in place of is no special token with every model
    tokens |= {str(mark) for mark in (getattr(processor, "image_token", None), getattr(processor, "video_token", None))}
    return tuple(sorted(tokens - {"None", ""}, key=len, reverse=True))


def _ids(processor: Any, word: Literal["yes", "no"], name: str) -> list[int]:
    ids = sorted(index for token, index in processor.tokenizer.get_vocab().items() if spelled(token) == word)
    if not ids:
        raise ModelError(f"{name}: expected a vocabulary with a token for {word!r}, got none")
    return ids


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences the bars and warnings of transformers, and puts its settings back."""
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    try:
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        yield
    finally:
        logging.set_verbosity(before[0])
        if before[1]:
            logging.enable_progress_bar()
