"""Whatever FiftyOne makes of a lost connection is one clear error; other errors stay as they are."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.errors import AutoReconnect, ConnectionFailure, OperationFailure, ServerSelectionTimeoutError

from loupe.brain.core.errors import DatabaseGone, InputError
from loupe.brain.store.connection import database_errors, lost_writes


def of_fiftyone(cause: Exception) -> Exception:
    """As FiftyOne raises it where it cannot connect."""
    error = ConnectionError("Could not connect to `mongod`")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("reset"),
        ServerSelectionTimeoutError("no servers"),
        of_fiftyone(ServerSelectionTimeoutError("no servers")),
        of_fiftyone(of_fiftyone(ConnectionFailure("gone"))),
    ],
)
def test_a_lost_connection_says_what_to_do(error: Exception) -> None:
    with pytest.raises(DatabaseGone, match="start it again and repeat the same call") as raised, database_errors():
        raise error
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("a service is not there"),
        ValueError("not so"),
        OperationFailure("no such command"),
        InputError("expected so, got so"),
        KeyboardInterrupt(),
    ],
)
def test_other_errors_stay_as_they_are(error: BaseException) -> None:
    with pytest.raises(type(error)) as raised, database_errors(), lost_writes():
        raise error
    assert raised.value is error


def test_an_error_of_loupes_own_is_told_though_the_connection_was_its_cause() -> None:
    with pytest.raises(InputError, match="expected so"), database_errors():
        raise InputError("expected so") from AutoReconnect("reset")


@pytest.mark.database
def test_what_a_killed_database_has_lost_says_what_to_do(dataset: Any) -> None:
    import fiftyone as fo
    from fiftyone.core import odm

    dataset.add_sample(fo.Sample(filepath="/pictures/a.png"))
    dataset.save_view("mine", dataset.limit(1))
    odm.get_db_conn()["views"].delete_many({})  # the last instant before it was killed
    with pytest.raises(DatabaseGone, match="repeat the same call"), lost_writes():
        dataset.update_saved_view_info("mine", {"description": "another"})
