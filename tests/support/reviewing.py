"""The panel "Review" of a dataset, driven as the App drives it."""

from __future__ import annotations

from typing import Any

from panel_session import PanelSession


def opened(dataset: Any, **more: Any) -> PanelSession:
    from loupe.panels.review_failures.panel import Review

    return PanelSession(Review(), dataset, **more)


def press(session: PanelSession, name: str, **params: Any) -> None:
    """Presses a button as it is drawn: with what it sends along."""
    (button,) = [each["view"] for key, each in inside(session).items() if key == name]
    assert not button.get("disabled"), name
    session.call(button["operator"].rpartition("#")[2], **{**(button["params"] or {}), **params})


def inside(session: PanelSession) -> dict[str, Any]:
    return {
        **session.properties()["answers"]["type"]["properties"],
        **session.properties()["more"]["type"]["properties"],
    }


def item(session: PanelSession) -> str:
    return session.state["seen"]["item"]


def statuses(dataset: Any, failure: str = "blur") -> dict[str, str]:
    documents = dataset._sample_collection.find({f"review.{failure}.label": {"$ne": None}}, ["review"])
    return {str(each["_id"]): each["review"][failure]["label"] for each in documents}


def text(session: PanelSession) -> str:
    return session.properties()["progress"]["view"].get("label") or str(session.properties()["progress"])
