"""How the App shows a dataset: workspace, sidebar groups, what stands on the grid, colors of failures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fiftyone as fo

from loupe.brain.core.taxonomy import FAILURE_MODES
from loupe.brain.store.columns import DRAW
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import documents
from loupe.brain.store.scores import FAILURES, QUALITY, UNKNOWN

WORKSPACE = "loupe"
OVERVIEW, PANEL, REALISM = "overview", "failures_by_scenario", "realism"
#: of the grid and of the panels beside it, and where there are more of those
_SIZES, _WIDER = [0.42, 0.58], [0.33, 0.67]

#: one hue for each family of failures; all of them readable on black and on white
_COLORS = {
    "artifact": "#4e79c4",
    "exposure": "#c9a227",
    "text": "#d65f2f",
    "anatomy": "#b0567f",
    "composition": "#7b62b8",
    "hallucination": "#2f9e8f",
    "uncanny": "#98749a",
    "object": "#4f8a73",
    "safety": "#bf4f4f",
    "set": "#6f8a3f",
    "label": "#a3683f",
    "file": "#8a8f98",
}


def prepare_app(dataset: fo.Dataset, panels: Sequence[str] = ()) -> str:
    """Sets up how the App shows the dataset, and saves the workspace "loupe": the grid beside the panels.

    FiftyOne has no default workspace of a dataset: the App opens with it by its address, which ends in
    ``/datasets/<name>?workspace=loupe``, or by ``fo.launch_app(dataset, spaces=dataset.load_workspace("loupe"))``.

    Args:
        dataset: that the App shows
        panels: names of further ones, each a tab behind the others

    Returns:
        the workspace's name
    """
    with database_errors():
        config = dataset.app_config
        config.sidebar_groups = config.active_fields = config.color_scheme = None
        if dataset.has_workspace(WORKSPACE):
            dataset.delete_workspace(WORKSPACE)
        if panels:
            _save_space(dataset, panels)
    tidy_app(dataset)
    return WORKSPACE


def tidy_app(dataset: fo.Dataset) -> bool:
    """Sets up, as ``prepare_app`` does, what nobody has set up yet; what a person has chosen stays as it is.

    What Loupe itself has set up, also an older version, and nobody has changed since, is brought up to date: fields
    that are new stand in their groups, and the workspace opens the panels of today.

    Returns:
        whether anything was set
    """
    with database_errors():
        changed = _tidy_config(dataset)
        if changed:
            dataset.save()
        if not dataset.has_workspace(WORKSPACE) or _shape(dataset.load_workspace(WORKSPACE)) == _shape(_former_space()):
            _save_space(dataset)
            changed = True
    return changed


def _save_space(dataset: fo.Dataset, panels: Sequence[str] = ()) -> None:
    words = ", ".join(["overview", "failures by scenario", "embeddings", *panels])
    dataset.save_workspace(WORKSPACE, _space(panels), description=f"The grid, and beside it {words}", overwrite=True)


def stored_config(dataset: fo.Dataset) -> dict[str, Any]:
    """Returns how the App shows the dataset, as it is stored now: what is in memory may be older."""
    document = documents().find_one({"_id": dataset._doc.id}, ["app_config"]) or {}
    return dict(document.get("app_config") or {})


def _tidy_config(dataset: fo.Dataset) -> bool:
    """Sets what is not set, or is Loupe's own and out of date; returns whether anything changed."""
    config, groups = dataset.app_config, _sidebar(dataset)
    fits = [
        config.sidebar_groups is None or _is_former(config.sidebar_groups, dataset, groups),
        config.active_fields is None,
        config.color_scheme is None or _are_former_colors(config.color_scheme),
    ]
    if not any(fits):
        return False
    # what somebody has set in the App since this process read the dataset is not in memory
    stored = stored_config(dataset)
    mine = config.to_dict()
    alike = [stored.get(name) == mine.get(name) for name in ("sidebar_groups", "active_fields", "color_scheme")]
    wanted = [fit and same for fit, same in zip(fits, alike, strict=True)]
    if wanted[0]:
        config.sidebar_groups = groups
    if wanted[1]:
        # a small picture has room for no more: the prompt would lie over it
        config.active_fields = fo.ActiveFields(paths=[FAILURES] if dataset.has_field(FAILURES) else [])
    if wanted[2]:
        config.color_scheme = fo.ColorScheme(
            color_pool=list(_COLORS.values()), color_by="value", fields=[_failure_colors()]
        )
    return any(wanted)


def _space(more: Sequence[str] = ()) -> fo.Space:
    # a tab each, no more than fit: FiftyOne's panel of embeddings is empty until a dataset has some
    panels = [fo.Panel(type=name) for name in (OVERVIEW, PANEL, "Embeddings", *more)]
    right = fo.Space(children=panels, active_child=panels[0].component_id)
    grid, sizes = _tab(fo.Panel(type="Samples", pinned=True)), _WIDER if more else _SIZES
    return fo.Space(children=[grid, right], orientation="horizontal", sizes=sizes)


