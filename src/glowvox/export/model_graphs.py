"""A model as files of graphs, with their cards."""

import dataclasses
from pathlib import Path
from typing import Any

from glowvox import __version__
from glowvox.checkpoint.folder import ModelCard
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.engines.graph_card import METADATA_KEY, GraphCard
from glowvox.engines.graph_files import DECODER_NAME, ENCODER_NAME, VOCODER_NAME
from glowvox.engines.stream_card import STREAM_KEY
from glowvox.engines.torch_vocoder import TorchVocoder, pitch_network
from glowvox.export.glow_tts_graph import write_decoder, write_encoder
from glowvox.export.graph_builder import GraphBuilder, Precision
from glowvox.export.quantisation import quantised
from glowvox.export.stored_weights import StoredWeights
from glowvox.export.waveglow_graph import write_waveglow
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.waveglow import WaveGlow
from glowvox.synthesis.vocoder import Vocoder


def graph_cards(model: WaveGlow | GlowTTS, card: ModelCard) -> dict[str, GraphCard]:
    """Return the cards of a model's graphs, by the names of their files."""
    provenance = {key: value for key, value in card.provenance.items() if key != "text"}
    if card.steps is not None:
        provenance["steps"] = card.steps
    common: dict[str, Any] = {"audio": card.config.audio, "provenance": provenance, "glowvox": __version__}
    if isinstance(model, WaveGlow):
        assert isinstance(card.config, WaveGlowConfig)
        common |= {"n_group": card.config.n_group, "receptive_field": model.receptive_field}
        common["refine"] = card.config.refine
        predictor = pitch_network(model)
        common["pitch"] = {} if predictor is None else predictor.to_dict()
        bias = Vocoder(TorchVocoder(model)).denoiser.spectrum[:, 0]
        return {VOCODER_NAME: GraphCard(type="waveglow", **common).with_bias(bias.tolist())}
    config = card.config
    assert isinstance(config, GlowTTSConfig)
    common |= {name: getattr(config, name) for name in ("n_symbols", "n_speakers", "n_squeeze", "melody")}
    text = card.provenance.get("text")
    common["text"] = text if isinstance(text, dict) else {}
    decoder = GraphCard(type="glow_tts_decoder", receptive_field=model.decoder.receptive_field, **common)
    return {ENCODER_NAME: GraphCard(type="glow_tts_encoder", **common), DECODER_NAME: decoder}


def write_graphs(
    model: WaveGlow | GlowTTS,
    cards: dict[str, GraphCard],
    folder: Path,
    precision: Precision,
    weights: StoredWeights | None = None,
) -> None:
    """Write a model's graphs into a folder of the caller's own.

    Args:
        model: the weights.
        cards: of the graphs, by the names of their files.
        folder: to write into.
        precision: how large matrices are stored.
        weights: the model's own file where it shall lie beside the graphs, which then do not repeat it.

    Raises:
        OSError: the folder cannot be written.
    """
    for name, card in cards.items():
        graph = GraphBuilder(precision, weights)
        metadata = {METADATA_KEY: dataclasses.replace(card, precision=precision).to_json()}
        if isinstance(model, WaveGlow):
            metadata[STREAM_KEY] = write_waveglow(graph, model).to_json()
        elif name == ENCODER_NAME:
            write_encoder(graph, model)
        else:
            write_decoder(graph, model)
        made = graph.model(card.type, metadata)
        if precision == "int8":
            made = quantised(made, graph.quantisable)
        (folder / name).write_bytes(made.SerializeToString())
