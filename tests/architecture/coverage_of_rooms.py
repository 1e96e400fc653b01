"""The line coverage of every room, from what `make coverage` or `make test COVERAGE=yes` noted."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from architecture.source_file import ROOT

LOW = 85.0
"""Percent of the lines: a room below it wants tests."""


def rooms(report: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Return for every room, in order, how many lines the tests run and how many there are, of coverage's JSON."""
    covered: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for name, found in report["files"].items():
        inside = Path(name).parts
        inside = inside[inside.index("glowvox") + 1 :]
        room = inside[0] if len(inside) > 1 else "glowvox"
        covered[room] += found["summary"]["covered_lines"]
        lines[room] += found["summary"]["num_statements"]
    return {room: (covered[room], lines[room]) for room in sorted(lines)}


def table(found: Mapping[str, tuple[int, int]]) -> list[str]:
    """Return a line for every room and one for all of them."""
    rows = [*found.items(), ("all", (sum(c for c, _ in found.values()), sum(n for _, n in found.values())))]
    shown = []
    for room, (covered, lines) in rows:
        percent = 100 * covered / max(lines, 1)
        shown.append(f"{room:<12}{percent:5.1f} % of {lines:6} lines{'  LOW' if percent < LOW else ''}")
    return shown


def wanting(report: Mapping[str, Any], found: Mapping[str, tuple[int, int]], most: int = 5) -> list[str]:
    """Return, for every room that is low, its files with the most lines that no test runs."""
    shown = []
    for room, (covered, lines) in found.items():
        if 100 * covered >= LOW * lines:
            continue
        files = {
            name: summary["summary"]["num_statements"] - summary["summary"]["covered_lines"]
            for name, summary in report["files"].items()
            if f"/glowvox/{room}/" in f"/{Path(name).as_posix()}"
        }
        worst = sorted(files, key=lambda name: -files[name])[:most]
        shown += [f"  {room}/{Path(name).name}: {files[name]} lines are not run" for name in worst if files[name]]
    return shown


def main() -> int:
    """Join the data of all processes and print the table."""
    coverage = [sys.executable, "-m", "coverage"]
    # Appended: pytest has joined nearly all of it already, and a part that is damaged must not replace it.
    subprocess.run([*coverage, "combine", "--append", "--quiet"], cwd=ROOT, check=False, capture_output=True)
    with TemporaryDirectory() as folder:
        target = Path(folder) / "coverage.json"
        done = subprocess.run(
            [*coverage, "json", "--quiet", "-o", str(target)], cwd=ROOT, check=False, capture_output=True, text=True
        )
        if done.returncode:
            print(f"no coverage was measured: {(done.stdout + done.stderr).strip()}", file=sys.stderr)
            return 1
        report = json.loads(target.read_text(encoding="utf-8"))
    found = rooms(report)
    print("\n".join([*table(found), *wanting(report, found)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
