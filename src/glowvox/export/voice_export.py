"""A voice made of two trained models: checked, written as graphs, compared with PyTorch, described and packed.

A voice that may be trained further holds its models' weights once: the graphs refer to the files of the model folders
beside them (see `stored_weights`).
"""

import dataclasses
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from glowvox import __version__
from glowvox.checkpoint.folder import ModelCard, read_card, save_tensors
from glowvox.checkpoint.location import CONFIG_NAME, WEIGHTS_NAME
from glowvox.checkpoint.model_folder import load_model, load_tensors
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.schema import from_dict, to_dict
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.engines.onnx_engine import OnnxAcoustic, OnnxVocoder
from glowvox.errors import ConfigError, VoiceError
from glowvox.export.graph_builder import Precision
from glowvox.export.model_graphs import graph_cards, write_graphs
from glowvox.export.parity import Parity, acoustic_parity, vocoder_parity
from glowvox.export.stored_weights import StoredWeights
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.waveglow import WaveGlow
from glowvox.synthesis.speech_options import SpeechOptions
from glowvox.synthesis.voice_archive import ARCHIVE_SUFFIX, pack_voice
from glowvox.synthesis.voice_card import VocoderCard, VoiceCard, check_contracts
from glowvox.synthesis.voice_folder import refuse_existing_voice, write_voice

PARTS = ("acoustic", "vocoder")


@dataclass(frozen=True)
class VoiceDescription:
    """What the models cannot say about a voice."""

    name: str
    licence: str
    """SPDX expression where there is one."""
    language: str | None = None
    """Language tag of the first speaker; None: the only one that the acoustic model was trained on."""
    speaker_languages: Mapping[str, str] = field(default_factory=dict)
    """Language tags of speakers who do not speak `language`."""
    description: str = ""
    data: str = ""
    """Whose recordings the models learned from, and under which terms."""
    weaknesses: tuple[str, ...] = ()
    """What the voice is known to do badly."""
    quality: Mapping[str, Any] = field(default_factory=dict)
    """Measured figures, see `measured_quality`."""
    defaults: Mapping[str, int | float] = field(default_factory=dict)
    """How it speaks where the caller does not say: names and values of `SpeechOptions`, as far as they differ."""


@dataclass(frozen=True)
class VoiceExport:
    """What was written, and what it is worth."""

    path: Path
    card: VoiceCard
    sizes: dict[str, int]
    """Bytes of every file of the voice."""
    parity: dict[str, Parity]
    """Of float32 graphs, by the model: the proof that they compute what the model computes."""
    loss: dict[str, Parity]
    """What the precision changes beyond that, by the model."""


def export_voice(
    acoustic: Path,
    vocoder: Path,
    out: Path,
    about: VoiceDescription,
    *,
    precision: Precision = "float16",
    trainable: bool = True,
    replace: bool = False,
) -> VoiceExport:
    """Make a voice of an acoustic model and a vocoder.

    Args:
        acoustic: model folder or training run of a Glow-TTS.
        vocoder: model folder or training run of a WaveGlow.
        out: a file that ends in `.voice`, or a folder.
        about: what the card shall say.
        precision: how weights are stored: 'float16' halves them; 'int8' makes graphs smaller and faster that lose more
            (the model folders are float16 then).
        trainable: whether the voice also holds its models, for PyTorch and for further training. With float16 and
            float32 that costs nothing.
        replace: whether a voice that is there already may be replaced.

    Raises:
        VoiceError: the models do not belong together, or the description does not fit them.
        CheckpointError: a model is missing or damaged.
        EngineError: a graph differs from its model.
    """
    cards = {"acoustic": read_card(acoustic), "vocoder": read_card(vocoder)}
    card = voice_card(cards["acoustic"], cards["vocoder"], about)
    refuse_existing_voice(out, replace=replace)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as place:
            stage = Path(place) / "stage"
            parity, loss, graphs = {}, {}, []
            for part, source in zip(PARTS, (acoustic, vocoder), strict=True):
                _save_rounded(source, cards[part], stage / part, precision)
                parity[part], loss[part], names = _write_part(stage, part, precision, shared=trainable)
                graphs += names
                if part == "vocoder":
                    card = _with_measured_field(card, load_model(stage / part))
            files = {name: stage / name for name in graphs}
            if trainable:
                names = [f"{part}/{name}" for part in PARTS for name in (CONFIG_NAME, WEIGHTS_NAME)]
                files |= {name: stage / name for name in names}
            _write(out, card, files, Path(place), replace=replace)
            sizes = {name: file.stat().st_size for name, file in files.items()}
    except OSError as error:
        raise VoiceError(f"{out}: cannot be written ({error.strerror or error})") from error
    return VoiceExport(out, card, sizes, parity, loss)


