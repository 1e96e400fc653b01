"""Invalid requests: what a client is told of a body that does not fit, in the words of this server's interface."""

from collections.abc import Mapping, Sequence
from typing import Any

from glowvox.serve.refusal import Refusal

_PLACES = ("body", "query", "path", "header")
_WHOLE, _NUMBER, _TRUTH = "a whole number", "a number", "true or false"
_KINDS = {
    "string_type": "a string",
    "string_unicode": "a string of valid Unicode",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "a finite number",
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_type": "an object",
    "list_type": "a list",
}
"""What a value must be, by the validator's name for the error."""
_NO_FILE = "Expected UploadFile"
"""How the framework's message begins where a form's field is no file."""
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def invalid_request(errors: Sequence[Mapping[str, Any]], *, inside: int = 0, what: str = "the body") -> Refusal:
    """Return the refusal of a request in which a validator found these errors: the first field that is wrong, and why.

    Args:
        errors: pydantic's, one at least. Several of one field are the ways in which it could have been right.
        inside: parts of each error's location that are no fields, such as the tag of a message.
        what: how the whole is called, for an error that is none of a field.
    """
    errors = [{**error, "loc": error["loc"][inside:]} for error in errors]
    first = _field(errors[0])
    same = [error for error in errors if _field(error) == first]
    # a value of the right kind that is too long, say, is told of before the kinds that it also could have had
    kinds = [error for error in same if error["type"] in _KINDS]
    chosen = next((error for error in same if error not in kinds), None)
    if chosen is None:
        wanted = list(dict.fromkeys(_KINDS[str(error["type"])] for error in kinds))
        param, why = first or None, f"must be {' or '.join(wanted)}"
    else:
        param, why = ".".join(_names(chosen)) or None, _why(chosen)
    where = f"'{param[:100]}'" if param else what
    return Refusal(400, f"{where} {why}", param=param, code="invalid_request")


def _names(error: Mapping[str, Any]) -> list[str]:
    """Return the fields that lead to an error, without the validator's names for the ways that a value may be right."""
    if error["type"] == "json_invalid":
        return []  # where it stands is a place in the body, not a field
    parts = [part for part in error["loc"] if part not in _PLACES]
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        parts.append(str(error["ctx"]["discriminator"]).strip("'"))
    return [
        str(part)
        for part in parts
        if isinstance(part, int) or (part.isidentifier() and part.islower() and part not in ("str", "int", "float"))
    ]


def _field(error: Mapping[str, Any]) -> str:
    return (_names(error) or [""])[0]


def _why(error: Mapping[str, Any]) -> str:
    kind, context = str(error["type"]), error.get("ctx") or {}
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}"
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        bound = context[name]
        return f"must be {words} {bound:.15g}" if isinstance(bound, float) else f"must be {words} {bound}"
    if kind in ("union_tag_invalid", "literal_error", "enum"):
        choices = str(context.get("expected") or context["expected_tags"]).replace(" or ", ", ")
        return f"must be {'one of ' if ', ' in choices else ''}{choices}"
    known = {
        "missing": "is missing",
        "union_tag_not_found": "is missing",
        "json_invalid": "is not valid JSON",
        "int_parsing_size": "must be a whole number that is not so large",
        "string_too_short": "must not be empty",
        "string_too_long": f"must have at most {context.get('max_length')} characters",
    }
    if kind in known:
        return known[kind]
    if kind == "value_error" and str(context.get("error")).startswith(_NO_FILE):
        return f"must be a file; with curl write -F {'.'.join(_names(error))}=@hello.wav"
    if kind == "value_error":
        return str(context.get("error", "is not what it may be"))
    return "is not what it may be"
