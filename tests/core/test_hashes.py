"""Keys and fingerprints stand in people's datasets: a hash that changes makes every stored score old."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from loupe.brain.core.hashes import (
    file_hash,
    hex_hash,
    json_hash,
    number_of,
    parts_hash,
    raw_hash,
    stream_hash,
)


def test_known_hashes() -> None:
    # what earlier versions stored
    assert json_hash(("a", 1, {"b": 2})) == "67c0d2c89304f5592c5b8cb37887c75f"
    assert json_hash(["q"]) == "4ada650da6c445f56d7617ed1e047d62"
    assert number_of([1, "a"]) == 11439220326236441441
    assert hex_hash("a", 4) == "ca234c55"
    assert parts_hash(["65f0=hog:1;", b"65f1=None;"], 8) == "e28c2b2627338485"


@pytest.mark.parametrize("size", [3, 8, 16, 64])
def test_a_hash_is_of_the_size_asked_for(size: int, tmp_path: Path) -> None:
    # the empty hash of BLAKE2b, as its own command line prints it, for 64 bytes
    assert hashlib.blake2b(b"", digest_size=64).hexdigest().startswith("786a02f742015903c6c6fd852552d272")
    (tmp_path / "x").write_bytes(b"abc")
    assert len(raw_hash("abc", size)) == size
    assert (
        hex_hash("abc", size)
        == hex_hash(b"abc", size)
        == file_hash(tmp_path / "x", size)
        == raw_hash("abc", size).hex()
    )
    assert 0 <= number_of("abc", size) < 256**size


def test_parts_are_hashed_as_what_they_are_together(tmp_path: Path) -> None:
    whole = "ab\0é".encode()
    assert parts_hash(iter(["a", b"b", "", "\0é"])) == hex_hash(whole)
    assert parts_hash([np.frombuffer(whole, np.uint8).data]) == hex_hash(whole)
    assert parts_hash([], 64).startswith("786a02f742015903c6c6fd852552d272")
    (tmp_path / "x").write_bytes(b"-" + whole)
    with open(tmp_path / "x", "rb", buffering=0) as file:
        file.read(1)
        assert stream_hash(file) == hex_hash(whole)


def test_the_order_of_a_mapping_does_not_matter_and_that_of_a_list_does() -> None:
    assert json_hash({"a": 1, "b": 2}) == json_hash({"b": 2, "a": 1})
    assert json_hash([1, 2]) != json_hash([2, 1])


def test_what_is_not_plain_is_refused_and_not_hashed_as_something_else() -> None:
    # numpy's 3 as text would be another seed than Python's 3
    with pytest.raises(TypeError):
        number_of([np.int64(3)])
    assert json_hash([Path("a")], default=str) == json_hash(["a"])


def test_a_leading_zero_is_kept() -> None:
    hashes = [json_hash(number, 2) for number in range(300)]
    assert {len(each) for each in hashes} == {4}
    assert any(each.startswith("0") for each in hashes)
