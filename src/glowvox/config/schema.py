"""Typed configuration from plain data: dataclasses in, dataclasses out, unknown keys refused.

Standard library only: the speaking half reads configurations too and must start in milliseconds.
"""

import dataclasses
import reprlib
import sys
import types
import typing
from typing import Any, TypeVar

from glowvox.errors import ConfigError

T = TypeVar("T")


def from_dict(cls: type[T], data: Any, where: str = "") -> T:
    """Build the dataclass `cls` from plain data, checking names and types.

    Args:
        cls: a dataclass type; fields may themselves be dataclasses, tuples, optional or literal values.
        data: a mapping as JSON or TOML gives it.
        where: the path to this mapping, for messages.

    Raises:
        ConfigError: an unknown key, a missing key or a value of the wrong type; the message names the key.
    """
    place = where or cls.__name__
    if not isinstance(data, dict):
        raise ConfigError(f"{place}: expected a table of settings, got {type(data).__name__}")
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}  # type: ignore[arg-type]
    unknown = sorted(set(data) - set(fields))
    if unknown:
        raise ConfigError(
            f"{place}: unknown setting '{unknown[0][:60]}'; known settings are {', '.join(sorted(fields))}"
        )
    values = {}
    for name, field in fields.items():
        if name in data:
            values[name] = _coerce(hints[name], data[name], f"{where}.{name}" if where else name)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ConfigError(f"{place}: the setting '{name}' is missing")
    return cls(**values)


def to_dict(config: Any) -> dict[str, Any]:
    """Return a dataclass as plain JSON and TOML data, tuples as lists and absent (None) values left out."""
    result: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if value is None:
            continue
        if dataclasses.is_dataclass(value):
            value = to_dict(value)
        elif isinstance(value, tuple):
            value = list(value)
        result[field.name] = value
    return result


def merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes` laid over it, table by table; neither is modified."""
    merged = dict(base)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def _coerce(hint: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _coerce_union(hint, value, where)
    if origin is typing.Literal:
        choices = typing.get_args(hint)
        if value not in choices:
            raise ConfigError(f"{where}: {reprlib.repr(value)} is not one of {', '.join(map(repr, choices))}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where}: expected a list, got {type(value).__name__}")
        item = typing.get_args(hint)[0]
        return tuple(_coerce(item, entry, f"{where}[{index}]") for index, entry in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise ConfigError(f"{where}: expected a table, got {type(value).__name__}")
        item = typing.get_args(hint)[1]
        return {str(key): _coerce(item, entry, f"{where}.{key}") for key, entry in value.items()}
    if dataclasses.is_dataclass(hint):
        return value if isinstance(value, typing.cast(type, hint)) else from_dict(typing.cast(type, hint), value, where)
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        # No setting means anything when it is infinite or NaN, which compare as in range; an int may be beyond a float.
        if not -sys.float_info.max <= value <= sys.float_info.max:
            raise ConfigError(f"{where}: expected a finite number, got {str(value)[:40]}")
        return float(value)
    if hint is int and type(value) is int and not -(2**63) <= value < 2**63:
        raise ConfigError(f"{where}: expected a number of at most 64 bits, got {str(value)[:40]}...")
    if hint is Any or type(value) is hint:
        return value
    raise ConfigError(f"{where}: expected {getattr(hint, '__name__', hint)}, got {reprlib.repr(value)}")


def _coerce_union(hint: Any, value: Any, where: str) -> Any:
    options = typing.get_args(hint)
    if value is None and type(None) in options:
        return None
    failure: ConfigError | None = None
    for option in options:
        if option is type(None):
            continue
        try:
            return _coerce(option, value, where)
        except ConfigError as error:
            failure = error
    raise failure or ConfigError(f"{where}: expected {hint}, got {reprlib.repr(value)}")
