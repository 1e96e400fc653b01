"""The container of torch.save before 1.6: five pickles in a row, then the storages one after the other.

The pickles are a magic number, a protocol version, facts about the machine, the saved value, and the list of storage
keys in file order. Each storage is a 64-bit count followed by its numbers.
"""

from pathlib import Path
from typing import Any, Literal, final

import numpy as np

from glowvox.checkpoint.inert import printable
from glowvox.checkpoint.lazy_tensor import StorageFile
from glowvox.checkpoint.pickle_machine import PickleMachine
from glowvox.checkpoint.storage_id import storage_from_id
from glowvox.checkpoint.torch_zip import MAX_PICKLE_BYTES
from glowvox.errors import CheckpointError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL_VERSION = 1001
_COUNT_BYTES = 8


@final
class LegacyStorages(StorageFile):
    """The storages of a checkpoint of before torch 1.6."""

    def __init__(self, path: Path) -> None:
        """Open the file and check its head.

        Raises:
            CheckpointError: not a torch checkpoint.
        """
        self._bytes = np.memmap(path, np.uint8, "r")
        super().__init__(len(self._bytes))
        self._head = self._bytes[:MAX_PICKLE_BYTES].tobytes()
        self._claimed: dict[str, int] = {}
        self._places: dict[str, int] = {}
        try:
            magic, self._at = PickleMachine(self._head, 0, _no_storage).run()
        except CheckpointError:
            magic = None
        if magic != _MAGIC:
            raise CheckpointError("it is not a file that torch.save wrote (neither a zip nor the older format)")
        version, machine = self._next(_no_storage), self._next(_no_storage)
        if version != _PROTOCOL_VERSION or not isinstance(machine, dict):
            raise CheckpointError("it is of an unknown version of torch's older format; save it with a newer torch")
        self._order: Literal["<", ">"] = "<" if machine.get("little_endian", True) else ">"

    @property
    def byte_order(self) -> Literal["<", ">"]:
        """'<' or '>': how the file writes numbers."""
        return self._order

    def load(self) -> Any:
        """Return the inert value of the main pickle.

        Raises:
            CheckpointError: a pickle is damaged, hostile or too large, or the storages do not fill the file as claimed.
        """
        value = self._next(lambda identity: storage_from_id(identity, self))
        keys = self._next(_no_storage)
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise CheckpointError("its list of storages is damaged")
        if len(set(keys)) != len(keys) or set(keys) != set(self._claimed):
            raise CheckpointError("its list of storages does not fit its tensors; the file is damaged")
        self._find_storages(keys)
        return value

    def raw(self, key: str, n_bytes: int) -> np.ndarray:
        """Return the bytes of a storage as a read-only uint8 array.

        Raises:
            CheckpointError: the storage is missing or of another size.
        """
        if self._claimed.get(key) != n_bytes or key not in self._places:
            raise CheckpointError(f"it has no storage {printable(key)} of {printable(n_bytes)} bytes")
        return self._bytes[self._places[key] : self._places[key] + n_bytes]

    def check(self, key: str, n_bytes: int) -> None:
        """Note a storage that the pickle names, which must fit into the file together with the others.

        Raises:
            CheckpointError: it does not fit, or has been named with another size.
        """
        if self._claimed.setdefault(key, n_bytes) != n_bytes or n_bytes > len(self._bytes):
            raise CheckpointError(
                f"a storage is said to have {printable(n_bytes)} bytes, which the file does not hold; "
                "it is damaged or hostile"
            )

    def _next(self, persistent: Any) -> Any:
        value, self._at = PickleMachine(self._head, self._at, persistent).run()
        return value

    def _find_storages(self, keys: list[str]) -> None:
        at = self._at
        for key in keys:
            # The count is in numbers, of which the pickle has said how long they are.
            if at + _COUNT_BYTES + self._claimed[key] > len(self._bytes):
                raise CheckpointError("it ends before its last storage; the file is truncated or hostile")
            count = int.from_bytes(self._bytes[at : at + _COUNT_BYTES].tobytes(), "little", signed=True)
            if self._claimed[key] not in (count * width for width in (1, 2, 4, 8, 16)):
                raise CheckpointError(
                    f"its storage {printable(key)} does not have the size claimed; the file is damaged"
                )
            self._places[key] = at + _COUNT_BYTES
            at += _COUNT_BYTES + self._claimed[key]


def _no_storage(identity: Any) -> Any:
    raise CheckpointError("its head refers to storages; the file is damaged")
