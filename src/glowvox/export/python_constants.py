"""Values of expressions in a module's source that hang on nothing but the module's own names: patterns, flags."""

import ast
import builtins
import operator
from collections.abc import Mapping
from typing import Any

from glowvox.errors import ConfigError

_OPERATORS = {ast.Add: operator.add, ast.BitOr: operator.or_, ast.Mult: operator.mul}


def evaluated(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """Return what an expression is.

    Args:
        node: of constants, names, strings with values inside, calls and one-clause comprehensions.
        names: the module's, by which it is looked up.

    Raises:
        ConfigError: it needs what is known only when the program runs.
    """
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            if name not in names and name not in builtins.__dict__:
                raise _unknown(node)
            return names.get(name, builtins.__dict__.get(name))
        case ast.JoinedStr(parts):
            return "".join(str(evaluated(part, names)) for part in parts)
        case ast.FormattedValue(value, -1, None):
            return evaluated(value, names)
        case ast.BinOp(left, kind, right) if type(kind) in _OPERATORS:
            return _OPERATORS[type(kind)](evaluated(left, names), evaluated(right, names))
        case ast.Attribute(base, name):
            return getattr(evaluated(base, names), name)
        case ast.Call(function, given, []):
            return evaluated(function, names)(*(evaluated(each, names) for each in given))
        case ast.GeneratorExp(element, [clause]) | ast.ListComp(element, [clause]):
            if not isinstance(clause.target, ast.Name) or clause.ifs:
                raise _unknown(node)
            own = clause.target.id
            return [evaluated(element, {**names, own: each}) for each in evaluated(clause.iter, names)]
    raise _unknown(node)


def _unknown(node: ast.expr) -> ConfigError:
    return ConfigError(f"{ast.unparse(node)[:80]!r} has no value before the program runs")
