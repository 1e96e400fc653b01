"""A trained model written for an engine: made aside, compared with PyTorch, and only then put into its place."""

import dataclasses
import importlib
import importlib.util
import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from glowvox import __version__
from glowvox.checkpoint.model_folder import ModelCard, find_model_folder, load_model, read_card
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.engines.base import AcousticEngine, VocoderEngine
from glowvox.engines.graph_engine import (
    DECODER_NAME,
    ENCODER_NAME,
    FINAL,
    METADATA_KEY,
    POSITION,
    STREAM_KEY,
    VOCODER_NAME,
    GraphCard,
    StreamCard,
    read_metadata,
)
from glowvox.engines.onnx_engine import OnnxAcoustic, OnnxVocoder, quiet_telemetry
from glowvox.engines.openvino_engine import OpenVinoAcoustic, OpenVinoVocoder, openvino_library
from glowvox.engines.torch_engine import TorchVocoder, pitch_network, source_mix_network
from glowvox.errors import EngineError
from glowvox.export.glow_tts_graph import write_decoder, write_encoder
from glowvox.export.graph_builder import GraphBuilder, Precision, StoredWeights
from glowvox.export.parity import Parity, acoustic_parity, vocoder_parity
from glowvox.export.waveglow_graph import write_waveglow
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.waveglow import WaveGlow
from glowvox.synthesis.vocoder import Vocoder

if TYPE_CHECKING:
    import onnx


