"""The documentation's configuration: Sphinx with Markdown pages; `make docs` builds it, warnings being errors."""

from glowvox import __version__

project = "Glowvox"
author = "The Glowvox authors"
copyright = "2026, The Glowvox authors"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = f"Glowvox {__version__}"
html_copy_source = False
html_show_sourcelink = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
myst_heading_anchors = 3
