"""The aesthetic and the preference check with a tiny CLIP that is made here: sums against open_clip's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from committed import picture
from people import batch_of
from PIL import Image
from tiny_clip import tiny_clip

from loupe.brain.checks.aesthetic import Aesthetic
from loupe.brain.checks.preference import Preference
from loupe.brain.core.errors import InputError, MissingWeights, ModelError
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.verbs.steps.planning import with_weights
from loupe.testing import check_spec

open_clip = pytest.importorskip("open_clip")
pytestmark = pytest.mark.slow
_PROMPTS = ("a cup of coffee", "an orange flower")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The parameters of both checks: a tiny model, and the file of a head."""
    folder = tmp_path_factory.mktemp("clip")
    clip = tiny_clip(folder)
    torch.manual_seed(1)
    torch.save(torch.nn.Linear(24, 1).state_dict(), folder / "head.pth")
    return {"model": clip.model, "pretrained": clip.pretrained, "head": str(folder / "head.pth")}


def two() -> ImageBatch:
    small = [np.array(Image.fromarray(picture(name)).resize((96, 64))) for name in ("coffee", "dahlia")]
    return replace(batch_of(*small), fields={"prompt": _PROMPTS})


def vectors(made: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the two pictures and of the two prompts, by open_clip alone."""
    model, _, transform = open_clip.create_model_and_transforms(made["model"], pretrained=made["pretrained"])
    pictures = [Image.fromarray(each) for each in two().pixels.permute(0, 2, 3, 1).numpy()]
    texts = open_clip.get_tokenizer(made["model"])(list(_PROMPTS))
    with torch.no_grad():
        seen = model.eval().encode_image(torch.stack([transform(each) for each in pictures]), normalize=True)
        return seen, model.encode_text(texts, normalize=True)


def test_the_score_is_the_heads_of_the_unit_vector(made: dict[str, Any]) -> None:
    state = torch.load(made["head"], weights_only=True)
    expected = vectors(made)[0] @ state["weight"][0] + state["bias"]
    assert torch.allclose(Aesthetic(**made).load("cpu")(two())["aesthetic"], expected, atol=1e-5)


def test_the_preference_is_the_cosine_of_each_picture_and_its_prompt(made: dict[str, Any]) -> None:
    seen, read = vectors(made)
    got = Preference(model=made["model"], pretrained=made["pretrained"]).load("cpu")(two())["preference"]
    assert torch.allclose(got, torch.stack([seen[at] @ read[at] for at in (0, 1)]), atol=1e-5)


def test_both_keep_the_contracts(made: dict[str, Any]) -> None:
    check_spec(Aesthetic(**made))
    check_spec(Preference(model=made["model"], pretrained=made["pretrained"]))


def test_without_weights_both_are_left_out_of_all_checks_and_say_why() -> None:
    ready, absent = with_weights([Aesthetic(), Preference(), Aesthetic(head="x")])
    assert ready == [Aesthetic(head="x")]
    assert "no head is named" in absent["aesthetic"]
    assert "no weights are named" in absent["preference"]
    with pytest.raises(MissingWeights, match="no head is named"):
        with_weights([Aesthetic()])
    for check in (Aesthetic(), Preference()):
        with pytest.raises(InputError, match="name"):
            check.load("cpu")


def test_a_head_for_another_model_is_refused(made: dict[str, Any], tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1, 7)}, tmp_path / "head.pt")
    with pytest.raises(InputError, match=r"expected a head for vectors of 24 numbers.*got one for 7"):
        Aesthetic(**{**made, "head": str(tmp_path / "head.pt")}).load("cpu")
    with pytest.raises(ModelError, match="cannot load open_clip's"):
        Preference(model="no-such-model", pretrained="x.pt").load("cpu")
