"""How much of what bare threads speak a server speaks, and how soon one client hears it: turn about, in one run.

    python benchmarks/serve_ratio.py                          # 1 and 8 clients, a minute each
    python benchmarks/serve_ratio.py --before ../earlier/src  # beside an earlier state of the package
    taskset -c 0,1 python benchmarks/serve_ratio.py           # on two cores
    taskset -c 0,1 python benchmarks/serve_ratio.py --workers 0 3    # and with three computations at the same time

As many clients ask as bare threads call `Voice.say` with the same texts and the same voice. Bare threads and servers
take turns in slices of a few seconds, so that a machine that is slower for a while is so for all of them; a ratio is
that of one round, and the median of the rounds is told.

The clients run on the same cores. What they take is no work of the server's, but the server has to do without it: their
processor time is told, and the share that the server would have if it had that time, too.
"""

import argparse
import asyncio
import hashlib
import json
import statistics
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from serve import cores, percentile, processor_seconds, serving
from serve_clients import TEXTS, Figures, SpeechPort

import glowvox
from glowvox.synthesis.voice import Voice

LEAST_SHARE = 0.9
"""Of what bare threads speak, with eight clients."""
LATEST_SOUND = 0.06
"""Seconds to the first sound for one client."""


def bare(voice: Voice, threads: int, seconds: float) -> float:
    """Return seconds of speech per second of so many threads that call `Voice.say`."""
    spoken: list[float] = []
    began = time.perf_counter()

    def work(number: int) -> None:
        while time.perf_counter() - began < seconds:
            spoken.append(voice.say(TEXTS[number % len(TEXTS)]).duration)
            number += 1

    running = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(spoken) / (time.perf_counter() - began)


def compare(
    voice: Voice, servers: dict[str, tuple[int, SpeechPort]], clients: int, seconds: float, slice_seconds: float
) -> dict[str, dict[str, float]]:
    """Return what each server speaks for so many clients, as shares of bare threads.

    Args:
        voice: of the bare threads.
        servers: process and port of each.
        clients: how many ask at a time, and how many threads there are.
        seconds: of each.
        slice_seconds: until the next one's turn.
    """
    alone = {
        name: {text: hashlib.sha256(asyncio.run(place.asked(text))[2]).digest() for text in TEXTS}
        for name, (_, place) in servers.items()
    }
    shares: defaultdict[str, list[float]] = defaultdict(list)
    rates: defaultdict[str, list[float]] = defaultdict(list)
    firsts: defaultdict[str, list[float]] = defaultdict(list)
    faults: defaultdict[str, float] = defaultdict(float)
    spoken: defaultdict[str, float] = defaultdict(float)
    costs: defaultdict[str, float] = defaultdict(float)
    asking: defaultdict[str, float] = defaultdict(float)
    for _ in range(max(1, round(seconds / slice_seconds))):
        taken, began = time.process_time(), time.perf_counter()
        reference = bare(voice, clients, slice_seconds)
        rates["bare"].append(reference)
        spoken["bare"] += reference * (time.perf_counter() - began)
        costs["bare"] += time.process_time() - taken
        for name, (process, place) in servers.items():
            taken, before = time.process_time(), processor_seconds(process)
            figures: Figures = asyncio.run(place.load(clients, slice_seconds, alone[name]))
            asking[name] += time.process_time() - taken
            costs[name] += processor_seconds(process) - before
            spoken[name] += figures.speech
            rate = figures.speech / figures.seconds
            rates[name].append(rate)
            shares[name].append(rate / reference)
            firsts[name] += figures.first
            faults[name] += figures.mixed_up + sum(figures.counts.values()) - figures.counts["200"]
    return {
        name: {
            "speech_per_second": statistics.median(rates[name]),
            "bare_speech_per_second": statistics.median(rates["bare"]),
            "share_of_bare": statistics.median(shares[name]),
            "share_without_clients": statistics.median(shares[name]) * (1 + asking[name] / costs[name]),
            "processor_ms": 1000 * costs[name] / spoken[name],
            "clients_processor_ms": 1000 * asking[name] / spoken[name],
            "bare_processor_ms": 1000 * costs["bare"] / spoken["bare"],
            "first_sound_p50": percentile(firsts[name], 50),
            "first_sound_p95": percentile(firsts[name], 95),
            "faults": faults[name],
        }
        for name in servers
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voice", help="a name, folder or .voice file (default: the packaged voice)")
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 8])
    parser.add_argument("--seconds", type=float, default=60.0, help="of each, for each number of clients")
    parser.add_argument("--slice", type=float, default=5.0, help="seconds until the next one's turn")
    parser.add_argument("--before", type=Path, metavar="SRC", help="folder with an earlier `glowvox` package")
    parser.add_argument("--workers", type=int, nargs="*", default=[0], help="of the servers; 0: one a core")
    parser.add_argument("--json", metavar="FILE", help="where to write the figures")
    args = parser.parse_args()

    voice = glowvox.load_voice(args.voice)
    list(voice.say_many(TEXTS))  # all engines are opened before anything is timed
    options = ["--voice", args.voice] if args.voice else []
    kinds = [("before", options, args.before)] if args.before else []
    for workers in args.workers:
        name = f"now, {workers} workers" if workers else "now"
        kinds.append((name, [*options, "--workers", str(workers)], None))
    told: dict[str, object] = {"cores": cores(), "voice": voice.name, "seconds": args.seconds}
    with ExitStack() as exits:
        servers = {
            name: (process.pid, place)
            for name, given, source in kinds
            for process, place, _ in [exits.enter_context(serving(given, voice.sample_rate, source))]
        }
        for clients in args.clients:
            found = compare(voice, servers, clients, args.seconds, args.slice)
            told[f"clients_{clients}"] = found
            for name, figures in found.items():
                print(
                    f"{clients} clients, {name}: {figures['speech_per_second']:.1f} s of speech per second, "
                    f"{100 * figures['share_of_bare']:.0f} % of {clients} bare threads; first sound "
                    f"{1000 * figures['first_sound_p50']:.0f} ms (p95 {1000 * figures['first_sound_p95']:.0f} ms); "
                    f"{figures['faults']:.0f} faults\n  "
                    f"processor time for a second of speech {figures['processor_ms']:.2f} ms, bare threads "
                    f"{figures['bare_processor_ms']:.2f}, clients {figures['clients_processor_ms']:.2f}: "
                    f"{100 * figures['share_without_clients']:.0f} % if the clients took none",
                    flush=True,
                )
                if clients == 8 and figures["share_of_bare"] < LEAST_SHARE:
                    print(f"  less than the {100 * LEAST_SHARE:.0f} % that are asked for")
                if clients == 1 and figures["first_sound_p50"] > LATEST_SOUND:
                    print(f"  later than the {1000 * LATEST_SOUND:.0f} ms that are asked for")
    if args.json:
        Path(args.json).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
