"""Pictures on a web server: what is asked, what is kept, and every way in which a server can fail."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from object_server import Objects, fetched, refused, served

import loupe
from loupe.brain.media import fetching, stores
from loupe.brain.media import web as module
from loupe.brain.media.web import is_public


def test_a_picture_is_asked_for_once(web: Objects) -> None:
    web.held["/a.png"] = b"hello"
    for _ in range(3):
        assert fetched(f"{web.url}/a.png") == b"hello"
    assert web.asked == {"HEAD /a.png": 1, "GET /a.png": 1}


@pytest.mark.parametrize("name", ["a b.png", "a#b?.png", "100%.png", "ä/日本🎉.png", "a%20b.png", "a+b.png"])
def test_odd_names_reach_the_server_as_they_are(web: Objects, name: str) -> None:
    web.held[f"/{name}"] = name.encode()
    assert fetched(f"{web.url}/{quote(name)}") == name.encode()


def test_an_object_that_changes_under_its_name_is_another(web: Objects) -> None:
    web.held["/a.png"] = b"old"
    address = f"{web.url}/a.png"
    before = fetching.version(address)
    assert fetched(address) == b"old"
    web.held["/a.png"] = b"new"
    assert fetching.version(address) == before, "a run keeps to the version that it began with"
    assert fetched(address) == b"old"
    fetching.forget()  # as a process that begins
    assert fetching.version(address) != before
    assert fetched(address) == b"new"


def test_what_is_kept_serves_another_process_after_one_question(web: Objects) -> None:
    web.held["/a.png"] = b"hello"
    fetched(f"{web.url}/a.png")
    fetching.forget()
    web.asked.clear()
    assert fetched(f"{web.url}/a.png") == b"hello"
    assert web.asked == {"HEAD /a.png": 1}


def test_an_address_signed_for_get_alone_and_a_server_without_ranges(web: Objects) -> None:
    web.held["/a.png"], web.head = b"hello", False
    assert fetching.version(f"{web.url}/a.png") == [5, '"5d41402abc4b2a76b9719d911017c592"']
    web.ranges = False
    fetching.forget()
    assert fetching.version(f"{web.url}/a.png") == [5, '"5d41402abc4b2a76b9719d911017c592"']
    assert fetched(f"{web.url}/a.png?X-Amz-Signature=secret") == b"hello"


def test_where_a_server_states_no_version_the_bytes_are_it(web: Objects) -> None:
    web.held["/a.png"], web.tags = b"hello", False
    first = fetching.version(f"{web.url}/a.png")
    assert fetched(f"{web.url}/a.png") == b"hello"
    assert web.asked["GET /a.png"] == 1
    web.held["/a.png"] = b"HELLO"
    fetching.forget()
    assert fetching.version(f"{web.url}/a.png") != first
    assert fetched(f"{web.url}/a.png") == b"HELLO"


@pytest.mark.parametrize(
    ("fault", "why", "tries"),
    [
        (403, "not fetched: cannot fetch .*no right to read it, or one that has expired .HTTP 403", 2),
        (401, "not fetched: .*no right", 2),
        (404, "expected an image file, got no object at http", 1),
        (418, "not fetched: .*HTTP 418", 1),
        (500, "not fetched: .*HTTP 500, several times", 3),
        (429, "not fetched: .*HTTP 429, several times", 3),
        ("file:///etc/passwd", "not fetched: .*redirects to file:///etc/passwd, which is not followed", 1),
        ("http://169.254.169.254/latest?token=secret", "not fetched: .*private network", 1),
        ("http://localhost:1/x", "not fetched: .*localhost is on this machine", 1),
        ("/a.png", "not fetched: .*more than 5 redirects", 6),
    ],
)
def test_a_refusal_is_told_and_asked_for_again_only_where_that_helps(
    web: Objects, fault: object, why: str, tries: int
) -> None:
    web.held["/a.png"], web.faults["/a.png"] = b"hello", fault
    message = refused(f"{web.url}/a.png?sig=secret")
    assert re.search(why, message), message
    assert "secret" not in message
    assert sum(web.asked.values()) == tries


def test_a_redirect_on_the_web_is_followed(web: Objects) -> None:
    web.held["/b.png"] = b"hello"
    web.faults["/a.png"] = f"{web.url}/b.png"
    assert fetched(f"{web.url}/a.png") == b"hello"


@pytest.mark.parametrize("fault", [500, "dies"])
def test_what_fails_once_is_tried_again(web: Objects, fault: object) -> None:
    web.held["/a.png"], web.faults["/a.png"], web.times["/a.png"] = b"hello" * 99, fault, 2
    assert fetched(f"{web.url}/a.png") == b"hello" * 99


def test_a_server_that_always_dies_within_an_object_leaves_nothing(web: Objects, media: Path) -> None:
    web.held["/a.png"], web.faults["/a.png"] = b"hello" * 99, "dies"
    assert "not fetched: " in refused(f"{web.url}/a.png")
    assert [path for path in media.rglob("*") if path.is_file()] == []


def test_a_slow_server_does_not_hold_up_a_run(web: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "PATIENCE", 0.1)
    web.held["/a.png"], web.faults["/a.png"] = b"hello" * 99, "drips"
    assert "comes too slowly" in refused(f"{web.url}/a.png")
    monkeypatch.setattr(module, "READ", 0.1)
    fetching.forget()
    web.faults["/a.png"] = "stalls"
    assert "it broke off" in refused(f"{web.url}/a.png")


def test_a_host_that_does_not_answer_is_left_alone_after_some_tries(web: Objects) -> None:
    with served() as gone:
        url = gone.url
    assert "no connection" in refused(f"{url}/0.png")
    for at in range(1, 4):
        refused(f"{url}/{at}.png")
    assert "127.0.0.1 does not answer" in refused(f"{url}/9.png")
    fetching.ask([f"{url}/9.png"])  # a call begins: it is asked again
    assert "no connection" in refused(f"{url}/10.png")


def test_a_huge_object_is_not_fetched(web: Objects, media: Path) -> None:
    loupe.remote_media(max_file_bytes=10)
    web.held["/a.png"] = b"x" * 11
    assert "expected a file of at most 10 bytes, got 11" in refused(f"{web.url}/a.png")
    assert not refused(f"{web.url}/a.png").startswith("not fetched")
    assert [path for path in media.rglob("*") if path.is_file()] == []


def test_only_hosts_of_the_internet_are_asked_unless_named(web: Objects) -> None:
    web.held["/a.png"] = b"hello"
    loupe.remote_media(private_hosts=[])
    message = refused(f"{web.url}/a.png")
    assert 'loupe.remote_media(private_hosts=["127.0.0.1"])' in message
    assert not web.asked
    # a name that leads to this machine is no way around it
    assert "private network" in refused(web.url.replace("127.0.0.1", "localhost") + "/a.png")
    loupe.remote_media(private_hosts=["*"])
    assert fetched(f"{web.url}/a.png") == b"hello"


@pytest.mark.parametrize(
    "place",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0", "::1", "fe80::1%eth0", "fc00::1",
     "::ffff:10.0.0.1", "224.0.0.1", "100.64.0.1", "2002:7f00:1::"],
)  # fmt: skip
def test_which_places_are_no_ones_to_lead_to(place: str) -> None:
    assert not is_public(place)


def test_a_name_is_looked_at_as_it_is_connected_to(monkeypatch: pytest.MonkeyPatch, web: Objects) -> None:
    """A name that leads to the internet first and to this machine next leads nowhere."""
    asked = []

    def resolved(host: str, port: int, **_: object) -> list[object]:
        asked.append(host)
        return [(2, 1, 6, "", (("127.0.0.1"), port))]

    monkeypatch.setattr(module.socket, "getaddrinfo", resolved)
    assert "rebound.example is on this machine" in refused(f"http://rebound.example:{web.url.rpartition(':')[2]}/a.png")
    assert asked == ["rebound.example"]
    assert not web.asked


def test_threads_that_want_the_same_ask_once(web: Objects) -> None:
    web.held["/a.png"], web.delay = b"hello", 0.05
    address = f"{web.url}/a.png"
    fetching.version(address)
    threads = [threading.Thread(target=fetched, args=(address,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert web.asked["GET /a.png"] == 1


@pytest.mark.parametrize("tags", [True, False])
def test_a_thread_that_comes_as_another_ends_asks_no_more(
    web: Objects, monkeypatch: pytest.MonkeyPatch, tags: bool
) -> None:
    """What the other did, it did after this one had looked for it, and before this one began."""
    web.held["/a.png"], web.tags = b"hello", tags
    once, seen = fetching.Fetcher._once, set()

    def late(own: fetching.Fetcher, what: str, work: Callable[[], stores.Version]) -> stores.Version:
        if what not in seen:
            seen.add(what)
            once(own, what, work)
        return once(own, what, work)

    monkeypatch.setattr(fetching.Fetcher, "_once", late)
    assert fetched(f"{web.url}/a.png") == b"hello"
    assert {what.partition(" ")[0] for what in seen} == {"version", "fetch"}
    assert web.asked == {"HEAD /a.png": 1, "GET /a.png": 1}


def test_nothing_is_asked_unless_turned_on(web: Objects) -> None:
    loupe.remote_media(False)
    web.held["/a.png"] = b"hello"
    message = refused(f"{web.url}/a.png")
    assert "not fetched: " in message
    assert "loupe.remote_media(True)" in message
    assert fetching.version(f"{web.url}/a.png") == []
    fetching.ask([f"{web.url}/a.png"])
    assert list(fetching.ahead([f"{web.url}/a.png"], str)) == [f"{web.url}/a.png"]
    assert not web.asked


def test_an_encrypted_address_does_not_lead_to_a_plain_one() -> None:
    address = module.parsed("https://h.example/a.png")
    assert str(module._redirected(address, "/b.png")) == "https://h.example/b.png"
    with pytest.raises(stores.Refused, match="not encrypted"):
        module._redirected(address, "http://h.example/b.png?sig=secret")
    with pytest.raises(stores.Refused, match=r"redirects to s3://bucket/k.png, which is not followed"):
        module._redirected(address, "s3://bucket/k.png")


def test_what_was_fetched_ahead_in_vain_is_not_asked_for_again_at_once(web: Objects) -> None:
    web.faults["/a.png"] = 500
    fetching.fetcher().prepare(module.parsed(f"{web.url}/a.png"))
    asked = web.asked.total()
    assert "HTTP 500" in refused(f"{web.url}/a.png")
    assert web.asked.total() == asked
    web.faults.clear()
    web.held["/a.png"] = b"hello"
    fetching.ask([f"{web.url}/a.png"])  # another call begins
    assert fetched(f"{web.url}/a.png") == b"hello"


def test_what_is_shorter_than_stated_is_not_taken() -> None:
    with pytest.raises(stores.Again, match="broke off after 3 of 5 bytes"):
        stores.copied([b"ab", b"c"], io.BytesIO(), 5, 100)
    with pytest.raises(stores.TooLarge, match="at most 4 bytes"):
        stores.copied([b"abc", b"de"], io.BytesIO(), None, 4)
