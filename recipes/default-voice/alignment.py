"""Draw the alignments of two recordings that were never trained on, with their mels.

python recipes/default-voice/alignment.py --data data/kathleen [--acoustic RUN]
"""

import argparse
from pathlib import Path

import matplotlib
import torch

from glowvox.checkpoint.model_folder import load_model
from glowvox.data.prepared import PreparedData
from glowvox.models.glow_tts import GlowTTS
from glowvox.synthesis.installed_voices import model_path
from glowvox.training.utterances import encode_clips, text_contract

CLIPS = slice(10, 14, 2)
"""Of the validation clips: two of a few seconds."""


def main() -> None:
    """Search the alignments and draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="prepared recordings")
    parser.add_argument("--acoustic", default="default", help="a run or a model folder of one speaker")
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_name("alignment.png"))
    args = parser.parse_args()
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    model = load_model(model_path(args.acoustic, "acoustic"))
    assert isinstance(model, GlowTTS)
    data = PreparedData(args.data)
    utterances = encode_clips(data.clips("validation")[CLIPS], text_contract([data]), model.config.n_squeeze)
    figure, axes = plt.subplots(2, len(utterances), figsize=(11, 5.6), height_ratios=(2, 1))
    for column, utterance in enumerate(utterances):
        mel = torch.tensor(utterance.clip.load()[1])[None]
        mel = mel[:, :, : mel.shape[2] // model.config.n_squeeze * model.config.n_squeeze]
        tokens = torch.tensor(utterance.tokens)[None]
        lengths = torch.tensor([tokens.shape[1]]), torch.tensor([mel.shape[2]])
        with torch.inference_mode():
            alignment = model(tokens, lengths[0], mel, lengths[1]).alignment
        above, below = axes[0, column], axes[1, column]
        above.imshow(alignment[0], origin="lower", aspect="auto", interpolation="nearest", cmap="magma")
        above.set_title(utterance.clip.text, fontsize=9)
        above.set_ylabel("token")
        below.imshow(mel[0], origin="lower", aspect="auto", cmap="magma")
        below.set_xlabel("mel frame")
        below.set_ylabel("mel bin")
    figure.tight_layout()
    figure.savefig(args.output, dpi=75)


if __name__ == "__main__":
    main()
