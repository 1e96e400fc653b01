"""Voices: say, stream and say_many are the same samples; times, durations, options."""

from itertools import pairwise

import numpy as np
import pytest
from tiny_voice import FakeAcoustic, FakeVocoder, card, fake_voice, write_tiny_voice

import glowvox
from glowvox.config.audio import AudioConfig
from glowvox.errors import ConfigError, EngineError, TextError, VoiceError
from glowvox.synthesis.installed_voices import load_voice
from glowvox.synthesis.voice import Voice, joined

TEXT = 'Hello, world. This is "$3.50" worth of test!\n\nA new paragraph? Yes. And a longer sentence, to be sure of it.'


@pytest.fixture(scope="module")
def torch_voice(tmp_path_factory):
    place = tmp_path_factory.mktemp("voice")
    return load_voice(write_tiny_voice(place / "tiny", place / "models"))


@pytest.fixture(params=["numpy", "torch"])
def voice(request):
    return fake_voice(denoise=0.01) if request.param == "numpy" else request.getfixturevalue("torch_voice")


def _close(one, other):
    assert one.shape == other.shape
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * max(1.0, np.abs(other).max()))


def test_a_stream_is_the_whole(voice):
    whole = voice.say(TEXT)
    assert whole.samples.dtype == np.float32 and np.isfinite(whole.samples).all()
    chunks = list(voice.stream(TEXT))
    assert len(chunks) > 3
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    position = 0
    for chunk in chunks:
        assert chunk.start == pytest.approx(position / voice.sample_rate)
        assert all(chunk.start <= word.start < chunk.start + chunk.duration for word in chunk.words)
        position += len(chunk.samples)
    streamed = joined(chunks)
    _close(streamed.samples, whole.samples)
    assert streamed.words == whole.words


@pytest.mark.parametrize("size", [1, 7, 40])
def test_pieces_of_text_are_the_whole_text(voice, size):
    pieces = (TEXT[start : start + size] for start in range(0, len(TEXT), size))
    streamed, whole = joined(voice.stream(pieces)), voice.say(TEXT)
    _close(streamed.samples, whole.samples)
    assert streamed.words == whole.words


def test_many_are_each_alone(voice):
    texts = [TEXT, "Two.", "Another sentence. And one more", "Yes", "Two."]
    together = list(voice.say_many(texts, batch_size=3, seed=4))
    assert len(together) == len(texts)
    for text, audio in zip(texts, together, strict=True):
        alone = voice.say(text, seed=4)
        _close(audio.samples, alone.samples)
        assert audio.words == alone.words


def test_batches_are_batches():
    voice = fake_voice()
    list(voice.say_many([f"This is sentence number {number}." for number in range(16)]))
    assert max(voice._mels.engine.batches) > 8


def test_the_first_samples_need_no_second_sentence():
    voice = fake_voice()
    pulled = []

    def text():
        for sentence in (
            "This is the first sentence, which is long enough. ",
            "This is the second. ",
            "Third. ",
            "End.",
        ):
            pulled.append(sentence)
            yield sentence

    chunks = voice.stream(text())
    first = next(chunks)
    assert len(pulled) == 2  # where a sentence ends is known when the next one begins
    assert 0 < first.duration < 0.5
    joined(chunks)


SENTENCE = "One two three four five six seven eight nine ten, and then some more of it. "


@pytest.mark.parametrize("first", [0.1, 0.25, 1.0])
def test_chunks_grow_through_the_sentences_of_a_known_text(first):
    voice = fake_voice()
    whole = voice.say(SENTENCE * 3 + "Yes.")
    chunks = list(voice.stream(SENTENCE * 3 + "Yes.", first_seconds=first))
    lengths = [chunk.duration for chunk in chunks]
    assert 0.8 * first < lengths[0] < 1.2 * first
    pause = voice.card.defaults.sentence_pause
    for before, after in pairwise(lengths):  # what is heard is so long that the next one can be computed meanwhile
        assert after <= 4 * before + 4 * first + pause
    begun = [[word.text for word in chunk.words if word.text in ("One", "Yes")] for chunk in chunks]
    assert begun == [["One"], *[[]] * (len(chunks) - 4), ["One"], ["One"], ["Yes"]]  # later sentences are a chunk each
    _close(np.concatenate([chunk.samples for chunk in chunks]), whole.samples)


