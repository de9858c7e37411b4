"""C2PA manifests (c2pa.org, specification 2): what they say of how a picture came about; and signing one's own.

The manifest is read and signed by c2pa-python (MIT or Apache-2.0), an extra: ``pip install "loupe-fiftyone[c2pa]"``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from loupe.brain.core.errors import InputError, MissingDependency, OutputError
from loupe.brain.provenance import plain
from loupe.brain.provenance.records import SOURCE_TYPES, MetadataError, Reading

INSTALL = 'pip install "loupe-fiftyone[c2pa]"'
_ALGORITHMS = ("es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519")
_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".avif": "image/avif",
}
#: a picture may name a manifest elsewhere, or a place to ask about its certificate: nothing is fetched
_OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}


def available() -> bool:
    """Returns whether c2pa-python is installed."""
    from importlib.util import find_spec

    return find_spec("c2pa") is not None


def read(path: Path) -> Reading | None:
    """Returns what the manifest of a picture states; None where it states nothing of how it was made.

    Whether the signature is trusted is not judged here: what is stated is taken as any metadata is.

    Raises:
        MetadataError: the manifest cannot be read
        MissingDependency: c2pa-python is not installed
    """
    try:
        import c2pa
    except ImportError as error:
        raise MissingDependency(f"C2PA manifests are read by c2pa-python: {INSTALL}") from error
    try:
        kind = _TYPES.get(path.suffix.lower(), "image/png")
        with (
            path.open("rb") as file,
            c2pa.Settings.from_dict(_OFFLINE) as settings,
            c2pa.Context(settings) as context,
            c2pa.Reader(kind, file, context=context) as reader,
        ):
            text = reader.json()
    except (c2pa.C2paError, OSError, ValueError) as error:
        raise MetadataError(f"its C2PA manifest cannot be read: {str(error)[:200]}") from None
    return of_store(plain.as_mapping(plain.loaded(text, "the C2PA manifest")))


def of_store(store: Mapping[str, Any]) -> Reading | None:
    """Returns what a manifest store, as c2pa-python gives it, states of the picture that carries it."""
    manifests = plain.as_mapping(store.get("manifests"))
    manifest = plain.as_mapping(manifests.get(str(store.get("active_manifest"))))
    values: dict[str, Any] = {}
    for action in _actions(manifest):
        kind = action.get("digitalSourceType")
        if isinstance(kind, str) and action.get("action") in ("c2pa.created", "c2pa.edited", "c2pa.placed"):
            values.setdefault("digital_source_type", kind.rsplit("/", 1)[-1])
            agent = action.get("softwareAgent")
            name = agent.get("name") if isinstance(agent, Mapping) else agent
            if plain.as_text(name):
                values.setdefault("tool", name)
    if not values:
        return None
    infos = manifest.get("claim_generator_info")
    info = plain.as_mapping(infos[0]) if isinstance(infos, list) and infos else {}
    if "tool" not in values and plain.as_text(info.get("name")):
        values["tool"] = info["name"]
    return Reading("C2PA manifest", values)


def _actions(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for assertion in map(plain.as_mapping, plain.as_list(manifest.get("assertions"))):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            yield from map(plain.as_mapping, plain.as_list(plain.as_mapping(assertion.get("data")).get("actions")))


def sign_image(
    path: str | Path,
    output: str | Path,
    *,
    certificate: str | Path,
    key: str | Path,
    algorithm: str = "es256",
    source_type: str = "trainedAlgorithmicMedia",
) -> Path:
    """Writes a copy of a picture with a C2PA manifest that says it was made by a model, signed with your key.

    The manifest states the action ``c2pa.created`` with IPTC's digital source type, and Loupe's JSON where the
    picture carries it. The picture itself is left as it is. No two signatures are the same bytes.

    Args:
        path: the picture: PNG, JPEG, WebP, AVIF
        output: the copy; it may not be there yet
        certificate: a .pem file with your certificate and those that sign it, yours first
        key: a .pem file with your private key
        algorithm: es256, es384, es512, ps256, ps384, ps512 or ed25519: that of your key
        source_type: e.g. ``compositeWithTrainedAlgorithmicMedia`` for a picture of which a part was redrawn

    Returns:
        the copy's path

    Raises:
        MissingDependency: c2pa-python is not installed
        InputError: no such picture, certificate or key, or they do not go together; nothing is written
        OutputError: the copy is there already, or cannot be written

    >>> loupe.sign_image("a.png", "signed/a.png", certificate="chain.pem", key="key.pem")  # doctest: +SKIP
    PosixPath('signed/a.png')
    """
    try:
        import c2pa
    except ImportError as error:
        raise MissingDependency(f"signing needs c2pa-python: {INSTALL}") from error
    source, target = Path(path).expanduser(), Path(output).expanduser()
    if algorithm not in _ALGORITHMS:
        raise InputError(f"expected algorithm to be one of {', '.join(_ALGORITHMS)}, got {algorithm!r}")
    kind = _TYPES.get(source.suffix.lower())
    if kind is None or source.suffix.lower() != target.suffix.lower():
        raise InputError(f"expected a picture and a copy that end in {', '.join(_TYPES)}, got {source} and {target}")
    for what, file in (("a picture", source), ("a certificate", Path(certificate)), ("a private key", Path(key))):
        if not file.expanduser().is_file():
            raise InputError(f"expected {what} at {file}, got none")
    if target.exists():
        raise OutputError(f"expected a new file, but {target} is there already. Remove it, or give another output")
    chain, private = Path(certificate).expanduser().read_bytes(), Path(key).expanduser().read_bytes()
    temporary = target.with_name(f".{target.stem}.signing{target.suffix}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        info = c2pa.C2paSignerInfo(algorithm.encode(), chain, private, None)
        manifest = json.dumps(_manifest(source, kind, source_type))
        with (
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(manifest) as builder,
            source.open("rb") as original,
            temporary.open("w+b") as copy,
        ):
            builder.sign(signer, kind, original, copy)
        temporary.replace(target)
    except c2pa.C2paError as error:
        # what it says names no key: only the kind of the fault
        raise InputError(
            f"expected a certificate and a key of {algorithm} that go together: {str(error)[:200]}. See "
            "https://opensource.contentauthenticity.org/docs/signing/get-cert"
        ) from None
    except OSError as error:
        raise OutputError(f"expected to write {target}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return target


def _manifest(source: Path, kind: str, source_type: str) -> dict[str, Any]:
    import loupe
    from loupe.brain.provenance import files

    created = {
        "action": "c2pa.created",
        "digitalSourceType": f"{SOURCE_TYPES}{source_type}",
        "softwareAgent": {"name": "Loupe", "version": loupe.__version__},
    }
    assertions: list[dict[str, Any]] = [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}]
    try:
        own = files.read(source).texts.get("loupe")
    except MetadataError as error:
        raise InputError(f"expected a picture at {source}: {error}") from None
    if own:
        assertions.append({"label": "org.loupe.generation", "data": plain.loaded(own, "Loupe's JSON")})
    return {
        "claim_generator_info": [{"name": "Loupe", "version": loupe.__version__}],
        "title": source.name,
        "format": kind,
        "assertions": assertions,
    }
