"""Training data for a vocoder whose mels are those of an acoustic model, under the alignment of the recording.

A vocoder that has only seen recordings' mels hears other ones when it speaks: smoother, and with the acoustic model's
own mistakes. So it is tuned on what that model makes of each recording's text with each token as long as it was said:
the samples stay the recording's, frame by frame.
"""

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from glowvox.audio.atomic_file import replacing
from glowvox.checkpoint.model_folder import WEIGHTS_NAME, find_model_folder, load_model
from glowvox.data.clips import read_record, write_clip
from glowvox.data.prepared import DATASET_FILE, SPLITS, Clip, PreparedData
from glowvox.errors import DataError, TrainingError
from glowvox.models.glow_tts import GlowTTS
from glowvox.training.utterances import TextContract, TrainingUtterance, encode_clips, stored_text

TEMPERATURE = 0.667
"""The latent's distance from its mean is multiplied by it: that at which voices speak unless told otherwise."""


@dataclass(frozen=True)
class MelSource:
    """Which mels a vocoder learns from beside the recordings'."""

    acoustic: Path
    """A model folder or training run of a Glow-TTS."""
    temperature: float = TEMPERATURE
    device: str = "cpu"


def with_acoustic_mels(data: PreparedData, source: MelSource, folder: Path) -> PreparedData:
    """Write prepared data with the acoustic model's mels and return it.

    What is there already, made by the same model of the same recordings, is kept; so an interrupted call goes on where
    it was, and several processes share the work.

    Args:
        data: prepared recordings with texts.
        source: the model.
        folder: to write into.

    Raises:
        MelError: the model and the data have different mel contracts.
        TrainingError: it is no acoustic model, or does not know a speaker or language of the data.
        DataError: a clip has no text that fits it, or a file cannot be written.
    """
    if source.temperature < 0:
        raise TrainingError(f"the temperature must not be negative, got {source.temperature}")
    contract = stored_text(source.acoustic)
    model = load_model(source.acoustic)
    assert isinstance(model, GlowTTS)
    data.require(model.config.audio)
    clips = [clip for split in SPLITS for clip in data.clips(split)]
    _check_known(clips, contract, source.acoustic)
    utterances = encode_clips(clips, contract, model.config.n_squeeze)
    model.to(source.device)
    weights = find_model_folder(source.acoustic) / WEIGHTS_NAME
    made_by = f"own noise {hashlib.sha256(weights.read_bytes()).hexdigest()} {source.temperature:g}"
    first = len(utterances) * int(os.environ.get("RANK", "0")) // int(os.environ.get("WORLD_SIZE", "1"))
    for number, utterance in enumerate([*utterances[first:], *utterances[:first]], 1):
        _write(model, utterance, source, made_by, folder / utterance.clip.row.file)
        if number % 100 == 0 or number == len(utterances):
            print(f"mels from {source.acoustic}: {number} of {len(utterances)} clips", file=sys.stderr, flush=True)
    for name in (*(f"{split}.jsonl" for split in SPLITS), DATASET_FILE):
        with replacing(folder / name, DataError) as stream:
            stream.write((data.folder / name).read_bytes())
    return PreparedData(folder)


def _check_known(clips: Sequence[Clip], contract: TextContract, model: Path) -> None:
    for clip in clips:
        if clip.speaker not in contract.speakers:
            raise TrainingError(
                f"{model}: does not know the speaker '{clip.speaker}' of clip {clip.id}, only "
                f"{', '.join(contract.speakers)}; train it on this data first"
            )
        if clip.language not in contract.front_ends:
            raise TrainingError(f"{model}: does not know the language '{clip.language}' of clip {clip.id}")


def _write(model: GlowTTS, utterance: TrainingUtterance, source: MelSource, made_by: str, path: Path) -> None:
    clip = utterance.clip
    stamp = clip.path.stat() if clip.path.is_file() else None
    key = json.dumps([made_by, clip.id, clip.text, clip.speaker, stamp and [stamp.st_size, stamp.st_mtime_ns]])
    if read_record(path, key) is not None:
        return
    samples, natural = clip.load()
    mel = natural.copy()
    made = mel_under_alignment(model, utterance, natural, source.temperature)
    mel[:, : made.shape[1]] = made  # a last frame that fills no step of the decoder stays the recording's
    path.parent.mkdir(parents=True, exist_ok=True)
    write_clip(path, samples, mel, key, {"mels": "acoustic"})


@torch.inference_mode()
def mel_under_alignment(
    model: GlowTTS, utterance: TrainingUtterance, natural: np.ndarray, temperature: float
) -> np.ndarray:
    """Return the mel float32 `[M, T']` that a model makes of a text as a recording has it: its durations, its noise.

    The recording's own latent, brought nearer to the text's mean, takes the place of noise. So the mel has what the
    model draws at this temperature, and still the pitch and the level of the recording that it is to be spoken as.

    Args:
        model: in evaluation mode.
        utterance: the text.
        natural: the recording's mel `[M, T]`; T' is T without the frames that fill no step of the decoder.
        temperature: what the distance from the mean is multiplied by; 1 gives the recording's mel.
    """
    device = next(model.parameters()).device
    tokens = torch.tensor([utterance.tokens], device=device)
    lengths = torch.tensor([tokens.shape[1]], device=device)
    mel = torch.from_numpy(np.array(natural))[None].to(device)
    speaker = torch.tensor([utterance.speaker], device=device) if model.config.n_speakers > 1 else None
    found = model(tokens, lengths, mel, torch.tensor([mel.shape[2]], device=device), speaker)
    made = model.inverse(
        tokens,
        lengths,
        temperature=temperature,
        speaker=speaker,
        durations=found.alignment.sum(2).long(),
        noise=(found.latent - found.mean) * (-found.log_std).exp(),
        pitch=found.pitch,
    )
    return np.ascontiguousarray(made.mel[0].float().cpu().numpy())
