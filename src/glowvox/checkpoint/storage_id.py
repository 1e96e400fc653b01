"""Persistent identifiers: how torch's pickles refer to the numbers that lie beside them in the file."""

from typing import Any

from glowvox.checkpoint.inert import Global, printable
from glowvox.checkpoint.lazy_tensor import STORAGE_TYPES, Storage, StorageFile
from glowvox.errors import CheckpointError

_STORAGE_MODULES = ("torch", "torch.cuda", "torch.storage")


def storage_from_id(identity: Any, file: StorageFile) -> Any:
    """Return the storage that a persistent identifier names, or the class of an old module.

    Args:
        identity: `('storage', type, key, location, size)`, in old files with a sixth part for views; or, in old
            files, `('module', class, source file, source)`.
        file: where the storages lie.

    Raises:
        CheckpointError: neither of the two, or a storage that the file does not hold.
    """
    if isinstance(identity, tuple) and len(identity) == 4 and identity[0] == "module":
        if not isinstance(identity[1], Global):
            raise CheckpointError("its pickle names a module by something that is not a class; the file is damaged")
        return identity[1]
    if not isinstance(identity, tuple) or len(identity) not in (5, 6) or identity[0] != "storage":
        raise CheckpointError("its pickle refers to something outside of it that is not a storage; not loaded")
    _, kind, key, _, size = identity[:5]
    if len(identity) == 6 and identity[5] is not None:
        raise CheckpointError(
            "its storages are views of each other, as torch 0.3 wrote them; save it with a newer torch"
        )
    number_type = STORAGE_TYPES.get(kind.name) if isinstance(kind, Global) and kind.module in _STORAGE_MODULES else None
    if number_type is None:
        raise CheckpointError(f"its numbers are of an unknown storage type {printable(kind)}; not loaded")
    if not isinstance(key, str) or type(size) is not int or not 0 <= size < 1 << 48:
        raise CheckpointError("a storage has an impossible key or size; the file is damaged or hostile")
    storage = Storage(file, key, number_type, size)
    file.check(key, size * storage.item_size)
    return storage
