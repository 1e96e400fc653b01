"""Where a long signal is cut on its way through an engine, so that the activations stay in the processor's cache.

A product of many rows writes its result several times over, once for each block of its inner dimension: beyond the
caches it waits for memory. Few rows wait for the weights instead. Between the two lies a size that suits a processor,
whatever the length of the signal; steps with state give the same samples whatever their size.
"""

_COLUMNS_A_THREAD = 512
"""Columns of the flow that one thread works on: 0.5 MB for 256 channels, half of a usual second-level cache."""
_FEWEST_COLUMNS = 1024
"""Columns of a piece at least: fewer, and a thread alone waits for the weights of small models."""


def piece_frames(columns_per_frame: int, threads: int) -> int:
    """Return the mel frames of a piece.

    Args:
        columns_per_frame: of the flow, in all signals of a batch together.
        threads: that share the work.
    """
    return max(1, max(_FEWEST_COLUMNS, _COLUMNS_A_THREAD * threads) // max(1, columns_per_frame))


def piece_ends(frames: int, size: int) -> list[int]:
    """Return where pieces of nearly `size` frames, all about as long, end; the last one at `frames`.

    >>> piece_ends(100, 32)
    [33, 67, 100]
    """
    count = max(1, round(frames / size))
    return [round(frames * piece / count) for piece in range(1, count + 1)]
