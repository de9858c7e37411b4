"""Google Cloud Storage, by a server that answers as it does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from object_server import Objects, served

from loupe.brain.core.errors import NotFetched, ReadError
from loupe.brain.imaging.files import opened
from loupe.brain.media import asking, buckets, fetching, stores

pytest.importorskip("gcsfs")


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Objects]:
    with served("google") as objects:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", objects.url)
        yield objects


def _bytes(address: str) -> bytes:
    with opened(address) as file:
        return file.readall()


@pytest.mark.parametrize("name", ["d/k.png", "a b.png", "a#b?.png", "100%.png", "ä/日本🎉.png", "a%20b.png"])
def test_an_object_is_read_by_its_name_in_one_piece(google: Objects, name: str) -> None:
    google.held[name] = name.encode()
    assert _bytes(f"gs://pictures/{name}") == name.encode()
    assert _bytes(f"gcs://pictures/{name}") == name.encode()
    assert google.asked.total() == 3  # which version, and again as it is fetched, and the bytes


def test_a_changed_object_is_another_version(google: Objects) -> None:
    google.held["k.png"] = b"old"
    before = fetching.version("gs://pictures/k.png")
    assert _bytes("gs://pictures/k.png") == b"old"
    google.held["k.png"] = b"new"
    fetching.forget()
    assert fetching.version("gs://pictures/k.png") != before
    assert _bytes("gs://pictures/k.png") == b"new"


def test_a_large_object_comes_in_parts(google: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "_BLOCK", 10)
    google.held["k.png"] = bytes(range(25))
    assert _bytes("gs://pictures/k.png") == bytes(range(25))
    google.held["empty.png"] = b""
    assert _bytes("gs://pictures/empty.png") == b""


def test_a_folder_is_listed(google: Objects) -> None:
    google.held.update({"d/a.png": b"", "d/b#.png": b"", "d/e/c.png": b"", "dd.png": b""})
    assert fetching.listed("gs://pictures/d") == ["a.png", "b#.png", "e/c.png"]


def test_versions_of_many_come_by_the_page(google: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "PAGE", 50)
    monkeypatch.setattr(asking, "WORTH", 10)
    google.held.update({f"d/{at:03}.png": b"x" * at for at in range(120)})
    fetching.ask(f"gs://pictures/d/{at:03}.png" for at in range(120))
    assert google.asked == {"GET ": 3}
    reported = [fetching.version(f"gs://pictures/d/{at:03}.png") for at in range(120)]
    assert google.asked == {"GET ": 3}
    fetching.forget()
    assert [fetching.version(f"gs://pictures/d/{at:03}.png") for at in range(120)] == reported


def test_what_is_not_there_and_what_may_not_be_read(google: Objects) -> None:
    google.held["k.png"], google.faults["k.png"] = b"x", 403
    with pytest.raises(NotFetched, match="no right to read it"):
        _bytes("gs://pictures/k.png")
    with pytest.raises(ReadError, match=r"got no object at gs://pictures/none\.png") as error:
        _bytes("gs://pictures/none.png")
    assert not isinstance(error.value, NotFetched)


def test_without_gcsfs_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "gcsfs.core", None)
    with pytest.raises(NotFetched, match=r"pip install .loupe-fiftyone\[cloud\]"):
        _bytes("gs://pictures/k.png")