def _former_space() -> fo.Space:
    """Returns what the workspace was in 0.1.0."""
    right = fo.Space(
        children=[_tab(fo.Panel(type=PANEL)), _tab(fo.Panel(type="Embeddings"))],
        orientation="vertical",
        sizes=[0.62, 0.38],
    )
    grid = _tab(fo.Panel(type="Samples", pinned=True))
    return fo.Space(children=[grid, right], orientation="horizontal", sizes=[0.38, 0.62])


def _tab(panel: fo.Panel) -> fo.Space:
    return fo.Space(children=[panel], active_child=panel.component_id)


def _shape(component: Any) -> Any:
    """Returns what a workspace shows and where, without what differs each time that one is made."""
    if isinstance(component, fo.Space):
        sizes = [round(size, 3) for size in component.sizes or ()]
        return [component.orientation if sizes else None, sizes, [_shape(child) for child in component.children]]
    return component.type


def _sidebar(dataset: fo.Dataset, *, former: bool = False) -> list[fo.SidebarGroupDocument]:
    """Returns the sidebar's groups in order; fields that nobody knows of go to the last.

    Args:
        dataset: whose fields they are
        former: as in 0.1.0: what could not be judged had no group of its own, and the tags stood in the last one
    """
    paths = [path for group in fo.DatasetAppConfig.default_sidebar_groups(dataset) for path in group.paths]

    def take(wanted: Sequence[str], *prefixes: str) -> list[str]:
        shown = [path for path in wanted if path in paths]
        shown += [path for path in paths if path not in shown and path.startswith(prefixes) and path != DRAW]
        for path in shown:
            paths.remove(path)
        return shown

    unknown = {} if former else {"unknown": [UNKNOWN]}
    both = [FAILURES, UNKNOWN] if former else [FAILURES]
    tags = [] if former else take(["tags", "_label_tags"])
    named = [
        ("prompt", take(["prompt"], "prompt.")),
        ("scenario", take([], "scenario.")),
        ("failures", take(both, *(f"{path}." for path in both))),
        *((name, take(own, f"{UNKNOWN}.")) for name, own in unknown.items()),
        ("quality", take([], f"{QUALITY}.")),
        ("generation", take([], "generation.")),
        ("metadata", take(["id", "filepath", "created_at", "last_modified_at"], "metadata.")),
    ]
    groups = [fo.SidebarGroupDocument(name="tags", paths=tags)]
    groups += [
        fo.SidebarGroupDocument(name=name, paths=paths_shown, expanded=name in ("prompt", "scenario", "failures"))
        for name, paths_shown in [*named[:3], ("labels", _labels(dataset, paths)), *named[3:]]
        if paths_shown
    ]
    known = {path for group in groups for path in group.paths}
    rest = [path for path in paths if path not in known]
    return [*groups, fo.SidebarGroupDocument(name="other", paths=rest, expanded=False)]


def _is_former(
    stored: Sequence[fo.SidebarGroupDocument], dataset: fo.Dataset, today: Sequence[fo.SidebarGroupDocument]
) -> bool:
    """Returns whether groups are what Loupe made of the fields that there were then, and are not those of today."""
    if _facts(stored) == _facts(today):
        return False
    kept = {path for group in stored for path in group.paths}
    for groups in (today, _sidebar(dataset, former=True)):
        then = [(name, [path for path in paths if path in kept], expanded) for name, paths, expanded in _facts(groups)]
        # a group without fields was not made, but for the first and the last
        if _facts(stored) == [group for group in then if group[1] or group[0] in ("tags", "other")]:
            return True
    return False


def _facts(groups: Sequence[fo.SidebarGroupDocument]) -> list[tuple[str, list[str], bool]]:
    return [(group.name, list(group.paths), group.expanded is not False) for group in groups]


def _labels(dataset: fo.Dataset, paths: Sequence[str]) -> list[str]:
    """Returns those of the paths that hold labels: evidence of the checks, ground truth, predictions."""
    declared = [(path, dataset.get_field(path)) for path in paths]
    return [
        path
        for path, field in declared
        if isinstance(field, fo.EmbeddedDocumentField) and issubclass(field.document_type, fo.Label)
    ]


def _failure_colors() -> dict[str, Any]:
    return {
        "path": FAILURES,
        "colorByAttribute": "label",
        "valueColors": [{"value": mode.name, "color": _COLORS[mode.group]} for mode in FAILURE_MODES.values()],
    }


def _are_former_colors(scheme: fo.ColorScheme) -> bool:
    """Returns whether colors are Loupe's own of before there were all of today's families and failure modes."""
    own = _failure_colors()
    fields = [dict(each) for each in scheme.fields or ()]
    pool = [color for color in _COLORS.values() if color in (scheme.color_pool or ())]
    if not pool or pool != scheme.color_pool or scheme.color_by != "value" or len(fields) != 1:
        return False
    colors = [dict(each) for each in fields[0].get("valueColors") or ()]
    known = own["valueColors"]
    return {**fields[0], "valueColors": known} == own and colors != known and all(each in known for each in colors)