def voice_card(acoustic: ModelCard, vocoder: ModelCard, about: VoiceDescription) -> VoiceCard:
    """Return the card of a voice; whether its parts belong together is checked before anything is computed.

    Raises:
        VoiceError: they do not, or the description does not fit.
    """
    config, sound = acoustic.config, vocoder.config
    if not isinstance(config, GlowTTSConfig) or not isinstance(sound, WaveGlowConfig):
        raise VoiceError(
            f"a voice needs a glow_tts as its acoustic model and a waveglow as its vocoder, got a {acoustic.type} and "
            f"a {vocoder.type}"
        )
    check_contracts(config.audio, sound.audio)
    text = acoustic.provenance.get("text")
    if not isinstance(text, dict) or not {"tokenizer", "front_ends", "speakers"} <= set(text):
        raise VoiceError(
            "the acoustic model does not say which symbols and which text front end it was trained with; only a model "
            "trained by 'glowvox train acoustic' can become a voice"
        )
    if len(text["speakers"]) != config.n_speakers or len(text["tokenizer"].get("symbols", ())) != config.n_symbols:
        raise VoiceError("the acoustic model's speakers or symbols are not those of its text; the model is damaged")
    languages = sorted(text["front_ends"])
    if about.language is None and len(languages) != 1:
        raise VoiceError(f"the acoustic model speaks {' and '.join(languages)}: say which is the first with --language")
    return VoiceCard(
        name=about.name,
        language=about.language or languages[0],
        licence=about.licence,
        speakers=tuple(text["speakers"]),
        mel=config.audio,
        n_squeeze=config.n_squeeze,
        tokenizer=text["tokenizer"],
        front_ends=text["front_ends"],
        vocoder=VocoderCard(sound.audio, sound.n_group, 0, to_dict(sound)),
        defaults=_defaults(sound, about),
        speaker_languages=about.speaker_languages,
        description=about.description,
        acoustic_config=to_dict(config),
        provenance=_provenance(acoustic, vocoder, about),
        quality=about.quality,
    )


def _defaults(vocoder: WaveGlowConfig, about: VoiceDescription) -> SpeechOptions:
    """Return how the voice speaks: as wished, and a lapped flow without the denoiser.

    What that subtracts is what a model says for a mel of zeros. A flow whose scale follows the mel says something loud
    then, which is no tone of its own and would take the quiet parts of speech along.
    """
    own = {"denoise": 0.0} if vocoder.transform == "lapped" else {}
    try:
        return from_dict(SpeechOptions, {**own, **about.defaults}, "default")
    except ConfigError as error:
        raise VoiceError(str(error)) from error


def _provenance(acoustic: ModelCard, vocoder: ModelCard, about: VoiceDescription) -> dict[str, Any]:
    models = {}
    for part, card in zip(PARTS, (acoustic, vocoder), strict=True):
        kept = {key: value for key, value in card.provenance.items() if key not in ("text", "quality")}
        models[part] = {**kept, "steps": card.steps}
    result: dict[str, Any] = {"program": f"glowvox {__version__}", **models}
    if about.data:
        result["data"] = about.data
    if about.weaknesses:
        result["weaknesses"] = list(about.weaknesses)
    return result


def _save_rounded(source: Path, card: ModelCard, folder: Path, precision: Precision) -> None:
    """Write a model's folder with its weights as the voice stores them."""
    tensors = {
        name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in load_tensors(source).items()
    }
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    if precision != "float32":
        limit = float(np.finfo(np.float16).max)
        for name, array in arrays.items():
            if array.dtype.kind == "f":
                arrays[name] = np.clip(array, -limit, limit).astype(np.float16)
    save_tensors(arrays, card, folder, replace=False)


def _write_part(stage: Path, part: str, precision: Precision, *, shared: bool) -> tuple[Parity, Parity, list[str]]:
    """Write a model's graphs; return the proof, the loss and the files' names.

    The loss is that of the voice's graphs against its model, whose weights are rounded already.
    """
    model, card = load_model(stage / part), read_card(stage / part)
    cards = graph_cards(model, card)
    exact = stage / f"{part}-float32"
    exact.mkdir()
    write_graphs(model, cards, exact, "float32")
    parity = _parity(model, exact, proof=True)
    parity.require(part)
    weights = None
    if shared and precision != "int8":
        weights = StoredWeights(stage / part / WEIGHTS_NAME, f"{part}/{WEIGHTS_NAME}")
    write_graphs(model, cards, stage, precision, weights)
    return parity, _parity(model, stage), list(cards)


def _parity(model: WaveGlow | GlowTTS, folder: Path, *, proof: bool = False) -> Parity:
    if isinstance(model, WaveGlow):
        return vocoder_parity(model, OnnxVocoder.load(folder, threads=1), proof=proof)
    return acoustic_parity(model, OnnxAcoustic.load(folder, threads=1), proof=proof)


def _with_measured_field(card: VoiceCard, vocoder: WaveGlow | GlowTTS) -> VoiceCard:
    assert isinstance(vocoder, WaveGlow)
    measured = dataclasses.replace(card.vocoder, receptive_field=vocoder.receptive_field)
    return dataclasses.replace(card, vocoder=measured)


def _write(out: Path, card: VoiceCard, files: Mapping[str, Path], place: Path, *, replace: bool) -> None:
    if out.suffix.lower() != ARCHIVE_SUFFIX:
        write_voice(out, card, files, replace=replace)
        return
    write_voice(place / "voice", card, files)
    pack_voice(place / "voice", out)
