"""Formulas as MathML: browsers draw it themselves, so that a page needs no script and no network."""

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

_FUNCTION = re.compile(r"<mi>(log|ln|det)</mi>")


def mathml(formula: str, display: str) -> str:
    """Return a LaTeX formula as MathML; what follows a function's name stands a little apart, as in print."""
    spaced: str = _FUNCTION.sub(r'<mrow><mi>\1</mi><mspace width="0.17em" /></mrow>', convert(formula, display=display))
    return spaced


def inline_formula(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula inside a line."""
    translator.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def displayed_formula(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on lines of its own, which scrolls where the window is narrow."""
    formula = mathml(node.astext(), "block")
    translator.body.append(f'<div class="formula" tabindex="0">{formula}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer under the name `native`."""
    app.add_html_math_renderer("native", (inline_formula, None), (displayed_formula, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
