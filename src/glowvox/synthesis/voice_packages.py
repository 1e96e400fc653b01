"""Voices in Python packages of their own, found by their entry points (`pip install glowvox-voice-anna`).

A package announces itself in the entry-point group `glowvox.voices`; the value names a module, whose folder holds the
voices as any folder of voices does. The module is found, not imported: a voice is data, and nothing of it runs.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

ENTRY_POINT_GROUP = "glowvox.voices"
"""Entry-point group in which packages announce their voices, `NAME = "module"`."""


def package_folders() -> Iterator[Path]:
    """Yield the folders of the packages that announce voices; one that is not where it says is passed over."""
    # Imported here, as it takes longer than finding a voice whose place is known.
    from importlib.metadata import entry_points
    from importlib.util import find_spec

    seen = set()
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: (point.name, point.value)):
        # To find a module inside another one, Python would import the latter.
        if not point.value.isidentifier() or point.value in seen:
            continue
        seen.add(point.value)
        with contextlib.suppress(ImportError, ValueError):
            spec = find_spec(point.value)
            for place in (spec.submodule_search_locations or ()) if spec is not None else ():
                yield Path(place)
