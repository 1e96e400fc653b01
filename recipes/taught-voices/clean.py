"""Write recordings without their background noise: python recipes/taught-voices/clean.py RECORDINGS CORPUS [STRENGTH].

The noise of a room is what a flow learns first and says in every pause. It is measured in each recording by itself, as
the tenth percentile of each frequency's magnitude, and subtracted in power (Boll 1979), at most 20 dB. Needs SciPy.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import istft, stft

RATE, SIZE, OVERLAP = 22050, 1024, 768
PERCENTILE, MOST_DB = 10, 20.0


def cleaned(samples: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
    """Return samples `[S]` without the noise that is `strength` times the one measured, in amplitude."""
    spectrum = stft(samples, RATE, nperseg=SIZE, noverlap=OVERLAP)[2]
    magnitude = np.maximum(np.abs(spectrum), 1e-9)
    noise = np.percentile(magnitude, PERCENTILE, axis=1)
    noise = np.exp(uniform_filter1d(np.log(noise), 9, mode="nearest"))[:, None]
    gain = np.sqrt(np.clip(1.0 - (strength * noise / magnitude) ** 2, 10 ** (-MOST_DB / 10), 1.0))
    spectrum *= uniform_filter1d(gain, 3, axis=1, mode="nearest")
    made: NDArray[np.float32] = istft(spectrum, RATE, nperseg=SIZE, noverlap=OVERLAP)[1][: len(samples)]
    return made


def main(recordings: str, corpus: str, strength: str = "3") -> None:
    """Write every recording of a folder with `metadata.csv` and `wavs/`, at 22.05 kHz, and copy the texts."""
    source, target = Path(recordings), Path(corpus)
    (target / "wavs").mkdir(parents=True, exist_ok=True)
    shutil.copy(source / "metadata.csv", target)
    for path in sorted((source / "wavs").iterdir()):
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        mono = soxr.resample(samples.mean(1), rate, RATE, "VHQ")
        soundfile.write(target / "wavs" / f"{path.stem}.wav", cleaned(mono, float(strength)), RATE)


if __name__ == "__main__":
    main(*sys.argv[1:])
