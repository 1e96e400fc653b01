"""Visemes: every phone has a shape, and the track has no holes, however the words come."""

from itertools import pairwise

import pytest
from tiny_voice import fake_voice

from glowvox.audio.sound import TimedPhoneme, TimedWord
from glowvox.synthesis.visemes import VISEMES, TimedViseme, VisemeTrack, visemes_of
from glowvox.text.tokenizer import Tokenizer


def word(*phones: tuple[str, float, float]) -> TimedWord:
    timed = tuple(TimedPhoneme(*phone) for phone in phones)
    return TimedWord("x", timed[0].start, timed[-1].end, timed)


@pytest.mark.parametrize(
    ("phone", "shapes"),
    [
        ("p", ["PP"]),
        ("m̩", ["PP"]),
        ("v", ["FF"]),
        ("θ", ["TH"]),
        ("t", ["DD"]),
        ("ɡ", ["kk"]),
        ("t͡ʃ", ["CH"]),
        ("d͡ʒ", ["CH"]),
        ("ç", ["CH"]),
        ("t͡s", ["SS"]),
        ("ŋ", ["nn"]),
        ("ɹ", ["RR"]),
        ("ɚ", ["RR"]),
        ("ˈɑː", ["aa"]),
        ("ɛ̃ː", ["E"]),
        ("ˌɪ", ["ih"]),
        ("ɔ", ["oh"]),
        ("w", ["ou"]),
        ("ˈaɪ", ["aa", "ih"]),
        ("aʊ̯", ["aa", "ou"]),
        ("oʊ", ["oh", "ou"]),
        ("p͡f", ["PP", "FF"]),
    ],
)
def test_phones_have_the_shape_that_they_are_spoken_with(phone, shapes):
    assert list(visemes_of(phone)) == shapes


def test_every_phone_of_the_table_has_a_shape_of_its_own():
    phones = [
        symbol for symbol in Tokenizer().to_dict()["symbols"] if any(map(str.isalpha, symbol)) and "<" not in symbol
    ]
    modifiers = set("ˈˌːˑʰʲʷˠˤʼⁿ˞")
    unknown = [phone for phone in phones if phone not in modifiers and visemes_of(phone) == ("E",)]
    assert {phone[0] for phone in unknown} <= set("eɛəɘɜɤẽ")
    assert len(phones) > 100


def contiguous(track: list[TimedViseme], duration: float) -> bool:
    borders = [(one.start, one.end) for one in track]
    return (
        borders[0][0] == 0
        and borders[-1][1] == duration
        and all(before[1] == after[0] for before, after in pairwise(borders))
        and all(start < end for start, end in borders)
    )


def test_the_track_of_a_speech_has_no_holes_however_it_is_cut():
    audio = fake_voice().say("Hello there, world. This is a choice of five joys.")
    whole = VisemeTrack()
    track = whole.push(audio.words) + whole.finish(audio.duration)
    assert contiguous(track, audio.duration)
    assert track[0].viseme == track[-1].viseme == "sil" or track[0].start == 0
    assert {one.viseme for one in track} <= set(VISEMES)
    pieces = VisemeTrack()
    again = [one for word in audio.words for one in pieces.push([word])] + pieces.finish(audio.duration)
    assert contiguous(again, audio.duration)
    spoken = [one.viseme for one in track if one.viseme != "sil"]
    assert [one.viseme for one in again if one.viseme != "sil"] == spoken


def test_silence_stands_where_nothing_is_said_and_short_gaps_are_closed():
    track = VisemeTrack()
    found = track.push([word(("p", 0.1, 0.2), ("a", 0.21, 0.3)), word(("t", 0.32, 0.4)), word(("aɪ", 0.9, 1.1))])
    found += track.finish(1.5)
    assert [(one.viseme, round(one.start, 6), round(one.end, 6)) for one in found] == [
        ("sil", 0.0, 0.1),
        ("PP", 0.1, 0.21),
        ("aa", 0.21, 0.32),
        ("DD", 0.32, 0.4),
        ("sil", 0.4, 0.9),
        ("aa", 0.9, 1.0),
        ("ih", 1.0, 1.1),
        ("sil", 1.1, 1.5),
    ]


def test_words_without_phonemes_and_phonemes_without_time_make_no_holes():
    track = VisemeTrack()
    found = track.push([TimedWord("x", 0.1, 0.2), word(("a", 0.1, 0.1), ("p", 0.05, 0.3))]) + track.finish(0.3)
    assert contiguous(found, 0.3)
    assert VisemeTrack().finish(0.0) == []
    assert VisemeTrack().finish(1.0) == [TimedViseme("sil", 0.0, 1.0)]
