"""The names of exported graphs in a folder."""

import os
from pathlib import Path

from glowvox.errors import EngineError

VOCODER_NAME = "vocoder.onnx"
ENCODER_NAME = "acoustic_encoder.onnx"
DECODER_NAME = "acoustic_decoder.onnx"
OPENVINO_SUFFIX = ".xml"


def graph_in(path: str | os.PathLike[str], *names: str) -> Path:
    """Return a graph's file: `path` itself, or the first of the names that lies in the folder `path`.

    Raises:
        EngineError: there is none.
    """
    place = Path(path)
    if place.is_file():
        return place
    if not place.is_dir():
        raise EngineError(f"{path}: there is no such file")
    for name in names:
        if (place / name).is_file():
            return place / name
    raise EngineError(f"{path}: holds no {' or '.join(names)}; 'glowvox export model' writes one")
