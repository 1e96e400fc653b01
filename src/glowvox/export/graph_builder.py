"""A thin builder of ONNX graphs: names, weights in the wished-for precision, and the product with bias.

The graphs are written node by node from a model's weights, because a traced model carries the tracer's habits along:
layouts that the engines move data for, constants that are computed again, shapes that are fixed. Everything here is
within opset 17, without loops, branches or types that other engines do not take.
"""

import contextlib
import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from glowvox.engines.graph_engine import RANGE_PREFIX

if TYPE_CHECKING:
    import onnx


_TYPES: dict[str, Any] = {"F16": np.float16, "F32": np.float32}
_SMALLEST = 512
"""Values; what is smaller is stored in the graph itself."""


@dataclass(frozen=True)
class StoredBlock:
    """A matrix `[K, N]` made of a tensor that lies in a file."""

    offset: int
    """Of its first byte in the file."""
    length: int
    """In bytes."""
    dtype: Any
    """float16 or float32."""
    shape: tuple[int, ...]
    """Of the tensor."""
    perm: tuple[int, ...] | None
    """How its axes are exchanged before they are joined to two; None: they are not."""
    gain: NDArray[np.float64] | None
    """Factors on the columns `[N]`; None: none."""


class StoredWeights:
    """The tensors of one safetensors file, found again in the matrices of a graph.

    A voice that can be trained further holds its models' weights, and its graphs need the same numbers in another
    order. A graph may refer to a place in a file beside it (ONNX calls this external data), so the numbers are stored
    once: the graph turns and scales them when it is opened.
    """

    def __init__(self, file: Path, location: str) -> None:
        """Read the file.

        Args:
            file: the safetensors file.
            location: where it lies as seen from the graph, with `/` between folder and file.

        Raises:
            OSError: it cannot be read.
        """
        self.location = location
        content = file.read_bytes()
        [header] = struct.unpack_from("<Q", content)
        self._candidates: list[tuple[StoredBlock, NDArray[np.float64]]] = []
        for name, entry in json.loads(content[8 : 8 + header]).items():
            if name == "__metadata__" or entry["dtype"] not in _TYPES or len(entry["shape"]) not in (2, 3):
                continue
            dtype, shape = np.dtype(_TYPES[entry["dtype"]]), tuple(entry["shape"])
            first, last = (8 + header + end for end in entry["data_offsets"])
            values = np.frombuffer(content[first:last], dtype.newbyteorder("<")).reshape(shape).astype(np.float64)
            if values.size >= _SMALLEST:
                self._add(values, first, dtype)

    def _add(self, values: NDArray[np.float64], offset: int, dtype: np.dtype[Any]) -> None:
        perm = tuple(reversed(range(values.ndim)))
        turned = values.transpose(perm).reshape(-1, len(values))
        self._candidates.append((StoredBlock(offset, values.nbytes, dtype, values.shape, perm, None), turned))
        if values.ndim == 2:
            self._candidates.append((StoredBlock(offset, values.nbytes, dtype, values.shape, None, None), values))

    def find(self, matrix: NDArray[Any]) -> list[StoredBlock] | None:
        """Return the blocks that make a matrix `[K, N]`, one below the other; None where it is not made of such.

        A block is a tensor, or some of its rows, turned and with a factor on each column.
        """
        wanted = np.asarray(matrix, np.float64)
        if wanted.ndim != 2 or wanted.size < _SMALLEST:
            return None
        blocks: list[StoredBlock] = []
        row = 0
        while row < len(wanted):
            found = self._block(wanted[row:])
            if found is None:
                return None
            block, height = found
            blocks.append(block)
            row += height
        return blocks

    def _block(self, rest: NDArray[np.float64]) -> tuple[StoredBlock, int] | None:
        """Return a block that begins a matrix, and how many rows it fills."""
        width = rest.shape[1]
        for block, values in self._candidates:
            height, columns = values.shape
            if height > len(rest) or height < 2 or columns < width or (block.perm is None and columns != width):
                continue
            for start in range(0, columns - width + 1, width):
                gain = _gain(rest[:height], values[:, start : start + width])
                if gain is not None:
                    return _part(block, start, width, None if (gain == 1).all() else gain), height
        return None


