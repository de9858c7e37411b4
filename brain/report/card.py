"""A dataset card for the Hugging Face Hub: its metadata as YAML, and the report as its text.

The form is that of https://huggingface.co/docs/hub/datasets-cards; huggingface_hub writes the metadata.
"""

from __future__ import annotations

from loupe.brain.report import markdown
from loupe.brain.report.blocks import Page
from loupe.brain.report.contents import Contents

#: the Hub's size categories: below each number the name
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
)


def draw(contents: Contents, page: Page, *, license: str | None = None) -> str:
    """Returns the text of a ``README.md``.

    Args:
        contents: what the report tells
        page: the report
        license: of the images, as the Hub names it, e.g. ``"cc-by-4.0"``; None: none is stated
    """
    from huggingface_hub import DatasetCardData

    size = next((name for limit, name in _SIZES if contents.n < limit), "n>100M")
    tags = ["fiftyone", "loupe", *(["synthetic"] if any(run.verb == "generate" for run in contents.runs) else [])]
    facts = DatasetCardData(license=license, pretty_name=contents.title, size_categories=[size], tags=tags)
    return f"---\n{facts.to_yaml()}\n---\n\n{markdown.draw(page)}"
