"""The text side of a trained acoustic model, as its checkpoint tells it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glowvox.checkpoint.folder import read_card
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.errors import TrainingError
from glowvox.text.front_end import load_front_end
from glowvox.text.tokenizer import Tokenizer
from glowvox.training.utterances import TextContract


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
