"""A voice made of two trained models: checked, written as graphs, compared with PyTorch, described and packed.

A voice that may be trained further holds its models' weights once: the graphs refer to the files of the model folders
beside them (see `stored_weights`).
"""

import dataclasses
import json
import math
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from glowvox import __version__
from glowvox.checkpoint.model_folder import (
    CONFIG_NAME,
    WEIGHTS_NAME,
    ModelCard,
    load_model,
    load_tensors,
    read_card,
    save_model,
    save_tensors,
)
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.schema import from_dict, to_dict
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.data.prepared import Clip, PreparedData
from glowvox.engines.onnx_engine import OnnxAcoustic, OnnxVocoder
from glowvox.errors import ConfigError, VoiceError
from glowvox.export.calibration import Ranges, observed_ranges
from glowvox.export.export_model import graph_cards, write_graphs
from glowvox.export.graph_builder import Precision, StoredWeights
from glowvox.export.parity import Parity, acoustic_parity, vocoder_parity
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.waveglow import WaveGlow, band_levels
from glowvox.synthesis.options import SpeechOptions
from glowvox.synthesis.voice_card import VocoderCard, VoiceCard, check_contracts, read_voice_card
from glowvox.synthesis.voice_folder import ARCHIVE_SUFFIX, pack_voice, refuse_existing_voice, write_voice

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
    speakers: tuple[str, ...] = ()
    """Those of the model whom the voice offers, the usual one first; empty: all."""


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
    sentences: Sequence[str] = (),
) -> VoiceExport:
    """Make a voice of an acoustic model and a vocoder.

    Args:
        acoustic: model folder or training run of a Glow-TTS.
        vocoder: model folder or training run of a WaveGlow.
        out: a file that ends in `.voice`, or a folder.
        about: what the card shall say.
        precision: how weights are stored: 'float16' halves them; with 'int8' products are computed in 8 bits, which is
            faster and loses more (the model folders are float16 then).
        trainable: whether the voice also holds its models, for PyTorch and for further training. With float16 and
            float32 that costs nothing; graphs in int8 refer to these weights too, and round them when they open.
        replace: whether a voice that is there already may be replaced.
        sentences: for int8, see `observed_ranges`.

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
            card = _with_measured_field(card, load_model(stage / "vocoder"))
            ranges = None
            if precision == "int8":
                everyone = voice_card(cards["acoustic"], cards["vocoder"], dataclasses.replace(about, speakers=()))
                ranges = observed_ranges({part: stage / part for part in PARTS}, everyone, sentences)
            for part in PARTS:
                parity[part], loss[part], names = _write_part(stage, part, precision, ranges, shared=trainable)
                graphs += names
            files = {name: stage / name for name in graphs}
            if trainable:
                names = [f"{part}/{name}" for part in PARTS for name in (CONFIG_NAME, WEIGHTS_NAME)]
                files |= {name: stage / name for name in names}
            _write(out, card, files, Path(place), replace=replace)
            sizes = {name: file.stat().st_size for name, file in files.items()}
    except OSError as error:
        raise VoiceError(f"{out}: cannot be written ({error.strerror or error})") from error
    return VoiceExport(out, card, sizes, parity, loss)


def share_voice(base: Path, out: Path, about: VoiceDescription, *, replace: bool = False) -> VoiceCard:
    """Write a voice that speaks with the files of another one in the same folder, as other speakers of its model.

    Args:
        base: the folder of a voice that holds its models.
        out: the folder to write, beside it.
        about: what the card shall say; `speakers` names whom it offers.

    Raises:
        VoiceError: the folders are not beside each other, or the description does not fit the models.
        CheckpointError: a model is missing or damaged.
    """
    if out.parent.resolve() != base.parent.resolve():
        raise VoiceError(f"{out}: a voice that shares the files of {base.name} lies in the same folder")
    card = voice_card(read_card(base / "acoustic"), read_card(base / "vocoder"), about)
    card = dataclasses.replace(card, vocoder=read_voice_card(base).vocoder, shares=base.name)
    write_voice(out, card, {}, replace=replace)
    return card


def voice_card(acoustic: ModelCard, vocoder: ModelCard, about: VoiceDescription) -> VoiceCard:
    """Return the card of a voice; whether its parts belong together is checked before anything is computed.

    Raises:
        VoiceError: they do not, or the description does not fit.
    """
    if not about.licence.strip():
        raise VoiceError("a voice needs a licence: an SPDX expression such as CC0-1.0, or a sentence")
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
    language, speakers = about.language or languages[0], tuple(text["speakers"])
    own = {name: tag for name, tag in about.speaker_languages.items() if name in about.speakers or not about.speakers}
    spoken = {language, *own.values()} if about.speakers else set(languages)
    return VoiceCard(
        name=about.name,
        language=language,
        licence=about.licence,
        speakers=about.speakers or speakers,
        model_speakers=speakers if about.speakers else (),
        mel=config.audio,
        n_squeeze=config.n_squeeze,
        tokenizer=text["tokenizer"],
        front_ends={tag: rules for tag, rules in text["front_ends"].items() if tag in spoken},
        vocoder=VocoderCard(sound.audio, sound.n_group, 0, to_dict(sound)),
        defaults=_defaults(sound, about),
        speaker_languages=own,
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


def _write_part(
    stage: Path, part: str, precision: Precision, ranges: Ranges | None, *, shared: bool
) -> tuple[Parity, Parity, list[str]]:
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
    weights = StoredWeights(stage / part / WEIGHTS_NAME, f"{part}/{WEIGHTS_NAME}") if shared else None
    write_graphs(model, cards, stage, precision, weights, ranges=ranges)
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


_MAX_BYTES = 64 << 20
_DIGITS = 4
_FOLDERS = re.compile(r"(?<![\w.:/])(?:[A-Za-z]:)?(?:[\\/][^\s,()\\/]+)*[\\/](?=[^\s,()\\/])")
"""The folders of an absolute path, which are nobody's business but their owner's."""


def measured_quality(reports: Sequence[Path]) -> dict[str, Any]:
    """Return the figures of reports that `glowvox evaluate ... --json` or its page wrote, by what they are about.

    Args:
        reports: `report.json` files.

    Returns:
        For each subject ('vocoder', 'voice') the figures of every system of the report, and how it was done.

    Raises:
        VoiceError: a file is no such report, or two are about the same.
    """
    quality: dict[str, Any] = {}
    for place in reports:
        content = _read(place)
        subject = str(content["subject"])
        if subject in quality:
            raise VoiceError(f"{place}: a second report about the {subject}; name one of them")
        quality[subject] = {
            "systems": {name: _figures(figures, place) for name, figures in content["systems"].items()},
            "settings": {
                str(name): _FOLDERS.sub("", str(value)) for name, value in (content.get("settings") or {}).items()
            },
        }
    return quality


def _figures(figures: Any, place: Path) -> dict[str, float]:
    if not isinstance(figures, dict):
        raise VoiceError(f"{place}: not the report of an evaluation")
    result = {}
    for measure, figure in figures.items():
        value = figure.get("value") if isinstance(figure, dict) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise VoiceError(f"{place}: the figure '{measure}' is no number; make the report again")
        result[str(measure)] = round(value, _DIGITS)
    return result


def _read(place: Path) -> dict[str, Any]:
    try:
        if place.stat().st_size > _MAX_BYTES:
            raise VoiceError(f"{place}: more than {_MAX_BYTES >> 20} MiB; not the report of an evaluation")
        content = json.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise VoiceError(f"{place}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("systems"), dict) or "subject" not in content:
        raise VoiceError(f"{place}: not the report of an evaluation; 'glowvox evaluate' writes report.json")
    return content


BANDS = 8
"""As many as divide the usual hops, and few enough that the level of noise in one hardly varies by itself."""
QUANTILE = 0.9
"""Of the levels in recordings: low enough to catch bursts in the bands above the mel, whose levels vary most. The frame
in ten that is louder loses little, since levels are alike."""
MOST_CLIPS = 200
"""Spread over all clips; some thirty thousand frames are plenty."""
_FRACTION = 2**-15
"""What an integer sample counts in full scale."""


def limit_levels(source: Path, data: Path, folder: Path) -> Path:
    """Write a vocoder that is no louder than recordings are, in no band of a frame, and return its folder.

    Args:
        source: model folder or training run of a WaveGlow with a mel scale.
        data: prepared recordings of the voice, with the vocoder's mel contract; those to train on are measured.
        folder: to create.

    Raises:
        VoiceError: it is no such vocoder.
        DataError, MelError: the recordings are missing, or have another contract.
        CheckpointError: the model is missing or damaged, or cannot be written.
    """
    card, model = read_card(source), load_model(source)
    if not isinstance(model, WaveGlow) or model.scale is None or model.config.n_group % BANDS:
        raise VoiceError(
            f"{source}: only a lapped WaveGlow with mel_scale and a multiple of {BANDS} coefficients has levels that "
            "can be limited; leave --limit-levels out"
        )
    recordings = PreparedData(data)
    recordings.require(model.config.audio)
    clips = recordings.clips("train")
    highest = highest_levels(model, clips[:: -(-len(clips) // MOST_CLIPS)])
    model.config = dataclasses.replace(model.config, highest_levels=highest)
    save_model(model, folder, provenance=card.provenance, steps=card.steps)
    return folder


def highest_levels(model: WaveGlow, clips: Sequence[Clip]) -> tuple[float, ...]:
    """Return the level that each of `BANDS` bands of a frame exceeds once in ten frames of recordings.

    Args:
        model: a lapped flow with a mel scale, in evaluation mode.
        clips: recordings with their mels.

    Raises:
        DataError: a clip is damaged.
        VoiceError: there is none.
    """
    if not clips:
        raise VoiceError("there are no recordings to measure levels on")
    levels = []
    for clip in clips:
        samples, mel = clip.load()
        audio, frames = torch.from_numpy(samples.astype("float32") * _FRACTION), torch.tensor(mel)
        with torch.inference_mode():
            bands = model.standardised(audio[None], frames[None]).unflatten(1, (BANDS, -1))
            levels.append(band_levels(bands)[0, :, 0])
    ordered = torch.cat(levels, 1).sort(1).values
    place = round(QUANTILE * (ordered.shape[1] - 1))
    return tuple(round(float(level), 4) for level in ordered[:, place])


def one_speaker(model: GlowTTS, speaker: int) -> GlowTTS:
    """Return a model that always speaks as one of a model's speakers: smaller, and without a choice to make.

    A speaker's vector is the same at every place. So what the couplings make of it is a bias, exactly, and what the
    encoder adds to the symbols' embeddings is a part of them. In the
    predictors of durations and pitch it goes through a convolution that sees zeros beyond the text, so there it is a
    bias except at the first and the last token.

    Args:
        model: of several speakers; it is left as it is.
        speaker: the number of the one to keep.

    Raises:
        VoiceError: the model has one speaker, or no such one.
    """
    if model.speakers is None or not 0 <= speaker < model.config.n_speakers:
        raise VoiceError(f"the model has {model.config.n_speakers} speaker(s); there is no speaker {speaker} to keep")
    channels = model.config.speaker_channels
    vector = F.normalize(model.speakers.weight[speaker], dim=0).detach()
    state = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("speakers.")}
    for name in [name for name in state if name.endswith(".condition.weight")]:
        _fold(state, name, vector)
        if not state[name].shape[1]:
            bias = state.pop(name.removesuffix("weight") + "bias")
            _into_layers(state, name.removesuffix("condition.weight"), bias)
            del state[name]
    for part in ("durations", "melody"):
        name = f"encoder.{part}.convolution_1.weight"
        if name in state:
            _fold(state, name, vector)
    if "encoder.speaker.weight" in state:
        shift = state.pop("encoder.speaker.weight") @ vector / math.sqrt(model.config.hidden_channels)
        state["encoder.embedding.weight"] = state["encoder.embedding.weight"] + shift
    config = dataclasses.replace(model.config, n_speakers=1, speaker_channels=0, speaker_in_encoder=False)
    assert config.condition_channels == model.config.condition_channels - channels
    alone = GlowTTS(config).to(next(model.parameters()))
    alone.load_state_dict(state)
    return alone.train(model.training)


def _fold(state: dict[str, Tensor], name: str, vector: Tensor) -> None:
    """Turn the last input channels of a convolution, which see the vector, into a part of its bias, in place."""
    kept, seen = state[name].split([state[name].shape[1] - len(vector), len(vector)], 1)
    state[name] = kept.contiguous()
    bias = name.removesuffix("weight") + "bias"
    state[bias] = state[bias] + torch.einsum("oik,i->o", seen, vector)


def _into_layers(state: dict[str, Tensor], stack: str, bias: Tensor) -> None:
    """Add a condition's bias for all layers of a stack to the layers' own, in place."""
    names = [name for name in state if name.startswith(f"{stack}layers.") and name.endswith(".dilated.bias")]
    names.sort(key=lambda name: int(name.removeprefix(f"{stack}layers.").split(".")[0]))
    for name, part in zip(names, bias.chunk(len(names)), strict=True):
        state[name] = state[name] + part


def keep_speaker(source: Path, speaker: str, folder: Path, *, language: str | None = None) -> Path:
    """Write one speaker's model, of one trained on several, and return its folder.

    Args:
        source: model folder or training run of a Glow-TTS of several speakers, with its text.
        speaker: the name of the one to keep.
        folder: to create.
        language: the only one that the model shall read; None: all that it reads now.

    Raises:
        VoiceError: it is no such model, or has no such speaker or language.
        CheckpointError: it is missing or damaged, or cannot be written.
    """
    card, model = read_card(source), load_model(source)
    text = card.provenance.get("text")
    if not isinstance(model, GlowTTS) or not isinstance(text, dict):
        raise VoiceError(f"{source}: only an acoustic model trained by 'glowvox train acoustic' has speakers to keep")
    names, languages = text["speakers"], text["front_ends"]
    if speaker not in names or (language is not None and language not in languages):
        raise VoiceError(
            f"{source}: has the speakers {', '.join(names)} and reads {', '.join(languages)}; "
            f"there is no '{speaker}'{'' if language is None else f' who reads {language!r}'}"
        )
    alone = one_speaker(model, names.index(speaker)) if len(names) > 1 else model
    kept = {tag: rules for tag, rules in languages.items() if language in (None, tag)}
    provenance = {**card.provenance, "text": {**text, "speakers": [speaker], "front_ends": kept}}
    save_model(alone, folder, provenance=provenance, steps=card.steps)
    return folder
