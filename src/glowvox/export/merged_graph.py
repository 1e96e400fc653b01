"""Whole exported graphs inside another one: their nodes under a prefix, their inputs joined to its values."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from glowvox.engines.graph_engine import METADATA_KEY, GraphCard, read_metadata
from glowvox.engines.onnx_engine import quiet_telemetry
from glowvox.errors import EngineError, one_line
from glowvox.export.graph_builder import GraphBuilder

if TYPE_CHECKING:
    import onnx

_REDUCTIONS = frozenset({"ReduceMax", "ReduceMin", "ReduceMean", "ReduceProd", "ReduceL1", "ReduceL2"})
"""Operators whose axes became an input in version 18."""


def read_graph(place: Path) -> "onnx.ModelProto":
    """Return a graph with all of its weights inside; what it computes of them when it is opened, computed.

    Raises:
        EngineError: it cannot be read.
    """
    import onnx

    card = GraphCard.from_json(read_metadata(place).get(METADATA_KEY), str(place))
    try:
        if card.precision != "int8":
            return onnx.load(place)
        with tempfile.TemporaryDirectory(prefix="glowvox-") as folder:
            return onnx.load(_folded(place, Path(folder) / "folded.onnx"))
    except Exception as error:  # neither library's errors have a base class of their own
        raise EngineError(f"{place}: cannot be read as a graph: {one_line(error, limit=300)}") from error


def _folded(place: Path, out: Path) -> Path:
    """Write a graph whose weights of 8 bits are stored as such, not as what they are rounded from; return its file."""
    quiet_telemetry()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(out)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(place), options, providers=["CPUExecutionProvider"])
    return out


def insert(
    graph: GraphBuilder, name: str, model: "onnx.ModelProto", inputs: Mapping[str, str], outputs: list[str]
) -> list[str]:
    """Write a model into a graph and return the names that its outputs have there.

    Args:
        graph: of operator set 18.
        name: stands before all names of the model.
        model: of operator set 17 or 18; what its other outputs alone need is left out.
        inputs: a value of the graph for each of the model's.
        outputs: those that are wanted.

    Raises:
        EngineError: the model has another input.
    """
    from onnx import helper, numpy_helper

    missing = {value.name for value in model.graph.input} - set(inputs)
    if missing:
        raise EngineError(f"the {name} graph needs {', '.join(sorted(missing))}, which this export does not know of")
    names = dict(inputs)
    needed = set(outputs)
    kept = []
    for node in reversed(model.graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    for tensor in model.graph.initializer:
        if tensor.name in needed:
            names[tensor.name] = graph.constant(numpy_helper.to_array(tensor))
    there = graph.op("Less", graph.integers(0), graph.op("Size", next(iter(inputs.values()))))
    found = list(outputs)
    with graph.scope(name), graph.enclosed(there, found):
        for node in reversed(kept):
            given = [names[value] if value else "" for value in node.input]
            attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
            if node.op_type in _REDUCTIONS and "axes" in attributes:
                given.append(graph.integers(list(attributes.pop("axes"))))
            made = graph.split_op(node.op_type, len(node.output), *given, domain=node.domain, **attributes)
            names.update(zip(node.output, made, strict=True))
        found[:] = [names[output] for output in outputs]
    return found
