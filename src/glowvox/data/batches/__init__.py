"""Batches for training in NumPy: random segments for a vocoder, whole clips by length for an acoustic model."""

from glowvox.data.batches.buckets import LengthBuckets
from glowvox.data.batches.padding import pad_mels, pad_tokens
from glowvox.data.batches.segments import SegmentBatch, SegmentSampler
from glowvox.data.batches.store import ClipStore, DiskStore, MemoryStore, open_store

__all__ = [
    "ClipStore",
    "DiskStore",
    "LengthBuckets",
    "MemoryStore",
    "SegmentBatch",
    "SegmentSampler",
    "open_store",
    "pad_mels",
    "pad_tokens",
]
