"""A trained acoustic model of several speakers, written as that of one of them, for a voice of one speaker."""

from pathlib import Path

from glowvox.checkpoint.folder import read_card
from glowvox.checkpoint.model_folder import load_model, save_model
from glowvox.errors import VoiceError
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.one_speaker import one_speaker


def keep_speaker(source: Path, speaker: str, folder: Path, *, language: str | None = None) -> Path:
    """Write the model of one speaker and return its folder.

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
