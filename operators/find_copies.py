"""``@loupe/loupe/find_copies``."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.brain.imaging.files import printable
from loupe.operators import summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.summary import Summary
from loupe.operators.widgets import FilePath


class FindCopies(VerbOperator):
    """Finds the samples that show the same picture as an image file outside the dataset."""

    verb = "find_copies"
    label = "find copies of a file"
    icon = "image_search"
    button = "Find"
    widgets = {"path": FilePath(description="The image file, on the machine that runs this", elsewhere=True)}
    settings = ("engine",)

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        name = escape(printable(given["path"]))
        if not result:
            return Summary(f"No sample shows {name}", f"No sample shows {name}.", {"pairs": []})
        message = f"{counted(len(result), 'sample')} with the picture of {name}"
        rows = [[pair.id_b, summary.PAIR_KINDS.get(pair.kind, pair.kind), f"{pair.similarity:.3f}"] for pair in result]
        text = f"{message}, which the grid shows, the most alike first.\n\n"
        text += summary.table(["Sample", "Has", "Similarity"], rows)
        return Summary(message, text, {"pairs": summary.pair_facts(result)})

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        # the fingerprints of the samples may be new
        yield ctx.ops.reload_dataset()
        ids = [pair["id_b"] for pair in done.facts["pairs"]]
        if ids:
            yield ctx.ops.set_view(ctx.dataset.select(ids, ordered=True))
