"""Seeds, and the vocoder's noise, which depends on the seed and the absolute position only.

So the latent of a window is a slice of the whole signal's; chunking, batches and engines do not change what is said.
"""

import secrets

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import ConfigError

_BLOCK = 64
"""Columns that one generator draws. Part of the definition: another size is other noise."""


def noise(seed: int, channels: int, first: int, count: int) -> NDArray[np.float32]:
    """Return columns `first` to `first + count` of the standard normal noise of a seed, float32 `[channels, count]`.

    Block b of 64 columns is drawn, column after column, by a PCG64 generator seeded with `(seed, b)`.

    Args:
        seed: 0 to 2**63 - 1.
        channels: numbers in a column.
        first: index of the first column, at least 0.
        count: columns.

    Raises:
        ConfigError: the seed or the position is out of range.
    """
    check_seed(seed)
    if first < 0 or count < 0 or channels < 1:
        raise ConfigError(f"noise has no columns {first} to {first + count} of {channels} channels")
    last = first + count
    columns = np.empty((count, channels), np.float32)
    for block in range(first // _BLOCK, -(-last // _BLOCK)):
        sequence = np.random.SeedSequence(seed, spawn_key=(block,))
        drawn = np.random.Generator(np.random.PCG64(sequence)).standard_normal((_BLOCK, channels), np.float32)
        start = block * _BLOCK
        begin, end = max(first, start), min(last, start + _BLOCK)
        columns[begin - first : end - first] = drawn[begin - start : end - start]
    return np.ascontiguousarray(columns.T)


def check_seed(seed: int) -> None:
    """Check that a seed is one.

    Raises:
        ConfigError: not a whole number from 0 to 2**63 - 1.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
        raise ConfigError(f"the seed must be a whole number from 0 to 2**63 - 1, got {seed!r}")


def parse_seed(text: str, name: str = "the seed") -> int:
    """Return the seed that a user wrote; for `random` one that nobody knows yet.

    Args:
        text: what was written.
        name: of the setting, for the message.

    Raises:
        ConfigError: neither a number in range nor `random`.
    """
    if text == "random":
        return secrets.randbelow(2**32)
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) >= 2**63:
        raise ConfigError(f"{name} must be a whole number from 0 to 2**63 - 1, or 'random', got '{text[:40]}'")
    return int(text)


def sentence_seed(seed: int, place: int) -> int:
    """Return the seed of the sentence that begins at character `place` of its text; at 0 it is the seed itself."""
    if place == 0:
        return seed
    words = np.random.SeedSequence(seed, spawn_key=(place,)).generate_state(2, np.uint32)
    return ((int(words[0]) << 32) | int(words[1])) % 2**63
