"""`glowvox convert-voice`: a voice of two speakers, or a model with a vocoder."""

import json
import shutil

import numpy as np
import pytest
import soundfile
from tiny_voice import acoustic_model, vocoder_model, write_tiny_voice

from glowvox.checkpoint.model_folder import save_model
from glowvox.cli.main import main
from glowvox.text.front_end import load_front_end
from glowvox.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("convert")
    write_tiny_voice(folder / "pair", folder / "models", speakers=("ann", "bob"))
    text = {
        "tokenizer": Tokenizer().to_dict(),
        "front_ends": {"en-us": load_front_end("en-us").to_dict()},
        "speakers": ["ann", "bob"],
    }
    save_model(acoustic_model(2), folder / "run", provenance={"text": text})
    save_model(acoustic_model(1), folder / "alone", provenance={"text": {**text, "speakers": ["ann"]}})
    save_model(vocoder_model(), folder / "vocoder")
    time = np.arange(22050) / 22050
    samples = 0.1 * np.sin(2 * np.pi * 150 * time) + 0.01 * np.random.default_rng(0).standard_normal(len(time))
    soundfile.write(folder / "in.wav", samples.astype(np.float32), 22050)
    (folder / "in.txt").write_text("We were away.", encoding="utf-8")
    return folder


def test_a_voice_converts(place, tmp_path, capsys):
    out = tmp_path / "out.wav"
    assert (
        main(["convert-voice", str(place / "in.wav"), "--to", "bob", "-o", str(out), "--voice", str(place / "pair")])
        == 0
    )
    assert f"{out}: 1.00 s, from " in capsys.readouterr().out
    samples, rate = soundfile.read(out)
    assert rate == 22050 and len(samples) == 22050 and np.isfinite(samples).all()


def test_a_voice_converts_with_its_own_noise(place, tmp_path):
    shutil.copytree(place / "pair", tmp_path / "pair")
    card = tmp_path / "pair" / "voice.json"
    told = json.loads(card.read_text("utf-8"))
    assert told["defaults"]["sigma"] != 0.9 and told["defaults"]["postfilter"] == 0.0
    told["defaults"] |= {"sigma": 0.9, "refine": 1, "postfilter": 0.5}
    card.write_text(json.dumps(told), "utf-8")

    def convert(voice, *options):
        out = tmp_path / "out.wav"
        words = ["convert-voice", str(place / "in.wav"), "--to", "bob", "-o", str(out), "--voice", str(voice)]
        assert main([*words, *options]) == 0
        return soundfile.read(out)[0]

    own = convert(tmp_path / "pair")
    np.testing.assert_array_equal(own, convert(tmp_path / "pair", "--sigma", "0.9"))
    assert np.abs(own - convert(tmp_path / "pair", "--sigma", "0.5")).max() > 0
    assert np.abs(own - convert(place / "pair", "--sigma", "0.9")).max() > 0


def test_a_model_and_a_vocoder_convert(place, tmp_path, capsys):
    models = ["--model", str(place / "run"), "--vocoder", str(place / "vocoder")]
    words = [str(place / "in.wav"), "We were here.", "--to", "bob", "--from", "ann", "-o", str(tmp_path / "o.wav")]
    assert main(["convert-voice", *words, *models, "--json", "--residual", "0.5"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["source"] == "ann" and told["target"] == "bob" and set(told["before"]) == {"ann", "bob"}
    gain = told["after"]["bob"] - told["after"]["ann"]
    assert told["target_over_source_after"] == pytest.approx(gain)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "eve", "--voice", "{0}/pair"], "no speaker 'eve'"),
        (["--to", "bob", "--model", "{0}/run"], "name a vocoder"),
        (["--to", "bob", "--model", "{0}/alone", "--vocoder", "{0}/vocoder"], "several speakers"),
        (["--to", "bob", "--voice", "{0}/pair", "--residual", "2"], "between 0 and 1"),
        (["--to", "bob", "--voice", "{0}/nothing"], "there is no voice"),
    ],
)
def test_mistakes_are_one_line(place, tmp_path, capsys, words, message):
    out = tmp_path / "out.wav"
    given = [word.format(place) for word in words]
    assert main(["convert-voice", str(place / "in.wav"), "-o", str(out), *given]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1 and not out.exists()
