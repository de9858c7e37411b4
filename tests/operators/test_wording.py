"""What an error says of Python becomes, in the App, the operators and the inputs that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loupe.brain.core.shown import markdown as escape
from loupe.operators.wording import in_app, inputs_of, shown_in_app

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("run loupe.embed first, or give embeddings=", "Run 'Loupe: embed images' first, or give 'Field of vectors'."),
        (
            "run loupe.find_duplicates(samples) first, or loupe.find_leaks(samples, splits=...)",
            "Run 'Loupe: find duplicates' first, or 'Loupe: find leaks' ('What says the split').",
        ),
        (
            "give objects='boxes', or save_as=None",
            "Give 'Pictures or their objects' = 'boxes', or 'Name of the saved view' left empty.",
        ),
        ("no size; run dataset.compute_metadata()", "No size; run 'Compute metadata'."),
        ("a slice with time=night fails; LOUPE_REMOTE_MEDIA=1", "A slice with time=night fails; LOUPE_REMOTE_MEDIA=1."),
        ("'a field' is not there", "'a field' is not there."),
        ("quality.blur has no scores: see loupe.nothing()", "quality.blur has no scores: see loupe.nothing()."),
        ("https://host/a?by=x, is asked", "https://host/a?by=x, is asked."),
        ("a slice wet=True fails, as color='red' does", "A slice wet=True fails, as color='red' does."),
        ("", ""),
    ],
)  # fmt: skip
def test_calls_and_arguments_become_operators_and_inputs(message: str, shown: str) -> None:
    assert in_app(message) == shown


def test_an_argument_is_called_as_in_the_form_that_is_open() -> None:
    with inputs_of("find_clusters"):
        assert in_app("give field=, or n=") == "Give 'Field for the clusters', or 'Number of clusters'."
    assert in_app("give field=") == "Give 'Field to use'."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("shuffle, or loupe.split(samples, stratify=…)", "'Loupe: split the dataset' ('Fields to keep in balance')"),
        ("not known: dataset.compute_metadata() reads them", "not known: 'Compute metadata' reads them"),
        ("that is known with label=", "that is known with 'Field of labels'"),
        ("run loupe.find_words(samples, ['day'])", "run 'Loupe: find words' (['day'])"),
        ("my field find_words, a slice label=None", "my field find_words, a slice label=None"),
    ],
)
def test_what_a_result_says_of_python_becomes_the_apps_words_in_markdown_too(text: str, shown: str) -> None:
    assert shown in shown_in_app(text)
    assert shown in shown_in_app(escape(text)).replace("\\", "")


def test_a_message_that_was_put_into_words_stays_as_it_is() -> None:
    once = in_app("got none: run loupe.check(samples, ['blur']) first, or give field=")
    assert in_app(once) == once


def test_every_call_that_an_error_names_is_an_operator() -> None:
    """An error of a verb names others: those that have no operator could not be followed in the App."""
    known = {path.stem for path in (ROOT / "operators").glob("*.py")}
    #: are done in Python, or at the command line, only
    known |= {"remote_media", "suites", "view_of", "weights"}
    named = set()
    for folder in ("verbs", "store"):
        for path in (ROOT / "brain" / folder).rglob("*.py"):
            for text in re.findall(r'f?"[^"\n]*\brun loupe\.([a-z_]+)', path.read_text(encoding="utf-8")):
                named.add(text)
    assert {"check", "embed"} <= named
    assert named <= known
