"""Refusals, in the form that clients of OpenAI's interface expect."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from glowvox.errors import GlowvoxError

_TYPES = {
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "server_error",
    501: "server_error",
    503: "server_error",
    504: "server_error",
}


class Refusal(Exception):  # noqa: N818 (it is not always the client's error)
    """A request that is refused, with the one line that says why."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        message = " ".join(message.split())  # one line, whatever a client called its voice
        super().__init__(message)
        self.status = status
        """HTTP status."""
        self.message = message
        self.param = param
        """The field of the request that it is about."""
        self.code = code
        """What programs tell it by."""
        self.headers = dict(headers or {})

    @property
    def error(self) -> dict[str, Any]:
        """The object that says what went wrong."""
        kind = _TYPES.get(self.status, "invalid_request_error")
        return {"message": self.message, "type": kind, "param": self.param, "code": self.code}

    def response(self) -> JSONResponse:
        """Return it as an answer."""
        return JSONResponse({"error": self.error}, self.status, self.headers)


class ClientGone(Exception):  # noqa: N818 (nobody did anything wrong)
    """The client closed the connection before its answer was complete."""


def refusal_of(error: Exception) -> Refusal:
    """Return what a client is told of an error; of one that is a defect of ours, nothing but that."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, GlowvoxError):
        return Refusal(400, str(error))
    return Refusal(500, "the server failed; its log says more", code="internal_error")
