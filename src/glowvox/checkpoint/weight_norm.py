"""Weight normalisation (arXiv 1602.07868) folded away: w = g * v / |v|, the norm over all axes but the first."""

from collections.abc import Mapping

import numpy as np

from glowvox.errors import CheckpointError

_SUFFIXES = (
    (".weight_g", ".weight_v", ".weight"),
    (".parametrizations.weight.original0", ".parametrizations.weight.original1", ".weight"),
)


def has_weight_norm(names: Mapping[str, object]) -> bool:
    """Whether any of the named tensors belongs to a weight-normalised layer."""
    return any(name.endswith(gain) for name in names for gain, _, _ in _SUFFIXES)


def fold_weight_norm(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the tensors with each pair of gain `[O, 1, ...]` and direction `[O, I, ...]` replaced by its weight.

    Both ways of torch to name the pair are known. The product is taken in float64.

    Raises:
        CheckpointError: half of a pair is missing, or the two do not fit.
    """
    result: dict[str, np.ndarray] = {}
    for name, tensor in tensors.items():
        for gain, direction, weight in _SUFFIXES:
            if name.endswith(direction):
                stem = name[: -len(direction)]
                result[stem + weight] = _folded(stem, tensors.get(stem + gain), tensor)
                break
            if name.endswith(gain):
                if name[: -len(gain)] + direction not in tensors:
                    raise CheckpointError(f"the direction of the weight-normalised layer '{name}' is missing")
                break
        else:
            result[name] = tensor
    return result


def folded_shapes(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Return the shapes that the tensors will have once weight normalisation is folded away."""
    result = {}
    for name, shape in shapes.items():
        _, direction, weight = next((pair for pair in _SUFFIXES if name.endswith(pair[:2])), ("", "", ""))
        if not direction:
            result[name] = shape
        elif name.endswith(direction):
            result[name[: -len(direction)] + weight] = shape
    return result


def _folded(stem: str, gain: np.ndarray | None, direction: np.ndarray) -> np.ndarray:
    if gain is None or gain.size != direction.shape[0]:
        raise CheckpointError(f"the gain of the weight-normalised layer '{stem}' is missing or of the wrong size")
    wide = direction.astype(np.float64)
    norm = np.sqrt(np.square(wide).sum(tuple(range(1, wide.ndim)), keepdims=True))
    if not norm.all():
        raise CheckpointError(f"the weight-normalised layer '{stem}' has a direction of length zero")
    return (wide * (gain.astype(np.float64).reshape(norm.shape) / norm)).astype(np.float32)