def test_every_sentence_of_a_text_that_is_written_meanwhile_is_heard_soon():
    voice = fake_voice()
    starts = [chunk for chunk in voice.stream(iter([SENTENCE * 3])) if chunk.words and chunk.words[0].text == "One"]
    assert len(starts) == 3
    assert all(chunk.duration < 0.5 + voice.card.defaults.sentence_pause for chunk in starts)


def test_a_sentence_of_few_first_chunks_is_one():
    voice = fake_voice()
    chunks = list(voice.stream("Yes, and no.", first_seconds=0.5))
    assert 0.5 < chunks[0].duration < 1.5
    assert len(chunks) == 1
    np.testing.assert_array_equal(chunks[0].samples, voice.say("Yes, and no.").samples)


def test_speaking_is_deterministic_and_seeded(voice):
    one = voice.say("Hello there. Hello there.")
    np.testing.assert_array_equal(one.samples, voice.say("Hello there. Hello there.").samples)
    assert np.abs(voice.say("Hello there. Hello there.", seed=1).samples[:1000] - one.samples[:1000]).max() > 0
    # The beginning does not depend on what comes later.
    beginning = voice.say("Hello there.")
    _close(one.samples[: len(beginning.samples)], beginning.samples)


def test_words_have_the_times_of_their_tokens():
    voice = fake_voice(sentence_pause=0.25, context_tokens=0)
    audio = voice.say('He paid "$3.50", then left. Bye!')
    assert [word.text for word in audio.words] == ["He", "paid", "$3.50", "then", "left", "Bye"]
    assert "".join(word.before + word.text + word.after for word in audio.words) == 'He paid "$3.50", then left. Bye! '
    assert [word.ends_sentence for word in audio.words] == [False] * 4 + [True] * 2
    first, second = voice.durations('He paid "$3.50", then left. Bye!')
    frame = voice.card.mel.hop_length / voice.sample_rate
    length = (first.sum() + second.sum()) * frame + 0.25
    assert audio.duration == pytest.approx(length, abs=1e-4)
    assert audio.words[0].start == pytest.approx(first[:3].sum() * frame)
    assert audio.words[-1].start == pytest.approx(first.sum() * frame + 0.25 + second[:3].sum() * frame, abs=1e-4)
    for word in audio.words:
        assert word.phonemes[0].start == word.start and word.phonemes[-1].end == word.end
        for phone, following in zip(word.phonemes, word.phonemes[1:], strict=False):
            assert phone.start < phone.end <= following.start
    assert all(earlier.end <= later.start for earlier, later in zip(audio.words, audio.words[1:], strict=False))


def test_a_pause_tag_is_a_silence_of_just_that_length_in_texts_and_streams():
    voice = fake_voice(sentence_pause=0.5, paragraph_pause=1.5, context_tokens=0)
    one, two = (voice.say(text).duration for text in ("One thing.", "Two things."))
    text = "One thing.[pause:1s]Two things.[pause:300ms]"
    whole = voice.say(text)
    assert whole.duration == pytest.approx(one + two + 1.3, abs=0.001)
    assert voice.say("One thing.\n\n[pause:1s] Two things.").duration == pytest.approx(one + two + 1.0, abs=0.001)
    assert voice.say("[pause:2s]One thing.").duration == pytest.approx(one + 2.0, abs=0.001)
    assert voice.say("One thing. [pause:1s] [pause:1s] Two things.").duration == pytest.approx(one + two + 2, abs=0.001)
    for size in (1, 5, 7, 100):
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        _close(np.concatenate([chunk.samples for chunk in voice.stream(pieces)]), whole.samples)
    assert voice.say(text, pause_tags=False).words[2].text != "Two"
    assert [word.text for word in whole.words] == ["One", "thing", "Two", "things"]
    gaps = []
    for seconds in (1, 3):
        slow = voice.say(f"One thing.[pause:{seconds}s]Two things.", slot=2 * (one + two) + seconds)
        gaps.append(slow.words[2].start - slow.words[1].end)
    assert gaps[1] - gaps[0] == pytest.approx(2.0, abs=0.03)
    with pytest.raises(TextError, match="nothing to say"):
        voice.say("[pause:1s]")
    with pytest.raises(ConfigError, match="pause_tags"):
        voice.say(text, pause_tags="no")


