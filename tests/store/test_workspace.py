"""How the App shows a dataset."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database


def test_prepare_app_orders_the_sidebar_and_saves_the_workspace(dataset: Any) -> None:
    import fiftyone as fo
    from filled import fill

    from loupe.brain.store.workspace import PANEL, WORKSPACE, prepare_app
    from loupe.panels.failures_by_scenario.panel import FailuresByScenario

    fill(dataset, 12)
    dataset.add_sample_field("text", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    dataset.add_sample_field("camera", fo.StringField)
    for _ in range(2):  # the second time changes nothing
        assert prepare_app(dataset) == WORKSPACE
        dataset.reload()
        groups = {group.name: group.paths for group in dataset.app_config.sidebar_groups}
        assert list(groups) == ["tags", "prompt", "scenario", "failures", "labels", "quality", "metadata", "other"]
        assert groups["scenario"] == ["scenario.time", "scenario.weather", "scenario.color", "scenario.text"]
        assert groups["failures"] == ["failures", "unknown"]
        assert groups["labels"] == ["text"]
        assert "camera" in groups["other"]
        paths = [path for paths in groups.values() for path in paths]
        assert len(paths) == len(set(paths))
        assert dataset.app_config.active_fields.paths == ["failures"]
        assert dataset.list_workspaces() == [WORKSPACE]
    grid, right = dataset.load_workspace(WORKSPACE).children
    assert [panel.type for panel in grid.children] == ["Samples"]
    assert [tab.children[0].type for tab in right.children] == [PANEL, "Embeddings"]
    assert FailuresByScenario().config.name == PANEL


def test_an_empty_dataset_can_be_prepared(dataset: Any) -> None:
    from loupe.brain.store.workspace import WORKSPACE, prepare_app

    prepare_app(dataset)
    assert dataset.has_workspace(WORKSPACE)


def test_what_a_person_has_set_stays_and_the_rest_is_tidied_once(dataset: Any, new_dataset: Any) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.store.workspace import WORKSPACE, tidy_app

    own = fo.ColorScheme(color_pool=["#123456"], color_by="field")
    untouched = new_dataset()
    for each in (dataset, untouched):
        each.add_sample(fo.Sample(filepath="/nowhere/a.png"))
        loupe.check(each, ["file"])
    dataset.app_config.color_scheme = own
    dataset.save()
    assert tidy_app(dataset)
    dataset.reload()
    assert dataset.app_config.color_scheme.color_pool == ["#123456"]
    assert dataset.app_config.active_fields.paths == ["failures"]
    assert [group.name for group in dataset.app_config.sidebar_groups if group.expanded] == ["failures"]
    assert dataset.list_workspaces() == [WORKSPACE]

    dataset.app_config.active_fields = fo.ActiveFields(paths=["filepath"])
    dataset.save()
    assert not tidy_app(dataset)
    assert dataset.app_config.active_fields.paths == ["filepath"]

    assert tidy_app(untouched)
    assert untouched.app_config.color_scheme.color_by == "value"
