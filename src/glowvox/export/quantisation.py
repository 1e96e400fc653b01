"""The 8-bit variant of a graph: weights stored as int8, activations quantised when the graph runs.

The scale of the activations is that of the window that they are in, so what a window gives depends, by as much as the
loss measured, on what else is in it: windows and batches join without a seam, but not to the last digit.
"""

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx


def quantised(model: "onnx.ModelProto", products: Sequence[str]) -> "onnx.ModelProto":
    """Return the graph with some of its matrix products in 8 bits, one scale per output channel.

    Args:
        model: made with the precision 'int8', whose products are free of biases.
        products: names of the nodes (see `GraphBuilder.quantisable`).
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.getLogger().addFilter(_not_about_preprocessing)
    try:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "quantised.onnx"
            quantize_dynamic(
                model,
                out,
                op_types_to_quantize=["MatMul"],
                nodes_to_quantize=list(products),
                per_channel=True,
                weight_type=QuantType.QInt8,
            )
            result = onnx.load(out)
    finally:
        logging.getLogger().removeFilter(_not_about_preprocessing)
    del result.metadata_props[:]
    result.metadata_props.extend(model.metadata_props)
    return result


def _not_about_preprocessing(record: logging.LogRecord) -> bool:
    return "pre-processing" not in record.getMessage()
