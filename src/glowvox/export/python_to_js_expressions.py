"""Statements and expressions of Python in JavaScript; see `python_to_js`."""

import ast
import inspect
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from glowvox.errors import ConfigError
from glowvox.export.js_literals import name_in_js, regex_literal
from glowvox.export.python_constants import evaluated

_MATCHING = ("compile", "match", "search", "fullmatch", "sub", "findall", "split", "finditer")
_OPERATORS = {ast.Sub: "sub", ast.Mult: "mul", ast.Mod: "mod", ast.FloorDiv: "floordiv", ast.BitOr: "bor"}
_PLAIN_OPERATORS = {ast.Div: "/", ast.Pow: "**", ast.BitAnd: "&", ast.LShift: "<<", ast.RShift: ">>", ast.BitXor: "^"}
_ORDER = {ast.Lt: ("<", "lt"), ast.LtE: ("<=", "le"), ast.Gt: (">", "gt"), ast.GtE: (">=", "ge")}


class ExpressionWriter:
    """Writes the functions of one module."""

    def __init__(self, module: str, namespace: Mapping[str, Any], methods: frozenset[str] = frozenset()) -> None:
        """Take the module's name, for messages, its names with their values, and the names of methods."""
        self._module, self._names, self._methods = module, namespace, methods
        self._locals: list[set[str]] = []

    def parameters(self, node: ast.FunctionDef | ast.Lambda) -> list[str]:
        """Return the names of a function's parameters, in order."""
        return [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]

    def function(self, node: ast.FunctionDef) -> str:
        """Return a function as an expression."""
        star = "*" if _yields(node) else ""
        names = json.dumps(self.parameters(node))
        return f"$py.fn(function{star} ({self._parameters(node)}) {{{self._body(node)}}}, {names})"

    def decorated(self, node: ast.FunctionDef) -> str:
        """Return a function as an expression, a rule of the scanner where it is one."""
        text = self.function(node)
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "rule":
                source, *others = decorator.args
                pattern = regex_literal(re.compile(self._evaluated(source), re.VERBOSE))
                text = f"rule({', '.join([pattern, *map(self.value, others)])})({text})"
        return text

    def method(self, head: str, node: ast.FunctionDef, *, start: str) -> str:
        """Return a method of a class."""
        star = "*" if _yields(node) else ""
        kinds = {each.id for each in node.decorator_list if isinstance(each, ast.Name)}
        own = "" if "staticmethod" in kinds else node.args.args[0].arg
        if own == "cls":
            start = "const cls = this;"
        return f"{star}{head}({self._parameters(node, skip=own)}) {{{start}{self._body(node)}}}"

    def _parameters(self, node: ast.FunctionDef | ast.Lambda, skip: str = "") -> str:
        own = node.args
        positional = [*own.posonlyargs, *own.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(own.defaults)) + list(own.defaults)
        pairs = [*zip(positional, defaults, strict=True), *zip(own.kwonlyargs, own.kw_defaults, strict=True)]
        written = [
            name_in_js(each.arg) + (f" = {self.value(default)}" if default is not None else "")
            for each, default in pairs
            if each.arg != skip
        ]
        if own.vararg is not None:
            written.append(f"...{name_in_js(own.vararg.arg)}")
        return ", ".join(written)

    def _body(self, node: ast.FunctionDef) -> str:
        parameters = set(self.parameters(node)) | ({node.args.vararg.arg} if node.args.vararg else set())
        assigned = _assigned(node.body)
        free = {name for each in ast.walk(node) if isinstance(each, ast.Nonlocal) for name in each.names}
        self._locals.append(parameters | assigned | _bound_inside(node))
        own = sorted(assigned - parameters - free)
        declared = f"let {', '.join(map(name_in_js, own))};" if own else ""
        text = "\n".join([declared, *map(self._statement, node.body)])
        self._locals.pop()
        return text

    def _fail(self, node: ast.AST) -> ConfigError:
        return ConfigError(f"{self._module}: cannot put {ast.unparse(node)[:80]!r} into JavaScript")

    def _block(self, body: Sequence[ast.stmt]) -> str:
        return "{" + "\n".join(map(self._statement, body)) + "}"

    def _statement(self, node: ast.stmt) -> str:
        match node:
            case (
                ast.Expr(ast.Constant()) | ast.Pass() | ast.Assert() | ast.Import() | ast.ImportFrom() | ast.Nonlocal()
            ):
                return ""
            case ast.Expr(ast.Yield(value)):
                return f"yield {self.value(value) if value is not None else 'null'};"
            case ast.Expr(ast.YieldFrom(value)):
                return f"yield* $py.iter({self.value(value)});"
            case ast.Expr(ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name("super"))))):
                return ""
            case ast.Expr(value):
                return f"{self.value(value)};"
            case ast.Return(value):
                return f"return {self.value(value) if value is not None else 'null'};"
            case ast.Assign(targets, value):
                return self._assignment(targets, self.value(value))
            case ast.AnnAssign(target=target, value=None):
                return ""
            case ast.AnnAssign(target=target, value=value) if value is not None:
                return self._assignment([target], self.value(value))
            case ast.AugAssign(target, operator, value):
                return self._augmented(target, operator, value)
            case ast.If(test, body, orelse):
                other = f" else {self._block(orelse)}" if orelse else ""
                return f"if ({self.test(test)}) {self._block(body)}{other}"
            case ast.While(test, body, []):
                return f"while ({self.test(test)}) {self._block(body)}"
            case ast.For(target, source, body, []):
                return f"for ({self._target(target)} of $py.iter({self.value(source)})) {self._block(body)}"
            case ast.Break():
                return "break;"
            case ast.Continue():
                return "continue;"
            case ast.Raise(exc) if exc is not None:
                return f"throw {self.value(exc)};"
            case ast.With(_, body):
                return self._block(body)
            case ast.FunctionDef():
                return f"{name_in_js(node.name)} = {self.decorated(node)};"
            case ast.Try(body, handlers, [], []):
                return f"try {self._block(body)} catch ($error) {{{self._handlers(handlers)}}}"
        raise self._fail(node)

    def _handlers(self, handlers: Sequence[ast.ExceptHandler]) -> str:
        written = []
        for handler in handlers:
            if handler.type is None:
                raise self._fail(handler)
            kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            test = " || ".join(f"$error instanceof {self.value(kind)}" for kind in kinds)
            bound = f"const {name_in_js(handler.name)} = $error;" if handler.name else ""
            written.append(f"if ({test}) {{{bound}{self._block(handler.body)}}}")
        return " else ".join([*written, "throw $error;"])

    def _assignment(self, targets: Sequence[ast.expr], value: str) -> str:
        if len(targets) > 1:
            first, *others = targets
            return self._assignment([first], value) + "".join(
                self._assignment([other], self.value(first)) for other in others
            )
        match targets[0]:
            case ast.Subscript(base, ast.Slice()):
                raise self._fail(targets[0])
            case ast.Subscript(base, index):
                return f"$py.put({self.value(base)}, {self.value(index)}, {value});"
            case ast.Tuple() as several:
                return f"{self._target(several)} = $py.list({value});"
        return f"{self._target(targets[0])} = {value};"

    def _target(self, node: ast.expr) -> str:
        match node:
            case ast.Name(name):
                return name_in_js(name)
            case ast.Attribute(base, name):
                return f"{self.value(base)}.{name}"
            case ast.Tuple(parts) | ast.List(parts):
                return f"[{', '.join(map(self._target, parts))}]"
            case ast.Starred(inner):
                return f"...{self._target(inner)}"
        raise self._fail(node)

    def _augmented(self, target: ast.expr, operator: ast.operator, value: ast.expr) -> str:
        old, new = self.value(target), self.value(value)
        if isinstance(operator, ast.Add):
            made = f"$py.iadd({old}, {new})"
        else:
            made = self._operated(operator, old, new, target)
        return self._assignment([target], made)

    def test(self, node: ast.expr) -> str:
        """Return an expression of which only the truth matters."""
        match node:
            case ast.BoolOp(operator, values):
                sign = " && " if isinstance(operator, ast.And) else " || "
                return f"({sign.join(map(self.test, values))})"
            case ast.UnaryOp(ast.Not(), inner):
                return f"!{self.test(inner)}"
            case ast.Compare():
                return self.value(node)
        return f"$py.t({self.value(node)})"

    def value(self, node: ast.expr) -> str:
        """Return an expression."""
        match node:
            case ast.Constant(value):
                if value is Ellipsis or isinstance(value, bytes):
                    raise self._fail(node)
                return "null" if value is None else json.dumps(value, ensure_ascii=False)
            case ast.Name(name):
                return self._name(name)
            case ast.Attribute(base, name):
                return self._attribute(base, name)
            case ast.JoinedStr(parts):
                return self._formatted(parts)
            case ast.Tuple(parts) | ast.List(parts):
                return f"[{self._several(parts)}]"
            case ast.Set(parts):
                return f"$py.set_of([{self._several(parts)}])"
            case ast.Dict(keys, values):
                pairs = [
                    f"[{self.value(key)}, {self.value(value)}]"
                    if key is not None
                    else f"...$py.items({self.value(value)})"
                    for key, value in zip(keys, values, strict=True)
                ]
                return f"$py.dict([{', '.join(pairs)}])"
            case ast.BoolOp(operator, values):
                return self._either(operator, [self.value(each) for each in values])
            case ast.UnaryOp(ast.Not(), inner):
                return f"!{self.test(inner)}"
            case ast.UnaryOp(ast.USub(), inner):
                return f"(-{self.value(inner)})"
            case ast.BinOp(left, operator, right):
                return self._binary(left, operator, right)
            case ast.Compare(left, operators, others):
                return self._compared(left, operators, others)
            case ast.IfExp(test, body, orelse):
                return f"({self.test(test)} ? {self.value(body)} : {self.value(orelse)})"
            case ast.NamedExpr(ast.Name(name), inner):
                return f"({name_in_js(name)} = {self.value(inner)})"
            case ast.Lambda():
                self._locals.append(set(self.parameters(node)))
                text = f"(({self._parameters(node)}) => ({self.value(node.body)}))"
                self._locals.pop()
                return text
            case ast.Subscript(base, ast.Slice(lower, upper, step)):
                bounds = ", ".join(self.value(each) if each is not None else "null" for each in (lower, upper, step))
                return f"$py.slice({self.value(base)}, {bounds})"
            case ast.Subscript(base, index):
                return f"$py.get({self.value(base)}, {self.value(index)})"
            case ast.ListComp(element, clauses) | ast.GeneratorExp(element, clauses):
                return self._comprehension(f"$r.push({self.value(element)});", clauses)
            case ast.SetComp(element, clauses):
                return f"$py.set_of({self._comprehension(f'$r.push({self.value(element)});', clauses)})"
            case ast.DictComp(key, value, clauses):
                pair = f"$r.push([{self.value(key)}, {self.value(value)}]);"
                return f"$py.dict({self._comprehension(pair, clauses)})"
            case ast.Call():
                return self._call(node)
        raise self._fail(node)

    def _either(self, operator: ast.boolop, values: Sequence[str]) -> str:
        name = "and" if isinstance(operator, ast.And) else "or"
        made = values[0]
        for other in values[1:]:
            made = f"$py.{name}({made}, () => {other})"
        return made

    def _several(self, parts: Sequence[ast.expr]) -> str:
        return ", ".join(
            f"...$py.iter({self.value(part.value)})" if isinstance(part, ast.Starred) else self.value(part)
            for part in parts
        )

    def _comprehension(self, inner: str, clauses: Sequence[ast.comprehension]) -> str:
        for clause in reversed(clauses):
            tests = " && ".join(map(self.test, clause.ifs))
            inner = f"if ({tests}) {{{inner}}}" if tests else inner
            inner = f"for (const {self._target(clause.target)} of $py.iter({self.value(clause.iter)})) {{{inner}}}"
        return f"(() => {{const $r = [];{inner}return $r;}})()"

    def _is_local(self, name: str) -> bool:
        return any(name in names for names in self._locals)

    def _foreign(self, name: str) -> bool:
        """Say whether a name comes from Python itself and not from a module of ours."""
        if self._is_local(name) or name in ("self", "cls"):
            return False
        if name not in self._names:
            return True
        value = self._names[name]
        if isinstance(value, ModuleType):
            return not value.__name__.startswith("glowvox")
        if not (inspect.isroutine(value) or inspect.isclass(value)):
            return False
        return not (value.__module__ or "builtins").startswith("glowvox")

    def _name(self, name: str) -> str:
        if self._foreign(name) and (name not in self._names or callable(self._names[name])):
            return f"$py.{name}"
        return name_in_js(name)

    def _attribute(self, base: ast.expr, name: str) -> str:
        if isinstance(base, ast.Name) and self._foreign(base.id):
            if inspect.isclass(self._names.get(base.id, _builtin(base.id))):
                return f"$py.unbound({json.dumps(name)})"
            return f"$py.{base.id}.{name}"
        if name in self._methods:
            return f"$py.bound({self.value(base)}, {json.dumps(name)})"
        return f"{self.value(base)}.{name}"

    def _formatted(self, parts: Sequence[ast.expr]) -> str:
        text = ""
        for part in parts:
            match part:
                case ast.Constant(str() as value):
                    text += (
                        json.dumps(value, ensure_ascii=False)[1:-1]
                        .replace('\\"', '"')
                        .replace("`", "\\`")
                        .replace("${", "\\${")
                    )
                case ast.FormattedValue(value, conversion, None):
                    text += f"${{$py.{'repr' if conversion == 114 else 'str'}({self.value(value)})}}"
                case ast.FormattedValue(value, _, ast.JoinedStr([ast.Constant(str() as spec)])):
                    text += f"${{$py.format({self.value(value)}, {json.dumps(spec)})}}"
                case _:
                    raise self._fail(part)
        return f"`{text}`"

    def _binary(self, left: ast.expr, operator: ast.operator, right: ast.expr) -> str:
        one, two = self.value(left), self.value(right)
        sides = (left, right)
        if isinstance(operator, ast.Add | ast.Sub) and any(_is_number(side) for side in sides):
            return f"({one} {'+' if isinstance(operator, ast.Add) else '-'} {two})"
        if isinstance(operator, ast.Add):
            if any(isinstance(side, ast.JoinedStr) or _is_string(side) for side in sides):
                return f"({one} + {two})"
            return f"$py.add({one}, {two})"
        return self._operated(operator, one, two, left)

    def _operated(self, operator: ast.operator, one: str, two: str, node: ast.expr) -> str:
        for kind, name in _OPERATORS.items():
            if isinstance(operator, kind):
                return f"$py.{name}({one}, {two})"
        for kind, sign in _PLAIN_OPERATORS.items():
            if isinstance(operator, kind):
                return f"({one} {sign} {two})"
        raise self._fail(node)

    def _compared(self, left: ast.expr, operators: Sequence[ast.cmpop], others: Sequence[ast.expr]) -> str:
        parts = []
        for operator, right in zip(operators, others, strict=True):
            parts.append(self._one_comparison(left, operator, right))
            left = right
        return f"({' && '.join(parts)})"

    def _one_comparison(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> str:
        one, two = self.value(left), self.value(right)
        none = isinstance(right, ast.Constant) and right.value is None
        match operator:
            case ast.Is():
                return f"{one} == null" if none else f"{one} === {two}"
            case ast.IsNot():
                return f"{one} != null" if none else f"{one} !== {two}"
            case ast.Eq() | ast.NotEq():
                sign = "" if isinstance(operator, ast.Eq) else "!"
                if any(_is_number(side) or _is_string(side) for side in (left, right)):
                    return f"{one} {sign or '='}== {two}"
                return f"{sign}$py.eq({one}, {two})"
            case ast.In():
                return f"$py.has({two}, {one})"
            case ast.NotIn():
                return f"!$py.has({two}, {one})"
        sign, name = _ORDER[type(operator)]
        if any(_is_number(side) for side in (left, right)):
            return f"{one} {sign} {two}"
        return f"$py.{name}({one}, {two})"

    def _call(self, node: ast.Call) -> str:
        words = {word.arg: self.value(word.value) for word in node.keywords if word.arg is not None}
        if len(words) != len(node.keywords):
            raise self._fail(node)
        named = ", ".join(f"{json.dumps(name)}: {value}" for name, value in words.items())
        given = self._several(node.args)
        match node.func:
            case ast.Name(name) if self._is_class(name):
                made = name_in_js(name) if not self._foreign(name) else f"$py.{name}"
                return f"$py.make({made}, [{given}], {{{named}}})" if words else f"new {made}({given})"
            case ast.Name("iter") if self._foreign("iter"):
                return f"$py.iterator({given})"
            case ast.Name(name) if self._foreign(name):
                more = f"{', ' if given else ''}$py.kw({{{named}}})" if words else ""
                return f"$py.{name}({given}{more})"
            case ast.Attribute(ast.Name("re"), name) if self._foreign("re") and name in _MATCHING:
                return self._matching(name, node)
            case ast.Attribute(ast.Name(base), name) if self._foreign(base) and base in self._names:
                return f"$py.{base}.{name}({given})"
            case ast.Attribute(ast.Name(base), name) if self._foreign(base):
                return f"$py.{base}_{name}({given})"
            case ast.Attribute(base, name):
                if words:
                    return f"$py.mk({json.dumps(name)}, {self.value(base)}, [{given}], {{{named}}})"
                return f"$py.m({json.dumps(name)}, {self.value(base)}{', ' if given else ''}{given})"
        called = self.value(node.func)
        return f"$py.call({called}, [{given}], {{{named}}})" if words else f"{called}({given})"

    def _is_class(self, name: str) -> bool:
        if name == "cls":
            return True
        if self._is_local(name):
            return False
        value = self._names.get(name)
        ours = inspect.isclass(value) and value.__module__.startswith("glowvox")
        return ours or (name.endswith("Error") and self._foreign(name))

    def _matching(self, name: str, node: ast.Call) -> str:
        source, *others = node.args
        flags = 0
        for word in node.keywords:
            if word.arg == "flags":
                flags = self._evaluated(word.value)
        size = {
            "compile": 1,
            "match": 2,
            "search": 2,
            "fullmatch": 2,
            "findall": 2,
            "finditer": 2,
            "split": 2,
            "sub": 3,
        }
        if len(node.args) > size[name]:
            flags, others = self._evaluated(node.args[-1]), list(node.args[1:-1])
        pattern = regex_literal(re.compile(self._evaluated(source), flags))
        if name == "compile":
            return pattern
        return f"$py.m({json.dumps(name)}, {pattern}, {', '.join(map(self.value, others))})"

    def _evaluated(self, node: ast.expr) -> Any:
        return evaluated(node, self._names)


def _builtin(name: str) -> object:
    import builtins

    return getattr(builtins, name, None)


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
        return True
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)