def test_pauses_stand_between_sentences_and_paragraphs():
    voice = fake_voice(sentence_pause=0.5, paragraph_pause=1.5, context_tokens=0)
    one, two = (voice.say(text).duration for text in ("One thing.", "Two things."))
    assert voice.say("One thing. Two things.").duration == pytest.approx(one + two + 0.5, abs=0.001)
    assert voice.say("One thing.\n\nTwo things.\n\n").duration == pytest.approx(one + two + 1.5, abs=0.001)
    assert voice.say("One thing.\n\n***\n\nTwo things.").duration == pytest.approx(one + two + 1.5, abs=0.001)
    assert voice.say("One thing. Two things.", sentence_pause=0.0).duration == pytest.approx(one + two, abs=0.001)


def test_speed_and_rates():
    voice = fake_voice()
    normal, slow = voice.say(TEXT), voice.say(TEXT, speed=0.5)
    assert 1.5 < slow.duration / normal.duration < 2.2
    document = '<speak>Hello <prosody rate="50%">world</prosody> again.</speak>'
    hello, world, again = voice.say(document, ssml=True).words
    as_always = voice.say("Hello world again.").words
    assert world.end - world.start > 1.5 * (as_always[1].end - as_always[1].start)
    assert hello.end - hello.start == pytest.approx(as_always[0].end - as_always[0].start)
    assert again.end - again.start == pytest.approx(as_always[2].end - as_always[2].start, abs=0.03)


def test_a_slot_is_filled_to_the_sample(voice):
    natural = voice.say(TEXT).duration
    for slot in (0.8 * natural, natural, 1.9 * natural):
        audio = voice.say(TEXT, slot=slot)
        assert len(audio.samples) == round(slot * voice.sample_rate)
        assert audio.words[-1].end <= slot
        assert audio.words[-1].end > 0.9 * slot
        _close(joined(voice.stream(TEXT, slot=slot)).samples, audio.samples)
    with pytest.raises(TextError, match=r"does not fit into 0.05 s: it takes \d.* s at least"):
        voice.say(TEXT, slot=0.05)
    for slot in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(TextError, match="positive number of seconds"):
            voice.say(TEXT, slot=slot)


def test_words_last_as_long_as_wished():
    voice = fake_voice()
    audio = voice.say(TEXT)
    wished = [None] * len(audio.words)
    wished[1], wished[4] = 0.9, 2.5
    spoken = voice.say(TEXT, word_durations=wished)
    for number, (word, before) in enumerate(zip(spoken.words, audio.words, strict=True)):
        wanted = wished[number] or before.end - before.start
        assert word.end - word.start == pytest.approx(wanted, abs=0.012)
    with pytest.raises(TextError, match=f"1 duration given, the text has {len(audio.words)} words"):
        voice.say(TEXT, word_durations=[1.0])
    with pytest.raises(ConfigError, match="give one of slot"):
        voice.say(TEXT, word_durations=wished, slot=2.0)


def test_durations_of_tokens_are_kept():
    voice = fake_voice()
    rows = voice.durations(TEXT)
    _close(voice.say(TEXT, token_durations=rows).samples, voice.say(TEXT).samples)
    doubled = voice.say(TEXT, token_durations=[2 * row for row in rows])
    assert doubled.duration > 1.5 * voice.say(TEXT).duration
    with pytest.raises(TextError, match="1 row of durations given, the text has 5 sentences"):
        voice.say(TEXT, token_durations=rows[:1])
    with pytest.raises(TextError, match="durations in whole frames"):
        voice.say(TEXT, token_durations=[row[1:] for row in rows])
    with pytest.raises(TextError, match="must not be negative"):
        voice.say(TEXT, token_durations=[-row for row in rows])


