"""The text front end in JavaScript, translated from its Python: one source for both.

A part of Python is understood, the part in which `glowvox.text` is written: functions, classes, generators,
comprehensions, patterns. What both languages have is written as JavaScript has it; the rest calls
`browser/python.js`, which does as Python does (truth, slices, methods of strings). Data of a module are not translated
but written down as they are when the module is loaded. Only what is reached from the names asked for is written.
"""

import ast
import importlib
import inspect
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, is_dataclass
from types import ModuleType

from glowvox.export.js_literals import literal, name_in_js
from glowvox.export.python_to_js_expressions import ExpressionWriter


@dataclass(frozen=True)
class Translation:
    """What is translated, and what is not."""

    roots: Mapping[str, tuple[str, ...]]
    """Names that the program asks for, by module."""
    given: frozenset[str]
    """`module.name` that JavaScript brings itself, in the object `given`."""
    dropped: frozenset[str] = frozenset()
    """`module.Class.method` that are left out."""


@dataclass
class _Module:
    python: ModuleType
    nodes: dict[str, ast.stmt]
    """Definitions by name, in the order of the file."""
    imports: dict[str, tuple[str, str]]
    """Names that come from another module: that module, and their name there."""
    needed: set[str] = field(default_factory=set)


def translate(what: Translation) -> str:
    """Return a module of JavaScript that exports `load(python, given)`, which returns the roots by name.

    Raises:
        ConfigError: a name needs something that is not understood.
    """
    return _Program(what).text()


