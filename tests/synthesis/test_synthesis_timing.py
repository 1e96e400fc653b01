"""Durations: as predicted, as given, fitted; sums exact, nobody starved."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glowvox.align.prior import LONGEST_TOKEN, filled_frames, predicted_frames
from glowvox.errors import TextError
from glowvox.models.glow_tts import fill_last_step, predicted_durations
from glowvox.synthesis.duration_control import fitted_frames, frames_of_words, shared_slot
from glowvox.synthesis.options import sentence_seed


@given(
    st.lists(st.floats(-8.0, 6.0, width=32), min_size=1, max_size=30),
    st.floats(0.125, 10.0, width=32),
    st.integers(1, 4),
)
def test_predictions_are_those_of_the_model(log_duration, scale, n_squeeze):
    row = np.array(log_duration, np.float32)
    tensor, mask = torch.from_numpy(row)[None], torch.ones(1, 1, len(row))
    frames = predicted_frames(row, scale, n_squeeze)
    wanted = predicted_durations(tensor, mask, scale, n_squeeze)[0].numpy()
    np.testing.assert_array_equal(frames, wanted)
    assert frames.sum() % n_squeeze == 0 and frames.min() >= 0
    filled = fill_last_step(torch.from_numpy(frames)[None], mask, n_squeeze)[0].numpy()
    np.testing.assert_array_equal(filled_frames(frames, n_squeeze), filled)


def test_a_prediction_beyond_reason_is_bounded():
    assert predicted_frames(np.array([200.0], np.float32), 1.0, 1).tolist() == [LONGEST_TOKEN]


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=60), st.integers(0, 2000))
def test_fitting_is_exact_fair_and_starves_nobody(weights, more):
    total = len(weights) + more
    frames = fitted_frames(np.array(weights), total)
    assert frames.sum() == total and frames.min() >= 1
    above = frames > 1
    sizes = np.maximum(weights, 1e-9)
    if above.any():
        # Those above the least share in proportion, to a frame.
        share = sizes[above] / sizes[above].sum() * frames[above].sum()
        assert np.abs(frames[above] - share).max() < len(weights) + 1
    order = np.argsort(sizes, kind="stable")
    assert (np.diff(frames[order]) >= -1).all()


def test_the_largest_remainders_get_the_rest():
    assert fitted_frames(np.array([1.0, 1.0, 2.0]), 10).tolist() == [3, 2, 5]
    assert fitted_frames(np.array([3.6, 2.7, 3.7]), 10).tolist() == [3, 3, 4]
    assert fitted_frames(np.array([1e-9, 5.0, 5.0]), 11).tolist() == [1, 5, 5]
    with pytest.raises(TextError, match="2 frames are too few for 3 tokens"):
        fitted_frames(np.ones(3), 2)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 20)), min_size=1, max_size=20), st.integers(0, 3000))
def test_a_slot_is_shared_exactly(sentences, more):
    counts, tokens = zip(*sentences, strict=True)
    total = sum(tokens) + more
    if total <= LONGEST_TOKEN * sum(tokens):
        shares = shared_slot(counts, tokens, total)
        assert sum(shares) == total
        assert all(share >= least for share, least in zip(shares, tokens, strict=True))


def test_words_last_as_long_as_wished():
    predicted = np.array([2, 3, 5, 1, 4, 4])
    frames = frames_of_words(predicted, [-1, 0, 0, -1, 1, 1], [0.16, None], 100.0, ["one", "two"])
    assert frames.tolist() == [2, 6, 10, 1, 4, 4]
    for wished in (0.01, float("nan"), -1.0, 1e9):
        with pytest.raises(TextError, match="the word 'one' cannot last"):
            frames_of_words(predicted, [-1, 0, 0, -1, 1, 1], [wished, None], 100.0, ["one", "two"])


@given(st.integers(0, 2**63 - 1), st.integers(0, 10**7))
def test_sentences_have_seeds_of_their_own(seed, place):
    found = sentence_seed(seed, place)
    assert 0 <= found < 2**63
    assert (found == seed) == (place == 0)
