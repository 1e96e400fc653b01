"""The forward sum against a brute-force sum over all paths, and its gradient against finite differences."""

import itertools

import pytest
import torch

from glowvox.align import forward_sum, monotonic_alignment_search


def brute_force(scores: torch.Tensor, n_tokens: int, n_frames: int) -> torch.Tensor:
    paths = []
    for cuts in itertools.combinations(range(1, n_frames), n_tokens - 1):
        edges = [0, *cuts, n_frames]
        paths.append(sum(scores[token, edges[token] : edges[token + 1]].sum() for token in range(n_tokens)))
    return torch.stack(paths).logsumexp(0)


def example() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    scores = 3 * torch.randn(5, 4, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return scores, torch.tensor([4, 1, 3, 4, 2]), torch.tensor([9, 9, 5, 4, 8])


def test_total_is_the_sum_over_all_paths() -> None:
    scores, tokens, frames = example()
    total, _ = forward_sum(scores, tokens, frames)
    for item in range(len(scores)):
        expected = brute_force(scores[item], int(tokens[item]), int(frames[item]))
        assert total[item].item() == pytest.approx(expected.item(), rel=1e-12)


def test_gradient_is_exact_and_equals_the_soft_alignment() -> None:
    scores, tokens, frames = example()
    scores.requires_grad_()
    assert torch.autograd.gradcheck(lambda value: forward_sum(value, tokens, frames)[0], scores)
    total, soft = forward_sum(scores, tokens, frames)
    (gradient,) = torch.autograd.grad(total.sum(), scores)
    torch.testing.assert_close(gradient, soft)


def test_soft_alignment_sums_to_one_per_frame_and_ignores_padding() -> None:
    scores, tokens, frames = example()
    _, soft = forward_sum(scores, tokens, frames)
    for item, (n_tokens, n_frames) in enumerate(zip(tokens.tolist(), frames.tolist(), strict=True)):
        torch.testing.assert_close(soft[item].sum(0)[:n_frames], torch.ones(n_frames, dtype=soft.dtype))
        assert soft[item, n_tokens:].abs().sum() == 0 and soft[item, :, n_frames:].abs().sum() == 0


def test_soft_alignment_becomes_the_hard_path_when_scores_are_sharp() -> None:
    scores, tokens, frames = example()
    _, soft = forward_sum(200 * scores, tokens, frames)
    hard = monotonic_alignment_search(scores, tokens, frames)
    torch.testing.assert_close(soft, hard, atol=1e-6, rtol=0)


def test_long_utterance_in_float32_stays_finite_and_above_the_best_path() -> None:
    scores = 30 * torch.randn(2, 60, 400, generator=torch.Generator().manual_seed(2)) - 100
    tokens, frames = torch.tensor([60, 31]), torch.tensor([400, 77])
    total, soft = forward_sum(scores, tokens, frames)
    best = (monotonic_alignment_search(scores, tokens, frames) * scores).sum((1, 2))
    assert torch.isfinite(soft).all() and (total >= best - 1e-2).all()
