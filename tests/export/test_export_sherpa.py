"""A voice as one graph: the samples of `say`, with the inputs, files and manners of sherpa-onnx."""

import dataclasses
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from small_voice import make_voice

from glowvox.cli.main import main
from glowvox.config.audio import AudioConfig
from glowvox.engines import onnx_engine
from glowvox.errors import ConfigError, TextError, VoiceError
from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.refinement_graph import FourierGraph
from glowvox.export.sherpa_export import FILES, export_sherpa, lexicon_entries, sherpa_graph, tokens_table
from glowvox.export.sherpa_words import PIECE_END, piece_entries
from glowvox.export.speech_graph import SpeechGraph
from glowvox.synthesis.installed_voices import load_voice
from glowvox.synthesis.voice_card import read_voice_card
from glowvox.text.front_end import FrontEnd, load_front_end
from glowvox.text.letter_to_sound import load_letter_to_sound
from glowvox.text.tokenizer import BLANK, BOUNDARY, PAD, Tokenizer

HOP = 256
ODD = AudioConfig(sample_rate=16000, n_fft=1200, win_length=1000, hop_length=200, n_mels=40, power=2.0, log="log10")
KINDS = {
    "plain": {},
    "melody and source": {"melody": True, "harmonic": True, "pitch_channels": 24, "source_mix": True, "refine": 2},
    "speakers": {"speakers": ("ann", "bob")},
    "half groups": {"n_group": 128},
    "another contract": {"audio": ODD, "n_group": 200, "refine": 1, "harmonic": True},
}
WORDS = ["hello", "world", "yes", "hinder", "hinders", "can't", "dog", "live", "a.m.", "josé"]
SENTENCES = ["Yes.", "Hello, wide world!", "No", "Hello there, you; this is a longer one, is it not?"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Makes a voice of a kind once; gives the voice, and a session with its graph."""
    known = {}

    def of(kind):
        if kind not in known:
            place = make_voice(tmp_path_factory.mktemp("voice"), **KINDS[kind])
            graph = sherpa_graph(SpeechGraph(place, read_voice_card(place)), "en-us")
            session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
            known[kind] = load_voice(place, engine="onnx"), session, place, graph
        return known[kind]

    return of


def tokens_of(voice, text, *, boundaries=True):
    """The tokens of one sentence as sherpa-onnx gives them: a boundary behind every word, no borders, no blanks."""
    [part] = voice._open.text.parts(text, None, voice.options(), None)
    tokenizer = Tokenizer()
    symbols = [symbol for symbol in tokenizer.decode(part.request.tokens.ids) if symbol != BLANK][1:-1]
    spread = []
    for symbol in symbols:
        if boundaries and symbol in ",.?!;:":
            spread.append(BOUNDARY)
        spread.append(symbol)
    spread += [BOUNDARY] * boundaries
    return np.array([[tokenizer.symbols.index(symbol) for symbol in spread]])


def assert_said(samples, expected, bound=5e-6):
    """Random models are loud: the bound is for a signal of full scale."""
    np.testing.assert_allclose(samples[: len(expected)], expected, rtol=0, atol=bound * np.abs(expected).max())


def spoken(session, tokens, *, noise_scale=0.667, length_scale=1.0, noise_scale_w=0.8, **more):
    scales = {"noise_scale": noise_scale, "length_scale": length_scale, "noise_scale_w": noise_scale_w}
    feed = {name: np.array([value], np.float32) for name, value in scales.items()}
    given = {"x": tokens, "x_length": np.array([tokens.shape[1]]), **feed, **more}
    [samples] = session.run(None, given)
    assert samples.shape[0] == 1 and samples.dtype == np.float32
    return samples[0]


@pytest.mark.parametrize("text", SENTENCES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_graph_says_what_the_voice_says(made, kind, text):
    voice, session, *_ = made(kind)
    more = {"sid": np.array([0])} if kind == "speakers" else {}
    expected = voice.say(text).samples
    samples = spoken(session, tokens_of(voice, text), **more)
    pause = round(0.2 * voice.sample_rate) * (text[-1] in ".?!")
    assert len(samples) == len(expected) + pause
    assert_said(samples, expected)
    assert not samples[len(expected) :].any()
    np.testing.assert_array_equal(samples, spoken(session, tokens_of(voice, text, boundaries=False), **more))


def test_the_scales_are_speed_temperature_and_sigma(made):
    voice, session, *_ = made("melody and source")
    text = "Hello, wide world! "[:-1]
    tokens = tokens_of(voice, text)
    for options, scales in (
        ({"speed": 0.5}, {"length_scale": 2.0}),
        ({"temperature": 0.0}, {"noise_scale": 0.0}),
        ({"temperature": 1.0}, {"noise_scale": 2 * 0.667}),
        ({"sigma": 0.0}, {"noise_scale_w": 0.0}),
        ({"sigma": 1.2}, {"noise_scale_w": 0.8 * 1.2 / voice.card.defaults.sigma}),
    ):
        expected = voice.say(text, **options).samples
        assert_said(spoken(session, tokens, **scales), expected)


def test_every_speaker_speaks(made):
    voice, session, *_ = made("speakers")
    tokens = tokens_of(voice, SENTENCES[1])
    both = [voice.say(SENTENCES[1], speaker=name).samples for name in ("ann", "bob")]
    assert len(both[0]) != len(both[1]) or np.abs(both[0] - both[1]).max() > 1e-3
    for number, expected in enumerate(both):
        samples = spoken(session, tokens, sid=np.array([number]))
        assert_said(samples, expected)


@pytest.mark.parametrize("symbols", [[], [" "], ["."], ["?", " "], [" ", ",", " "]])
def test_marks_without_a_word_are_next_to_nothing(made, symbols):
    _, session, *_ = made("plain")
    tokens = np.array([[Tokenizer().symbols.index(symbol) for symbol in symbols]], np.int64).reshape(1, -1)
    samples = spoken(session, tokens)
    assert len(samples) == HOP and not samples.any()


def test_pieces_of_a_word_are_joined(made):
    _, session, *_ = made("plain")
    symbols = Tokenizer().symbols
    whole = [symbols.index(symbol) for symbol in ("h", "ə", "l", "oʊ", " ", "j", "u", ".")]
    join, space = symbols.index(PAD), symbols.index(" ")
    pieces = [*whole[:2], join, space, *whole[2:4], join, space, space, join, space, *whole[5:], space]
    np.testing.assert_array_equal(
        spoken(session, np.array([whole])), spoken(session, np.array([pieces], dtype=np.int64))
    )


def test_no_pause_follows_where_no_sentence_ends(made):
    voice, session, *_ = made("plain")
    tokens = tokens_of(voice, "Hello, you.", boundaries=False)
    ended = len(spoken(session, tokens))
    colon = np.array([[*tokens[0, :-1], Tokenizer().symbols.index(":"), Tokenizer().symbols.index(" ")]])
    assert ended % HOP == round(0.2 * voice.sample_rate) % HOP
    assert len(spoken(session, colon)) % HOP == 0


def test_eight_bits_and_half_precision_say_it_too(tmp_path, monkeypatch):
    # sherpa-onnx cannot ask for exact products, and those of random models overflow on a processor without VNNI
    monkeypatch.setattr(onnx_engine, "multiplies_exactly", lambda _: False)
    for precision, bound in (("float16", 1e-4), ("int8", 2e-3)):
        place = make_voice(tmp_path / precision, melody=True, harmonic=True, precision=precision)
        graph = sherpa_graph(SpeechGraph(place, read_voice_card(place)), "en-us")
        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        with load_voice(place, engine="onnx") as voice:
            expected = voice.say(SENTENCES[1]).samples
            samples = spoken(session, tokens_of(voice, SENTENCES[1]))
        assert_said(samples, expected, bound)


def test_a_voice_in_eight_bits_is_written_in_floats_too(few_words, tmp_path):
    place = make_voice(tmp_path, melody=True, harmonic=True, precision="int8")
    expected = load_voice(place, engine="torch").say(SENTENCES[1]).samples
    voice = load_voice(place, engine="onnx")
    tokens, distance = tokens_of(voice, SENTENCES[1]), {}
    for precision in (None, "float32", "float16"):
        done = export_sherpa(str(place), tmp_path / str(precision), precision=precision)
        session = onnxruntime.InferenceSession(done.folder / "model.onnx", providers=["CPUExecutionProvider"])
        samples = spoken(session, tokens)
        distance[precision] = np.abs(samples[: len(expected)] - expected).max() / np.abs(expected).max()
    assert distance["float32"] < 1e-4 and distance["float16"] < 5e-4 < distance[None]
    with pytest.raises(ConfigError, match="8 bits or not"):
        export_sherpa(str(place), tmp_path / "again", precision="int8")
    for name in ("acoustic", "vocoder"):
        shutil.rmtree(place / name)
    with pytest.raises(VoiceError, match="its models"):
        export_sherpa(str(place), tmp_path / "again", precision="float32")


def test_the_metadata_is_what_is_asked_for(made):
    *_, graph = made("speakers")
    model = onnx.load_from_string(graph)
    onnx.checker.check_model(model, full_check=False)
    stored = {entry.key: entry.value for entry in model.metadata_props}
    expected = {"sample_rate": "22050", "n_speakers": "2", "language": "English", "add_blank": "0", "jieba": "0"}
    assert expected.items() <= stored.items()
    assert stored["punctuation"].split() == [",", ".", "?", "!", ";", ":"]
    assert not any(word in stored["comment"] for word in ("piper", "coqui", "icefall", "melo", "Inflect"))
    names = [value.name for value in model.graph.input]
    assert names == ["x", "x_length", "noise_scale", "length_scale", "noise_scale_w", "sid"]
    assert {entry.domain for entry in model.opset_import} <= {"", "com.microsoft"}


def test_the_transform_is_that_of_numpy():
    frames = np.random.default_rng(0).normal(size=(3, 1200)).astype(np.float32)
    for size in (1024, 1200, 22, 64):
        graph = GraphBuilder(opset=18)
        fourier = FourierGraph(graph, size)
        real, imaginary = fourier.forward(graph.input("frames", ["T", size]))
        for name, value in (("r", real), ("i", imaginary), ("back", fourier.inverse(real, imaginary))):
            graph.output(value, name, None)
        session = onnxruntime.InferenceSession(
            graph.model("fourier", {}).SerializeToString(), providers=["CPUExecutionProvider"]
        )
        given = np.ascontiguousarray(frames[:, :size])
        real, imaginary, back = session.run(None, {"frames": given})
        np.testing.assert_allclose(real + 1j * imaginary, np.fft.rfft(given.astype(np.float64)), atol=2e-4)
        np.testing.assert_allclose(back, given, atol=2e-6)


@pytest.fixture
def few_words(monkeypatch):
    british = ["hello", "flatcar", "naïve"]
    monkeypatch.setattr(FrontEnd, "words", lambda self: british if self.language == "en-gb" else WORDS)


def test_the_lexicon_has_words_genitives_letters_and_numbers(few_words):
    entries = dict(lexicon_entries(load_front_end("en-us"), Tokenizer()))
    assert entries["hello"] == "h ɛ l ˈ oʊ"
    assert entries["dog's"].endswith("ɡ z") and "can't" in entries and "can't's" not in entries
    assert entries["b"] == "b ˈ i"
    assert entries["hinders'"] == entries["hinders"] and "yes'" not in entries
    assert entries["rev"] == "ɹ ˈ ɛ v ɚ ə n d" and entries["etc"].count(" _ ") == 1
    assert entries["fbi"] == "ˈ ɛ f _ b ˈ i _ ˈ aɪ"
    assert entries["the''"] == "ð i" and entries["a''"] == "ˈ eɪ" and entries["—"] == "—" and entries["；"] == ";"
    assert entries["live"] == "l ˈ aɪ v" and entries["live''"] == "l ˈ ɪ v"
    assert entries[PIECE_END] == "_ <pad>"
    assert entries["flatcar"].startswith("f l") and "naïve" not in entries
    assert entries["1984"].count(" _ ") == 2 and "2099" in entries and "2100" not in entries
    assert {"21st", "12th", "1990s"} <= set(entries)
    assert "a.m." not in entries and "josé" not in entries  # sherpa-onnx cuts there itself
    pieces = piece_entries(load_letter_to_sound())
    assert all(entries[piece].endswith(" <pad>") for piece in pieces.values())
    known = {*Tokenizer().symbols, "_"}
    assert all(symbol in known for spoken in entries.values() for symbol in spoken.split())


def test_the_tokens_have_two_names_for_the_boundary():
    lines = tokens_table(Tokenizer()).splitlines()
    numbers = dict(line.rsplit(" ", 1) for line in lines)
    assert numbers[" "] == numbers["_"] == str(Tokenizer().symbols.index(" "))
    assert len(lines) == len(Tokenizer()) + 1


def test_the_command_writes_a_folder(made, few_words, tmp_path, capsys):
    _, _, place, graph = made("plain")
    arguments = ["export", "voice", str(place), "--to", "sherpa-onnx", "-o", str(tmp_path / "out")]
    (tmp_path / "out").mkdir()  # an empty folder is in nobody's way
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["files"]) == set(FILES) == {file.name for file in (tmp_path / "out").iterdir()}
    assert (tmp_path / "out" / "model.onnx").read_bytes() == graph
    assert "--vits-lexicon=out/lexicon.txt" in (tmp_path / "out" / "README.md").read_text()
    assert main(arguments) == 2 and "--force" in capsys.readouterr().err
    assert main([*arguments, "--force"]) == 0
    capsys.readouterr()
    (tmp_path / "out" / "mine.txt").write_text("keep me")
    assert main([*arguments, "--force"]) == 2 and (tmp_path / "out" / "mine.txt").is_file()
    assert "other files" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nora", "-o", "x"], "is a voice already"),
        (["-o", "x"], "--acoustic, --vocoder, --licence"),
        (["nora", "--to", "sherpa-onnx", "-o", "x", "--licence", "CC0-1.0"], "leave --licence out"),
        (["nobody", "--to", "sherpa-onnx", "-o", "x"], "nobody"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["export", "voice", *arguments]) == 2
    told = capsys.readouterr().err.strip()
    assert message in told and len(told.splitlines()) == 1
    assert not (tmp_path / "x").exists()


def test_what_one_graph_cannot_do_is_refused(made, tmp_path, monkeypatch):
    _, _, place, _ = made("plain")
    card = read_voice_card(place)
    loud = dataclasses.replace(card, defaults=dataclasses.replace(card.defaults, denoise=0.01))
    with pytest.raises(VoiceError, match="denoiser"):
        SpeechGraph(place, loud)
    with pytest.raises(VoiceError, match="no graphs"):
        SpeechGraph(tmp_path, card)
    monkeypatch.setattr(FrontEnd, "words", lambda self: [])
    shutil.copytree(place, tmp_path / "part")
    (tmp_path / "part" / "vocoder.onnx").unlink()
    with pytest.raises(VoiceError, match=r"is damaged, it lacks vocoder\.onnx"):  # before the words are gone through
        export_sherpa(str(tmp_path / "part"), tmp_path / "out")
    shutil.rmtree(tmp_path / "part")
    with pytest.raises(TextError, match="no list of words"):
        export_sherpa(str(place), tmp_path / "out")
    assert not list(tmp_path.iterdir())


BROWSER_SCRIPT = """
import fs from 'node:fs';
import * as ort from 'onnxruntime-web/wasm';
ort.env.wasm.numThreads = 1;
const [model, tokens] = process.argv.slice(2);
const session = await ort.InferenceSession.create(new Uint8Array(fs.readFileSync(model)));
const ids = BigInt64Array.from(JSON.parse(tokens).map(BigInt));
const scale = (value) => new ort.Tensor('float32', [value], [1]);
const given = {
  x: new ort.Tensor('int64', ids, [1, ids.length]),
  x_length: new ort.Tensor('int64', [BigInt(ids.length)], [1]),
  noise_scale: scale(0.667), length_scale: scale(1), noise_scale_w: scale(0.8),
};
const { samples } = await session.run(given);
fs.writeFileSync('samples.f32', new Uint8Array(samples.data.buffer, samples.data.byteOffset, samples.data.byteLength));
"""
NODE_MODULES = Path(os.environ.get("GLOWVOX_NODE_MODULES", "node_modules"))


@pytest.mark.skipif(
    shutil.which("node") is None or not (NODE_MODULES / "onnxruntime-web").is_dir(),
    reason="node with onnxruntime-web is not here",
)
def test_the_graph_speaks_in_web_assembly(made, tmp_path):
    voice, _, _, graph = made("melody and source")
    (tmp_path / "node_modules").symlink_to(NODE_MODULES.absolute())
    (tmp_path / "model.onnx").write_bytes(graph)
    (tmp_path / "speak.mjs").write_text(BROWSER_SCRIPT)
    tokens = json.dumps(tokens_of(voice, SENTENCES[1])[0].tolist())
    subprocess.run(["node", "speak.mjs", "model.onnx", tokens], cwd=tmp_path, check=True, capture_output=True)
    assert_said(np.fromfile(tmp_path / "samples.f32", np.float32), voice.say(SENTENCES[1]).samples, 1e-4)


SCRIPT = """
import sys
import numpy as np
import sherpa_onnx
folder, out, *texts = sys.argv[1:]
files = [f"{folder}/{name}" for name in ("model.onnx", "lexicon.txt", "tokens.txt")]
vits = sherpa_onnx.OfflineTtsVitsModelConfig(model=files[0], lexicon=files[1], tokens=files[2])
rules = ",".join(f"{folder}/{name}.fst" for name in ("rules", "words", "letters"))
config = sherpa_onnx.OfflineTtsConfig(model=sherpa_onnx.OfflineTtsModelConfig(vits=vits), rule_fsts=rules)
speech = sherpa_onnx.OfflineTts(config)
how = sherpa_onnx.GenerationConfig()
how.silence_scale = 1.0
np.savez(out, *[np.array(speech.generate(text, how).samples, np.float32) for text in texts])
"""


@pytest.mark.skipif(importlib.util.find_spec("sherpa_onnx") is None, reason="sherpa-onnx is not installed")
def test_sherpa_onnx_speaks(made, few_words, tmp_path):
    voice, _, place, _ = made("melody and source")
    export_sherpa(str(place), tmp_path / "out")
    texts = ["Hello, world.", "Yes. Hello world", "hello dog's - 1984!", "Yes-yes: “hello” world"]
    run = [sys.executable, "-c", SCRIPT, str(tmp_path / "out"), str(tmp_path / "said.npz"), *texts]
    subprocess.run(run, check=True, capture_output=True)
    first, second, third, fourth = np.load(tmp_path / "said.npz").values()
    expected = voice.say(texts[0]).samples
    assert_said(first, expected, 1e-4)
    pause = round(0.2 * voice.sample_rate)
    alone = [voice.say(text).samples for text in ("Yes.", "Hello world")]
    assert len(second) == len(alone[0]) + pause + len(alone[1])
    assert_said(second, alone[0], 1e-4)
    assert_said(second[-len(alone[1]) :], alone[1], 1e-4)
    assert len(third) > pause
    assert_said(fourth, voice.say("Yes yes: hello world").samples, 1e-4)
