"""Objects of S3 and of what speaks its language, by the AWS client that FiftyOne needs, too.

Who may read what is decided by the client's own chain: the environment, ``~/.aws``, the machine's role. Nothing of it
is kept or shown here. ``AWS_ENDPOINT_URL_S3`` names another service, such as MinIO.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Any, BinaryIO

from loupe.brain.core.errors import MissingDependency
from loupe.brain.media import stores
from loupe.brain.media.addresses import Address
from loupe.brain.media.stores import CONNECT, PIECE, READ, Again, Missing, Refused, Version, copied, require_size

_MISSING = ("404", "NoSuchKey", "NoSuchBucket", "NoSuchVersion")
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired")
_DENIED = ("403", "401", "AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "Unauthorized")
_WRONG = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "AuthorizationHeaderMalformed")
_BUSY = ("SlowDown", "InternalError", "ServiceUnavailable", "Throttling", "RequestTimeout", "429")


class S3:
    """Implements ``loupe.brain.media.stores.Store``.

    Args:
        connections: at a time
    """

    def __init__(self, connections: int = 32) -> None:
        self._connections, self._lock = connections, Lock()
        self._client: Any = None

    def version(self, address: Address) -> Version:
        """See ``Store``."""
        try:
            answer = self._call("head_object", Bucket=address.host, Key=address.key)
        except Refused:
            # a refusal of this kind has no body that says why
            self._call("get_object", Bucket=address.host, Key=address.key, Range="bytes=0-0")["Body"].close()
            raise
        return Version(str(answer.get("ETag", "")), answer.get("ContentLength"))

    def fetch(self, address: Address, file: BinaryIO, limit: int) -> Version:
        """See ``Store``."""
        answer = self._call("get_object", Bucket=address.host, Key=address.key)
        body, size = answer["Body"], answer.get("ContentLength")
        try:
            require_size(size, limit)
            count = copied(body.iter_chunks(PIECE), file, size, limit)
        except Exception as error:
            raise _meaning(error) from None
        finally:
            body.close()
        return Version(str(answer.get("ETag", "")), count)

    def listed(self, place: Address, recursive: bool) -> Iterator[str]:
        """See ``Store``."""
        asked: dict[str, Any] = {"Bucket": place.host, "Prefix": place.key, "MaxKeys": stores.PAGE}
        if not recursive:
            asked["Delimiter"] = "/"
        while True:
            page = self._call("list_objects_v2", **asked)
            yield from (entry["Key"] for entry in page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def page(self, place: Address, first: str) -> dict[str, Version]:
        """See ``Store``."""
        # a listing begins after a key: after one that stands just before the first
        before = first[:-1] + chr(max(ord(first[-1]) - 1, 0)) + "\ufffd"
        asked = {"Bucket": place.host, "Prefix": place.key, "MaxKeys": stores.PAGE, "StartAfter": before}
        listed = self._call("list_objects_v2", **asked).get("Contents", ())
        return {each["Key"]: Version(str(each.get("ETag", "")), each.get("Size")) for each in listed}

    def _call(self, name: str, **asked: Any) -> Any:
        try:
            return getattr(self._ready(), name)(**asked)
        except MissingDependency:
            raise
        except Exception as error:
            raise _meaning(error) from None

    def _ready(self) -> Any:
        with self._lock:
            if self._client is None:
                try:
                    import boto3
                    from botocore import UNSIGNED
                    from botocore.config import Config
                except ImportError:
                    raise MissingDependency('for s3:// addresses: pip install "loupe-fiftyone[cloud]"') from None
                session = boto3.Session()
                # what anybody may read needs no signature
                options: dict[str, Any] = {} if session.get_credentials() else {"signature_version": UNSIGNED}
                self._client = session.client(
                    "s3",
                    config=Config(
                        connect_timeout=CONNECT,
                        read_timeout=READ,
                        max_pool_connections=self._connections,
                        retries={"total_max_attempts": 1},
                        **options,
                    ),
                )
            return self._client


def _meaning(error: Exception) -> Exception:
    """Returns what an error of the client means; its own words may hold an address that is signed."""
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return _of_code(code, status)
    if isinstance(error, (exceptions.NoCredentialsError, exceptions.PartialCredentialsError)):
        return Refused("no credentials for S3: set AWS_PROFILE, or the variables AWS_ACCESS_KEY_ID and so on")
    if isinstance(error, (exceptions.ProfileNotFound, exceptions.NoRegionError, exceptions.ParamValidationError)):
        return Refused(f"the AWS client cannot be used ({type(error).__name__}): {error}"[:300])
    if isinstance(error, (exceptions.TokenRetrievalError, exceptions.UnauthorizedSSOTokenError)):
        return Refused("the credentials have expired: sign in again")
    if isinstance(error, (exceptions.BotoCoreError, exceptions.HTTPClientError)):
        return Again(f"no whole answer ({type(error).__name__})")
    # a file that cannot be written, an object that is too large, and what is none of the client's
    return error


def _of_code(code: str, status: int) -> Exception:
    if code in _MISSING or status == 404:
        return Missing("bucket" if code == "NoSuchBucket" else "")
    if code in _EXPIRED:
        return Refused(f"the credentials have expired ({code}): get new ones, and repeat the call")
    if code in _WRONG:
        return Refused(f"the credentials are not accepted ({code}): check them")
    if code == "InvalidObjectState":
        return Refused("it is archived: restore it first")
    if code in _DENIED or status in (401, 403):
        return Refused(f"no right to read it ({code or status})")
    if code in _BUSY or status >= 500:
        return Again(f"S3 answers {code or status}", alive=True)
    return Refused(f"S3 answers {code or status}")
