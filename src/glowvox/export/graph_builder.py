"""A thin builder of ONNX graphs: names, weights in the wished-for precision, and the product with bias.

The graphs are written node by node from a model's weights, because a traced model carries the tracer's habits along:
layouts that the engines move data for, constants that are computed again, shapes that are fixed. Everything here is
within opset 17, without loops, branches or types that other engines do not take.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from glowvox.export.stored_weights import StoredBlock, StoredWeights

if TYPE_CHECKING:
    import onnx

OPSET = 17
IR_VERSION = 8
"""The oldest that goes with the operator set: engines refuse newer ones than they know."""

_FLOAT = 1
"""ONNX's number of the type float32."""

Precision = Literal["float32", "float16", "int8"]


class GraphBuilder:
    """Collects the nodes of one graph."""

    def __init__(self, precision: Precision = "float32", weights: StoredWeights | None = None) -> None:
        """Begin a graph.

        Args:
            precision: how the large matrices are stored. 'float16': computed in float32 all the same. 'int8': products
                are written so that a quantiser finds them; it does the rest.
            weights: a file beside the graph whose numbers are referred to wherever they make a matrix.
        """
        self.precision = precision
        self._weights = weights
        self._stored: dict[str, StoredBlock] = {}
        self._nodes: list[tuple[str, list[str], list[str], str, dict[str, Any]]] = []
        self._initialisers: dict[str, NDArray[Any]] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._inputs: list[tuple[str, Any, Sequence[int | str]]] = []
        self._outputs: list[tuple[str, Any, Sequence[int | str]]] = []
        self._scopes: list[str] = []
        self._count = 0
        self.quantisable: list[str] = []
        """Names of the products that may be computed in 8 bits."""

    @property
    def refers(self) -> bool:
        """Whether the graph refers to stored weights."""
        return self._weights is not None

    @contextlib.contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Put `name/` before the names of everything made inside."""
        self._scopes.append(name)
        yield
        self._scopes.pop()

    def input(self, name: str, shape: Sequence[int | str], dtype: Any = np.float32) -> str:
        """Declare an input; a word in the shape is a length known only when the graph runs."""
        self._inputs.append((name, dtype, shape))
        return name

    def output(self, value: str, name: str, shape: Sequence[int | str]) -> None:
        """Give a float32 value out under a name."""
        self._nodes.append(("Identity", [value], [name], f"output/{name}", {}))
        self._outputs.append((name, np.float32, shape))

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        return self.split_op(kind, 1, *inputs, **attributes)[0]

    def split_op(self, kind: str, n_outputs: int, *inputs: str, **attributes: Any) -> list[str]:
        """Add a node with several outputs and return their names."""
        name = self._name(kind.lower())
        outputs = [name] if n_outputs == 1 else [f"{name}.{index}" for index in range(n_outputs)]
        self._nodes.append((kind, list(inputs), outputs, name, attributes))
        return outputs

    def floats(self, values: Any) -> str:
        """Return a float32 constant; equal ones are stored once."""
        return self._constant(np.asarray(values, np.float32))

    def integers(self, values: Any) -> str:
        """Return an int64 constant; equal ones are stored once."""
        return self._constant(np.asarray(values, np.int64))

    def matrix(self, values: NDArray[Any], *, exact: bool = False) -> str:
        """Return a large float constant, stored in half precision where that was wished for and not `exact`."""
        blocks = self._weights.find(values) if self._weights is not None else None
        if blocks is not None:
            return self._joined(blocks)
        if exact or self.precision != "float16":
            return self.floats(values)
        limit = float(np.finfo(np.float16).max)
        return self.op("Cast", self._constant(np.clip(values, -limit, limit).astype(np.float16)), to=_FLOAT)

    def stacked(self, matrices: Sequence[NDArray[Any] | str]) -> NDArray[Any] | str:
        """Return matrices one below the other; a value of the graph if any of them is one."""
        arrays = [matrix for matrix in matrices if not isinstance(matrix, str)]
        if len(arrays) == len(matrices):
            return np.concatenate(arrays)
        names = [matrix if isinstance(matrix, str) else self.matrix(matrix) for matrix in matrices]
        return names[0] if len(names) == 1 else self.op("Concat", *names, axis=0)

    def beside(self, matrices: Sequence[NDArray[Any]]) -> NDArray[Any] | str:
        """Return matrices `[K, ...]` side by side; a value of the graph where it refers to stored weights."""
        if not self.refers:
            return np.concatenate(matrices, axis=1)
        return self.op("Concat", *map(self.matrix, matrices), axis=1)

    def linear(self, rows: str, matrix: NDArray[Any] | str, addend: Any, *, exact: bool = False) -> str:
        """Return `rows [R, K] @ matrix [K, N] + addend` as rows `[R, N]`.

        Args:
            rows: a value.
            matrix: float64, rounded once when it is stored; or the name of a float32 value.
            addend: a bias `[N]`, or the name of a value `[R, N]`.
            exact: keep the matrix and the product in float32 whatever the precision of the graph.
        """
        added = addend if isinstance(addend, str) else self.floats(addend)
        factor = matrix if isinstance(matrix, str) else self.matrix(matrix, exact=exact)
        if exact or self.precision != "int8":
            return self.op("Gemm", rows, factor, added)
        product = self.op("MatMul", rows, factor)
        self.quantisable.append(product)
        return self.op("Add", product, added)

    def split(self, rows: str, sizes: Sequence[int], axis: int = 1) -> list[str]:
        """Cut a value along an axis."""
        if len(sizes) == 1:
            return [rows]
        return self.split_op("Split", len(sizes), rows, self.integers(list(sizes)), axis=axis)

    def cut(self, value: str, start: int, end: int | None, axis: int, lanes: int | None = None) -> str:
        """Return `value[start:end]` along an axis, both may be negative; and of the next axis the first `lanes`."""
        last = np.iinfo(np.int64).max if end is None else end
        parts = ([start], [last], [axis]) if lanes is None else ([start, 0], [last, lanes], [axis, axis + 1])
        return self.op("Slice", value, *map(self.integers, parts))

    def model(self, name: str, metadata: Mapping[str, str]) -> "onnx.ModelProto":
        """Return the graph as a model with metadata."""
        from onnx import helper, numpy_helper

        def described(values: list[tuple[str, Any, Sequence[int | str]]]) -> list[Any]:
            kinds = [helper.np_dtype_to_tensor_dtype(np.dtype(dtype)) for _, dtype, _ in values]
            return [
                helper.make_tensor_value_info(value[0], kind, value[2])
                for value, kind in zip(values, kinds, strict=True)
            ]

        graph = helper.make_graph(
            [helper.make_node(kind, ins, outs, name=label, **more) for kind, ins, outs, label, more in self._nodes],
            name,
            described(self._inputs),
            described(self._outputs),
            initializer=[numpy_helper.from_array(array, label) for label, array in self._initialisers.items()]
            + [self._reference(label, block) for label, block in self._stored.items()],
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="glowvox",
        )
        helper.set_model_props(model, dict(metadata))
        return model

    def _joined(self, blocks: Sequence[StoredBlock]) -> str:
        """Return a float32 matrix from blocks in a file, one below the other."""
        parts = []
        for block in blocks:
            name = self._name("stored")
            self._stored[name] = block
            if block.perm is not None:
                name = self.op("Transpose", name, perm=list(block.perm))
            if len(block.shape) > 2:
                name = self.op("Reshape", name, self.integers([-1, block.shape[0]]))
            if block.dtype != np.float32:
                name = self.op("Cast", name, to=_FLOAT)
            if block.gain is not None:
                name = self.op("Mul", name, self.floats(block.gain))
            parts.append(name)
        return parts[0] if len(parts) == 1 else self.op("Concat", *parts, axis=0)

    def _reference(self, name: str, block: StoredBlock) -> "onnx.TensorProto":
        """Return an initialiser whose numbers lie in the file of the weights."""
        from onnx import TensorProto, helper

        assert self._weights is not None
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(block.dtype))
        tensor = TensorProto(name=name, dims=block.shape, data_type=kind, data_location=TensorProto.EXTERNAL)
        place = {"location": self._weights.location, "offset": block.offset, "length": block.length}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        return tensor

    def _name(self, kind: str) -> str:
        self._count += 1
        return "/".join([*self._scopes, f"{kind}_{self._count}"])

    def _constant(self, array: NDArray[Any]) -> str:
        key = (str(array.dtype), array.shape, hashlib.sha256(np.ascontiguousarray(array).data).digest())
        if key not in self._constants:
            name = self._name("constant")
            self._constants[key] = name
            self._initialisers[name] = np.ascontiguousarray(array).reshape(array.shape)
        return self._constants[key]