def write_openvino(source: Path, card: GraphCard, precision: Precision) -> list[Path]:
    """Write an ONNX file as OpenVINO's .xml, with the card inside, and .bin, the weights, beside it; return both.

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


_LARGEST_BATCH, _USUAL_FRAMES, _MOST_FRAMES = 8, 256, 2048
_MOST_PLACES = 1 << 40


def require_tensorrt() -> None:
    """Check that an engine can be built here, before any work is done.

    Raises:
        EngineError: the package or the GPU is missing.
    """
    if importlib.util.find_spec("tensorrt") is None:
        raise EngineError(
            "--to tensorrt needs NVIDIA's package 'tensorrt', which is not installed: pip install tensorrt; "
            "an ONNX file (--to onnx) can be built into an engine elsewhere, with trtexec"
        )
    import torch

    if not torch.cuda.is_available():
        raise EngineError("--to tensorrt builds an engine for an NVIDIA GPU, and this machine has none that is usable")


def write_tensorrt(source: Path, card: GraphCard, precision: Precision) -> Path:
    """Build an ONNX file into a TensorRT engine beside it, for the GPU of this machine, and return that.

    Untested: TensorRT's libraries could not be had where this was written. The graphs keep within what its ONNX parser
    takes (operator set 17; no loops, branches, strings or sequences).

    Args:
        source: the .onnx file.
        card: of the graph.
        precision: 'float16' lets TensorRT compute in half precision; 'int8' is refused, it needs calibration.

    Raises:
        EngineError: TensorRT cannot parse or build the graph.
    """
    if precision == "int8":
        raise EngineError("int8 engines need calibration data; for TensorRT choose float32 or float16")
    tensorrt: Any = importlib.import_module("tensorrt")
    builder = tensorrt.Builder(tensorrt.Logger(tensorrt.Logger.ERROR))
    network = builder.create_network(0)
    parser = tensorrt.OnnxParser(network, tensorrt.Logger(tensorrt.Logger.ERROR))
    if not parser.parse(source.read_bytes()):
        problems = "; ".join(str(parser.get_error(index)) for index in range(parser.num_errors))
        raise EngineError(f"TensorRT cannot parse the graph: {problems[:300]}")
    config = builder.create_builder_config()
    if precision == "float16":
        config.set_flag(tensorrt.BuilderFlag.FP16)
    profile = builder.create_optimization_profile()
    stream = StreamCard.from_json(read_metadata(source).get(STREAM_KEY), str(source))
    for index in range(network.num_inputs):
        value = network.get_input(index)
        if value.name in (POSITION, FINAL):
            profile.set_shape_input(value.name, (0,), (0,), (_MOST_PLACES if value.name == POSITION else 1,))
        elif stream is not None and value.name in stream.states:
            profile.set_shape(value.name, *_state_sizes(*stream.states[value.name], most=_most_rows(stream, card)))
        else:
            profile.set_shape(value.name, *_sizes(value.name, tuple(value.shape), card))
    config.add_optimization_profile(profile)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise EngineError("TensorRT could not build an engine from the graph; its own messages say why")
    place = source.with_suffix(".engine")
    place.write_bytes(bytes(engine))
    return place


def _most_rows(stream: StreamCard, card: GraphCard) -> int:
    """Return the rows that wait at most: those of all frames between a frame's arrival and its result."""
    return (stream.delay + 1) * (card.audio.hop_length // card.n_group if card.n_group else 1)


def _state_sizes(rows: int, channels: int, *, most: int) -> list[tuple[int, ...]]:
    """Return the shapes of a state: none or the first piece's zeros, and as much as the end of a piece may leave."""
    return [(1, 0, channels), (1, rows, channels), (_LARGEST_BATCH, max(2 * rows, most), channels)]


def _sizes(name: str, shape: tuple[int, ...], card: GraphCard) -> list[tuple[int, ...]]:
    """Return the smallest, the usual and the largest shape of an input, whose free lengths are -1."""
    per_frame = card.audio.hop_length // card.n_group if name == "latent" and card.n_group else 1
    found = []
    for batch, frames in ((1, card.n_squeeze), (1, _USUAL_FRAMES), (_LARGEST_BATCH, _MOST_FRAMES)):
        whole = frames // card.n_squeeze * card.n_squeeze * per_frame
        found.append((batch, *(whole if size == -1 else size for size in shape[1:])))
    return found


def quantised(model: "onnx.ModelProto", products: Sequence[str]) -> "onnx.ModelProto":
    """Return the graph with some of its matrix products in 8 bits, one scale per output channel.

    Weights are stored as int8; activations are quantised when the graph runs, by the scale of the window that they are
    in. So what a window gives depends, by as much as the loss measured, on what else is in it: windows and batches join
    without a seam, but not to the last digit.

    Args:
        model: made with the precision 'int8', whose products are free of biases.
        products: names of the nodes (see `GraphBuilder.quantisable`).
    """
    import onnx

    quiet_telemetry()
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.getLogger().addFilter(_not_about_preprocessing)
    try:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "quantised.onnx"
            quantize_dynamic(
                model,
                out,
                op_types_to_quantize=["MatMul"],
                nodes_to_quantize=list(products),
                per_channel=True,
                weight_type=QuantType.QInt8,
            )
            result = onnx.load(out)
    finally:
        logging.getLogger().removeFilter(_not_about_preprocessing)
    del result.metadata_props[:]
    result.metadata_props.extend(model.metadata_props)
    return result


def _not_about_preprocessing(record: logging.LogRecord) -> bool:
    return "pre-processing" not in record.getMessage()


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
        mix = source_mix_network(model)
        common["source_mix"] = {} if mix is None else mix.to_dict()
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
    *,
    ranges: Mapping[str, Mapping[str, float]] | None = None,
    observe: bool = False,
) -> None:
    """Write a model's graphs into a folder of the caller's own.

    Args:
        model: the weights.
        cards: of the graphs, by the names of their files.
        folder: to write into.
        precision: how large matrices are stored.
        weights: the model's own file where it shall lie beside the graphs, which then do not repeat it.
        ranges: for 'int8', by the names of the files; see `GraphBuilder`.
        observe: give out what `ranges` is made of.

    Raises:
        OSError: the folder cannot be written.
    """
    for name, card in cards.items():
        own = None if ranges is None else ranges[name]
        graph = GraphBuilder(precision, weights, ranges=own, observe=observe)
        metadata = {METADATA_KEY: dataclasses.replace(card, precision=precision).to_json()}
        if isinstance(model, WaveGlow):
            metadata[STREAM_KEY] = write_waveglow(graph, model).to_json()
        elif name == ENCODER_NAME:
            write_encoder(graph, model)
        else:
            metadata[STREAM_KEY] = write_decoder(graph, model).to_json()
        made = graph.model(card.type, metadata)
        if precision == "int8" and ranges is None:
            made = quantised(made, graph.quantisable)
        (folder / name).write_bytes(made.SerializeToString())


