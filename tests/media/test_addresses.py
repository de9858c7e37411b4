"""Which filepaths are addresses, what is refused, and that nothing that opens an address is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from loupe.brain.core.errors import NotFetched, OutputError
from loupe.brain.imaging.files import printable
from loupe.brain.media.addresses import address_of, parsed, require_here, shown


@pytest.mark.parametrize("path", ["/a/b.png", "a.png", "C:/a.png", "/a:/b.png", "", "/s3/b/k.png", "/data/gs:x/y.png"])
def test_files_of_this_machine_are_no_addresses(path: str) -> None:
    assert address_of(path) is None


def test_what_fiftyone_makes_of_an_address_is_taken_for_it_unless_there_is_such_a_file(tmp_path: Path) -> None:
    flat = tmp_path / "s3:" / "bucket" / "a b.png"
    assert address_of(flat) == "s3://bucket/a b.png"
    assert address_of("/home/anna/https:/example.com/a.png?x=1#y") == "https://example.com/a.png?x=1#y"
    flat.parent.mkdir(parents=True)
    flat.write_bytes(b"x")
    assert address_of(flat) is None


@pytest.mark.parametrize(
    "name", ["a b.png", "a#b.png", "a?b=c.png", "a%20b.png", "ä/日本🎉.png", "a//b.png", "-", "a+b&c.png"]
)
def test_a_key_of_a_bucket_is_taken_as_it_is(name: str) -> None:
    address = parsed(f"s3://my-bucket/{name}")
    assert (address.scheme, address.host, address.key) == ("s3", "my-bucket", name)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("https://h.example/a b.png", "/a%20b.png"),
        ("https://h.example/a%20b.png", "/a%20b.png"),
        ("https://h.example/ü.png?x=ü y", "/%C3%BC.png?x=%C3%BC%20y"),
        ("https://h.example/a.png#part", "/a.png"),
        ("https://h.example", "/"),
    ],
)
def test_a_web_address_is_encoded_once(text: str, key: str) -> None:
    assert parsed(text).key == key


@pytest.mark.parametrize(
    "text",
    [
        "file:///etc/passwd", "ftp://h/a.png", "zip://a.zip::s3://b/k.png", "simplecache::s3://b/k.png", "az://b/k.png",
        "filecache::file:///etc/passwd", "s3:///k.png", "s3://b/k.png", "s3://bucket", "s3://bucket/", "s3://bu cket/k",
        "s3://arn:aws:s3:us-east-1:1:accesspoint/x/k.png", "http://", "https:///a.png", "http://h:99999/a.png",
        "http://a\nb/c.png", "https://u:secret@h.example/a.png", "http://[::1/a.png", "http://h/\0a",
        "https://h/" + "x" * 5000, "http://h\\@evil/a.png", "s3://bucket/\udcff.png", "gopher://h/a", "data://text",
    ],
)  # fmt: skip
def test_other_addresses_are_refused_without_a_secret(text: str) -> None:
    assert address_of(text) == text
    with pytest.raises(NotFetched, match=r"expected") as error:
        parsed(text)
    assert "secret" not in str(error.value)
    assert str(error.value).isprintable()


SIGNED = (
    "https://b.s3.amazonaws.com/k.png?X-Amz-Credential=AKIA&X-Amz-Signature=secret&X-Amz-Date=1",
    "https://storage.googleapis.com/b/k.png?X-Goog-Signature=secret&X-Goog-Expires=9",
    "https://a.blob.core.windows.net/c/k.png?sv=1&se=2&sig=secret/with/slashes.png",
    "https://anna:secret@h.example/k.png",
)


@pytest.mark.parametrize("text", SIGNED)
def test_what_opens_an_address_is_not_shown(text: str) -> None:
    assert "secret" not in shown(text)
    assert "slashes" not in printable(text)
    assert printable(text) == "k.png"
    if "@" not in text:
        assert "secret" not in f"{parsed(text)} {parsed(text)!r}"


def test_an_address_that_is_signed_anew_is_the_same() -> None:
    first, again = (parsed(f"https://h.example/k.png?id=3&X-Amz-Signature={each}&X-Amz-Date={each}") for each in "ab")
    assert first.identity == again.identity
    assert first.identity != parsed("https://h.example/k.png?id=4&X-Amz-Signature=a").identity
    assert parsed("https://h.example/k.png?date=1").identity != parsed("https://h.example/k.png?date=2").identity
    # of a bucket a question mark is part of the name
    assert parsed("s3://bucket/k?sig=1").identity != parsed("s3://bucket/k?sig=2").identity


def test_nothing_is_written_to_an_address(tmp_path: Path) -> None:
    require_here(tmp_path)
    for place in ("s3://bucket/out", Path("s3://bucket/out").resolve(), "https://h.example/out?sig=secret"):
        with pytest.raises(OutputError, match="on this machine") as error:
            require_here(place)
        assert "secret" not in str(error.value)
