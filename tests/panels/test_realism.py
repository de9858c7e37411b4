"""The panel "Realism", run as the App runs it: what is drawn are the records that the verbs kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.database]


def opened(dataset: Any) -> Any:
    from panel_session import PanelSession

    from loupe.panels.realism.panel import RealismPanel

    return PanelSession(RealismPanel(), dataset)


def texts(session: Any) -> str:
    return str(session.output)


@pytest.fixture(scope="module")
def sides(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """A faulty synthetic dataset that was compared with a real one, class by class."""
    from real_pictures import faulty, photos

    import loupe

    folder = tmp_path_factory.mktemp("realism")
    real = photos(folder / "real")
    synthetic = faulty(folder / "synthetic", real)
    loupe.compare_to_real(synthetic, real, label="ground_truth", by="ground_truth")
    yield synthetic, real
    for dataset in (synthetic, real):
        dataset.delete()


def test_where_nothing_was_compared_it_says_what_to_do(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    dataset = new_dataset()
    assert "no samples here" in texts(opened(dataset))
    dataset.add_sample(fo.Sample(filepath="/nowhere/1.png"))
    session = opened(dataset)
    assert "have not been compared with real ones yet" in texts(session)
    session.call("on_compare")
    assert session.prompted == ["@loupe/loupe/compare_to_real"]


def test_what_is_drawn_are_the_records(sides: tuple[Any, Any]) -> None:
    from panel_session import within

    from loupe.brain.store.realism import kept as realism_kept
    from loupe.panels.realism import names

    synthetic, _ = sides
    session = opened(synthetic)
    made = realism_kept.load(synthetic).realism
    shown = session.properties()
    cards = [name for name in shown if name.startswith("finding")]
    assert len(cards) == len(made.findings) >= 2
    for card, verdict in zip(cards, made.findings, strict=True):
        assert within(shown, card, "name")["default" if "default" in within(shown, card, "name") else "view"]
        assert verdict.name.replace("_", " ") in str(shown[card]).replace("\\\\", "")
    ratios = {each.name: each.ratio for each in made.metrics["embeddings"]}
    drawn = shown["measures"]["view"]["data"][0]["x"]
    listed = [name for members in names.GROUPS.values() for name in members]
    assert [x for x in drawn if x is not None] == pytest.approx(
        [1.0 if name in names.OF_THEMSELVES else min(max(ratios[name], 0.125), 8) for name in listed], abs=0.35
    )
    place = {name: at for at, name in enumerate(listed)}
    rows = [x for x in drawn if x is not None]
    assert rows[place["recall"]] == max(ratios["recall"], 0.125)
    assert rows[place["vendi"]] == ratios["vendi"]
    bars = shown["by"]["view"]["data"][0]["x"]
    assert bars == [max(each.ratio, 0.125) for _, each in made.lowest("recall")]
    assert bars == sorted(bars)
    assert shown["spectra"]["view"]["data"][-1]["y"] == [10 * each for each in made.bands]
    points = shown["map"]["view"]["data"]
    assert sum(len(trace["x"]) for trace in points) == 300 + 240
    assert "Not known yet whether it trains as well" in texts(session)
    assert "nan" not in texts(session).lower()


def test_a_class_a_kind_and_a_point_are_shown(sides: tuple[Any, Any]) -> None:
    from loupe.panels.realism import cloud

    synthetic, real = sides
    session = opened(synthetic)
    row = [name for name, _ in session.content.rows].index("owl")
    session.call("on_row", idx=row)
    assert set(session.samples().values("ground_truth.label")) == {"owl"}
    assert len(session.samples()) == 60
    assert "Showing ground" in texts(session)
    session.call("on_value", value="pig")
    assert set(session.samples().values("ground_truth.label")) == {"pig"}
    session.call("on_kind", which="pairs")
    nearest = [pair.synthetic for pair in session.content.kept.realism.pairs]
    assert session.samples().values("id") == nearest
    assert "Showing what is nearest to a real sample" in texts(session)
    session.call("on_kind", which="synthetic")
    sure = session.samples().values("realism.domain_probability")
    assert min(sure) >= 0.5
    assert sure == sorted(sure, reverse=True)
    session.call("on_kind", which="smooth")
    detail = session.samples().values("realism.high_frequency")
    assert (len(detail), detail) == (240, sorted(detail))
    session.call("on_show_all")
    assert len(session.samples()) == 240
    kept = session.content.kept.cloud
    ids = cloud.ids(kept)
    session.call("on_point", trace_idx=1, idx=3)
    assert session.opened == [ids[1][3]]
    session.call("on_point", trace_idx=0, idx=0)
    assert session.messages[-1] == f"That sample is in the dataset {real.name}"
    for params in (
        {"idx": 99},
        {"idx": -1},
        {"idx": "0"},
        {},
        {"trace_idx": 7, "idx": 99},
        {"trace_idx": 0, "idx": 9**9},
    ):
        session.call("on_row", **params)
        session.call("on_point", **{"trace_idx": None, **params})
    assert len(session.samples()) == 240
    for wanted in (None, "nothing", {"$where": "1"}, ["pairs"]):
        session.call("on_kind", which=wanted)
        session.call("on_value", value=wanted)
        session.call("on_measure", value=wanted)
    assert len(session.samples()) == 240
    assert session.content.measure == "recall"
    session.call("on_measure", value="precision")
    assert session.content.rows == session.content.kept.realism.lowest("precision")


def test_pictures_are_the_worst_and_open_only_what_was_seen(sides: tuple[Any, Any]) -> None:
    synthetic, _ = sides
    session = opened(synthetic)
    by_doubt = sorted(zip(synthetic.values("realism.domain_probability"), synthetic.values("id"), strict=True))
    shown = session.content.pictures["synthetic"]
    assert {each.id for each in shown} <= {sample_id for _, sample_id in by_doubt[-12:]}
    assert all(not each.id for each in session.content.pictures["uncovered"]), "the App cannot open another dataset's"
    pair = session.content.pairs[0]
    assert pair.ratio == 0
    assert pair.synthetic.id in synthetic.values("id")[:24]
    session.call("on_open", id=pair.synthetic.id)
    session.call("on_open", id="somebody else's")
    assert session.opened == [pair.synthetic.id]
    session.call("on_open_real")
    assert session.opened[-1] == session.content.kept.real


def test_the_buttons_open_the_forms(sides: tuple[Any, Any]) -> None:
    session = opened(sides[0])
    for method in ("on_compare", "on_transfer", "on_find_memorized", "on_find_label_issues"):
        session.call(method)
    wanted = ("compare_to_real", "test_transfer", "find_memorized", "find_label_issues")
    assert session.prompted == [f"@loupe/loupe/{name}" for name in wanted]
    session.call("on_nothing", idx=3)


def test_only_a_transfer_and_both_and_what_is_gone(sides: tuple[Any, Any]) -> None:
    import loupe

    synthetic, real = (dataset.clone() for dataset in sides)
    other = synthetic.clone()
    try:
        other.delete_run("loupe_realism")
        transfer = loupe.test_transfer(other, real[:200], real[200:], label="ground_truth", pool=real[:200])
        session = opened(other)
        assert "What the synthetic samples are worth as training data" in texts(session)
        assert {"matrix", "curve"} <= set(session.shown())
        assert {"measures", "by", "map", "spectra"}.isdisjoint(session.shown())
        cells = session.properties()["matrix"]["view"]["data"][0]["z"]
        arms = {arm.name: arm.accuracy.value for arm in transfer.matrix}
        assert cells[0] == [arms["R→R"], arms["R→S"]]
        assert cells[1] == [arms["S→R"], arms["S→S"]]
        assert session.properties()["curve"]["view"]["data"][0]["x"] == [n for n, _ in transfer.curve]
        assert "nan" not in texts(session).lower()

        loupe.compare_to_real(other, real, spectra=False)
        session.call("on_refresh")
        assert {"matrix", "curve", "measures", "map"} <= set(session.shown())
        assert "No spectra were compared" in texts(session)
        other.delete_samples(other.values("id")[:40])
        session.call("on_refresh")
        assert "Gone since they were compared: 40 of 240 synthetic samples: compare again" in texts(session)
        assert all(pair.synthetic.id in other.values("id") for pair in session.content.pairs)
        real.delete()
        session.call("on_refresh")
        assert "is gone: compare again" in texts(session)
        assert session.content.pictures["uncovered"] == ()
        other.delete_sample_field("realism")
        other.reload()
        session.call("on_refresh")
        assert session.content.pictures["synthetic"] == ()
    finally:
        for dataset in (synthetic, other):
            dataset.delete()


def test_both_sides_in_one_dataset(sides: tuple[Any, Any]) -> None:
    import loupe

    dataset = sides[1].clone()
    loupe.compare_to_real(dataset[:140], dataset[140:], spectra=False)
    session = opened(dataset)
    missed = dataset.match({"realism.covered": False})
    assert len(missed) > 0
    farthest = sorted(zip(missed.values("realism.synthetic_distance"), missed.values("id"), strict=True), reverse=True)
    assert [each.id for each in session.content.pictures["uncovered"]] == [sample_id for _, sample_id in farthest[:8]]
    session.call("on_kind", which="uncovered")
    assert session.samples().values("id") == [sample_id for _, sample_id in farthest]
    session.call("on_show_all")
    session.call("on_point", trace_idx=0, idx=0)
    assert len(session.opened) == 1
    assert "By " not in str(session.shown())
    dataset.delete()


def test_names_with_markup_and_values_that_no_query_tells(sides: tuple[Any, Any]) -> None:
    from loupe.brain.store.realism import sides as realism

    dataset = sides[0].clone()
    facts = {name: each for name, each in realism.kept(dataset, "realism").items() if name != "cls"}
    name = '<b>"x"</b> $where a.b 🌙'
    facts["by"] = {name: facts["by"]["cat"], **{f"class {at}": facts["by"]["dog"] for at in range(10_000)}}
    facts["factor"] = None
    realism.keep(dataset, "realism", {**facts["params"], "real": "<i>gone</i>"}, facts)
    session = opened(dataset)
    assert '<b>"x"</b>' not in str(session.properties()["by"]["view"]["data"])
    assert "more are higher" in texts(session)
    session.call("on_row", idx=0)
    assert "No query of the database" in session.messages[-1]
    dataset.delete()


def test_what_is_kept_and_cannot_be_read_counts_as_nothing(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    from loupe.brain.store.realism import sides as realism

    dataset = new_dataset()
    dataset.add_sample(fo.Sample(filepath="/nowhere/1.png"))
    realism.keep(dataset, "realism", {}, {"metrics": "broken"})
    realism.keep(dataset, "transfer", {}, {"matrix": [1]})
    assert "have not been compared with real ones yet" in texts(opened(dataset))


# what it lacks, generators side by side, stored maps


@pytest.fixture(scope="module")
def generators(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """A synthetic dataset of four generators that lacks a class, compared with a real one."""
    from real_pictures import of_generators, photos

    import loupe

    folder = tmp_path_factory.mktemp("generators")
    real = photos(folder / "real")
    synthetic = of_generators(folder / "synthetic", real)
    loupe.compare_to_real(synthetic, real, label="ground_truth", by="generation.model", spectra=False)
    yield synthetic, real
    for dataset in (synthetic, real):
        dataset.delete()


def test_what_it_lacks_becomes_prompts_and_leads_on_to_generate(generators: tuple[Any, Any]) -> None:
    from operator_calls import form, problems
    from real_pictures import MISSING

    from loupe.brain.store import suggestions

    session = opened(generators[0])
    holes = session.content.kept.realism.holes
    assert holes.holes
    assert holes.holes[0].mostly[0][0] == MISSING
    assert holes.sentence in texts(session)
    assert f"mostly {MISSING}" in texts(session)
    assert len(session.content.holes[0]) == 8, "pictures of the largest hole"
    assert all(not each.id for each in session.content.holes[0]), "they are of another dataset"
    assert "suggested last" not in texts(session)
    session.call("on_suggest")
    kept = suggestions.load(generators[0])
    assert kept.suggestions[0].prompt.startswith(f"a {MISSING} in the garden")
    assert f"{len(kept):,} pictures of {len(kept.suggestions)} prompts were suggested last" in texts(session)
    assert kept.suggestions[0].prompt in texts(session)
    session.call("on_generate")
    session.call("on_suggest_otherwise")
    session.call("on_rebalance")
    assert session.prompted == [f"@loupe/loupe/{name}" for name in ("generate", "suggest_prompts", "rebalance")]
    offered = form("rebalance", generators[0], dict(session.prefilled))
    assert session.prefilled["source"] in offered["source"].type.values
    assert "source" not in problems(offered)
    assert "nan" not in texts(session).lower()
    generators[0].delete_run("loupe_prompts")


def test_a_hole_that_nothing_describes_says_so(generators: tuple[Any, Any]) -> None:
    from dataclasses import replace

    from loupe.brain.store.realism import kept as realism_kept
    from loupe.brain.store.realism import sides as realism

    dataset = generators[0].clone()
    facts = {name: each for name, each in realism.kept(dataset, "realism").items() if name != "cls"}
    made = realism_kept.load(dataset).realism
    dumb = replace(made.holes, holes=tuple(replace(each, mostly=(), texts=(), scenes=()) for each in made.holes.holes))
    realism.keep(dataset, "realism", facts["params"], {**facts, **replace(made, holes=dumb).to_dict()})
    session = opened(dataset)
    session.call("on_suggest")
    assert "no captions, and no class or scenario in common" in session.messages[-1]
    assert "No prompt could be suggested" in texts(session)
    nothing = replace(made, holes=replace(made.holes, holes=()))
    realism.keep(dataset, "realism", facts["params"], {**facts, **nothing.to_dict()})
    session.call("on_refresh")
    assert "beyond what chance leaves out" in texts(session)
    realism.keep(dataset, "realism", facts["params"], {**facts, **replace(made, holes=None).to_dict()})
    session.call("on_refresh")
    assert "What the set lacks" not in texts(session)
    dataset.delete()


def test_generators_stand_side_by_side_by_release(generators: tuple[Any, Any]) -> None:
    from real_pictures import GENERATORS

    session = opened(generators[0])
    assert "Generators side by side" in texts(session)
    assert [name for name, _ in session.content.rows] == [*GENERATORS[:2], "a-model-of-my-own", "another/fine-tune"]
    drawn = session.properties()["by"]["view"]
    names = [each["text"] for each in drawn["layout"]["annotations"] if each["xanchor"] == "left"]
    assert names == [*GENERATORS, "2022-08-22", "2024-08-01", "release date unknown", "release date unknown"]
    made = session.content.kept.realism
    hover = drawn["data"][0]["hovertext"]
    assert "no tie" in hover[1], "the narrow one"
    assert "a tie with" in hover[0]
    assert made.highest("recall")[:14] == "The highest is"
    assert "it cannot be told from" in made.highest("recall")
    assert "it cannot be told from" in texts(session)
    session.call("on_row", idx=1)
    assert set(session.samples().values("generation.model")) == {GENERATORS[1]}
    session.call("on_show_all")


def test_a_stored_map_is_drawn_where_both_sides_are_of_one_dataset(generators: tuple[Any, Any]) -> None:
    import fiftyone.brain as fob
    import numpy as np

    import loupe

    assert opened(generators[0]).content.kept.maps == (), "two datasets have no map of both"
    dataset = generators[1].clone()
    synthetic, real = dataset[:140], dataset[140:]
    rng = np.random.default_rng(0)
    points = rng.normal(size=(300, 2))
    fob.compute_visualization(dataset, points=points, brain_key="embeddings_umap")
    fob.compute_visualization(dataset[:10], points=points[:10], brain_key="a_few")
    loupe.compare_to_real(synthetic, real, spectra=False)
    session = opened(dataset)
    assert session.content.kept.maps == ("embeddings_umap", "a_few")
    assert session.content.map == ""
    assert "widest" in texts(session)
    plane = session.properties()["map"]["view"]["data"]
    session.call("on_map", value="embeddings_umap")
    assert session.content.map == "embeddings_umap"
    drawn = session.properties()["map"]["view"]["data"]
    assert sum(len(trace["x"]) for trace in drawn) == 300
    place = dict(zip(dataset.values("id"), points, strict=True))
    ids = session.content.cloud.synthetic
    assert drawn[1]["x"] == [place[each][0] for each in ids]
    assert drawn[1]["x"] != plane[1]["x"]
    session.call("on_point", trace_idx=1, idx=2)
    assert session.opened == [ids[2]]
    assert "nan" not in texts(session).lower()
    # a map without the real side, no map, and none at all
    for value in ("a_few", "nothing", None, ["embeddings_umap"], "\n"):
        session.call("on_map", value=value)
        assert session.content.map == ""
        assert session.properties()["map"]["view"]["data"] == plane
    dataset.delete()