def test_a_short_sentence_is_encoded_in_company(torch_voice):
    voice = torch_voice
    alone, in_company = voice.say("Yes.", context_tokens=0), voice.say("Yes.")
    assert len(voice.durations("Yes.")[0]) == len(voice.durations("Yes.", context_tokens=0)[0])
    assert [word.text for word in in_company.words] == ["Yes"]
    scale = np.abs(alone.samples).max()
    same = alone.samples.shape == in_company.samples.shape
    assert not same or np.abs(alone.samples - in_company.samples).max() > 1e-3 * scale
    long = "This sentence is long enough by itself."
    np.testing.assert_array_equal(voice.say(long).samples, voice.say(long, context_tokens=0).samples)


def test_ends_are_faded():
    audio = fake_voice().say("Hello there. And again.", sigma=0.0)
    edge = np.abs(audio.samples).max()
    assert abs(audio.samples[0]) < 0.01 * edge and abs(audio.samples[-1]) < 0.01 * edge
    silent = np.flatnonzero(audio.samples == 0.0)
    assert len(silent) == round(0.2 * audio.sample_rate)
    assert np.abs(audio.samples[[silent[0] - 1, silent[-1] + 1]]).max() < 0.01 * edge


def test_ssml_is_spoken_with_breaks_marks_and_speakers():
    voice = fake_voice(speakers=("ann", "bob"), context_tokens=0)
    document = (
        '<speak>One thing.<break time="700ms"/><mark name="here"/>Two <mark name="there"/>things. '
        '<voice name="bob">Three things.</voice><break time="300ms"/></speak>'
    )
    audio = voice.say(document, ssml=True)
    assert [word.text for word in audio.words] == ["One", "thing", "Two", "things", "Three", "things"]
    assert [mark.name for mark in audio.marks] == ["here", "there"]
    assert audio.marks[1].time == pytest.approx(audio.words[3].start)
    assert not audio.samples[-int(0.29 * voice.sample_rate) :].any()
    by_ann = voice.say(document.replace(' name="bob"', ' name="ann"'), ssml=True)
    assert np.abs(by_ann.samples - audio.samples)[: int(audio.words[3].end * voice.sample_rate)].max() == 0
    assert np.abs(by_ann.samples - audio.samples).max() > 0
    with pytest.raises(VoiceError, match="has no speaker 'eve'; it has ann, bob"):
        voice.say(document.replace("bob", "eve"), ssml=True)
    with pytest.raises(TextError, match="nothing to say"):
        voice.say("<speak> </speak>", ssml=True)
    silence = voice.say('<speak><break time="1s"/></speak>', ssml=True)
    assert silence.duration == pytest.approx(1.0) and not silence.samples.any()


def test_speakers_and_languages():
    voice = fake_voice(speakers=("ann", "kerstin"), speaker_languages={"kerstin": "de-de"})
    ann, kerstin = voice.say("Hallo."), voice.say("Hallo.", speaker="kerstin")
    assert [p.text for p in ann.words[0].phonemes] != [p.text for p in kerstin.words[0].phonemes]
    with pytest.raises(VoiceError, match="does not speak 'fr-fr'; it speaks de-de, en-us"):
        voice.say("Bonjour.", language="fr-fr")
    with pytest.raises(VoiceError, match="no speaker 'bob'"):
        voice.stream("Hello.", speaker="bob")
    with pytest.raises(VoiceError, match="no speaker 'bob'; it has ann"):
        fake_voice().say("Hello.", speaker="bob")


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"speed": 0.0}, "speed must lie between"),
        ({"speed": float("nan")}, "speed must lie between"),
        ({"speed": "fast"}, "speed must be a number"),
        ({"temperature": -1.0}, "temperature must be a number from 0"),
        ({"sigma": float("inf")}, "sigma must be a number from 0"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"pitch": 2.0}, "no option 'pitch'"),
        ({"sentence_pause": 1e9}, "sentence pause must lie"),
    ],
)
def test_impossible_wishes_are_refused(wish, said):
    with pytest.raises(ConfigError, match=said):
        fake_voice().say("Hello.", **wish)
    with pytest.raises(ConfigError, match=said):
        fake_voice().stream("Hello.", **wish)


