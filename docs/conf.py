"""How the pages become a site: `make docs`."""

import sys
from functools import cache
from pathlib import Path
from typing import Any

from comptoir import __version__

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from scripts import reference_pages  # noqa: E402  # which is no package that is installed

# Errors, settings and routes: made of the program, before anything is read.
reference_pages.write(HERE / "reference")

project = "Comptoir"
copyright = "Apache-2.0"
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Comptoir {release}"
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
nitpicky = False


def setup(app: Any) -> None:  # noqa: ANN401  # Sphinx's
    """Called by Sphinx."""
    app.connect("html-page-context", _keep_tree, priority=100)


_kept = {}


def _keep_tree(_app: Any, page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:  # noqa: ANN401  # Sphinx's
    """The pages of errors stand side by side in no tree: one rendering of it does for all."""
    if page.startswith("reference/errors/"):
        context["toctree"] = _kept.setdefault("errors", cache(context["toctree"]))
