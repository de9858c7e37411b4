"""The panel "Label issues" of noisy digits, as a test drives it: what is pressed, and what stands on the samples."""

from __future__ import annotations

import json
from typing import Any

from panel_session import PanelSession

from loupe.brain.core.review import Decision

INTO = "ground_truth_corrected"


def opened(dataset: Any, **more: Any) -> PanelSession:
    from loupe.panels.label_corrections.panel import LabelCorrections

    return PanelSession(LabelCorrections(), dataset, **more)


def press(session: PanelSession, key: str, **params: Any) -> None:
    """Presses the button that a key presses, as it is drawn: with what it sends along."""
    for made in session.properties()["answers"]["type"]["properties"].values():
        view = made["view"]
        shortcuts = view["componentsProps"]["button"]["aria-keyshortcuts"].split(" ")
        if key in shortcuts:
            assert not view.get("disabled"), key
            session.call(view["operator"].rpartition("#")[2], **{**view["params"], **params})
            return
    raise AssertionError(f"no button has the key {key}")


def keys(session: PanelSession) -> set[str]:
    views = [each["view"] for each in session.properties()["answers"]["type"]["properties"].values()]
    return {view["componentsProps"]["button"]["aria-keyshortcuts"][0] for view in views if not view.get("disabled")}


def item(session: PanelSession) -> str:
    return session.state["seen"]["item"]


def text(session: PanelSession, name: str = "progress") -> str:
    return json.dumps(session.properties()[name], ensure_ascii=False)


def corrected(dataset: Any) -> dict[str, str | None]:
    dataset.reload()
    if not dataset.has_field(f"{INTO}.label"):
        return {}
    return dict(zip(*dataset.values(["id", f"{INTO}.label"]), strict=True))


def given(dataset: Any) -> dict[str, str | None]:
    return dict(zip(*dataset.values(["id", "ground_truth.label"]), strict=True))


def decisions(dataset: Any) -> dict[str, Decision | None]:
    from loupe.brain.store.relabel import corrected as relabel

    return dict(relabel.decisions(dataset))
