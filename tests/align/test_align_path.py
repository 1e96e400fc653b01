"""A path as durations, as the token of each frame, and as a matrix."""

import torch

from glowvox.align import alignment_from_durations, alignment_from_frame_tokens, monotonic_alignment_search


def test_durations_make_the_path() -> None:
    durations = torch.tensor([[2, 0, 3], [1, 1, 0]])
    path = alignment_from_durations(durations, 6, torch.float32)
    assert path[0].tolist() == [[1, 1, 0, 0, 0, 0], [0] * 6, [0, 0, 1, 1, 1, 0]]
    assert path[1].tolist() == [[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0], [0] * 6]


def test_found_path_and_its_durations_agree() -> None:
    scores = torch.randn(3, 6, 17, generator=torch.Generator().manual_seed(0))
    path = monotonic_alignment_search(scores, torch.tensor([6, 4, 1]), torch.tensor([17, 9, 3]))
    assert torch.equal(alignment_from_durations(path.sum(2).long(), 17, torch.float32), path)


def test_frame_tokens_make_the_path() -> None:
    path = alignment_from_frame_tokens(torch.tensor([[0, 1, 1, 2, 2]]), torch.tensor([4]), 4, torch.float64)
    assert path.dtype == torch.float64
    assert path[0].tolist() == [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0] * 5]
