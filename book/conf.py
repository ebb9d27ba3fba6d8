"""The book: a static site that asks nothing of any other server.

``make book`` builds it into ``book/_build/site``.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

project = "Sharewell"
author = "The Sharewell authors"
copyright = "The Sharewell authors. Text and figures CC BY 4.0, code BSD-3-Clause"
html_title = "Sharing public data, openly and safely"
language = "en"
locale_dirs = ["locale"]
gettext_compact = False
gettext_location = False

extensions = [
    "myst_nb",
    "sphinx_design",
    "sphinx_copybutton",
    "sphinxcontrib.bibtex",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "course_pages",
    "data_pages",
    "syllabus_directives",
    "citations",
    "formulas",
    "tables",
    "page_tools",
    "languages",
    "weight",
]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb", ".json": "myst-nb"}
exclude_patterns = ["_build", "extensions", "locale"]

# Notebooks. A lesson runs when its page is read. One that fails is a warning that names it, and `make book` takes warnings as errors.
nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_show_tb = True
nb_merge_streams = True
nb_code_prompt_show = "Show what comes out"
nb_code_prompt_hide = "Hide what comes out"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline", "attrs_block"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "as_written"  # extensions/citations.py

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say them
napoleon_numpy_docstring = True

html_math_renderer = "mathml"
html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_context = {"default_mode": "auto"}
templates_path = ["_templates"]
html_css_files = ["sharewell.css"]
html_js_files = ["sharewell.js"]
html_copy_source = False  # of a lab it would be the instructor's version
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None
html_permalinks_icon = "#"
html_theme_options = {
    "use_download_button": False,  # page_tools adds its own: the notebook as a student gets it
    "use_fullscreen_button": False,
    "use_source_button": False,
    "show_toc_level": 2,
    "navbar_persistent": [],  # search is in the sidebar and in the header of the text
    "article_footer_items": ["was-it-read.html"],
    "article_header_end": [
        "page-tools.html",
        "language-switch.html",
        "article-header-buttons.html",
    ],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
