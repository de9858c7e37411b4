"""Each operator in the App on each kind of samples that the App can show: its form and its run say what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from collections_of_all_kinds import KINDS, fill
from operator_calls import ALL, form, messages, problems, untouched

pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.timeout(900)]

#: a view of a deleted dataset cannot be opened in the App
SHOWN = [kind for kind in KINDS if KINDS[kind].refused and kind != "deleted"]
#: what the App says where nobody foresaw an error
UNFORESEEN = "This went wrong"


@pytest.fixture(scope="module")
def pictures(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    import fiftyone as fo

    made = fill(fo.Dataset(), tmp_path_factory.mktemp("pictures"))
    yield made
    made.delete()


def _opened(pictures: Any, kind: str, folder: Path) -> tuple[Any, dict[str, Any]]:
    """Returns the dataset that is open, and what the App sends of the view that it shows."""
    import fiftyone as fo

    samples = KINDS[kind].make(pictures.clone(), folder)
    if isinstance(samples, fo.Dataset):
        return samples, {}
    return samples._root_dataset, {"view": json.loads(json.dumps(samples._serialize()))}


def _last_words(sent: list[dict[str, Any]]) -> str:
    return str(sent[-1].get("error_message") or "")


@pytest.mark.parametrize("kind", SHOWN)
def test_no_operator_fails_in_a_way_that_nobody_foresaw(pictures: Any, tmp_path: Path, kind: str) -> None:
    dataset, request = _opened(pictures, kind, tmp_path)
    wrong = []
    for name in ALL:
        for text in problems(form(name, dataset, {"settings": True}, **request)).values():
            if UNFORESEEN in text:
                wrong.append(f"{name}, its form: {text}")
        text = _last_words(messages(name, dataset, untouched(name, dataset, **request), app=True, **request))
        if UNFORESEEN in text:
            wrong.append(f"{name}, as it ran: {text}")
    dataset.delete()
    assert not wrong, "\n".join(wrong)


def test_forms_name_fields_of_odd_names(pictures: Any, tmp_path: Path) -> None:
    dataset, _ = _opened(pictures, "odd names", tmp_path)
    for name in ALL:
        inputs = form(name, dataset, {"settings": True})
        assert not [text for text in problems(inputs).values() if UNFORESEEN in text], name
    assert "класс" in json.dumps(form("report", dataset)["by"].to_json(), ensure_ascii=False)
    dataset.delete()
