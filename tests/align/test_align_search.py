"""All forms of the alignment search find the same path: the published one, the best one, ties included."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from glowvox.align import monotonic_alignment_search
from glowvox.align.alignment import SearchMethod
from glowvox.align.search import is_available
from glowvox.errors import DataError, MissingExtraError

METHODS: list = [
    "reference",
    "vectorised",
    "device",
    pytest.param("compiled", marks=pytest.mark.skipif(not is_available(), reason="Numba is not installed")),
]


def all_paths(n_tokens: int, n_frames: int):
    """Every way to cover the frames with all tokens in order, as the token of each frame."""
    for cuts in itertools.combinations(range(1, n_frames), n_tokens - 1):
        edges = [0, *cuts, n_frames]
        yield [token for token in range(n_tokens) for _ in range(edges[token + 1] - edges[token])]


@pytest.mark.parametrize("method", METHODS)
def test_path_of_the_original_program(method: SearchMethod) -> None:
    golden = load_file(Path(__file__).resolve().parents[1] / "golden" / "monotonic_alignment.safetensors")
    found = monotonic_alignment_search(
        golden["log_likelihood"], golden["text_lengths"], golden["mel_lengths"], method=method
    )
    assert torch.equal(found, golden["alignment"].float())


@pytest.mark.parametrize("method", METHODS)
def test_best_of_all_paths(method: SearchMethod) -> None:
    for seed, (n_tokens, n_frames) in enumerate([(1, 1), (1, 5), (2, 2), (3, 7), (4, 8), (5, 5)]):
        scores = torch.randn(1, n_tokens, n_frames, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        found = monotonic_alignment_search(scores, torch.tensor([n_tokens]), torch.tensor([n_frames]), method=method)
        frames = range(n_frames)
        best = max(scores[0, path, frames].sum().item() for path in all_paths(n_tokens, n_frames))
        assert (found * scores).sum().item() == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("method", METHODS[1:])
@pytest.mark.parametrize("levels", [0, 2, 3])
def test_same_path_as_the_reference(method: SearchMethod, levels: int) -> None:
    """Ragged lengths; with few whole-numbered levels nearly every decision is a tie."""
    generator = torch.Generator().manual_seed(levels)
    for n_items, n_tokens, n_frames in [(5, 12, 40), (3, 1, 9), (4, 9, 9), (2, 30, 31)]:
        shape = (n_items, n_tokens, n_frames)
        scores = (
            torch.randint(levels, shape, generator=generator).float()
            if levels
            else torch.randn(shape, generator=generator)
        )
        tokens = torch.randint(1, n_tokens + 1, (n_items,), generator=generator)
        frames = torch.tensor([int(torch.randint(int(low), n_frames + 1, (1,), generator=generator)) for low in tokens])
        expected = monotonic_alignment_search(scores, tokens, frames, method="reference")
        assert torch.equal(monotonic_alignment_search(scores, tokens, frames, method=method), expected)


@pytest.mark.parametrize("method", METHODS)
def test_path_is_monotonic_surjective_and_ends_with_the_item(method: SearchMethod) -> None:
    scores = torch.randn(6, 10, 30, generator=torch.Generator().manual_seed(3))
    tokens, frames = torch.tensor([10, 1, 5, 7, 10, 2]), torch.tensor([30, 1, 5, 30, 10, 29])
    found = monotonic_alignment_search(scores, tokens, frames, method=method)
    for path, n_tokens, n_frames in zip(found, tokens.tolist(), frames.tolist(), strict=True):
        assert path.sum() == n_frames
        assert path[n_tokens:].sum() == 0 and path[:, n_frames:].sum() == 0
        steps = path[:, :n_frames].argmax(0).diff()
        assert ((steps == 0) | (steps == 1)).all()
        assert (path[:n_tokens].sum(1) >= 1).all()


@pytest.mark.parametrize("method", METHODS)
def test_padding_changes_nothing(method: SearchMethod) -> None:
    generator = torch.Generator().manual_seed(8)
    scores = torch.randn(1, 6, 20, generator=generator)
    alone = monotonic_alignment_search(scores, torch.tensor([6]), torch.tensor([20]), method=method)
    padded = torch.full((3, 9, 25), 7.0)
    padded[1, :6, :20] = scores[0]
    among = monotonic_alignment_search(padded, torch.tensor([9, 6, 2]), torch.tensor([25, 20, 4]), method=method)
    assert torch.equal(among[1, :6, :20], alone[0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_type_and_layout_follow_the_input(method: SearchMethod, dtype: torch.dtype) -> None:
    scores = torch.randn(2, 5, 11, generator=torch.Generator().manual_seed(0)).to(dtype).requires_grad_()
    lengths = torch.tensor([5, 3]), torch.tensor([11, 8], dtype=torch.int32)
    found = monotonic_alignment_search(scores, *lengths, method=method)
    assert found.dtype == dtype and not found.requires_grad
    frames_first = scores.detach().transpose(1, 2).contiguous().transpose(1, 2)
    assert torch.equal(found, monotonic_alignment_search(frames_first, *lengths, method=method))


@pytest.mark.parametrize("method", METHODS)
def test_scores_that_are_not_numbers_still_give_a_whole_path(method: SearchMethod) -> None:
    scores = torch.full((1, 4, 9), float("nan"))
    found = monotonic_alignment_search(scores, torch.tensor([4]), torch.tensor([9]), method=method)
    assert torch.equal(found.sum(1), torch.ones(1, 9)) and (found.sum(2) >= 1).all()


@pytest.mark.parametrize(
    ("shape", "tokens", "frames", "message"),
    [
        ((4, 5), [4], [5], r"\[items, tokens, frames\]"),
        ((0, 4, 5), [], [], "none of them 0"),
        ((1, 4, 5), [4, 4], [5], "token_lengths must hold 1"),
        ((1, 4, 5), [4.0], [5], "whole numbers"),
        ((1, 4, 5), [5], [5], "item 0"),
        ((1, 4, 5), [0], [5], "item 0"),
        ((2, 4, 5), [4, 4], [5, 6], "item 1"),
        ((2, 4, 5), [4, 4], [5, 3], "item 1: 3 mel frames cannot cover 4 tokens"),
    ],
)
def test_bad_input_is_named(shape: tuple, tokens: list, frames: list, message: str) -> None:
    lengths = torch.tensor(tokens), torch.tensor(frames)
    with pytest.raises(DataError, match=message):
        monotonic_alignment_search(torch.zeros(shape), *lengths)


@pytest.mark.skipif(not is_available(), reason="Numba is not installed")
def test_compiled_search_shares_the_batch_among_threads() -> None:
    from glowvox.align.search import search_compiled

    generator = np.random.default_rng(1)
    scores = generator.standard_normal((7, 40, 12)).astype(np.float32)
    lengths = generator.integers(1, 13, 7), generator.integers(12, 41, 7)
    alone = search_compiled(scores, *lengths, threads=1)
    for threads in (2, 3, 16):
        assert np.array_equal(search_compiled(scores, *lengths, threads=threads), alone)


@pytest.mark.parametrize("available", [True, False])
def test_large_batches_take_the_compiled_search_only_where_there_is_one(
    available: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from glowvox.align import search

    if available and not is_available():
        pytest.skip("Numba is not installed")
    asked: list[str] = []
    for name in ("search_compiled", "search_vectorised"):
        inner = getattr(search, name)
        monkeypatch.setattr(search, name, lambda *a, _f=inner, _n=name, **k: asked.append(_n) or _f(*a, **k))
    monkeypatch.setattr(search, "is_available", lambda: available)
    generator = torch.Generator().manual_seed(5)
    paths = []
    for shape in ((2, 500, 1000), (1, 10, 20)):
        scores = torch.randn(shape, generator=generator)
        lengths = torch.full((shape[0],), shape[1]), torch.full((shape[0],), shape[2])
        paths.append(monotonic_alignment_search(scores, *lengths))
    assert asked == ["search_compiled" if available else "search_vectorised", "search_vectorised"]
    assert paths[0].sum().item() == 2000


def test_compiled_search_that_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from glowvox.align import search

    monkeypatch.setattr(search, "is_available", lambda: False)
    with pytest.raises(MissingExtraError, match=r"needs the package 'numba'"):
        monotonic_alignment_search(torch.zeros(1, 2, 3), torch.tensor([2]), torch.tensor([3]), method="compiled")
