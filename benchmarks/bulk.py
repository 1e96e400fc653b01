"""How fast a corpus is spoken by how many workers, and what becomes of a run whose machine is lost.

    python benchmarks/bulk.py --rows 40 --workers 0,1,2
    python benchmarks/bulk.py --cluster 3 --rows 2000 --text sentences.csv --voice VOICE

The first prints the pace for each number of workers and what a million hours would take at it. The second starts a Ray
cluster of several nodes on this machine, kills one in mid-run, speaks the same in a single process, and compares: every
row once, every file with its checksum, both runs alike.
"""

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SENTENCES = (
    "The harbour was empty when the first boats came in.",
    "She counted the letters twice, and put the last one away.",
    "Nobody had expected the snow to stay until the end of April, least of all the people who sold umbrellas.",
    "Seventeen of the forty-two houses were painted blue.",
    "If you hear the bell, wait; if you hear it again, run.",
    "A river that changes its bed every year is hard to draw on a map, and harder to build a bridge over.",
)
_HOURS = 1_000_000
_OBJECT_STORE = 200 << 20


def write_manifest(path: Path, text: Path | None, rows: int) -> int:
    """Write a manifest of so many rows and return how many there are."""
    if text is None:
        lines = [f"{number:06d}|{SENTENCES[number % len(SENTENCES)]}" for number in range(rows)]
    else:
        lines = text.read_text(encoding="utf-8").splitlines()[:rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)


def command(args: argparse.Namespace, manifest: Path, output: Path, *more: str) -> list[str]:
    """Return the command line of a run."""
    voice = [] if args.voice is None else ["--voice", args.voice]
    shard = ["--shard-rows", str(args.shard_rows)]
    return [sys.executable, "-m", "glowvox", "bulk", str(manifest), "-o", str(output), "--json", *voice, *shard, *more]


def finished(process: "subprocess.Popen[str]", seconds: float) -> dict[str, Any]:
    """Return the report of a run."""
    told, _ = process.communicate(timeout=seconds)
    if process.returncode:
        raise SystemExit(f"the run failed with status {process.returncode}")
    report: dict[str, Any] = json.loads(told)
    return report


def throughput(args: argparse.Namespace, place: Path, manifest: Path) -> list[dict[str, Any]]:
    """Speak the manifest with each number of workers; the time counts from the first process to the last file."""
    found = []
    for workers in args.workers:
        line = command(args, manifest, place / f"workers{workers}", "--workers", str(workers))
        before = processor_seconds()
        report = finished(subprocess.Popen(line, stdout=subprocess.PIPE, text=True), args.timeout)
        speech, took = report["seconds"], report["took_seconds"]
        row = {
            "workers": workers,
            "seconds_of_speech": round(speech, 1),
            "took_seconds": round(took, 1),
            "speech_seconds_per_second": round(speech / took, 2),
            "bytes_per_second_of_speech": round(report["bytes"] / speech),
        }
        if not workers:
            # Of one process the processor's time is known, which others on the machine disturb little.
            used = (processor_seconds() - before) / speech
            row["core_seconds_per_second_of_speech"] = round(used, 4)
            row["core_hours_for_a_million_hours"] = round(used * _HOURS)
            row["peak_memory_mb"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
        found.append(row)
    return found


def processor_seconds() -> float:
    """Return the seconds of processors that this process's finished children took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def lose_a_node(args: argparse.Namespace, place: Path, manifest: Path) -> dict[str, Any]:
    """Speak on a cluster, kill one of its nodes in mid-run, and return the run's report with what was killed when."""
    # A node takes long to start beside others on few cores.
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "300")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    settings = {"object_store_memory": _OBJECT_STORE, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **settings})
    try:
        nodes = [cluster.add_node(num_cpus=1, object_store_memory=_OBJECT_STORE) for _ in range(args.cluster)]
        output = place / "cluster"
        line = command(args, manifest, output, "--address", cluster.address)
        shards = -(-args.rows // args.shard_rows)
        began = time.monotonic()
        process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        while process.poll() is None and done_shards(output) < shards // 4:
            time.sleep(0.02)
        cluster.remove_node(nodes[0], allow_graceful=False)
        done = done_shards(output)
        report = finished(process, args.timeout)
        return {
            "nodes": args.cluster,
            "shards": shards,
            "shards_done_when_a_node_was_killed": done,
            "took_seconds": round(time.monotonic() - began, 1),
            "report": report,
        }
    finally:
        cluster.shutdown()


def done_shards(output: Path) -> int:
    """Return how many shards of a run are done."""
    return sum(1 for _ in (output / "ledger").glob("*.json"))


def compare(cluster: Path, single: Path, manifest: Path) -> dict[str, Any]:
    """Check that every row was spoken once, and as in a single process; raise if not."""
    expected = [line.split("|")[0] for line in manifest.read_text(encoding="utf-8").splitlines()]
    lists = [[json.loads(line) for line in (run / "rows.jsonl").open(encoding="utf-8")] for run in (cluster, single)]
    names = [row["id"] for row in lists[0]]
    on_disk = {str(path.relative_to(cluster)) for path in (cluster / "audio").rglob("*") if path.is_file()}
    wrong = [
        row["id"]
        for row in lists[0]
        if hashlib.sha256((cluster / row["file"]).read_bytes()).hexdigest() != row["sha256"]
    ]
    result = {
        "rows": len(names),
        "lost": len(set(expected) - set(names)),
        "twice": len(names) - len(set(names)) + len(on_disk - {row["file"] for row in lists[0]}),
        "damaged": len(wrong),
        "unlike_a_single_process": sum(one != other for one, other in zip(*lists, strict=True)),
    }
    if any(result[name] for name in ("lost", "twice", "damaged", "unlike_a_single_process")):
        raise SystemExit(f"the runs differ: {result}")
    return result


def main() -> None:
    """Measure, or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--voice", help="see 'glowvox bulk'")
    parser.add_argument("--rows", type=int, default=24)
    parser.add_argument("--shard-rows", type=int, default=4)
    parser.add_argument("--text", type=Path, help="lines ID|TEXT to speak instead of the built-in sentences")
    parser.add_argument("--workers", type=_numbers, default=[0], help="such as 0,1,2; 0 is one process without Ray")
    parser.add_argument("--cluster", type=int, metavar="NODES", help="lose a node of so many instead")
    parser.add_argument("--timeout", type=float, default=3600.0, help="seconds for each run")
    parser.add_argument("--keep", type=Path, help="folder for what is spoken (default: thrown away)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="glowvox-bulk-") as temporary:
        place = args.keep or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        manifest = place / "manifest.csv"
        args.rows = write_manifest(manifest, args.text, args.rows)
        result: dict[str, Any]
        if args.cluster:
            result = {"cluster": lose_a_node(args, place, manifest)}
            line = command(args, manifest, place / "single", "--workers", "0")
            result["single"] = finished(subprocess.Popen(line, stdout=subprocess.PIPE, text=True), args.timeout)
            result["compared"] = compare(place / "cluster", place / "single", manifest)
        else:
            result = {"throughput": throughput(args, place, manifest)}
    print(json.dumps(result, indent=None if args.json else 2))


def _numbers(text: str) -> Sequence[int]:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    main()
