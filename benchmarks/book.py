"""Time and memory of a whole book: `python benchmarks/book.py novel.epub` (a novel of the public domain, for example).

It runs the real program as its users do, and prints how the time compares with the playing time (the aim: at most a
hundredth, on two cores) and the most memory that it took (the aim: 600 MB).
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Make the book in a folder of its own, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("book", type=Path, help="the book; it is not changed")
    parser.add_argument("--voice", help="a voice's name (default: the default voice)")
    parser.add_argument("--format", choices=("m4b", "epub", "mp3", "flac"), default="m4b")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        named = {"m4b": "book.m4b", "epub": "book.epub"}.get(args.format, "book")
        command = [sys.executable, "-m", "glowvox", "book", str(args.book), "-o", str(Path(folder) / named), "--json"]
        command += ["--format", args.format, "--threads", str(args.threads)]
        command += ["--voice", args.voice] if args.voice else []
        began = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        took = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = json.loads(done.stdout)
    seconds = told["seconds"]
    print(f"{args.book.name}: {len(told['chapters'])} chapters, {seconds / 3600:.2f} h of speech as {args.format}")
    print(f"{took:.0f} s with {args.threads} threads, 1/{seconds / took:.0f} of the playing time")
    print(f"{used.ru_utime + used.ru_stime:.0f} s of processor time, {used.ru_maxrss / 1024:.0f} MB at most")


if __name__ == "__main__":
    main()
