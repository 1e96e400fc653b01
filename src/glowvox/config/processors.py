"""Processors: how many this process may use, which decides how many threads compute."""

import math
import os
from pathlib import Path


def usable_cores() -> int:
    """Return how many logical cores this process may use, at least 1: of its affinity, and of its container's quota."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    cores = max(1, os.cpu_count() or 1) if affinity is None else max(1, len(affinity(0)))
    quota = cpu_quota()
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


def cpu_quota(groups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Return how many processors' time the control groups of this process grant it; None: as many as there are.

    Args:
        groups: the file that lists the groups.
        root: where they are mounted, version 1 or 2.
    """
    try:
        listed = groups.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    found: list[float] = []
    for line in listed:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            found += _quotas(root, path)
        elif "cpu" in controllers.split(","):
            # a container sees its own group as the root, under whatever path the host has it
            found += _quotas(root / controllers, path) or _quotas(root / "cpu", path)
    return min(found, default=None)


def _quotas(root: Path, path: str) -> list[float]:
    """Return the quotas of a group and of those above it."""
    group = root / path.strip("/")
    if ".." in group.parts:
        group = root
    found = []
    for folder in (group, *group.parents):
        if not folder.is_relative_to(root):
            break
        if (quota := _quota(folder)) is not None:
            found.append(quota)
    return found


def _quota(folder: Path) -> float | None:
    try:
        both = (folder / "cpu.max").read_text().split()
    except OSError:
        try:
            both = [(folder / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period")]
        except OSError:
            return None
    try:
        quota, period = float(both[0]), float(both[1])
    except (ValueError, IndexError):
        return None  # "max": no quota
    return quota / period if quota > 0 and period > 0 else None