def _is_string(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _yields(node: ast.FunctionDef) -> bool:
    return any(isinstance(each, ast.Yield | ast.YieldFrom) for each in _own(node.body))


def _own(body: Iterable[ast.AST]) -> Iterable[ast.AST]:
    """Yield the nodes of a body without those of functions inside."""
    for node in body:
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            yield from _own(ast.iter_child_nodes(node))


def _assigned(body: Sequence[ast.stmt]) -> set[str]:
    """Return the names that statements assign, loops and assignment expressions among them."""
    names: set[str] = set()
    for node in _own(body):
        match node:
            case ast.FunctionDef(name):
                names.add(name)
            case ast.Name(name, ast.Store()):
                names.add(name)
    inside = {
        part.id
        for node in _own(body)
        if isinstance(node, ast.comprehension)
        for part in ast.walk(node.target)
        if isinstance(part, ast.Name)
    }
    outside = {
        part.id
        for node in _own(body)
        for target in _targets(node)
        for part in ast.walk(target)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    return names - (inside - outside)


def _targets(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Assign(targets):
            return targets
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target) | ast.For(target=target):
            return [target]
        case ast.NamedExpr(target=target):
            return [target]
    return []


def _bound_inside(node: ast.FunctionDef) -> set[str]:
    """Return the variables of comprehensions inside a function."""
    return {
        part.id
        for each in ast.walk(node)
        if isinstance(each, ast.comprehension)
        for part in ast.walk(each.target)
        if isinstance(part, ast.Name)
    }
