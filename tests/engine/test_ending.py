"""What was begun for a verb ends with it."""

from __future__ import annotations

from loupe.brain.engine.ending import begun, ending


def test_what_was_begun_ends_with_its_block_alone() -> None:
    ended: list[str] = []
    begun(lambda: ended.append("outside"))
    with ending():
        begun(lambda: ended.append("outer"))
        with ending():
            begun(lambda: ended.append("inner"))
        assert ended == ["inner"]
    assert ended == ["inner", "outer"]