@pytest.mark.parametrize(
    ("level", "said"), [(5e6, "acoustic model is damaged, or the temperature"), (0.0, "vocoder is damaged")]
)
def test_samples_that_cannot_be_are_blamed_on_the_voice_and_not_on_a_mel(level, said, monkeypatch):
    decode, speak = FakeAcoustic._decode, FakeVocoder._run
    monkeypatch.setattr(FakeAcoustic, "_decode", lambda *a, **k: (decode(*a, **k)[0] + np.float32(level), {}))
    monkeypatch.setattr(FakeVocoder, "_run", lambda *a: speak(*a) * np.float32(np.inf))
    voice = fake_voice()
    for speaking in (
        lambda: voice.say("Hello."),
        lambda: list(voice.stream("Hello.")),
        lambda: list(voice.say_many(["Hello."])),
    ):
        with pytest.raises(EngineError, match=f"the voice's {said}.* mel values from .*; get the voice again"):
            speaking()


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), 1e9])
def test_the_first_chunk_has_something_in_it_and_an_end(seconds):
    with pytest.raises(ConfigError, match="the first chunk must have"):
        fake_voice().stream("Hello.", first_seconds=seconds)


def test_a_lexicon_and_inline_phonemes_go_first(tmp_path):
    voice = fake_voice()
    (tmp_path / "own.txt").write_text("glowvox = b a\n", encoding="utf-8")
    [word] = voice.say("Glowvox.", lexicon=tmp_path / "own.txt").words
    assert len(word.phonemes) == 2
    inline = voice.say("Say [[ h ˈɛ . l ˈoʊ ]] now. Bye.")
    assert [len(word.phonemes) for word in inline.words][1] == 4
    streamed = joined(voice.stream(iter("Say [[ h ˈɛ . l ˈoʊ ]] now. Bye.")))
    assert streamed.words == inline.words
    with pytest.raises(TextError, match="cannot read the lexicon"):
        voice.say("Hello.", lexicon=tmp_path / "none.txt")


def test_warnings_name_the_word_once(caplog):
    voice, told = fake_voice(), []
    voice.say("Hello 你好. Hello 你好 again.", on_warning=told.append)
    assert len(told) == 1 and "你好" in told[0]
    voice.say("Hello 你好.")
    assert "你好" in caplog.text


def test_a_vocoder_without_a_latent_takes_the_place(tmp_path):
    voice = fake_voice(n_group=0, denoise=1.0)
    audio = voice.say(TEXT)
    _close(joined(voice.stream(TEXT)).samples, audio.samples)
    _close(next(iter(voice.say_many([TEXT]))).samples, audio.samples)
    np.testing.assert_array_equal(audio.samples, voice.say(TEXT, sigma=0.0).samples)


def test_contracts_are_bridged_or_refused():
    shifted = AudioConfig(log="db", mean=-60.0, std=20.0)
    voice = Voice(card(mel=shifted, receptive_field=2), FakeAcoustic(audio=shifted), FakeVocoder())
    plain = fake_voice()
    assert voice.say(TEXT, temperature=0.0).samples.shape == plain.say(TEXT, temperature=0.0).samples.shape
    for value in (0.0, 2.0):
        bridged = voice._synthesizer.bridged(np.full((80, 3), value, np.float32))
        np.testing.assert_allclose(bridged, (20.0 * value - 60.0) / 20.0 * np.log(10.0), rtol=1e-5)
    with pytest.raises(VoiceError, match=r"do not belong together: .*hop_length 128 against 256"):
        card(mel=AudioConfig(hop_length=128))


def test_the_tokenizer_must_be_the_models():
    acoustic = FakeAcoustic()
    acoustic.n_symbols = 7
    with pytest.raises(TextError, match="the acoustic model 7"):
        Voice(card(), acoustic, FakeVocoder())


def test_load_voice_is_a_public_name():
    assert glowvox.load_voice is load_voice


@pytest.mark.parametrize(("given", "called"), [(3, "an int"), (["a", "b"], "a list of 2"), (b"x", "a bytes")])
def test_what_is_no_text_is_named(given, called):
    with pytest.raises(TextError, match=f"^say speaks one text, got {called}; use say_many"):
        fake_voice().say(given)