def _part(block: StoredBlock, start: int, width: int, gain: NDArray[np.float64] | None) -> StoredBlock:
    """Return the rows of a tensor that are some columns of its turned matrix."""
    if block.perm is None:
        return StoredBlock(block.offset, _bytes(block.shape, block.dtype), block.dtype, block.shape, None, gain)
    shape = (width, *block.shape[1:])
    row_bytes = _bytes(block.shape[1:], block.dtype)
    return StoredBlock(block.offset + start * row_bytes, width * row_bytes, block.dtype, shape, block.perm, gain)


def _bytes(shape: tuple[int, ...], dtype: Any) -> int:
    return int(np.prod(shape)) * int(np.dtype(dtype).itemsize)


def _gain(wanted: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the factors of the columns that make `values` into `wanted`, both `[K, N]`; None where none do."""
    if not np.allclose(wanted[0] * values[1], wanted[1] * values[0], rtol=1e-6, atol=1e-12):
        return None
    if np.array_equal(wanted, values):
        return np.ones(values.shape[1])
    place = np.abs(values).argmax(0)[None]
    largest = np.take_along_axis(values, place, 0)[0]
    found = np.take_along_axis(wanted, place, 0)[0]
    gain = np.divide(found, largest, out=np.ones_like(found), where=largest != 0)
    return gain if gain.all() and np.allclose(values * gain, wanted, rtol=1e-9, atol=1e-15) else None


OPSET = 17
IR_VERSION = 8
"""The oldest that goes with the operator set: engines refuse newer ones than they know."""

_FLOAT, _INT8 = 1, 3
"""ONNX's numbers of the types float32 and int8."""

Precision = Literal["float32", "float16", "int8"]

_OWN_DOMAIN = "com.microsoft"
"""Where ONNX Runtime's own operators live."""
_STEPS = 127
"""Of 8 bits, on either side of zero."""
_HEADROOM = 1.05
"""Over the largest magnitude that was observed; what is larger is cut off."""


_Node = tuple[str, list[str], list[str], str, dict[str, Any]]
"""Operator, inputs, outputs, name and attributes."""


def _as_protos(nodes: Sequence[_Node]) -> "list[onnx.NodeProto]":
    from onnx import helper

    return [helper.make_node(kind, ins, outs, name=label, **more) for kind, ins, outs, label, more in nodes]


def _needed(nodes: Sequence[_Node], outputs: Iterable[str]) -> list[_Node]:
    """Return the nodes that outputs depend on, in their order."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted.isdisjoint(node[2]):
            continue
        kept.append(node)
        wanted.update(node[1])
        for attribute in node[4].values():
            for inner in getattr(attribute, "node", ()):  # of a graph inside
                wanted.update(inner.input)
    return kept[::-1]


class GraphBuilder:
    """Collects the nodes of one graph."""

    def __init__(
        self,
        precision: Precision = "float32",
        weights: StoredWeights | None = None,
        *,
        ranges: Mapping[str, float] | None = None,
        observe: bool = False,
        opset: int = OPSET,
    ) -> None:
        """Begin a graph.

        Args:
            precision: how the large matrices are stored. 'float16': computed in float32 all the same. 'int8': products
                are computed in 8 bits.
            weights: a file beside the graph whose numbers are referred to wherever they make a matrix.
            ranges: for 'int8': the largest magnitude that each product is given, by its name, which makes the scale
                of its activations a constant of the graph; None: products are written so that a quantiser finds them,
                and scales are those of whatever is computed at once.
            observe: give out what `ranges` is made of.
            opset: version of ONNX's operators.
        """
        self._opset = opset
        self.precision = precision
        self._weights = weights
        self._ranges = ranges
        self._observe = observe
        self._products: dict[str, int] = {}
        self._domains: set[str] = set()
        self._stored: dict[str, StoredBlock] = {}
        self._nodes: list[_Node] = []
        self._made: dict[str, _Node] = {}
        """The node that made a value, by the value's name."""
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

    def split_op(self, kind: str, n_outputs: int, *inputs: str, domain: str = "", **attributes: Any) -> list[str]:
        """Add a node with several outputs and return their names."""
        name = self._name(kind.lower())
        outputs = [name] if n_outputs == 1 else [f"{name}.{index}" for index in range(n_outputs)]
        if domain:
            self._domains.add(domain)
            attributes["domain"] = domain
        node = (kind, list(inputs), outputs, name, attributes)
        self._nodes.append(node)
        self._made.update(dict.fromkeys(outputs, node))
        return outputs

    @contextlib.contextmanager
    def enclosed(self, condition: str, outputs: list[str]) -> Iterator[None]:
        """Put what is written inside into a graph of its own, which runs where a condition holds, as it always does.

        ONNX Runtime plans the memory of each graph in a time that grows with the square of its nodes.

        Args:
            condition: bool, true; nothing that could be known before the graph runs.
            outputs: names of values inside; when the block ends, those of the float32 values outside are there instead.
        """
        from onnx import TensorProto, helper

        nodes, self._nodes = self._nodes, []
        yield
        inside, self._nodes = _needed(self._nodes, outputs), nodes
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        then = helper.make_graph(_as_protos(inside), self._name("inside"), [], results)
        empty = helper.make_tensor("empty", TensorProto.FLOAT, [0], [])
        absent = [self._name("absent") for _ in outputs]
        constants = [helper.make_node("Constant", [], [name], value=empty) for name in absent]
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in absent]
        otherwise = helper.make_graph(constants, self._name("never"), [], results)
        outputs[:] = self.split_op("If", len(outputs), condition, then_branch=then, else_branch=otherwise)

    def floats(self, values: Any) -> str:
        """Return a float32 constant; equal ones are stored once."""
        return self._constant(np.asarray(values, np.float32))

    def doubles(self, values: Any) -> str:
        """Return a float64 constant; equal ones are stored once."""
        return self._constant(np.asarray(values, np.float64))

    def constant(self, values: NDArray[Any]) -> str:
        """Return a constant of any type; equal ones are stored once."""
        return self._constant(values)

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
        if exact:
            return self.op("Gemm", rows, matrix if isinstance(matrix, str) else self.matrix(matrix, exact=True), added)
        name = self._product_name()
        if self._observe:
            self._give_range(rows, name)
        if self.precision == "int8" and self._ranges is not None:
            return self._in_8_bits(rows, matrix, added, self._ranges[name], biased=not isinstance(addend, str))
        factor = matrix if isinstance(matrix, str) else self.matrix(matrix)
        if self.precision != "int8":
            return self.op("Gemm", rows, factor, added)
        product = self.op("MatMul", rows, factor)
        self.quantisable.append(product)
        return self.op("Add", product, added)

    def _product_name(self) -> str:
        """Return a name that the same product has in every graph of the same model."""
        scope = "/".join([*self._scopes, "product"])
        self._products[scope] = self._products.get(scope, 0) + 1
        return f"{scope}_{self._products[scope]}"

    def _give_range(self, rows: str, name: str) -> None:
        """Give out the largest magnitude of each column of rows `[R, K]`."""
        largest = self.op("ReduceMax", self.op("Abs", rows), axes=[0], keepdims=0)
        self.output(largest, RANGE_PREFIX + name, ["K"])

    def _in_8_bits(self, rows: str, matrix: NDArray[Any] | str, added: str, largest: float, *, biased: bool) -> str:
        """Return `rows @ matrix + added` with both factors in 8 bits.

        The scale of the rows is a constant, so what a row gives does not depend on the rows beside it, and the product
        itself is exact: pieces of a signal are what the whole is. Each column of the matrix has a scale of its own.
        """
        scale, middle = (
            self.floats(max(largest, 1e-6) * _HEADROOM / _STEPS),
            self._constant(np.array(_STEPS + 1, np.uint8)),
        )
        narrow = self._narrowed(rows, scale, middle)
        factor, gains = self._quantised_matrix(matrix)
        given = [narrow, factor, scale, gains, middle]
        if biased:
            return self.op("MatMulIntegerToFloat", *given, "", added, domain=_OWN_DOMAIN)
        return self.op("Add", self.op("MatMulIntegerToFloat", *given, domain=_OWN_DOMAIN), added)

    def _narrowed(self, rows: str, *scale: str) -> str:
        """Return rows in 8 bits.

        Where they are taps side by side, cut out of the same frames, the frames are made narrow before they are cut:
        the numbers are the same, a frame is rounded once instead of once for each tap, and what is copied is a quarter.
        """
        known: dict[str, str] = {}

        def narrow(value: str) -> str:
            if value not in known:
                known[value] = self.op("QuantizeLinear", value, *scale)
            return known[value]

        def cut(value: str) -> str:
            made = self._made.get(value)
            if made is None or made[0] != "Slice":
                return narrow(value)
            return self.op("Slice", cut(made[1][0]), *made[1][1:])

        shaped = self._made.get(rows)
        joined = self._made.get(shaped[1][0]) if shaped is not None and shaped[0] == "Reshape" else None
        if shaped is None or joined is None or joined[0] != "Concat" or joined[4] != {"axis": 2}:
            return narrow(rows)
        sources = [self._source(part) for part in joined[1]]
        if len(set(sources)) == len(sources):
            return narrow(rows)
        parts = [
            cut(part) if sources.count(source) > 1 else narrow(part)
            for part, source in zip(joined[1], sources, strict=True)
        ]
        return self.op("Reshape", self.op("Concat", *parts, axis=2), shaped[1][1])

    def _source(self, value: str) -> str:
        """Return what a value was cut out of; itself, if it was not."""
        made = self._made.get(value)
        return value if made is None or made[0] != "Slice" else self._source(made[1][0])

    def _quantised_matrix(self, matrix: NDArray[Any] | str) -> tuple[str, str]:
        """Return a matrix `[K, N]` in 8 bits and the scales `[N]` of its columns.

        Where the graph refers to stored weights, both are made when the graph is opened.
        """
        stored = not isinstance(matrix, str) and self._weights is not None and self._weights.find(matrix) is not None
        if not isinstance(matrix, str) and not stored:
            gains = np.maximum(np.abs(matrix).max(0), 1e-12) / _STEPS
            return self._constant(np.round(matrix / gains).astype(np.int8)), self.floats(gains)
        wide = matrix if isinstance(matrix, str) else self.matrix(matrix)
        largest = self.op("ReduceMax", self.op("Abs", wide), axes=[0], keepdims=0)
        scales = self.op("Mul", self.op("Max", largest, self.floats(1e-12)), self.floats(1.0 / _STEPS))
        zeros = self.op("Cast", self.op("Mul", largest, self.floats(0.0)), to=_INT8)
        return self.op("QuantizeLinear", wide, scales, zeros, axis=1), scales

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
            _as_protos(_needed(self._nodes, [output for output, _, _ in self._outputs])),
            name,
            described(self._inputs),
            described(self._outputs),
            initializer=[numpy_helper.from_array(array, label) for label, array in self._initialisers.items()]
            + [self._reference(label, block) for label, block in self._stored.items()],
        )
        model = helper.make_model(
            graph,
            opset_imports=[
                helper.make_opsetid("", self._opset),
                *(helper.make_opsetid(own, 1) for own in self._domains),
            ],
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
