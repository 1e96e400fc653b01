"""A voice in the format of version 0.1.0 still loads and sounds: a decoder of whole latents, a pitch in the card."""

from pathlib import Path

import numpy as np
import pytest

from glowvox.engines.onnx_engine import OnnxAcoustic, OnnxVocoder
from glowvox.engines.openvino_engine import OpenVinoAcoustic, OpenVinoVocoder
from glowvox.errors import EngineError
from glowvox.synthesis.installed_voices import load_voice
from glowvox.synthesis.voice import joined

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
VOICE = GOLDEN / "released_voice_1"


@pytest.fixture(scope="module")
def wanted():
    with np.load(GOLDEN / "released_voice_1.vectors.npz") as vectors:
        return dict(vectors)


def _assert_near(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("name", ["onnx", "openvino"])
def test_its_graphs_give_what_they_gave(wanted, name):
    kinds, more = (OnnxAcoustic, OnnxVocoder), {}
    if name == "openvino":
        pytest.importorskip("openvino")
        kinds, more = (OpenVinoAcoustic, OpenVinoVocoder), {"precision": "float32"}
    acoustic, vocoder = (kind.load(VOICE, threads=1, **more) for kind in kinds)
    encoded = acoustic.encode(wanted["tokens"], np.array([wanted["tokens"].shape[1]]))
    for part in ("mean", "log_duration", "melody"):
        _assert_near(getattr(encoded, part), wanted[part])
    frames = np.array([wanted["latent"].shape[2]])
    _assert_near(acoustic.decode(wanted["latent"], frames, None, wanted["comb"]), wanted["mel"])
    assert acoustic.decoder_delay is None
    with pytest.raises(EngineError, match="whole latents only"):
        acoustic.begin_decoding()
    assert vocoder.pitch.receptive_field == 6
    _assert_near(vocoder.pitch(wanted["mel"][0]), wanted["logits"])
    _assert_near(vocoder.run(wanted["noise"], wanted["mel"]), wanted["samples"])


def test_it_speaks():
    voice = load_voice(VOICE, engine="onnx", threads=1)
    text = "Hello, world. " + "This sentence has many more words than the other one, so that it is long. " * 2
    whole = voice.say(text).samples
    assert len(whole) > 5000 and np.abs(whole).max() > 0.1
    streamed = joined(voice.stream(text)).samples
    np.testing.assert_allclose(streamed, whole, rtol=0, atol=1e-4 * np.abs(whole).max())