class _Program:
    def __init__(self, what: Translation) -> None:
        self._what = what
        self._modules: dict[str, _Module] = {}
        self._names: dict[tuple[str, str], frozenset[str]] = {}
        self._literals: dict[tuple[str, str], str | None] = {}
        for module, names in what.roots.items():
            for name in names:
                self._need(module, name)

    def text(self) -> str:
        """Return the program."""
        parts = [
            "// Written by glowvox from its Python sources: change those, not this file.",
            "export function load($py, given) {",
            "const $m = {};",
        ]
        for name in self._order():
            parts.append(self._module_text(name))
        roots = [
            f"{name_in_js(root)}: $m[{json.dumps(module)}].{name_in_js(root)}"
            for module, names in self._what.roots.items()
            for root in names
        ]
        return "\n".join([*parts, f"return {{{', '.join(roots)}}};", "}", ""])

    def _order(self) -> list[str]:
        """Return the modules, each behind those whose names it uses."""
        order: list[str] = []
        visited: set[str] = set()

        def visit(name: str) -> None:
            if name in visited:
                return
            visited.add(name)
            module = self._modules[name]
            for needed in sorted(module.needed):
                for local in sorted(self._names_in(name, needed) & module.imports.keys()):
                    source = self._source_of(name, local)
                    inside = self._module_of(name, local) or (source[0] if source is not None else name)
                    if inside != name:
                        visit(inside)
            if module.needed:
                order.append(name)

        for name in list(self._modules):
            visit(name)
        return order

    def _module_of(self, module: str, local: str) -> str | None:
        """Return the module of ours that a name means, None where it means something else."""
        found = self._module(module)
        value = found.python.__dict__.get(local) if local in found.imports else None
        ours = isinstance(value, ModuleType) and value.__name__.startswith("glowvox")
        return value.__name__ if ours and isinstance(value, ModuleType) else None

    def _source_of(self, module: str, local: str) -> tuple[str, str] | None:
        """Return where a name of ours is defined; None where JavaScript or Python brings it."""
        while True:
            if f"{module}.{local}" in self._what.given or not module.startswith("glowvox"):
                return None
            found = self._module(module)
            if local not in found.imports:
                return (module, local) if local in found.nodes else None
            module, local = found.imports[local]

    def _module(self, name: str) -> _Module:
        found = self._modules.get(name)
        if found is None:
            python = importlib.import_module(name)
            nodes: dict[str, ast.stmt] = {}
            imports: dict[str, tuple[str, str]] = {}
            for node in ast.parse(inspect.getsource(python)).body:
                for defined in _defined(node):
                    nodes[defined] = node
                if isinstance(node, ast.ImportFrom) and node.module:
                    imports |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
            found = self._modules[name] = _Module(python, nodes, imports)
        return found

    def _need(self, module: str, name: str) -> None:
        """Mark a name of a module as needed, and what it needs."""
        if f"{module}.{name}" in self._what.given:
            return
        found = self._module(module)
        if name in found.imports:
            source, original = found.imports[name]
            if source.startswith("glowvox"):
                self._need(source, original)
            return
        if name in found.needed or name not in found.nodes:
            return
        found.needed.add(name)
        for other in sorted(self._names_in(module, name)):
            self._need(module, other)
        for part in ast.walk(found.nodes[name]):
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                inside = self._module_of(module, part.value.id)
                if inside is not None:
                    self._need(inside, part.attr)

    def _names_in(self, module: str, name: str) -> frozenset[str]:
        """Return the names that a definition needs."""
        key = module, name
        if key not in self._names:
            node = self._module(module).nodes[name]
            found: set[str] = set()
            if not (isinstance(node, ast.Assign | ast.AnnAssign) and self._literal(module, name) is not None):
                for part in self._kept(module, node):
                    found |= {each.id for each in ast.walk(part) if isinstance(each, ast.Name)}
                found -= _annotated(node)
            self._names[key] = frozenset(found)
        return self._names[key]

    def _kept(self, module: str, node: ast.stmt) -> Iterable[ast.AST]:
        """Yield the parts of a definition that are translated."""
        if isinstance(node, ast.ClassDef):
            yield from node.bases
            for each in node.body:
                if f"{module}.{node.name}.{getattr(each, 'name', '')}" in self._what.dropped:
                    continue
                yield from self._kept(module, each)
        elif isinstance(node, ast.FunctionDef):
            yield from node.body
            yield from (value for value in (*node.args.defaults, *node.args.kw_defaults) if value is not None)
            yield from (each for each in node.decorator_list if isinstance(each, ast.Call))
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                yield node.value
        else:
            yield node

    def _literal(self, module: str, name: str) -> str | None:
        """Return the value of a module's name as JavaScript, or None where it is no data."""
        key = module, name
        if key not in self._literals:
            self._literals[key] = literal(getattr(self._module(module).python, name))
        return self._literals[key]

    def _module_text(self, name: str) -> str:
        module = self._modules[name]
        lines = [f"// {name}", f"$m[{json.dumps(name)}] = (() => {{"]
        used: set[str] = set()
        for needed in sorted(module.needed):
            used |= self._names_in(name, needed)
        for local in sorted(used & module.imports.keys()):
            source, inside = self._source_of(name, local), self._module_of(name, local)
            if inside is not None:
                lines.append(f"const {name_in_js(local)} = $m[{json.dumps(inside)}];")
            elif source is not None:
                lines.append(f"const {name_in_js(local)} = $m[{json.dumps(source[0])}].{name_in_js(source[1])};")
            elif module.imports[local][0].startswith("glowvox"):
                lines.append(f"const {name_in_js(local)} = given.{name_in_js(module.imports[local][1])};")
        for local in sorted(used):
            if f"{name}.{local}" in self._what.given and local not in module.imports:
                lines.append(f"const {name_in_js(local)} = given.{name_in_js(local)};")
        lines += [self._definition(name, each) for each in module.nodes if each in module.needed]
        exported = ", ".join(name_in_js(each) for each in module.nodes if each in module.needed)
        return "\n".join([*lines, f"return {{{exported}}};", "})();"])

    def _methods(self) -> frozenset[str]:
        """Return the names of methods of the translated classes, which a value may hold bound."""
        return frozenset(
            each.name
            for module in self._modules.values()
            for name in module.needed
            for each in getattr(module.nodes[name], "body", ())
            if isinstance(module.nodes[name], ast.ClassDef) and isinstance(each, ast.FunctionDef)
        )

    def _definition(self, module: str, name: str) -> str:
        node = self._modules[module].nodes[name]
        writer = ExpressionWriter(module, self._modules[module].python.__dict__, self._methods())
        if isinstance(node, ast.FunctionDef):
            return f"const {name_in_js(name)} = {writer.decorated(node)};"
        if isinstance(node, ast.ClassDef):
            return self._class(module, node, writer)
        value = self._literal(module, name)
        if value is None:
            assert isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
            value = writer.value(node.value)
        return f"const {name_in_js(name)} = {value};"

    def _class(self, module: str, node: ast.ClassDef, writer: ExpressionWriter) -> str:
        bases = [base.id for base in node.bases if isinstance(base, ast.Name) and base.id not in ("ABC",)]
        errors = [base for base in bases if base.endswith("Error") or base == "Exception"]
        extends = (
            f" extends {'Error' if errors and module == 'glowvox.errors' else name_in_js(bases[0])}" if bases else ""
        )
        python = getattr(self._modules[module].python, node.name)
        body = [
            each for each in node.body if f"{module}.{node.name}.{getattr(each, 'name', '')}" not in self._what.dropped
        ]
        lines = [f"class {node.name}{extends} {{"]
        methods = [each for each in body if isinstance(each, ast.FunctionDef)]
        if is_dataclass(python):
            lines.append(_dataclass_constructor(body, writer))
        params: dict[str, list[str]] = {}
        for method in methods:
            lines.append(_method(method, writer, derived=bool(bases)))
            params[method.name] = writer.parameters(method)[1:]
        lines.append("}")
        names = params.pop("__init__", None) or (
            [each.target.id for each in body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
            if is_dataclass(python)
            else []
        )
        if names:
            lines.append(f"{node.name}.$params = {json.dumps(names)};")
        own = {name: given for name, given in params.items() if given and not name.startswith("__")}
        if own:
            lines.append(f"$py.describe({node.name}, {json.dumps(own)});")
        return "\n".join(lines)


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        return [node.target.id]
    return []


def _annotated(node: ast.stmt) -> set[str]:
    """Return names that a definition uses nowhere but in annotations inside it."""
    noted: set[str] = set()
    used: list[str] = []
    skipped: set[int] = set()
    for each in ast.walk(node):
        annotation = getattr(each, "annotation", None) or getattr(each, "returns", None)
        if isinstance(annotation, ast.AST):
            for part in ast.walk(annotation):
                skipped.add(id(part))
                if isinstance(part, ast.Name):
                    noted.add(part.id)
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and id(each) not in skipped:
            used.append(each.id)
    return noted - set(used)


def _method(node: ast.FunctionDef, writer: ExpressionWriter, *, derived: bool) -> str:
    kinds = {each.id for each in node.decorator_list if isinstance(each, ast.Name)}
    if node.name == "__init__":
        start = "super();" if derived else ""
        return writer.method("constructor", node, start=start + "const self = this;")
    if node.name == "__post_init__":
        return writer.method("$check", node, start="const self = this;")
    prefix = "get " if "property" in kinds else ("static " if kinds & {"classmethod", "staticmethod"} else "")
    return writer.method(prefix + node.name, node, start="" if "staticmethod" in kinds else "const self = this;")


def _dataclass_constructor(body: list[ast.stmt], writer: ExpressionWriter) -> str:
    given, stored = [], []
    checked = any(isinstance(each, ast.FunctionDef) and each.name == "__post_init__" for each in body)
    for each in body:
        if not isinstance(each, ast.AnnAssign) or not isinstance(each.target, ast.Name):
            continue
        name, field = name_in_js(each.target.id), each.target.id
        if each.value is None:
            given.append(name)
        elif isinstance(each.value, ast.Call) and getattr(each.value.func, "id", "") == "field":
            factory = next(word.value for word in each.value.keywords if word.arg == "default_factory")
            empty = {"list": "[]", "dict": "new Map()", "set": "new Set()"}
            given.append(f"{name} = {empty[factory.id] if isinstance(factory, ast.Name) else writer.value(factory)}")
        else:
            given.append(f"{name} = {writer.value(each.value)}")
        stored.append(f"this.{field} = {name};")
    check = " this.$check();" if checked else ""
    return f"constructor({', '.join(given)}) {{ {' '.join(stored)}{check} }}"
