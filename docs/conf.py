"""The documentation's configuration: Sphinx with Markdown pages; `make docs` builds it, warnings being errors.

The pages load nothing from anywhere else: styles are local, formulas are MathML, which browsers draw themselves.
"""

import sys
from pathlib import Path

from glowvox import __version__

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "Glowvox"
author = "The Glowvox authors"
copyright = "2026, The Glowvox authors"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "native_math"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = f"Glowvox {__version__}"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["glowvox.css"]
html_search_scorer = str(Path(__file__).parent / "_static" / "search-scorer.js")
html_math_renderer = "native"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#7a3e00", "color-brand-content": "#8f4a00"},
    "dark_css_variables": {"color-brand-primary": "#f0a860", "color-brand-content": "#f0a860"},
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
maximum_signature_line_length = 100
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
