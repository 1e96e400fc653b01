"""Opening checkpoints that torch.save wrote, of either format, without running anything in them.

A published checkpoint is a pickle, and a pickle is a program: loaded in the ordinary way it may run whatever its author
wished. torch's own `weights_only` loader refuses those programs, but also every module of a class that is not
installed, which is how WaveGlow was published. So this package reads pickles with an interpreter of its own
(`pickle_machine`): foreign classes become inert records, the few functions that rebuild tensors come from a fixed
table (`reducers`), and nothing is imported, called or looked up by a name from the file. A subclass of
`pickle.Unpickler` would be shorter, but cannot bound what a file makes it allocate, hash or memorise.

What a hostile file may try, and where it is stopped:

- calling something: `inert.named_global` and `reducers.reduce_inert`;
- endless or deeply nested pickles, memo and copy bombs: the step budget of the machine, and the depth check here;
- tensors larger than the file: `lazy_tensor.lazy_tensor`, `torch_zip`, `torch_legacy`;
- compressed, overlapping, duplicate or travelling zip entries: `torch_zip`.
"""

from pathlib import Path
from typing import Any

from glowvox.checkpoint.inert import Record
from glowvox.checkpoint.torch_legacy import LegacyStorages
from glowvox.checkpoint.torch_zip import ZipStorages, is_zip
from glowvox.errors import CheckpointError

_MAX_DEPTH = 100


def read_torch_file(path: str | Path) -> Any:
    """Return what a torch checkpoint holds, as plain containers, scalars, `LazyTensor`s and inert `Record`s.

    Args:
        path: a file that torch.save wrote, in the zip format (torch 1.6 and later) or the older one.

    Raises:
        CheckpointError: the file is missing, empty, not torch's, truncated, damaged or hostile; one line says which.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such file")
    try:
        if path.stat().st_size == 0:
            raise CheckpointError("the file is empty; download or copy it again")
        container = ZipStorages(path) if is_zip(path) else LegacyStorages(path)
        value = container.load()
        _refuse_deep(value)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from None
    return value


def _refuse_deep(value: Any) -> None:
    """Refuse values so deep that a careless reader of them would recurse to death.

    Breadth first and each value once: a structure that refers to itself, or shares its parts, costs no more.
    """
    seen: set[int] = set()
    level = [value]
    for _ in range(_MAX_DEPTH):
        following = []
        for item in level:
            for part in _parts(item):
                if id(part) not in seen:
                    seen.add(id(part))
                    following.append(part)
        if not following:
            return
        level = following
    raise CheckpointError(f"its values are nested more than {_MAX_DEPTH} deep; the file may be hostile")


def _parts(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return [part for part in item.values() if isinstance(part, dict | list | tuple | Record)]
    if isinstance(item, list | tuple):
        return [part for part in item if isinstance(part, dict | list | tuple | Record)]
    if isinstance(item, Record):
        return [item.state, item.items, item.entries, item.arguments]
    return []
