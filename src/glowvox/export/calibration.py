"""How large the activations of a voice are when it speaks: what constant scales for 8 bits are made of.

A scale that is measured while speaking (dynamic quantisation) depends on whatever is computed at once, so that a chunk
of a stream is not what the whole is. Measured beforehand, on sentences spoken by the voice itself, it is a constant.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from glowvox.checkpoint.model_folder import load_model, read_card
from glowvox.engines.graph_engine import DECODER_NAME, ENCODER_NAME, VOCODER_NAME
from glowvox.engines.onnx_engine import OnnxAcoustic, OnnxVocoder
from glowvox.errors import VoiceError
from glowvox.export.export_model import graph_cards, write_graphs
from glowvox.synthesis.voice import Voice
from glowvox.synthesis.voice_card import VoiceCard

Ranges = Mapping[str, Mapping[str, float]]
"""The largest magnitude that each product is given, by the names of the graph and of the product."""

_SENTENCES = {
    "en": (
        "The quick brown fox jumps over the lazy dog, and nobody minds.",
        "Why would anyone measure a river by the noise it makes?",
        "Stop! You cannot go any further tonight.",
        "Seventeen young engineers shared one small, yellow kitchen for a year.",
        "She said that the weather, as usual, had nothing to do with it.",
        "Put the measuring jug on the shelf beside the vinegar and the oil.",
        "Joy, though rare enough in those days, was heard through every wall.",
        "Is this the train to Chesterfield, or the one that leaves from platform three?",
        "Whole oceans of thought lay hidden behind his short, thin smile.",
        "No.",
    ),
    "de": (
        "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
        "Warum misst jemand einen Fluss an dem Geräusch, das er macht?",
        "Halt! Heute Nacht könnt ihr nicht weiterfahren.",
        "Siebzehn junge Leute teilten sich ein Jahr lang eine kleine, gelbe Küche.",
        "Sie sagte, das Wetter habe, wie üblich, nichts damit zu tun.",
        "Stell den Messbecher auf das Regal neben den Essig und das Öl.",
        "Fröhlich war in jenen Tagen kaum einer, doch man hörte ihn durch alle Wände.",
        "Ist das der Zug nach Chemnitz, oder fährt er von Gleis drei?",
        "Nein.",
    ),
}
_TEMPERATURES = (0.2, 0.667)


def observed_ranges(models: Mapping[str, Path], card: VoiceCard, sentences: Sequence[str] = ()) -> Ranges:
    """Return how large the activations of a voice's graphs are while every speaker says some sentences.

    Args:
        models: the model folders, by 'acoustic' and 'vocoder'.
        card: of the voice that they make.
        sentences: what every speaker says; empty: English or German ones.

    Raises:
        VoiceError: there is nothing to say in the voice's language.
        EngineError: the graphs cannot be run.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for path in models.values():
            model = load_model(path)
            write_graphs(model, graph_cards(model, read_card(path)), folder, "float32", observe=True)
        acoustic, vocoder = OnnxAcoustic.load(folder, threads=1), OnnxVocoder.load(folder, threads=1)
        voice = Voice(card, acoustic, vocoder, threads=1)
        for speaker in card.speakers:
            language = card.speaker_languages.get(speaker, card.language)
            said = sentences or _SENTENCES.get(language.split("-")[0])
            if not said:
                raise VoiceError(
                    f"there are no sentences in '{language}' to measure the scales of 8 bits on; name a file of some "
                    "with --calibration, or choose the precision float16"
                )
            for seed, text in enumerate(said):
                for temperature in _TEMPERATURES:
                    voice.say(
                        text,
                        speaker=speaker,
                        language=language,
                        temperature=temperature,
                        seed=seed,
                        on_warning=_unheard,
                    )
        encoder, decoder = acoustic.ranges
        return {ENCODER_NAME: encoder, DECODER_NAME: decoder, VOCODER_NAME: vocoder.ranges}


def _unheard(warning: str) -> None:
    """Take a warning about a word; how it is read does not matter here."""
