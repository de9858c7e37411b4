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
    # what it was drawn for is nothing to filter by
    dataset.add_sample_field("scenario.rebalance_draw", fo.StringField)
    for _ in range(2):  # the second time changes nothing
        assert prepare_app(dataset) == WORKSPACE
        dataset.reload()
        groups = {group.name: group.paths for group in dataset.app_config.sidebar_groups}
        names = ["tags", "prompt", "scenario", "failures", "labels", "unknown", "quality", "metadata", "other"]
        assert list(groups) == names
        assert groups["scenario"] == ["scenario.time", "scenario.weather", "scenario.color", "scenario.text"]
        assert (groups["failures"], groups["unknown"]) == (["failures"], ["unknown"])
        shown = [group.name for group in dataset.app_config.sidebar_groups if group.expanded]
        assert shown == ["prompt", "scenario", "failures"], "the rest is folded"
        assert groups["labels"] == ["text"]
        assert groups["tags"] == ["tags", "_label_tags"]
        assert {"camera", "scenario.rebalance_draw"} <= set(groups["other"])
        paths = [path for paths in groups.values() for path in paths]
        assert len(paths) == len(set(paths))
        assert dataset.app_config.active_fields.paths == ["failures"]
        assert dataset.list_workspaces() == [WORKSPACE]
    grid, right = dataset.load_workspace(WORKSPACE).children
    assert [panel.type for panel in grid.children] == ["Samples"]
    assert [panel.type for panel in right.children] == ["overview", PANEL, "Embeddings"]
    assert right.active_child == right.children[0].component_id
    assert FailuresByScenario().config.name == PANEL


def test_further_panels_are_tabs_behind_the_others(dataset: Any) -> None:
    from loupe.brain.store.workspace import PANEL, REALISM, WORKSPACE, prepare_app, tidy_app
    from loupe.panels.realism.panel import RealismPanel

    prepare_app(dataset, [REALISM])
    tidy_app(dataset)  # as every verb does
    right = dataset.load_workspace(WORKSPACE).children[1]
    assert [panel.type for panel in right.children] == ["overview", PANEL, "Embeddings", REALISM]
    assert right.active_child == right.children[0].component_id
    assert RealismPanel().config.name == REALISM


def test_an_empty_dataset_can_be_prepared(dataset: Any) -> None:
    from loupe.brain.store.workspace import WORKSPACE, prepare_app

    prepare_app(dataset)
    assert dataset.has_workspace(WORKSPACE)


def _one_sample(dataset: Any) -> Any:
    import fiftyone as fo

    dataset.add_sample(fo.Sample(filepath="/nowhere/a.png"))
    return dataset


def test_a_check_from_a_notebook_tidies_once_and_what_a_person_has_set_stays(dataset: Any, new_dataset: Any) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.store.workspace import WORKSPACE, tidy_app

    own = _one_sample(dataset)
    own.app_config.color_scheme = fo.ColorScheme(color_pool=["#123456"], color_by="field")
    own.save()
    untouched = _one_sample(new_dataset())
    for each in (own, untouched):
        loupe.check(each, ["file"])
        each.reload()
        assert each.app_config.active_fields.paths == ["failures"]
        assert [group.name for group in each.app_config.sidebar_groups if group.expanded] == ["failures"]
        assert each.list_workspaces() == [WORKSPACE]
        assert not tidy_app(each), "once is enough"
    assert own.app_config.color_scheme.color_pool == ["#123456"]
    assert untouched.app_config.color_scheme.color_by == "value"

    own.app_config.active_fields = fo.ActiveFields(paths=["filepath"])
    own.app_config.sidebar_groups = [fo.SidebarGroupDocument(name="mine", paths=["filepath"])]
    own.save()
    own.save_workspace(WORKSPACE, fo.Space(children=[fo.Panel(type="Samples")]), overwrite=True)
    loupe.check(own, ["file", "exposure"], resume=False)
    own.reload()
    assert own.app_config.active_fields.paths == ["filepath"]
    assert [group.name for group in own.app_config.sidebar_groups] == ["mine"]
    assert [panel.type for panel in own.load_workspace(WORKSPACE).children] == ["Samples"]


def test_what_was_set_in_the_app_meanwhile_stays(dataset: Any) -> None:
    import fiftyone as fo
    from bson import ObjectId

    from loupe.brain.store.datasets import documents
    from loupe.brain.store.workspace import tidy_app

    _one_sample(dataset)
    meanwhile = {"name": "mine", "paths": ["filepath"], "_cls": "SidebarGroupDocument"}
    documents().update_one({"_id": ObjectId(dataset._doc.id)}, {"$set": {"app_config.sidebar_groups": [meanwhile]}})
    assert dataset.app_config.sidebar_groups is None, "this process does not know of it"
    assert tidy_app(dataset)
    dataset.reload()
    assert [group.name for group in dataset.app_config.sidebar_groups] == ["mine"]
    assert isinstance(dataset.app_config.color_scheme, fo.ColorScheme)


def test_fields_that_a_later_check_writes_stand_in_their_groups(dataset: Any) -> None:
    import loupe

    loupe.check(_one_sample(dataset), ["file"])
    loupe.check(dataset, ["exposure"])
    dataset.reload()
    groups = {group.name: group.paths for group in dataset.app_config.sidebar_groups}
    assert "quality.overexposure" in groups["quality"]
    assert not any(path.startswith("quality.") for path in groups["other"])


def test_what_an_older_version_has_set_up_is_brought_up_to_date(dataset: Any) -> None:
    import fiftyone as fo
    from filled import fill

    from loupe.brain.store import workspace

    fill(dataset, 12)
    config = dataset.app_config
    config.sidebar_groups = workspace._sidebar(dataset, former=True)
    colors = workspace._failure_colors()
    fewer = {**colors, "valueColors": colors["valueColors"][:-5]}
    pool = [color for family, color in workspace._COLORS.items() if family != "safety"]
    config.color_scheme = fo.ColorScheme(color_pool=pool, color_by="value", fields=[fewer])
    dataset.save()
    dataset.save_workspace("loupe", workspace._former_space(), description="of 0.1.0")
    assert workspace.tidy_app(dataset)
    dataset.reload()
    groups = {group.name: group.paths for group in dataset.app_config.sidebar_groups}
    assert groups["unknown"] == ["unknown"]
    right = dataset.load_workspace("loupe").children[1]
    assert right.active_child == next(panel for panel in right.children if panel.type == "overview").component_id
    assert len(dataset.app_config.color_scheme.fields[0]["valueColors"]) == len(colors["valueColors"])
    assert not workspace.tidy_app(dataset)
    # another size is somebody's choice
    moved = workspace._former_space()
    moved.sizes = [0.5, 0.5]
    dataset.save_workspace("loupe", moved, overwrite=True)
    assert not workspace.tidy_app(dataset)
