"""Access: API keys, whose share of the server a request uses, and what it must be before it is looked at."""

import asyncio
import hashlib
import hmac
import ipaddress
import os
import socket
import time
from pathlib import Path

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glowvox.errors import ConfigError
from glowvox.serve.refusal import Refusal
from glowvox.serve.settings import ServerSettings, host_name

KEYS_VARIABLE = "GLOWVOX_API_KEYS"
"""Environment variable with API keys, separated by commas or blanks."""
_MOST_BYTES = 1 << 20
_SHORTEST = 8
_JSON, _FORM = "application/json", "multipart/form-data"
_BODIES = {"/v1/audio/speech": _JSON, "/v1/explain": _JSON, "/v1/align": _FORM}
"""The paths that take a body, and of what type."""
_LARGE_BODIES = frozenset({"/v1/align"})
_SLOWEST = 8 << 10
"""Bytes a second at which a body may come, however large it is."""


def read_keys(path: Path | None) -> tuple[str, ...]:
    """Return the API keys of a file (one a line; `#` begins a comment) and of the environment.

    Raises:
        ConfigError: the file cannot be read or holds no key, or a key is too short to be one.
    """
    keys = os.environ.get(KEYS_VARIABLE, "").replace(",", " ").split()
    if path is not None:
        try:
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
            lines = content.decode("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise ConfigError(f"cannot read the API keys in {path}: {why}") from error
        if len(content) > _MOST_BYTES:
            raise ConfigError(f"{path}: a file of API keys may have {_MOST_BYTES} bytes at most")
        found = [key for line in lines if (key := line.partition("#")[0].strip())]
        if not found:
            raise ConfigError(f"{path}: there is no API key in it; write one a line")
        keys += found
    for number, key in enumerate(keys, 1):
        if len(key) < _SHORTEST or not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigError(
                f"API key {number} is no key: it takes {_SHORTEST} ASCII characters at least, and no blanks"
            )
    return tuple(dict.fromkeys(keys))


class ApiKeys:
    """Lets requests in that carry one of these API keys, all of them where there are none."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._digests = [hashlib.sha256(key.encode()).digest() for key in keys]

    @property
    def open(self) -> bool:
        """Whether everybody may come in."""
        return not self._digests

    def check(self, key: str) -> str:
        """Return a name for the client that carries a key, which does not tell the key.

        Raises:
            Refusal: the key is not valid.
        """
        digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
        # all are compared, and each in constant time, so that the time tells nothing about the keys
        valid = [hmac.compare_digest(digest, known) for known in self._digests]
        if not any(valid):
            raise Refusal(
                401,
                "this server needs an API key in the header 'Authorization: Bearer KEY'"
                if not key
                else "the API key is not valid",
                code="invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return f"key {digest.hex()[:8]}"

    def client(self, connection: HTTPConnection, key: str = "") -> str:
        """Return a name for the client of a request.

        Args:
            connection: the request, whose header may carry a key.
            key: one that it carries elsewhere, since not every client can set headers.

        Raises:
            Refusal: it needs a key and has none that is valid.
        """
        if not self._digests:
            return address(connection)
        if key:
            return self.check(key)
        scheme, _, key = connection.headers.get("authorization", "").partition(" ")
        return self.check(key.strip() if scheme.lower() == "bearer" else "")


def address(connection: HTTPConnection) -> str:
    """Return a name for a client that carries no key."""
    return f"address {connection.client.host}" if connection.client is not None else "address unknown"


class RequestGuard:
    """Refuses what is not meant for this server, and bodies that are too large or come too slowly.

    Keys and types are looked at before a byte of the body is taken.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings, keys: ApiKeys) -> None:
        self._app = app
        self._settings = settings
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body counted and timed."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            self._check_host(scope)
        except Refusal as refusal:
            await refusal.response()(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        limits = self._settings.limits
        limit = limits.recording_bytes if scope["path"] in _LARGE_BODIES else limits.body_bytes
        try:
            self._check(HTTPConnection(scope), scope["method"], limit)
        except Refusal as refusal:
            await refusal.response()(scope, receive, send)
            return
        began, received, ended = time.monotonic(), 0, False
        failure: Refusal | None = None

        async def counted() -> Message:
            nonlocal received, ended, failure
            if ended:  # what comes now is that the client goes, at any time
                return await receive()
            left = limits.receive_seconds + received / _SLOWEST - (time.monotonic() - began)
            try:
                async with asyncio.timeout(max(0.0, left)):
                    message = await receive()
            except TimeoutError:
                failure = _too_slow()
                raise failure from None
            ended = not message.get("more_body", False)
            received += len(message.get("body", b""))
            if received > limit:
                failure = _too_large(limit)
                raise failure
            return message

        async def answered(message: Message) -> None:
            # whatever the framework makes of the error, the answer is this one
            if failure is None:
                await send(message)
            elif message["type"] == "http.response.start":
                await failure.response()(scope, receive, send)

        await self._app(scope, counted, answered)

    def _check_host(self, scope: Scope) -> None:
        """See whether a request at a loopback address is meant for this machine.

        A web page of any host can have its name resolve to 127.0.0.1 (DNS rebinding); its requests are then of its own
        origin, and no browser keeps it from reading the answers. They still carry its name.
        """
        header = HTTPConnection(scope).headers.get("host")
        listening = (scope.get("server") or ("", 0))[0]
        names = self._settings.server_names
        if header is None or "*" in names or not _is_loopback(listening):
            return
        name = host_name(header)
        if name is None or not (_is_loopback(name) or name in names or name in _own_names()):
            raise Refusal(
                421,
                f"this server is not '{header[:100]}'; whoever runs it can let it answer for that host (--server-name)",
                code="host_not_allowed",
            )

    def _check(self, request: HTTPConnection, method: str, limit: int) -> None:
        wanted = _BODIES.get(request.url.path) if method == "POST" else None
        if wanted is not None:
            self._keys.client(request)
            given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if given != wanted and not (
                wanted == _JSON and given.startswith("application/") and given.endswith("+json")
            ):
                what = f"is '{given[:100]}'" if given else "is missing"
                raise Refusal(
                    415,
                    f"the body must be {'JSON' if wanted == _JSON else 'a form'}: its Content-Type must be {wanted}, "
                    f"and {what}",
                    code="unsupported_media_type",
                )
        stated = request.headers.get("content-length", "")
        if stated.isdigit() and int(stated[:20]) > limit:
            raise _too_large(limit)


def _is_loopback(host: str) -> bool:
    """Return whether a name or an address means this machine, for every browser."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def _own_names() -> tuple[str, str]:
    own = socket.gethostname().lower()
    return own, f"{own}.local"


def _too_large(limit: int) -> Refusal:
    return Refusal(413, f"the body has more than the {limit} bytes that it may have", code="body_too_large")


def _too_slow() -> Refusal:
    return Refusal(
        408, "the body came too slowly; nothing was spoken", code="request_timeout", headers={"Connection": "close"}
    )
