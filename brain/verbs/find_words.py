"""``loupe.find_words``: which of a few words fits each picture best, by a model that knows pictures and texts."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.assigned import Assigned
from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import is_real
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.specs import Embedder
from loupe.brain.slicing.words import best_words
from loupe.brain.store import assigned as store_assigned
from loupe.brain.store import sets as store_sets
from loupe.brain.store import vectors as store_vectors
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo

_DESCRIPTION = "The word that fits the picture best"
TEMPLATE = "a photo of {}"
MARGIN = 0.01


def find_words(
    samples: fo.Dataset | fo.DatasetView,
    words: Iterable[str],
    *,
    embeddings: str = "embeddings",
    field: str = "words",
    template: str = TEMPLATE,
    margin: float = MARGIN,
    device: str | None = None,
    progress: bool | ProgressCallback | None = None,
) -> Assigned:
    """Gives each sample the one of some words that fits its picture best, or none where two fit alike.

    Nobody has to train or label anything: the vectors that ``loupe.embed(embedder="open_clip")`` made are compared with
    those of the words by the same model (zero-shot classification: Radford et al. 2021, arXiv:2103.00020). Then
    ``loupe.slice(samples, "words")`` slices by them. No picture is read again.

    The words have to exclude each other: ``["day", "night"]``. For what may be there or not, name its absence, too:
    ``["a crowd of people", "an empty place"]``, in a field of its own. How often such a word is right depends on the
    model and on the word: look at some pictures of each before you believe a rate.

    Args:
        samples: a dataset or view; samples outside of it keep what they have in the field
        words: two or more, or short phrases
        embeddings: the field of vectors
        field: where the word goes; a sample without one is unsure, or has no usable vector
        template: the sentence that a word stands in, with ``{}`` for it
        margin: by how much, in cosine similarity, the best word has to exceed the second. 0.01 makes it 2.7 times as
            likely to CLIP, whose similarities are sharpened a hundredfold; higher abstains more often
        device: e.g. ``"cuda:1"``; the best there is by default
        progress: True for a bar, or a function; see ``loupe.Progress``

    Raises:
        UnknownName: no such field of vectors; the nearest name is suggested
        InputError: fewer than two words, vectors of a model that knows no texts, or a field that Loupe did not make
        ModelError: the model's weights cannot be had
        NoSamples: the view is empty
        Stopped: ``progress`` asked to stop

    >>> loupe.find_words(dataset, ["day", "night"], field="daytime")  # doctest: +SKIP
    203 samples in 'daytime', 13 unsure, 0 unknown
    daytime  samples
    day          121
    night         82
    """
    named = _words(words)
    if not isinstance(template, str) or "{}" not in template:
        raise InputError(f"expected a template with {{}} for the word, got {template!r}")
    if not is_real(margin) or not 0 <= margin < 2:
        raise InputError(f"expected a margin of cosine similarity in [0, 2), got {margin!r}")
    with running(samples, "find_words", progress, label="words", device=device) as verb:
        samples = verb.samples
        store_assigned.require(samples, field, _DESCRIPTION)
        rows = store_assigned.rows(samples)
        verb.step(0, len(rows), "reading")
        vectors = store_sets.comparable(samples, rows, embeddings)
        spec = reader_of_texts(store_vectors.made_by(samples, embeddings), embeddings)
        verb.step(0, len(rows), "loading")
        read = spec.load_texts(verb.device)
        of_words = read([template.replace("{}", word) for word in named]).float().cpu().numpy()
        verb.step(0, len(rows), "comparing")
        if len(vectors.index) and vectors.unit.shape[1] != of_words.shape[1]:
            sizes = f"{vectors.unit.shape[1]} numbers, those of the words {of_words.shape[1]}"
            raise InputError(
                f"expected vectors of one model, but those in {embeddings!r} have {sizes}: run loupe.embed"
            )
        best = best_words(vectors.unit, of_words, margin)
        values: list[str | None] = [None] * len(rows)
        for at, word in zip(vectors.index.tolist(), best.tolist(), strict=True):
            values[at] = None if word < 0 else named[word]
        store_assigned.write(samples, field, _DESCRIPTION, rows, values)
        counts = Counter(value for value in values if value is not None)
        result = Assigned(
            field, {word: counts[word] for word in named}, int(np.sum(best < 0)), unknown=len(vectors.reasons)
        )
        params = {
            "words": list(named),
            "embeddings": embeddings,
            "field": field,
            "template": template,
            "margin": margin,
        }
        verb.finish(len(rows), params=params, unknown={"find_words": result.unknown} if result.unknown else {})
        verb.step(len(rows), len(rows), "done")
    return result


def _words(given: Iterable[str]) -> tuple[str, ...]:
    words = () if isinstance(given, str) else tuple(dict.fromkeys(given))
    if len(words) < 2 or not all(isinstance(word, str) and word.strip() for word in words):
        raise InputError(f"expected two or more different words, got {given!r}: name what is there instead, too")
    return words


def reader_of_texts(facts: dict[str, object] | None, field: str) -> Embedder:
    """Returns what made the vectors, which has to know texts.

    Raises:
        InputError: nobody knows what made them, or it knows no texts
    """
    readers = ", ".join(name for name, spec in registry.embedders().items() if spec.reads_texts)
    if facts is None:
        raise InputError(f"expected vectors that loupe.embed made, by one of {readers}: {field!r} has others")
    made = type(registry.pick("embedder", registry.embedders(), str(facts["name"])))
    if not made.reads_texts:
        raise InputError(
            f"expected vectors of a model that knows texts ({readers}), but {field!r} has those of {made.name}: run "
            f'loupe.embed(samples, embedder="open_clip", field=...)'
        )
    own = {parameter.name for parameter in dataclasses.fields(made)}
    return made(**{name: value for name, value in facts.items() if name in own})
