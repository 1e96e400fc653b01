"""Without what the extra `book` brings there is nothing to test."""

import importlib.metadata
import importlib.util


def _installed() -> bool:
    if any(importlib.util.find_spec(name) is None for name in ("lxml", "av", "pypdf", "PIL")):
        return False
    return int(importlib.metadata.version("av").split(".")[0]) >= 16


collect_ignore_glob = [] if _installed() else ["test_*.py"]
