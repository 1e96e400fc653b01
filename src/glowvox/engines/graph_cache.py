"""Names for graphs as an engine has optimised them for this machine; they are kept in the cache between starts.

An entry belongs to the graph with all its weights, to the engine with its version, and to the processor.
"""

import hashlib
import os
import re
from pathlib import Path

from glowvox.engines.machine import processor
from glowvox.storage.cache import known_digest

_LOCATION = re.compile(rb"\x0a\x08location\x12([\x01-\x7f])")
"""The key `location` in an ONNX file, whose value, as long as the byte after it says, names a file of weights."""


def graph_key(graph: Path, *about: str) -> str:
    """Return the name of an entry.

    Args:
        graph: the file; files of weights that it refers to count too.
        about: the engine, its version, its options.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256("\n".join((*about, processor().name, *processor().features)).encode())
    content = graph.read_bytes()
    digest.update(content)
    places = {content[found.end() : found.end() + found.group(1)[0]] for found in _LOCATION.finditer(content)}
    for name in (*sorted(places), graph.with_suffix(".bin").name.encode() if graph.suffix == ".xml" else b""):
        weights = graph.parent / os.fsdecode(name)
        if name and weights.is_file():
            digest.update(known_digest(weights))
    return digest.hexdigest()[:32]
