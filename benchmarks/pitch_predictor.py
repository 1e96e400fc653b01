"""The pitch predictor of a vocoder's source in NumPy, and as a float64 graph of its own, in one run.

What a graph would cost when a voice is opened, what it would save for a mel, and how far its pitch lies from NumPy's in
ONNX Runtime and, where it is installed, OpenVINO, which computes in float32 whatever the graph says.

    python benchmarks/pitch_predictor.py [--voice kathleen] [--frames 100 430] [--rounds 30]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def write_graph(network: Any, path: Path) -> None:
    """Write a `PitchNetwork` as an ONNX graph from `mel [M, T]` to logits `[C, T]`, float64 inside."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    constants: list[Any] = []

    def constant(values: Any) -> str:
        constants.append(numpy_helper.from_array(np.asarray(values), f"constant_{len(constants)}"))
        return str(constants[-1].name)

    def op(kind: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [out or f"{kind}_{len(nodes)}"], **attributes))
        return str(nodes[-1].output[0])

    rows = op("Transpose", op("Cast", "mel", to=TensorProto.DOUBLE), perm=[1, 0])
    rows = op("Div", op("Sub", rows, constant(network.mel_mean)), constant(network.mel_std))
    for place, (weight, bias) in enumerate(network.layers):
        taps = weight.shape[2]
        if taps > 1:
            padded = op("Pad", rows, constant([taps // 2, 0, taps // 2, 0]))
            ends = [tap - taps + 1 or np.iinfo(np.int64).max for tap in range(taps)]
            views = [
                op("Slice", padded, constant([tap]), constant([end]), constant([0])) for tap, end in enumerate(ends)
            ]
            rows = op("Concat", *views, axis=1)
        matrix = np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, len(weight)))
        rows = op("Gemm", rows, constant(matrix), constant(bias))
        rows = op("Relu", rows) if place + 1 < len(network.layers) else rows
    op("Transpose", rows, out="logits", perm=[1, 0])
    graph = helper.make_graph(
        nodes,
        "pitch",
        [helper.make_tensor_value_info("mel", TensorProto.FLOAT, ["M", "T"])],
        [helper.make_tensor_value_info("logits", TensorProto.DOUBLE, ["C", "T"])],
        constants,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def milliseconds(call: Callable[[], object]) -> float:
    """Return the processor's time of a call."""
    begun = time.process_time()
    call()
    return 1000 * (time.process_time() - begun)


def main() -> None:
    """Measure and print."""
    import glowvox
    from glowvox.audio.pitch import read_pitch
    from glowvox.engines.graph_engine import METADATA_KEY, GraphCard, read_metadata
    from glowvox.engines.onnx_engine import open_session

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voice", default="kathleen", help="a voice of the package (default: %(default)s)")
    parser.add_argument("--frames", type=int, nargs="+", default=[100, 430], help="mel frames (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=30, help="of each measurement (default: %(default)s)")
    args = parser.parse_args()
    source = Path(glowvox.__file__).parent / "voices" / args.voice / "vocoder.onnx"
    card = GraphCard.from_json(read_metadata(source).get(METADATA_KEY), str(source))
    network = card.pitch_network()
    assert network is not None, "this voice has no harmonic source"
    generator = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pitch.onnx"
        write_graph(network, path)
        engines: dict[str, Callable[[Any], Any]] = {"NumPy": network}
        session = open_session(path, 1)
        engines["ONNX Runtime"] = lambda mel: session.run(None, {"mel": mel})[0]
        opening = [(milliseconds(card.pitch_network), milliseconds(lambda: open_session(path, 1))) for _ in range(5)]
        print("opening, ms: NumPy {:.1f}, a session {:.1f}".format(*map(min, zip(*opening, strict=True))))
        try:
            import openvino

            compiled = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
            engines["OpenVINO"] = lambda mel: compiled([mel])[0]
        except ImportError:
            pass
        for frames in args.frames:
            mel = (2 * generator.standard_normal((card.audio.n_mels, frames)) - 5).astype(np.float32)
            truth = read_pitch(network(mel))[0]
            taken: dict[str, list[float]] = {name: [] for name in engines}
            for _ in range(args.rounds):
                for name, engine in engines.items():
                    taken[name].append(milliseconds(lambda engine=engine, mel=mel: engine(mel)))
            for name, engine in engines.items():
                distance = np.abs(read_pitch(engine(mel))[0] - truth).max()
                print(
                    f"{frames:5} frames, {name}: {statistics.median(taken[name]):.2f} ms, {distance:.1e} Hz off NumPy"
                )


if __name__ == "__main__":
    main()
