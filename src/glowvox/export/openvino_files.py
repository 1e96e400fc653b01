"""Graphs in OpenVINO's own format: an .xml with the card inside, and a .bin with the weights."""

import dataclasses
from pathlib import Path

from glowvox.engines.acoustic import AcousticEngine
from glowvox.engines.base import VocoderEngine
from glowvox.engines.graph_card import METADATA_KEY, GraphCard
from glowvox.engines.onnx_file import read_metadata
from glowvox.engines.openvino_engine import OpenVinoAcoustic, OpenVinoVocoder, openvino_library
from glowvox.engines.stream_card import STREAM_KEY
from glowvox.export.graph_builder import Precision
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.waveglow import WaveGlow


def write_openvino(source: Path, card: GraphCard, precision: Precision) -> list[Path]:
    """Write an ONNX file as an .xml and a .bin beside it, and return both.

    Raises:
        MissingExtraError: OpenVINO is not installed.
    """
    openvino = openvino_library()
    model = openvino.convert_model(source)
    model.set_rt_info(dataclasses.replace(card, precision=precision).to_json(), [METADATA_KEY])
    stream = read_metadata(source).get(STREAM_KEY)
    if stream is not None:
        model.set_rt_info(stream, [STREAM_KEY])
    place = source.with_suffix(".xml")
    openvino.save_model(model, place, compress_to_fp16=precision == "float16")
    return [place, place.with_suffix(".bin")]


def openvino_engine(model: WaveGlow | GlowTTS, folder: Path) -> VocoderEngine | AcousticEngine:
    """Return the engine that runs what `write_openvino` wrote into a folder, in float32."""
    kind = OpenVinoVocoder if isinstance(model, WaveGlow) else OpenVinoAcoustic
    return kind.load(folder, threads=1, precision="float32")
