"""The text side of acoustic training: clips with tokens and speakers, and what a checkpoint keeps of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from glowvox.checkpoint.model_folder import read_card
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.data.prepared import Clip, PreparedData
from glowvox.errors import DataError, TextError, TrainingError
from glowvox.text.front_end import FRONT_END_VERSION, FrontEnd, load_front_end, version_number
from glowvox.text.tokenizer import Tokenizer
from glowvox.text.utterance import Sentence, Utterance


@dataclass(frozen=True)
class TrainingUtterance:
    """A clip as the acoustic model sees it."""

    clip: Clip
    tokens: tuple[int, ...]
    """Token numbers of the whole text, `[L]`."""
    speaker: int
    """Number of the speaker."""


@dataclass(frozen=True)
class TextContract:
    """What a voice must share with its training: tokenizer, front ends by language, and the speakers' names."""

    tokenizer: Tokenizer
    front_ends: Mapping[str, FrontEnd]
    speakers: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what is stored in every checkpoint."""
        return {
            "tokenizer": self.tokenizer.to_dict(),
            "front_ends": {language: front_end.to_dict() for language, front_end in self.front_ends.items()},
            "speakers": list(self.speakers),
        }


def text_contract(data: Sequence[PreparedData]) -> TextContract:
    """Return the tokenizer, the front ends and the speakers that data sets need."""
    clips = [clip for part in data for split in ("train", "validation") for clip in part.clips(split)]
    front_ends = {language: load_front_end(language) for language in sorted({clip.language for clip in clips})}
    return TextContract(Tokenizer(), front_ends, tuple(sorted({clip.speaker for clip in clips})))


def older_texts(data: Sequence[PreparedData]) -> tuple[str, ...]:
    """Return a line for every data set that was prepared with an older version of the text front end."""
    return tuple(
        f"{part.folder}: prepared with version {part.front_end_version} of the text front end, read with version "
        f"{FRONT_END_VERSION} now, which says some words otherwise; prepare it again and this line goes"
        for part in data
        if part.front_end_version < FRONT_END_VERSION
    )


def older_run(model: Path) -> tuple[str, ...]:
    """Return a line for every language in which a model was begun with an older version of the text front end.

    Args:
        model: a model folder or a training run.
    """
    stored = read_card(model).provenance.get("text")
    front_ends = stored.get("front_ends", {}) if isinstance(stored, Mapping) else {}
    begun = {language: version_number(front_end) for language, front_end in front_ends.items()}
    return tuple(
        f"{model}: begun with version {version} of the text front end ({language}), goes on with version "
        f"{FRONT_END_VERSION}, which says some words otherwise"
        for language, version in sorted(begun.items())
        if version < FRONT_END_VERSION
    )


def encode_text(text: str, front_end: FrontEnd, tokenizer: Tokenizer) -> tuple[int, ...]:
    """Return the tokens of a whole text, its sentences in one sequence.

    Raises:
        TextError: it holds nothing that can be spoken.
    """
    utterance = front_end.process(text)
    sentence = _joined(utterance)
    if not sentence.words:
        raise TextError(f"nothing to say in '{text[:60]}'")
    return tuple(tokenizer.encode(sentence).ids)


def encode_clips(clips: Sequence[Clip], contract: TextContract, frames_per_step: int) -> list[TrainingUtterance]:
    """Return the clips with their tokens.

    Args:
        clips: prepared clips with texts.
        contract: tokenizer, front ends, speakers.
        frames_per_step: frames that the decoder squeezes into one step; clips are cut to a multiple.

    Raises:
        DataError: a clip has no text, or fewer frames than tokens; the message names it.
    """
    utterances = []
    for clip in clips:
        try:
            tokens = encode_text(clip.text, contract.front_ends[clip.language], contract.tokenizer)
        except TextError as error:
            raise DataError(f"the clip {clip.id} cannot train an acoustic model: {error}") from error
        if clip.frames // frames_per_step * frames_per_step < len(tokens):
            raise DataError(
                f"the clip {clip.id} has {clip.frames} frames for {len(tokens)} tokens: text and audio do not fit; "
                "leave it out of the data"
            )
        utterances.append(TrainingUtterance(clip, tokens, contract.speakers.index(clip.speaker)))
    return utterances


def _joined(utterance: Utterance) -> Sentence:
    sentences = [sentence for sentence in utterance.sentences if sentence.items]
    if not sentences:
        return Sentence("", (), (0, 0))
    return replace(sentences[0], items=tuple(item for sentence in sentences for item in sentence.items))


def stored_text(model: Path) -> TextContract:
    """Return the tokenizer, the front ends and the speakers that an acoustic model was trained with.

    Args:
        model: a model folder or a training run.

    Raises:
        CheckpointError: no model there, or damaged.
        TrainingError: it is no acoustic model, or does not say how its text was read.
        TextError: the front ends here are others than those it was trained with.
    """
    card = read_card(model)
    if not isinstance(card.config, GlowTTSConfig):
        raise TrainingError(f"{model}: is a {card.type}, not an acoustic model")
    text: Any = card.provenance.get("text")
    if not isinstance(text, Mapping) or not {"tokenizer", "front_ends", "speakers"} <= set(text):
        raise TrainingError(
            f"{model}: does not say with which symbols, front end and speakers it was trained; only a model trained by "
            "'glowvox train acoustic' does"
        )
    front_ends = {}
    for language, stored in text["front_ends"].items():
        front_ends[language] = load_front_end(language)
        front_ends[language].check_front_end(stored)
    return TextContract(Tokenizer.from_dict(text["tokenizer"]), front_ends, tuple(text["speakers"]))