Target = Literal["onnx", "openvino", "tensorrt"]


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote, and what it is worth."""

    files: tuple[Path, ...]
    """What was written, in its place."""
    parity: Parity
    """Of the float32 graphs: the proof that they compute what the model computes."""
    loss: Parity | None
    """What the wished-for precision or engine changes beyond that; None for float32 ONNX, or where it cannot be run."""


def export_model(
    path: str | Path,
    out: str | Path,
    *,
    target: Target = "onnx",
    precision: Precision = "float32",
) -> ExportReport:
    """Write a model for an engine.

    Args:
        path: a model folder or training run.
        out: the folder to write into; files of the same names are replaced, others are left alone.
        target: 'onnx', 'openvino' (an .xml and a .bin beside each other), or 'tensorrt' (an engine for the GPU of this
            machine, untested).
        precision: 'float16' halves the files and computes in float32; 'int8' (ONNX only) quarters them.

    Raises:
        CheckpointError: no model there, or damaged.
        EngineError: the graph differs from the model, or cannot be written.
        MissingExtraError: the target needs a package that is not installed.
    """
    if target == "openvino" and precision == "int8":
        raise EngineError("int8 graphs are written with --to onnx; for OpenVINO choose float32 or float16")
    if target == "tensorrt":
        require_tensorrt()
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise EngineError(f"{out}: is a file; name a folder")
    model, card = load_model(path), read_card(find_model_folder(path))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export.", dir=folder) as aside:
            parity, loss, made = _made(model, graph_cards(model, card), Path(aside), target, precision)
            parity.require(str(path))
            files = tuple(folder / place.name for place in made)
            for source, destination in zip(made, files, strict=True):
                source.replace(destination)
    except OSError as error:
        raise EngineError(f"{out}: cannot be written ({error.strerror or error})") from error
    return ExportReport(files, parity, loss)


def _made(
    model: WaveGlow | GlowTTS, cards: dict[str, Any], aside: Path, target: Target, precision: Precision
) -> tuple[Parity, Parity | None, Sequence[Path]]:
    """Write all files below `aside`; return the proof, the loss and the files that were wished for."""
    exact = aside / "float32"
    exact.mkdir()
    write_graphs(model, cards, exact, "float32")
    parity = _parity(model, _onnx_engine(model, exact), proof=True)
    if target == "tensorrt":
        return parity, None, [write_tensorrt(exact / name, cards[name], precision) for name in cards]
    if target == "openvino":
        made = [file for name in cards for file in write_openvino(exact / name, cards[name], precision)]
        return parity, _parity(model, openvino_engine(model, exact)), made
    if precision == "float32":
        return parity, None, [exact / name for name in cards]
    smaller = aside / precision
    smaller.mkdir()
    write_graphs(model, cards, smaller, precision)
    return parity, _parity(model, _onnx_engine(model, smaller)), [smaller / name for name in cards]


def _onnx_engine(model: WaveGlow | GlowTTS, folder: Path) -> VocoderEngine | AcousticEngine:
    return OnnxVocoder.load(folder, threads=1) if isinstance(model, WaveGlow) else OnnxAcoustic.load(folder, threads=1)


def _parity(model: WaveGlow | GlowTTS, engine: VocoderEngine | AcousticEngine, *, proof: bool = False) -> Parity:
    if isinstance(model, WaveGlow):
        assert isinstance(engine, VocoderEngine)
        return vocoder_parity(model, engine, proof=proof)
    assert isinstance(engine, AcousticEngine)
    return acoustic_parity(model, engine, proof=proof)
