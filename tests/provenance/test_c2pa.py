"""C2PA: what a manifest states is read, and a picture is signed with a key of one's own, made here."""

from __future__ import annotations

import builtins
import datetime
import http.server
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.provenance import containers
from loupe.brain.core.errors import InputError, MissingDependency, OutputError
from loupe.brain.engine import output_folder
from loupe.brain.provenance import c2pa
from loupe.brain.provenance.read import UnreadableMetadata, of_file
from loupe.brain.provenance.records import MetadataError

KEY = "0" * 31 + "a"
FACTS = {
    "key": KEY,
    "prompt": "a red fox",
    "seed": 3,
    "model": "tiny",
    "loupe_version": "1",
    "factors": {"time": "day"},
}


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate with the one that signed it, and its private key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)

    def made(name: str, issuer: str, public: Any, signer: Any, is_authority: bool) -> Any:
        def named(text: str) -> x509.Name:
            return x509.Name(
                [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "test"), x509.NameAttribute(NameOID.COMMON_NAME, text)]
            )

        usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False)
        usage |= {
            "encipher_only": False,
            "decipher_only": False,
            "crl_sign": is_authority,
            "key_cert_sign": is_authority,
        }
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(issuer))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=300))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if not is_authority:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=True
            )
        return builder.sign(signer, hashes.SHA256())

    authority, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    chain = [
        made("signer", "authority", own.public_key(), authority, False),
        made("authority", "authority", authority.public_key(), authority, True),
    ]
    folder = tmp_path_factory.mktemp("pems")
    (folder / "chain.pem").write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain))
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(own.private_bytes(serialization.Encoding.PEM, *form))
    return folder / "chain.pem", folder / "key.pem"


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    return output_folder.write(tmp_path, KEY, Image.fromarray(pixels), FACTS)


def test_a_signed_copy_carries_the_same_facts(drawn: Path, pems: tuple[Path, Path], tmp_path: Path) -> None:
    reader = pytest.importorskip("c2pa")
    before = drawn.read_bytes()
    signed = c2pa.sign_image(drawn, tmp_path / "signed" / "a.png", certificate=pems[0], key=pems[1])
    assert drawn.read_bytes() == before
    assert [path.name for path in signed.parent.iterdir()] == ["a.png"]
    first, second = Image.open(drawn), Image.open(signed)
    np.testing.assert_array_equal(np.asarray(first), np.asarray(second))
    with signed.open("rb") as file, reader.Reader("image/png", file) as manifest:
        # the test's own authority is trusted by nobody; everything else of the signature holds
        assert manifest.get_validation_state() == "Valid"
    stated = c2pa.read(signed)
    assert stated is not None
    assert stated.values == {"digital_source_type": "trainedAlgorithmicMedia", "tool": "Loupe"}
    known, unsigned = of_file(signed), of_file(drawn)
    assert known.values == unsigned.values
    assert (known.own, known.factors) == (unsigned.own, {"time": "day"})
    assert known.values["prompt"] == "a red fox"


def test_a_manifest_that_lies_elsewhere_is_not_fetched(drawn: Path, pems: tuple[Path, Path], tmp_path: Path) -> None:
    package = pytest.importorskip("c2pa")
    asked: list[str] = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        info = package.C2paSignerInfo(b"es256", pems[0].read_bytes(), pems[1].read_bytes(), None)
        away = tmp_path / "away.png"
        manifest = c2pa._manifest(drawn, "image/png", "trainedAlgorithmicMedia")
        with package.Signer.from_info(info) as signer, package.Builder(json.dumps(manifest)) as builder:
            builder.set_no_embed()
            builder.set_remote_url(f"http://127.0.0.1:{server.server_port}/m.c2pa")
            with drawn.open("rb") as original, away.open("w+b") as copy:
                builder.sign(signer, "image/png", original, copy)
        with pytest.raises(MetadataError):
            c2pa.read(away)
        assert asked == []
        with pytest.raises(package.C2paError), away.open("rb") as file, package.Reader("image/png", file):
            pass
        server.shutdown()
    # by itself the package would have asked
    assert asked == ["/m.c2pa"]


def test_signing_says_what_is_wrong(drawn: Path, pems: tuple[Path, Path], tmp_path: Path) -> None:
    pytest.importorskip("c2pa")
    chain, key = pems
    for wrong, error, reason in (
        ({"algorithm": "rot13"}, InputError, "es256"),
        ({"path": tmp_path / "none.png"}, InputError, "expected a picture at"),
        ({"key": tmp_path / "none.pem"}, InputError, "expected a private key at"),
        ({"output": tmp_path / "a.jpg"}, InputError, "that end in"),
        ({"output": drawn}, OutputError, "is there already"),
        ({"certificate": key}, InputError, "that go together"),
        ({"key": chain}, InputError, "that go together"),
        ({"algorithm": "ed25519"}, InputError, "that go together"),
    ):
        given = {"path": drawn, "output": tmp_path / "x" / "s.png", "certificate": chain, "key": key, **wrong}
        path, output = given.pop("path"), given.pop("output")
        with pytest.raises(error, match=reason) as caught:
            c2pa.sign_image(path, output, **given)
        assert "PRIVATE" not in str(caught.value)
    assert not list((tmp_path / "x").glob("*")) if (tmp_path / "x").exists() else True


def test_a_damaged_manifest_is_that_files_message(drawn: Path, pems: tuple[Path, Path], tmp_path: Path) -> None:
    pytest.importorskip("c2pa")
    signed = c2pa.sign_image(drawn, tmp_path / "s.png", certificate=pems[0], key=pems[1])
    data = bytearray(signed.read_bytes())
    at = data.index(b"caBX")
    data[at + 4 : at + 60] = bytes(56)
    signed.write_bytes(data)
    with pytest.raises(UnreadableMetadata, match="C2PA manifest cannot be read") as caught:
        of_file(signed)
    assert caught.value.known.values["prompt"] == "a red fox"


def test_without_the_package_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = containers.png(tmp_path / "a.png", {})
    whole = path.read_bytes()
    path.write_bytes(whole[:33] + b"\0\0\0\0caBX\0\0\0\0" + whole[33:])
    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "c2pa":
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(c2pa, "available", lambda: False)
    assert c2pa.INSTALL in of_file(path).unknown["digital_source_type"]
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependency, match="c2pa"):
        c2pa.read(path)
    with pytest.raises(MissingDependency, match="c2pa"):
        c2pa.sign_image(path, tmp_path / "b.png", certificate=path, key=path)


@pytest.mark.parametrize(
    "store",
    [
        {},
        {"manifests": 3},
        {"active_manifest": "a", "manifests": {"a": {"assertions": [3, {"label": "c2pa.actions", "data": []}]}}},
        {
            "active_manifest": "a",
            "manifests": {"a": {"assertions": [{"label": "c2pa.actions", "data": {"actions": [1]}}]}},
        },
    ],
)
def test_a_manifest_that_states_nothing(store: dict[str, Any]) -> None:
    assert c2pa.of_store(store) is None


def test_what_openais_and_adobes_manifests_state() -> None:
    """Their layouts, as c2pa's own reader prints them: an agent as a text, or as an object."""
    kind = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    for agent in ("GPT-4o", {"name": "GPT-4o", "version": "1"}):
        action = {"action": "c2pa.created", "softwareAgent": agent, "digitalSourceType": kind}
        manifest = {"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}]}
        reading = c2pa.of_store({"active_manifest": "a", "manifests": {"a": manifest}})
        assert reading is not None
        assert reading.values == {"digital_source_type": "trainedAlgorithmicMedia", "tool": "GPT-4o"}
