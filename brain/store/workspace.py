"""How the App shows a dataset: workspace, sidebar groups, what stands on the grid, colours of failures."""

from __future__ import annotations

from collections.abc import Sequence

import fiftyone as fo

from loupe.brain.core.taxonomy import FAILURE_MODES
from loupe.brain.store.connection import database_errors
from loupe.brain.store.scores import FAILURES, QUALITY, UNKNOWN

WORKSPACE = "loupe"
PANEL = "failures_by_scenario"
BRAIN_KEY = "embeddings_umap"

#: one hue for each family of failures; all of them readable on black and on white
_COLORS = {
    "artifact": "#4e79c4",
    "exposure": "#c9a227",
    "text": "#d65f2f",
    "anatomy": "#b0567f",
    "composition": "#7b62b8",
    "hallucination": "#2f9e8f",
    "uncanny": "#98749a",
    "set": "#6f8a3f",
    "label": "#a3683f",
    "file": "#8a8f98",
}


def prepare_app(dataset: fo.Dataset) -> str:
    """Sets up how the App shows the dataset, and saves the workspace "loupe": grid, failures by scenario, embeddings.

    FiftyOne has no default workspace of a dataset: the App opens with it by its address, which ends in
    ``/datasets/<name>?workspace=loupe``, or by ``fo.launch_app(dataset, spaces=dataset.load_workspace("loupe"))``.

    Returns:
        the workspace's name
    """
    with database_errors():
        config = dataset.app_config
        config.sidebar_groups = config.active_fields = config.color_scheme = None
        if dataset.has_workspace(WORKSPACE):
            dataset.delete_workspace(WORKSPACE)
    tidy_app(dataset)
    return WORKSPACE


def tidy_app(dataset: fo.Dataset) -> bool:
    """Sets up, as ``prepare_app`` does, what nobody has set up yet; what a person has chosen stays as it is.

    Returns:
        whether anything was set
    """
    with database_errors():
        config = dataset.app_config
        before = (config.sidebar_groups, config.active_fields, config.color_scheme)
        if config.sidebar_groups is None:
            config.sidebar_groups = _sidebar(dataset)
        if config.active_fields is None:
            # a small picture has room for no more: the prompt would lie over it
            config.active_fields = fo.ActiveFields(paths=[FAILURES] if dataset.has_field(FAILURES) else [])
        if config.color_scheme is None:
            config.color_scheme = fo.ColorScheme(
                color_pool=list(_COLORS.values()), color_by="value", fields=[_failure_colors()]
            )
        changed = any(value is None for value in before)
        if changed:
            dataset.save()
        if not dataset.has_workspace(WORKSPACE):
            words = "Grid, failures by scenario, and embeddings side by side"
            dataset.save_workspace(WORKSPACE, _space(), description=words)
            changed = True
    return changed


def _space() -> fo.Space:
    grid = fo.Panel(type="Samples", pinned=True)
    failures = fo.Panel(type=PANEL)
    # FiftyOne's panel of embeddings always opens with its list of visualizations; a click on one draws it
    embeddings = fo.Panel(type="Embeddings")
    right = fo.Space(
        children=[_tab(failures), _tab(embeddings)],
        orientation="vertical",
        sizes=[0.62, 0.38],
    )
    return fo.Space(children=[_tab(grid), right], orientation="horizontal", sizes=[0.38, 0.62])


def _tab(panel: fo.Panel) -> fo.Space:
    return fo.Space(children=[panel], active_child=panel.component_id)


def _sidebar(dataset: fo.Dataset) -> list[fo.SidebarGroupDocument]:
    """Returns the sidebar's groups in order; fields that nobody knows of go to the last."""
    paths = [path for group in fo.DatasetAppConfig.default_sidebar_groups(dataset) for path in group.paths]

    def take(wanted: Sequence[str], *prefixes: str) -> list[str]:
        shown = [path for path in wanted if path in paths]
        shown += [path for path in paths if path not in shown and path.startswith(prefixes)]
        for path in shown:
            paths.remove(path)
        return shown

    named = [
        ("prompt", take(["prompt"], "prompt.")),
        ("scenario", take([], "scenario.")),
        ("failures", take([FAILURES, UNKNOWN], f"{FAILURES}.", f"{UNKNOWN}.")),
        ("quality", take([], f"{QUALITY}.")),
        ("generation", take([], "generation.")),
        ("metadata", take(["id", "filepath", "created_at", "last_modified_at"], "metadata.")),
    ]
    groups = [fo.SidebarGroupDocument(name="tags")]
    groups += [
        fo.SidebarGroupDocument(name=name, paths=paths_shown, expanded=name in ("prompt", "scenario", "failures"))
        for name, paths_shown in [named[0], named[1], named[2], ("labels", _labels(dataset, paths)), *named[3:]]
        if paths_shown
    ]
    known = {path for group in groups for path in group.paths}
    rest = [path for path in paths if path not in known]
    return [*groups, fo.SidebarGroupDocument(name="other", paths=rest, expanded=False)]


def _labels(dataset: fo.Dataset, paths: Sequence[str]) -> list[str]:
    """Returns those of the paths that hold labels: evidence of the checks, ground truth, predictions."""
    declared = [(path, dataset.get_field(path)) for path in paths]
    return [
        path
        for path, field in declared
        if isinstance(field, fo.EmbeddedDocumentField) and issubclass(field.document_type, fo.Label)
    ]


def _failure_colors() -> dict[str, object]:
    return {
        "path": FAILURES,
        "colorByAttribute": "label",
        "valueColors": [{"value": mode.name, "color": _COLORS[mode.group]} for mode in FAILURE_MODES.values()],
    }
