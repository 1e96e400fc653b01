"""Settings given on the command line as TABLE.NAME=VALUE, the value written as in TOML."""

import tomllib
from collections.abc import Iterable
from typing import Any

from glowvox.config.schema import merge
from glowvox.errors import ConfigError


def apply_overrides(tables: dict[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Return `tables` with settings such as `training.steps=20000` laid over them; bare words are strings.

    Raises:
        ConfigError: a setting is not of the form TABLE.NAME=VALUE.
    """
    for override in overrides:
        name, equals, value = override.partition("=")
        keys = name.strip().split(".")
        if not equals or len(keys) < 2 or not all(key.replace("_", "").isalnum() for key in keys):
            raise ConfigError(f"'{override}' is not of the form TABLE.NAME=VALUE, such as training.steps=20000")
        change: Any = _value(value.strip())
        for key in reversed(keys):
            change = {key: change}
        tables = merge(tables, change)
    return tables


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
