"""How Glow-TTS finds out which sound belongs to which letter: the most likely monotonic path.

    python examples/alignment.py

Needs PyTorch (extra: train).
"""

import torch

from glowvox.align import monotonic_alignment_search


def main() -> None:
    """Align four tokens with twelve frames."""
    durations = torch.tensor([3, 1, 5, 3])
    owner = torch.repeat_interleave(torch.arange(4), durations)
    log_likelihood = torch.full((1, 4, 12), -4.0)
    log_likelihood[0, owner, torch.arange(12)] = -1.0
    log_likelihood[0, 3, 1] = 0.0  # a frame that sounds like the last token, at a place where it cannot be

    alignment = monotonic_alignment_search(log_likelihood, torch.tensor([4]), torch.tensor([12]))
    for token, row in zip("TEXT", alignment[0].int().tolist(), strict=True):
        print(token, "".join(" #"[value] for value in row), sum(row), "frames")


if __name__ == "__main__":
    main()
