"""S3: a server of its language (moto), and its own words where it refuses."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from object_server import Objects, fetched, refused

from loupe.brain.core.errors import ReadError
from loupe.brain.media import asking, fetching, stores
from loupe.brain.media.s3 import S3

ODD = ("a b.png", "a#b?.png", "100%.png", "ä/日本🎉.png", "a%20b.png", "a+b.png", "d//e.png")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = pytest.importorskip("moto.server")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATESTING")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret-key")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def bucket(endpoint: str, credentials: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of a bucket, ``pictures``, on the server."""
    import boto3

    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket="pictures")
    return client


@pytest.mark.parametrize("name", ODD)
def test_an_object_is_read_by_its_name(bucket: Any, name: str) -> None:
    bucket.put_object(Bucket="pictures", Key=name, Body=name.encode())
    assert fetched(f"s3://pictures/{name}") == name.encode()


def test_a_changed_object_is_another_version_and_what_is_kept_is_not_fetched_again(bucket: Any) -> None:
    bucket.put_object(Bucket="pictures", Key="k.png", Body=b"old")
    before = fetching.version("s3://pictures/k.png")
    assert before == [3, bucket.head_object(Bucket="pictures", Key="k.png")["ETag"]]
    assert fetched("s3://pictures/k.png") == b"old"
    bucket.put_object(Bucket="pictures", Key="k.png", Body=b"new")
    fetching.forget()
    assert fetching.version("s3://pictures/k.png") != before
    assert fetched("s3://pictures/k.png") == b"new"


def test_a_folder_is_listed_over_pages(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "PAGE", 3)
    for key in (*(f"many/{at}.png" for at in range(7)), "many/deep/a.png", "manyother.png"):
        bucket.put_object(Bucket="pictures", Key=key, Body=b"")
    names = [f"{at}.png" for at in range(7)]
    assert fetching.listed("s3://pictures/many") == [*names, "deep/a.png"]
    assert fetching.listed("s3://pictures/many/", recursive=False) == names
    assert {"many/0.png", "manyother.png"} <= set(fetching.listed("s3://pictures"))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What the service is asked; a page has 20 keys, and has to tell of 5 of those wanted."""
    calls, call = Counter[str](), S3._call

    def counted(self: S3, name: str, **asked: Any) -> Any:
        calls[name] += 1
        return call(self, name, **asked)

    monkeypatch.setattr(S3, "_call", counted)
    monkeypatch.setattr(stores, "PAGE", 20)
    monkeypatch.setattr(asking, "WORTH", 5)
    return calls


def test_versions_of_many_come_by_the_page(bucket: Any, calls: Counter[str]) -> None:
    keys = [f"bulk/{at:03}.png" for at in range(50)] + [f"bulk/{name}" for name in ODD]
    for key in keys:
        bucket.put_object(Bucket="pictures", Key=key, Body=key.encode())
    fetching.ask(f"s3://pictures/{key}" for key in keys)
    assert calls == {"list_objects_v2": 3}
    for key in keys:
        assert fetching.version(f"s3://pictures/{key}") == [
            len(key.encode()),
            bucket.head_object(Bucket="pictures", Key=key)["ETag"],
        ]
    assert calls == {"list_objects_v2": 3}, "all of them are known"


def test_few_among_many_others_are_asked_for_one_by_one(bucket: Any, calls: Counter[str]) -> None:
    keys = [f"rare/{at:03}.png" for at in range(100)]
    for key in keys:
        bucket.put_object(Bucket="pictures", Key=key, Body=b"x")
    fetching.ask(f"s3://pictures/{key}" for key in keys[::10])
    assert calls["list_objects_v2"] <= 2
    assert 1 <= calls["head_object"] <= 10
    calls.clear()
    assert all(fetching.version(f"s3://pictures/{key}") for key in keys[::10])
    assert not calls


def test_what_lies_between_two_folders_is_not_listed(bucket: Any, calls: Counter[str]) -> None:
    for folder in ("apart/a", "apart/m", "apart/z"):
        for at in range(40):
            bucket.put_object(Bucket="pictures", Key=f"{folder}/{at:03}.png", Body=b"x")
    fetching.ask(f"s3://pictures/apart/{folder}/{at:03}.png" for folder in "az" for at in range(40))
    assert calls == {"list_objects_v2": 4}


def test_who_may_not_list_asks_for_each(
    web: Objects, credentials: None, calls: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", web.url)
    web.faults["/pictures"] = _refusing("AccessDenied")
    web.held.update({f"/pictures/{at}.png": b"x" for at in range(40)})
    fetching.ask(f"s3://pictures/{at}.png" for at in range(40))
    assert calls == {"list_objects_v2": 1, "head_object": 40}
    assert all(fetching.version(f"s3://pictures/{at}.png") for at in range(40))


def test_what_is_not_there(bucket: Any) -> None:
    assert refused("s3://pictures/none.png") == "expected an image file, got no object at s3://pictures/none.png"
    assert refused("s3://nowhere/k.png") == "expected an image file, got no object at s3://nowhere/k.png"
    with pytest.raises(ReadError, match="no bucket at s3://nowhere"):
        fetching.listed("s3://nowhere/x")


def _refusing(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no secret-token</Message></Error>".encode()


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (
            _refusing("AccessDenied"),
            "not fetched: cannot fetch s3://pictures/k.png: no right to read it (Acc",
        ),
        (
            _refusing("ExpiredToken"),
            "not fetched: .* credentials have expired (ExpiredToken): get new ones",
        ),
        (_refusing("InvalidAccessKeyId"), "not fetched: .* credentials are not accepted (InvalidAccessKeyId)"),
        (_refusing("SignatureDoesNotMatch"), "not fetched: .* credentials are not accepted (SignatureDoesNotMatch)"),
        (_refusing("InvalidObjectState"), "not fetched: .* archived: restore it first"),
        (403, "not fetched: .* no right to read it (403)"),
        (503, "not fetched: .* S3 answers 503, several times"),
        ("dies", "not fetched: .* several times"),
    ],
)
def test_a_refusal_is_told_without_a_secret(
    web: Objects, credentials: None, monkeypatch: pytest.MonkeyPatch, fault: Any, why: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", web.url)
    web.held["/pictures/k.png"], web.faults["/pictures/k.png"] = b"hello" * 99, fault
    message = refused("s3://pictures/k.png")
    start, _, rest = why.partition(".*")
    assert message.startswith(start), message
    assert rest in message, message
    assert "secret" not in message
    # it was listed, and may not be read: nothing is known of it
    assert fetching.version("s3://pictures/k.png") == [] or fault == "dies"


def test_without_credentials_what_anybody_may_read_is_read(web: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", web.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    web.held["/pictures/k.png"] = b"hello"
    assert fetched("s3://pictures/k.png") == b"hello"


def test_a_profile_that_is_not_there(web: Objects, credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "not fetched: " in refused("s3://pictures/k.png")
