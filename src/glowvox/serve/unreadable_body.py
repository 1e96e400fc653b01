"""Unreadable bodies: what a client is told of one that is no JSON, or no form, before any field is looked at."""

from glowvox.serve.refusal import Refusal

_BOUNDARY = "a form needs a Content-Type with its boundary; HTTP clients write both when they are given a form's fields"
_FORMS = (
    ("Missing boundary", _BOUNDARY),
    (
        "Invalid multipart",
        "the body is not the form that its Content-Type says, or is cut off",
    ),
    ("The Content-Disposition", 'a field of the form has no name; write name="..." into its Content-Disposition'),
    ("Too many", "the form has too many fields; send those that are needed"),
)
"""What the framework says, and what this server does."""


def unreadable_json(error: BaseException | None, what: str = "the body") -> str:
    """Return what is wrong with something that is not read as JSON.

    Args:
        error: what Python's own parser raised at it.
        what: how it is called.
    """
    if isinstance(error, UnicodeDecodeError):
        return f"{what} is not text in UTF-8"
    if isinstance(error, RecursionError):
        return f"{what} is nested too deeply"
    if isinstance(error, ValueError) and "digits" in str(error):  # Python's limit for reading integers
        return f"{what} holds a number with too many digits"
    return f"{what} is not valid JSON"


def unreadable_form(detail: str, characters: int) -> Refusal:
    """Return the refusal of a form.

    Args:
        detail: what the framework says of it.
        characters: that a text may have.
    """
    if "exceeded maximum size" in detail:
        return Refusal(
            413,
            f"a field of the form is too long: a text may have {characters} characters, and a recording must be sent "
            "as a file, with curl -F file=@hello.wav",
            code="body_too_large",
        )
    known = (message for begin, message in _FORMS if detail.startswith(begin))
    return Refusal(400, next(known, "the body is not a form; send multipart/form-data"), code="invalid_request")
