"""Access: API keys, and whose share of the server a request uses."""

import hashlib
import hmac
import os
from pathlib import Path

from starlette.requests import HTTPConnection

from glowvox.errors import ConfigError
from glowvox.serve.refusal import Refusal

KEYS_VARIABLE = "GLOWVOX_API_KEYS"
"""Environment variable with API keys, separated by commas or blanks."""
_MOST_BYTES = 1 << 20
_SHORTEST = 8


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
            raise ConfigError(f"cannot read the API keys in {path}: {error}") from error
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
