"""Write the weighted mean of two models of one configuration: python recipes/taught-voices/mean.py A B 0.5 OUT."""

import sys
from pathlib import Path

import torch

from glowvox.checkpoint.model_folder import load_model, read_card, save_model


def main(first: str, second: str, share: str, target: str) -> None:
    """Write the mean, in which the second model has the given share; it keeps the first one's card."""
    one, other, card = load_model(Path(first)), load_model(Path(second)).state_dict(), read_card(Path(first))
    state = one.state_dict()
    with torch.no_grad():
        for name, tensor in state.items():
            if tensor.is_floating_point():
                tensor.lerp_(other[name], float(share))
    save_model(one, Path(target), provenance=dict(card.provenance), steps=card.steps)


if __name__ == "__main__":
    main(*sys.argv[1:])
