"""Views and tags are kept under names that FiftyOne can tell apart."""

from __future__ import annotations

from typing import Any

import pytest

from loupe.brain.core.errors import InputError

pytestmark = pytest.mark.database


@pytest.fixture
def view(dataset: Any) -> Any:
    """Two of three samples."""
    import fiftyone as fo

    dataset.add_samples([fo.Sample(f"/nowhere/{at}.png") for at in range(3)])
    return dataset.limit(2)


@pytest.mark.parametrize("wanted", ["Blur · night", "猫", "!?", "", "x" * 300, "a.b $c <b>"])
def test_a_free_name_can_be_saved_and_the_next_one_is_another(view: Any, wanted: str) -> None:
    from loupe.brain.store import keeping

    names = []
    for _ in range(3):
        names.append(keeping.free_name(view, wanted))
        keeping.save(view, names[-1])
    assert len(set(names)) == 3
    assert view._root_dataset.list_saved_views() == names
    assert all(len(view._root_dataset.load_saved_view(name)) == 2 for name in names)


def test_a_name_that_is_taken_or_is_none_is_refused(view: Any) -> None:
    from loupe.brain.store import keeping

    keeping.save(view, " Blur · night ")
    assert view._root_dataset.list_saved_views() == ["Blur · night"]
    for taken in ("Blur · night", "blur night"):  # FiftyOne makes the same address of both
        with pytest.raises(InputError, match="already"):
            keeping.save(view, taken)
    for none in ("", "  ", "!?", "x" * 200):
        with pytest.raises(InputError, match="expected a name"):
            keeping.save(view, none)


def test_a_tag_is_put_on_the_samples_of_the_view_only(view: Any) -> None:
    from loupe.brain.store import keeping

    assert keeping.tag(view, " dark $ones.") == 2
    assert view._root_dataset.count_sample_tags() == {"dark $ones.": 2}
    with pytest.raises(InputError, match="tag"):
        keeping.tag(view, " ")


def test_the_same_view_with_the_same_description_is_saved_once(view: Any) -> None:
    from loupe.brain.store import keeping

    dataset = view._root_dataset
    assert keeping.save_once(view, "chosen", "Recipe: a") == "chosen"
    assert dataset.get_saved_view_info("chosen")["description"] == "Recipe: a"
    assert keeping.save_once(view, "chosen", "Recipe: a") == "chosen"
    # another description, another view: another one is saved
    assert keeping.save_once(view, "chosen", "Recipe: b") == "chosen 2"
    assert keeping.save_once(dataset.limit(1), "chosen", "Recipe: a") == "chosen 3"
    assert keeping.save_once(view, "chosen") == "chosen"
    assert len(dataset.list_saved_views()) == 3
