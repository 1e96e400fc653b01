"""How much a server speaks, how soon, and what happens beyond its capacity: a load test over the loopback.

    python benchmarks/serve.py --voice anna.voice                   # 1, 8, 32 and 128 clients, a minute each
    python benchmarks/serve.py --voice anna.voice --seconds 5       # a quick look
    python benchmarks/serve.py --voice anna.voice --clients --soak 10000    # memory and threads over many requests

Clients ask again as soon as they are answered; those who are refused wait a moment (at most a second of what they are
told). Every answer is compared, byte by byte, with what the server said alone. The bare throughput is that of threads
in one process that call `Voice.say` with the same texts, as many as there are cores.
"""

import argparse
import asyncio
import hashlib
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serve_clients import TEXTS, Figures, SpeechPort


def bare_throughput(name: str | None, seconds: float) -> float:
    """Return seconds of speech per second of `Voice.say` in as many threads as there are cores."""
    import glowvox

    voice = glowvox.load_voice(name, threads=1)
    voice.say(TEXTS[0])
    spoken: list[float] = []
    began = time.perf_counter()

    def work(number: int) -> None:
        while time.perf_counter() - began < seconds:
            spoken.append(voice.say(TEXTS[number % len(TEXTS)]).duration)
            number += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(cores())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(spoken) / (time.perf_counter() - began)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def serving(
    arguments: list[str], rate: int, source: Path | None = None
) -> Iterator[tuple[subprocess.Popen[str], SpeechPort, dict[str, float]]]:
    """Run the server; give the process, its port, and when it listened, spoke first and was ready, in seconds.

    Args:
        arguments: of `glowvox serve`.
        rate: at how many Hz it is asked to speak.
        source: folder with another `glowvox` package than the one that is installed.
    """
    began = time.perf_counter()
    command = [sys.executable, "-m", "glowvox", "serve", "--port", "0", "--log-level", "info", *arguments]
    environment = None if source is None else {**os.environ, "PYTHONPATH": str(source.resolve())}
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert server.stderr is not None
    try:
        for line in server.stderr:
            if '"event": "listening"' in line:
                break
            if server.poll() is not None:
                raise SystemExit(line.strip())
        else:
            raise SystemExit("the server did not start")
        place = SpeechPort(int(json.loads(line)["url"].rpartition(":")[2]), rate)
        threading.Thread(target=lambda: [None for _ in server.stderr or ()], daemon=True).start()
        times = {"listening": time.perf_counter() - began}
        status, *_ = asyncio.run(place.asked(TEXTS[0]))
        assert status == 200, status
        times["first_answer"] = time.perf_counter() - began
        while not ready(place.port):
            time.sleep(0.02)
        times["ready"] = time.perf_counter() - began
        yield server, place, times
    finally:
        server.kill()
        server.wait()


def ready(port: int) -> bool:
    """Return whether the server says that it is."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def memory(process: int) -> tuple[float, int]:
    """Return a process's resident memory in MiB and its threads."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields["VmRSS"].split()[0]) / 1024, int(fields["Threads"])


def processor_seconds(process: int) -> float:
    """Return the processor time that a process has taken so far."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(values: list[float], percent: int) -> float:
    """Return a percentile; NaN of nothing."""
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def row(figures: Figures, clients: int, bare: float, process: int) -> dict[str, float]:
    """Return a row of the table."""
    counts = figures.counts
    return {
        "clients": clients,
        "speech_per_second": figures.speech / figures.seconds,
        "share_of_bare": figures.speech / figures.seconds / bare,
        **{f"first_audio_p{percent}": percentile(figures.first, percent) for percent in (50, 95, 99)},
        "answered": counts["200"],
        "refused": counts["503"],
        "timeouts": counts["timeout"],
        "errors": sum(counts.values()) - counts["200"] - counts["503"] - counts["timeout"],
        "mixed_up": figures.mixed_up,
        "memory_mib": memory(process)[0],
        "threads": memory(process)[1],
    }


def soak(place: SpeechPort, process: int, requests: int, alone: dict[str, bytes]) -> list[dict[str, float]]:
    """Ask many times, and look at memory and threads after each tenth."""
    steps = []
    for step in range(1, 11):
        figures = asyncio.run(place.load(8, float("inf"), alone, requests / 10))
        resident, threads = memory(process)
        steps.append({"requests": step * requests / 10, "memory_mib": resident, "threads": threads, **figures.counts})
        print(f"{steps[-1]['requests']:8.0f} requests: {resident:7.1f} MiB, {threads} threads", flush=True)
    return steps


def table(rows: list[dict[str, float]]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    for each in rows:
        shown = (str(value) if isinstance(value, int) else f"{value:.3f}" for value in each.values())
        lines.append("| " + " | ".join(shown) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run the test and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voice", help="a name, folder or .voice file (default: the packaged voice)")
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 8, 32, 128])
    parser.add_argument("--seconds", type=float, default=60.0, help="for each number of clients")
    parser.add_argument("--soak", type=int, default=0, metavar="N", help="requests for the look at memory and threads")
    parser.add_argument("--threads", default="1", help="of the server's engine")
    parser.add_argument("--workers", default="0", help="of the server; 0: one a core")
    parser.add_argument("--json", metavar="FILE", help="where to write the figures")
    args = parser.parse_args()

    import glowvox

    rate = glowvox.load_voice(args.voice, threads=1).sample_rate
    told: dict[str, object] = {"cores": cores(), "voice": args.voice, "seconds": args.seconds}
    bare = bare_throughput(args.voice, min(args.seconds, 30.0)) if args.clients else 1.0
    arguments = ["--threads", args.threads, "--workers", args.workers, *(["--voice", args.voice] if args.voice else [])]
    with serving(arguments, rate) as (server, place, times):
        alone = {text: hashlib.sha256(asyncio.run(place.asked(text))[2]).digest() for text in TEXTS}
        rows = []
        for clients in args.clients:
            rows.append(row(asyncio.run(place.load(clients, args.seconds, alone)), clients, bare, server.pid))
            print(f"{clients} clients: {rows[-1]['speech_per_second']:.1f} s of speech per second", flush=True)
        told |= {"bare_speech_per_second": bare, "start": times, "load": rows}
        if args.soak:
            told["soak"] = soak(place, server.pid, args.soak, alone)
        if args.clients:  # the process is killed while it is asked, and started again
            threading.Timer(1.0, server.kill).start()
            broken = asyncio.run(place.load(8, 2.0, alone))
            told["broken_by_kill"] = broken.counts["broken"]
    with serving(arguments, rate) as (_, _, times):
        told["start_after_kill"] = times
    if rows:
        print(f"\nbare: {bare:.1f} s of speech per second on {cores()} cores\n\n{table(rows)}")
    print(f"\nstarts (s): {json.dumps([told['start'], told['start_after_kill']])}")
    if args.json:
        Path(args.json).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
