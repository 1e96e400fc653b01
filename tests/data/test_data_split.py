"""The split keeps all takes of a sentence on one side, whatever else changes."""

import pytest

from glowvox.data.split import Sentence, normalised_sentence, split_by_ids, split_by_sentence
from glowvox.errors import ConfigError, DataError


def sentences(count: int, takes: int = 3) -> list[Sentence]:
    return [Sentence(f"s{n:04}_{1592748500 + take}", f"Sentence {n}.") for n in range(count) for take in range(takes)]


def test_takes_stay_together_and_the_share_is_near() -> None:
    items = sentences(2000)
    chosen = split_by_sentence(items, 0.05)
    prompts = {identifier[:5] for identifier in chosen}
    assert len(chosen) == 3 * len(prompts)
    assert 0.035 < len(prompts) / 2000 < 0.065


def test_case_and_punctuation_do_not_make_another_sentence() -> None:
    items = [Sentence("a", "Hello, World!"), Sentence("b", "hello world"), Sentence("c", "Grüße"), Sentence("d", "x")]
    for fraction in (0.1, 0.3, 0.5):
        chosen = split_by_sentence(items, fraction)
        assert ("a" in chosen) == ("b" in chosen)
    assert normalised_sentence("Don't — STOP, Straße!") == "don t stop strasse"


def test_one_prompt_read_with_two_spellings_stays_together() -> None:
    # a and b share the prompt, b and c the text: all three belong together.
    items = [Sentence("p_1592748574", "colour"), Sentence("p_1592748575", "color"), Sentence("q_1592748576", "color")]
    others = [Sentence(f"o{n}", f"other {n}") for n in range(40)]
    seen = set()
    for fraction in (0.02, 0.1, 0.3, 0.5):
        chosen = split_by_sentence([*items, *others], fraction)
        seen.add(len(chosen & {item.id for item in items}))
    assert seen <= {0, 3}


def test_sentences_keep_their_side_when_the_corpus_grows_or_is_reordered() -> None:
    small, large = sentences(300), sentences(900)
    chosen = split_by_sentence(small, 0.1)
    assert split_by_sentence(large[::-1], 0.1) & {item.id for item in small} == chosen


def test_small_corpora_have_both_sides() -> None:
    for count in range(2, 12):
        chosen = split_by_sentence(sentences(count, takes=1), 0.01)
        assert 1 <= len(chosen) < count
        assert len(split_by_sentence(sentences(count, takes=1), 0.5)) < count
    assert split_by_sentence(sentences(1), 0.5) == set()
    assert split_by_sentence(sentences(50), 0.0) == set()


def test_recordings_without_text_are_split_by_prompt() -> None:
    items = [Sentence(f"p{n:03}_{1592748574 + take}", "") for n in range(200) for take in range(2)]
    chosen = split_by_sentence(items, 0.2)
    assert 0 < len(chosen) < 400
    assert len(chosen) == 2 * len({identifier[:4] for identifier in chosen})


def test_named_ids_take_their_other_takes_with_them() -> None:
    items = sentences(5)
    assert split_by_ids(items, ["s0002_1592748501"]) == {item.id for item in items if item.id.startswith("s0002")}
    with pytest.raises(DataError, match="nothing is left"):
        split_by_ids(items, [item.id for item in items[::3]])


@pytest.mark.parametrize("fraction", [-0.1, 0.51, float("nan")])
def test_shares_out_of_range_are_refused(fraction: float) -> None:
    with pytest.raises(ConfigError, match=r"between 0 and 0\.5"):
        split_by_sentence(sentences(3), fraction)
