"""Another acoustic model's weights, fitted to new speakers and symbols: fine-tuning, and adding a speaker.

Rows of tables belong to names: a speaker keeps its vector, a symbol its embedding, wherever they stand. A model of one
speaker becomes one of several that begins as it was: what the speakers add starts at zero.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from glowvox.models.glow_tts import GlowTTS
from glowvox.training.utterances import TextContract

_SPEAKERS = "speakers.weight"
_SYMBOLS = "encoder.embedding.weight"
_DURATIONS = "encoder.durations.convolution_1.weight"
_MELODY = "encoder.melody.convolution_1.weight"


@dataclass(frozen=True)
class FittedWeights:
    """Tensors for another model, and what was done to them."""

    tensors: dict[str, Tensor]
    notes: tuple[str, ...]
    """For the user: which rows were taken over, and which start anew."""


def fitted_to(
    source: TextContract, target: TextContract
) -> Callable[[torch.nn.Module, Mapping[str, Tensor]], FittedWeights]:
    """Return the function that fits a model's tensors, by name, to a new model with its fresh weights.

    Args:
        source: symbols and speakers of the tensors.
        target: those of the new model.
    """

    def fit(model: torch.nn.Module, tensors: Mapping[str, Tensor]) -> FittedWeights:
        assert isinstance(model, GlowTTS)
        own = model.state_dict()
        fitted, notes = (
            {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()},
            [],
        )
        symbols = (source.tokenizer.symbols, target.tokenizer.symbols)
        if _SYMBOLS in fitted and symbols[0] != symbols[1]:
            fitted[_SYMBOLS] = _rows_by_name(fitted[_SYMBOLS], own[_SYMBOLS], *symbols)
            notes.append(_note("symbols", *symbols))
        if model.melody is not None and "melody.reader.projection.weight" not in fitted:
            notes.append(_fit_melody(fitted, own))
        if _SPEAKERS in own:
            notes += _fit_speakers(fitted, own, source.speakers, target.speakers)
        return FittedWeights(fitted, tuple(notes))

    return fit


def joint_speakers(data: Sequence[str], source: Sequence[str]) -> tuple[str, ...]:
    """Return the speakers of a model that starts from another: those of the data, then the others of the source.

    A model of one speaker becomes the new speaker's; one of several keeps all of its own.
    """
    kept = [name for name in source if name not in data] if len(source) > 1 else []
    return (*data, *kept)


def _fit_speakers(
    fitted: dict[str, Tensor], own: Mapping[str, Tensor], source: Sequence[str], target: Sequence[str]
) -> list[str]:
    """Give `fitted` what a model of several speakers needs, in place; return notes."""
    if _SPEAKERS in fitted and fitted[_SPEAKERS].shape[1] == own[_SPEAKERS].shape[1]:
        if tuple(source) == tuple(target):
            return []
        fitted[_SPEAKERS] = _rows_by_name(fitted[_SPEAKERS], own[_SPEAKERS], source, target)
        return [_note("speakers", source, target)]
    if _SPEAKERS in fitted:
        return []  # embeddings of another size: what depends on them is of another shape and starts anew
    for name, wide in own.items():
        if name not in fitted and ".condition." in name:
            fitted[name] = torch.zeros_like(wide)
        elif name in (_DURATIONS, _MELODY) or name.endswith(".condition.weight"):
            _widen(fitted, name, wide)
    return [f"one speaker becomes {len(target)} ({', '.join(target)}), who begin alike"]


def _widen(fitted: dict[str, Tensor], name: str, wide: Tensor) -> None:
    """Give a weight zeros for the inputs that the new model adds at the end, in place, where that makes it fit."""
    narrow = fitted.get(name)
    if narrow is not None and narrow.shape[0] == wide.shape[0] and narrow.shape[2:] == wide.shape[2:]:
        added = wide.shape[1] - narrow.shape[1]
        if added > 0:
            fitted[name] = torch.cat([narrow, narrow.new_zeros(narrow.shape[0], added, *narrow.shape[2:])], 1)


def _fit_melody(fitted: dict[str, Tensor], own: Mapping[str, Tensor]) -> str:
    """Let a model without a melody have one, in place: the couplings begin deaf to it."""
    for name, wide in own.items():
        if ".condition." not in name:
            continue
        narrow = fitted.get(name)
        fitted[name] = torch.zeros_like(wide)
        if narrow is not None and narrow.shape == wide.shape:
            fitted[name] = narrow
        elif narrow is not None:
            fitted[name][:, -narrow.shape[1] :] = narrow  # the speaker's channels come last
    return "a model without a melody gets one, which begins silent"


def _rows_by_name(rows: Tensor, fresh: Tensor, names: Sequence[str], wanted: Sequence[str]) -> Tensor:
    """Return a row for each wanted name: its own, or for a new one the mean of all with its fresh row added."""
    place = {name: number for number, name in enumerate(names)}
    mean = rows.mean(0)
    return torch.stack(
        [rows[place[name]] if name in place else mean + fresh[number].cpu() for number, name in enumerate(wanted)]
    )


def _note(what: str, names: Sequence[str], wanted: Sequence[str]) -> str:
    new = [name for name in wanted if name not in names]
    gone = [name for name in names if name not in wanted]
    parts = [f"{len(wanted) - len(new)} {what} keep their rows"]
    for label, some in (("new", new), ("left out", gone)):
        if some:
            parts.append(f"{label}: {', '.join(some[:8])}{', ...' if len(some) > 8 else ''}")
    return ", ".join(parts)
