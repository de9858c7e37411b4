"""How the App shows a dataset that is open, brought up to date after a run that has changed it.

Its page keeps the colors and the shown fields that it began with, and takes new ones by
operators of its own. For the groups of its sidebar it has none (FiftyOne 1.22): it reads them when it is loaded.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from fiftyone.operators.message import GeneratedMessage

#: loads the page that is open, whatever address the App has; its workspace and its view stay
RELOAD = "?"

_COLORS, _SHOWN, _GROUPS = "color_scheme", "active_fields", "sidebar_groups"


def stored(ctx: Any) -> Mapping[str, Any]:
    """Returns how the dataset is shown to whoever opens it now."""
    from loupe.brain.store.workspace import stored_config

    return {} if ctx.dataset is None else stored_config(ctx.dataset)


def show(ctx: Any, before: Mapping[str, Any], after: Mapping[str, Any]) -> Generator[GeneratedMessage, None, None]:
    """Yields what makes an open page show what has changed; what a person has chosen in it since stays otherwise."""
    scheme, active = after.get(_COLORS), after.get(_SHOWN)
    if scheme and scheme != before.get(_COLORS):
        names = ("color_pool", "color_by", "fields")
        yield ctx.trigger("set_color_scheme", {name: scheme[name] for name in names if scheme.get(name)})
    if active and active != before.get(_SHOWN):
        yield ctx.ops.set_active_fields(list(active.get("paths") or ()))


def needs_reload(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Returns whether the sidebar of an open page lacks a group; fields that are new it puts into theirs by itself."""
    return not _groups(after) <= _groups(before)


def _groups(config: Mapping[str, Any]) -> set[str]:
    return {str(group.get("name")) for group in config.get(_GROUPS) or ()}
