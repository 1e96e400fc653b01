"""Where in a recording a model is surprised: likelihood over time, beside the spectrogram.

    python examples/likelihood_over_time.py recording.wav "What is said." out/likelihood.png --model runs/acoustic
    python examples/likelihood_over_time.py recording.wav "What is said." out/likelihood.png --vocoder runs/vocoder

A notebook in a file: editors that know the marks `# %%` run it cell by cell. With an acoustic model the text is laid
over the recording, and each frame's log-likelihood under its phoneme is drawn: a wrong word, a cough or a foreign voice
is a valley. With a WaveGlow, the bits that each moment of the waveform takes. Needs PyTorch, matplotlib (extra: train).
"""

# %% What is looked at
import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from glowvox import load_model
from glowvox.audio.files import read_audio
from glowvox.audio.mel import MelTransform
from glowvox.config.audio import AudioConfig
from glowvox.evaluate.batch_alignment import open_aligner
from glowvox.evaluate.plots import bits_per_second, local_likelihood

parser = argparse.ArgumentParser(description="Draw likelihood over time beside the spectrogram.")
parser.add_argument("recording", type=Path)
parser.add_argument("text")
parser.add_argument("output", type=Path, help=".png, .svg or .pdf")
parser.add_argument("--model", help="a Glow-TTS: voice, model folder or run")
parser.add_argument("--vocoder", help="a WaveGlow: model folder or run")
args = parser.parse_args()

# %% The spectrogram
contract = AudioConfig()
samples, rate = read_audio(args.recording, contract.sample_rate)
mel = MelTransform(contract)(samples)
seconds = len(samples) / rate
figure = Figure(figsize=(11, 7), layout="constrained")
rows = figure.subplots(1 + bool(args.model) + bool(args.vocoder), 1, sharex=True, squeeze=False)[:, 0]
rows[0].imshow(mel, origin="lower", aspect="auto", extent=(0.0, seconds, 0, contract.n_mels))
rows[0].set_ylabel("mel bin")

# %% How likely each frame is under its phoneme. The log-determinant belongs to the recording as a whole, and is shared
# out evenly.
if args.model:
    aligner = open_aligner(args.model)
    found = aligner.align(samples, rate, args.text)
    nats = found.frame_nats + found.log_det / len(found.frame_nats)
    smooth = np.convolve(nats, np.ones(9) / 9, mode="valid")
    times = (np.arange(len(smooth)) + 4.5) / aligner.engine.audio.frame_rate
    rows[1].plot(times, smooth, color="#6d2f8e")
    rows[1].set_ylabel("nats per frame")
    for word in found.words:
        for row in rows:
            row.axvline(word.start, color="#5d5a6b", linewidth=0.5)
        rows[0].text(word.start, contract.n_mels + 1, word.text, fontsize=8, rotation=45)
    print(f"{found.nats_per_frame:.2f} nats per frame, least likely near {times[smooth.argmin()]:.2f} s")

# %% What each moment of the waveform costs: exact, since every term of this flow's likelihood has a place in time
if args.vocoder:
    frames = len(samples) // contract.hop_length
    local = local_likelihood(load_model(args.vocoder), samples[: frames * contract.hop_length], mel[:, :frames])
    times, bits = bits_per_second(local, rate)
    rows[-1].step(times, bits / 1000, where="mid", color="#b3450a")
    rows[-1].set_ylabel("kbit/s")
    print(f"{bits.mean() / rate:.2f} bits per sample")

# %% The picture
rows[-1].set_xlabel("seconds")
args.output.parent.mkdir(parents=True, exist_ok=True)
figure.savefig(args.output, dpi=120)
print(args.output)
