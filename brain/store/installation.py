"""What FiftyOne itself says of this machine: its database, and the plugin as the App finds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from loupe.brain.core.records import Record

#: the plugin's name in fiftyone.yml
PLUGIN = "@loupe/loupe"


@dataclass(frozen=True)
class Database(Record):
    """Whether the database answers.

    Attributes:
        address: without user and password; empty: FiftyOne's own, on this machine
        datasets: how many there are; None: it does not answer
        error: why not; else empty
    """

    address: str
    datasets: int | None
    error: str = ""


@dataclass(frozen=True)
class Plugin(Record):
    """The plugin as FiftyOne finds it.

    Attributes:
        folder: where it lies, links followed
        version: that its fiftyone.yml says
        enabled: whether the App loads it
    """

    folder: Path
    version: str
    enabled: bool


def database() -> Database:
    """Returns whether FiftyOne's database answers; starts it where FiftyOne would."""
    import fiftyone as fo

    address = without_password(fo.config.database_uri or "")
    try:
        return Database(address, len(fo.list_datasets()))
    # FiftyOne and the driver raise what they like: from a server that is too old to a mongod that is not there
    except Exception as error:
        reason = without_password(str(error).splitlines()[0] if str(error) else "")
        return Database(address, None, f"{type(error).__name__}: {reason}"[:300])


def without_password(text: str) -> str:
    """Returns an address, or a text with one, without user and password.

    >>> without_password("mongodb://anna:secret@db.example:27017/?authSource=admin")
    'mongodb://db.example:27017'
    """
    words = []
    for word in text.split(" "):
        if "://" not in word:
            words.append(word)
            continue
        parts = urlsplit(word)
        # what stands behind it can hold credentials, too
        words.append(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "", "", "")))
    return " ".join(words)


def plugins_folder() -> Path:
    """Returns where FiftyOne looks for plugins."""
    import fiftyone as fo

    return Path(fo.config.plugins_dir or "")


def plugin() -> Plugin | None:
    """Returns the plugin as FiftyOne finds it; None where it finds none."""
    from fiftyone import plugins

    enabled = {each.name for each in plugins.list_plugins(enabled=True)}
    for each in plugins.list_plugins(enabled="all"):
        if each.name == PLUGIN:
            return Plugin(Path(str(each.directory)).resolve(), str(each.version or ""), each.name in enabled)
    return None
