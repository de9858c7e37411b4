"""The pictures that show what the panel "Realism" says: copies side by side, and the farthest of each kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.realism import COLLAPSE, DOMAIN_SHIFT, MEMORIZED, SPECTRAL
from loupe.panels import theme, widgets

if TYPE_CHECKING:
    from loupe.brain.core.realism import Verdict
    from loupe.brain.store.overview import Picture
    from loupe.brain.store.realism.kept import PicturedPair
    from loupe.panels.realism.panel import Content

_TITLES = {
    "synthetic": "Taken for synthetic most surely",
    "uncovered": "Real pictures that nothing synthetic lies near",
    "smooth": "Synthetic pictures with the least fine detail",
    "sharp": "Synthetic pictures with the most fine detail",
    "pairs": "Nearest to a real picture: synthetic left, real right",
}
_PICTURE = {
    "width": "100%",
    "height": 84,
    "objectFit": "contain",
    "background": theme.faint_gray(0.12),
    "borderRadius": 3,
    "display": "block",
}


def of_finding(card: types.Object, handlers: Any, content: Content, verdict: Verdict, used: set[str]) -> set[str]:
    """Draws the pictures of a finding, unless another one showed them; returns their kind, if any."""
    which = _kind(verdict)
    if which is None or which in used:
        return set()
    return {which} if _gallery(card, handlers, content, which) else set()


def others(panel: types.Object, handlers: Any, content: Content, used: set[str]) -> None:
    """Draws the kinds of pictures that no finding showed."""
    if not any(_has(content, which) for which in ("uncovered", "synthetic", "pairs") if which not in used):
        return
    styled = {"container": {"sx": {"& p": {"margin": "16px 0 0 0", "fontSize": "1.05rem"}}}}
    panel.md("**Pictures**", name="others_title", componentsProps=styled)
    for which in ("uncovered", "synthetic", "pairs"):
        if which not in used:
            _gallery(panel, handlers, content, which)


def row(panel: types.Object, handlers: Any, name: str, own: Sequence[Picture]) -> None:
    """Draws pictures side by side; those of this dataset open by a click."""
    if own:
        across = widgets.grid(panel, "pictures", "repeat(auto-fill, minmax(84px, 1fr))", gap=1)
        for number, picture in enumerate(own):
            _picture(across, handlers, f"picture{number}", f"{name}, {number + 1}", picture)


def _kind(verdict: Verdict) -> str | None:
    if verdict.name == SPECTRAL:
        return "sharp" if verdict.evidence.get("power ratio", 0) > 1 else "smooth"
    return {COLLAPSE: "uncovered", DOMAIN_SHIFT: "synthetic", MEMORIZED: "pairs"}.get(verdict.name)


def _has(content: Content, which: str) -> bool:
    return bool(content.pairs if which == "pairs" else content.pictures.get(which))


def _gallery(panel: types.Object, handlers: Any, content: Content, which: str) -> bool:
    if not _has(content, which):
        return False
    part = widgets.column(panel, f"gallery_{which}", marginTop="6px")
    head = widgets.row(part, "head")
    head.md(f"{_TITLES[which]}", name="title", componentsProps=theme.TEXT)
    elsewhere = which == "uncovered" and not any(each.id for each in content.pictures["uncovered"])
    if elsewhere:
        head.btn("open", label=f"Open {content.kept.real}", variant="outlined", on_click=handlers.on_open_real)
    else:
        params = {"which": which}
        label = "Show the nearest" if which == "pairs" else "Show more"
        head.btn("show", label=label, variant="outlined", on_click=handlers.on_kind, params=params)
    if which == "pairs":
        across = widgets.grid(part, "pictures", "repeat(auto-fill, minmax(180px, 1fr))", gap=2)
        for number, pair in enumerate(content.pairs):
            _pair(across, handlers, number, pair)
    else:
        row(part, handlers, _TITLES[which], content.pictures[which])
    return True


def _pair(panel: types.Object, handlers: Any, number: int, pair: PicturedPair) -> None:
    both = widgets.column(panel, f"pair{number}")
    across = widgets.grid(both, "pictures", "repeat(2, minmax(0, 1fr))", gap=1)
    _picture(across, handlers, "synthetic", f"Pair {number + 1}, synthetic", pair.synthetic)
    _picture(across, handlers, "real", f"Pair {number + 1}, real", pair.real)
    text = "the same vector" if pair.ratio == 0 else f"{pair.ratio:.2g} of what is usual"
    both.md(text, name="distance", componentsProps=theme.SMALL)


def _picture(across: types.Object, handlers: Any, name: str, alt: str, picture: Picture) -> None:
    opens: dict[str, Any] = {"operator": handlers.on_open, "params": {"id": picture.id}} if picture.id else {}
    style = {**_PICTURE, **({"cursor": "pointer"} if picture.id else {})}
    view = types.ImageView(alt=alt, componentsProps={"image": {"style": style}}, **opens)
    across.str(name, default=picture.source, view=view)
