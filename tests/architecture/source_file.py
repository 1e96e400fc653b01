"""A Python file of the package and what it imports, read without running it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "glowvox"


@dataclass(frozen=True)
class Import:
    """One imported module."""

    module: str
    line: int
    deferred: bool
    """Inside a function: nothing is loaded when the file is imported."""
    typing_only: bool
    """Under `if TYPE_CHECKING`: never loaded at all."""


@dataclass(frozen=True)
class SourceFile:
    """A Python file of the package; `name` is its path below src/glowvox, with slashes."""

    name: str
    text: str

    @property
    def room(self) -> str:
        return self.name.split("/")[0].removesuffix(".py")

    @property
    def module(self) -> str:
        return "glowvox." + self.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(self._imports(self.tree, deferred=False, typing_only=False))

    def _imports(self, node: ast.AST, *, deferred: bool, typing_only: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(alias.name, child.lineno, deferred, typing_only)
            elif isinstance(child, ast.ImportFrom):
                base = child.module or ""
                if child.level:
                    package = (
                        self.module.split(".") if self.name.endswith("__init__.py") else self.module.split(".")[:-1]
                    )
                    base = ".".join([*package[: len(package) - child.level + 1], *([base] if base else [])])
                for alias in child.names:
                    yield Import(f"{base}.{alias.name}", child.lineno, deferred, typing_only)
            elif not isinstance(child, ast.expr):  # no expression imports
                inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
                typed = isinstance(child, ast.If) and any(_names_typing(part) for part in ast.walk(child.test))
                yield from self._imports(child, deferred=deferred or inside, typing_only=typing_only or typed)

    def at(self, line: int, why: str) -> str:
        return f"{self.name}:{line}: {why}"


def _names_typing(node: ast.AST) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return "TYPE_CHECKING" in name


def package_files() -> list[SourceFile]:
    """Return every Python file of the package."""
    return [
        SourceFile(path.relative_to(SOURCE).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(SOURCE.rglob("*.py"))
    ]


def top(module: str) -> str:
    """Return the distribution's name of a module, more or less: what stands before the first dot."""
    return module.split(".")[0]
