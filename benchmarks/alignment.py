"""How long the monotonic alignment search takes, against a straightforward NumPy form in the same run.

    python benchmarks/alignment.py --items 32 --tokens 200 --frames 800 --threads 2

Times include every copy: from a float32 matrix [B, L, T] to an alignment of the same shape and type.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from glowvox.align import monotonic_alignment_search
from glowvox.align.search import is_available


def straightforward(log_likelihood: torch.Tensor) -> torch.Tensor:
    """Item after item, frame after frame, over the tokens at once: what one would write first in NumPy."""
    result = np.zeros(log_likelihood.shape, np.float32)
    for item, scores in enumerate(log_likelihood.numpy()):
        n_tokens, n_frames = scores.shape
        total = np.full((n_tokens + 1, n_frames), -np.inf, np.float32)
        total[1, 0] = scores[0, 0]
        for t in range(1, n_frames):
            total[1:, t] = np.maximum(total[1:, t - 1], total[:-1, t - 1]) + scores[:, t]
        token = n_tokens - 1
        for t in range(n_frames - 1, -1, -1):
            result[item, token, t] = 1
            if t and token and (token == t or total[token + 1, t - 1] < total[token, t - 1]):
                token -= 1
    return torch.from_numpy(result)


def measure(search: Callable[[], torch.Tensor], repeats: int) -> dict[str, float]:
    """Return the best and the median time in milliseconds; the first, unmeasured run warms up."""
    search()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        search()
        times.append(1e3 * (time.perf_counter() - start))
    return {"best_ms": round(min(times), 2), "median_ms": round(statistics.median(times), 2)}


def main() -> None:
    """Measure every form on one random batch of equal lengths."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--frames", type=int, default=800)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(args.items, args.tokens, args.frames, generator=generator)
    lengths = torch.full((args.items,), args.tokens), torch.full((args.items,), args.frames)
    frames_first = scores.transpose(1, 2).contiguous().transpose(1, 2)

    expected = straightforward(scores)
    results = {"straightforward": measure(lambda: straightforward(scores), max(2, args.repeats // 10))}
    for method in ("vectorised", "compiled") if is_available() else ("vectorised",):
        for layout, matrix in (("", scores), (", as the model lays it out", frames_first)):
            if not torch.equal(monotonic_alignment_search(matrix, *lengths, method=method), expected):
                raise SystemExit(f"{method} found another path")
            results[method + layout] = measure(
                lambda matrix=matrix, method=method: monotonic_alignment_search(matrix, *lengths, method=method),
                args.repeats,
            )
    baseline = results["straightforward"]["best_ms"]
    for result in results.values():
        result["speedup"] = round(baseline / result["best_ms"], 1)
    if args.json:
        print(json.dumps({"items": args.items, "tokens": args.tokens, "frames": args.frames, "results": results}))
        return
    print(f"{args.items} x {args.tokens} tokens x {args.frames} frames, {args.threads} threads")
    for name, result in results.items():
        print(
            f"{name:42s} {result['best_ms']:8.2f} ms best {result['median_ms']:8.2f} median {result['speedup']:6.1f}x"
        )


if __name__ == "__main__":
    main()
