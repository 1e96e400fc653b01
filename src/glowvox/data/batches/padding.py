"""Ragged arrays made rectangular, with their lengths."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def pad_mels(mels: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return `(mel [B, M, T], lengths [B])` of mels [M, T_i], padded with zeros to the longest."""
    lengths = np.array([mel.shape[1] for mel in mels], np.int64)
    padded = np.zeros((len(mels), mels[0].shape[0], int(lengths.max())), np.float32)
    for row, mel in zip(padded, mels, strict=True):
        row[:, : mel.shape[1]] = mel
    return padded, lengths


def pad_tokens(tokens: Sequence[Sequence[int]], padding: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return `(tokens [B, L], lengths [B])` of token sequences of L_i, padded to the longest."""
    lengths = np.array([len(sequence) for sequence in tokens], np.int64)
    padded = np.full((len(tokens), int(lengths.max())), padding, np.int64)
    for row, sequence in zip(padded, tokens, strict=True):
        row[: len(sequence)] = sequence
    return padded, lengths
