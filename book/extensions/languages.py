"""The book in another language: what gettext does not reach, and the way from one language to the other.

Sphinx translates the text of pages out of ``locale``. What a lesson *shows* when it runs (labels of figures, self-check
questions) and what its figures say to those who cannot see them stand in two more catalogues, ``figures.po`` and ``questions.po``.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from docutils import nodes
from fontTools.ttLib import TTCollection
from matplotlib.font_manager import findSystemFonts
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.search import SearchLanguage
from sphinx.search.en import SearchEnglish

NAMES = {"en": "English", "zh_CN": "简体中文"}
FOLDERS = {"en": "", "zh_CN": "zh/"}
"""Where each language lies in the site."""
SHOWN = ("figures", "questions")
"""The catalogues of what lessons show."""
_KERNEL = """\
import sys
sys.path.append({extensions!r})
import kernel_language
kernel_language.set_up({home!r}, {language!r})
"""
_FAMILY = "Noto Sans CJK SC"


def catalogue(app: Sphinx, name: str) -> Path:
    """The catalogue of a page, or of figures or questions, in the language of the book; English pages have none."""
    return Path(app.srcdir) / "locale" / app.config.language / "LC_MESSAGES" / f"{name}.po"


def translations(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        return {message.id: message.string for message in read_po(file) if message.id}


def translate_settings(app: Sphinx, config: Config) -> None:
    """Texts of ``conf.py`` that readers see."""
    if config.language == "en":
        return
    for name, setting in (
        ("index", "html_title"),
        ("questions", "nb_code_prompt_show"),
        ("questions", "nb_code_prompt_hide"),
    ):
        config[setting] = translations(catalogue(app, name)).get(config[setting], config[setting])


def chinese_fonts(folder: Path) -> None:
    """Put Noto's faces for simplified Chinese into ``folder``, where they are not there yet.

    Noto's files hold the faces of several countries, which write some characters differently, and Matplotlib
    takes the first of them.

    Raises
    ------
    ExtensionError
        Noto's fonts are not on this machine; the message says how to get them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for weight in ("Regular", "Bold"):
        target = folder / f"{weight}.otf"
        if target.is_file():
            continue
        paths = [
            path for path in findSystemFonts() if Path(path).name == f"NotoSansCJK-{weight}.ttc"
        ]
        if not paths:
            raise ExtensionError(
                "Figures in Chinese need Noto's font. On Debian and Ubuntu: apt install fonts-noto-cjk"
            )
        with TTCollection(paths[0]) as collection:
            faces = {face["name"].getDebugName(1): face for face in collection}
            faces[_FAMILY].save(target)


def start_kernels_in_the_language(app: Sphinx) -> None:
    """A start-up file for the kernels that run the lessons, in the folder that ``course_pages.isolate_kernels`` made."""
    if app.config.language == "en":
        return
    home, language = Path(os.environ["IPYTHONDIR"]), app.config.language
    if app.config.nb_execution_mode == "force":
        chinese_fonts(home / "fonts")
    messages = home / "locale" / language / "LC_MESSAGES"
    startup = home / "profile_default" / "startup"
    for folder in (messages, startup):
        folder.mkdir(parents=True, exist_ok=True)
    for name in SHOWN:
        with (
            catalogue(app, name).open("rb") as file,
            (messages / f"{name}.mo").open("wb") as compiled,
        ):
            write_mo(compiled, read_po(file))
    (startup / "00-language.py").write_text(
        _KERNEL.format(extensions=str(Path(__file__).parent), home=str(home), language=language),
        encoding="utf-8",
    )


def translate_alternatives(app: Sphinx, page: str, source: list[str]) -> None:
    """What figures say to those who cannot see them stands in the cells' metadata, which gettext does not read."""
    if app.config.language == "en" or not page.startswith("lessons/"):
        return
    for name in SHOWN:
        app.env.note_dependency(catalogue(app, name))
    notebook = json.loads(source[0])
    translated = translations(catalogue(app, "figures"))
    for cell in notebook["cells"]:
        image = cell["metadata"].get("mystnb", {}).get("image", {})
        if "alt" in image:
            image["alt"] = translated.get(image["alt"], image["alt"])
    source[0] = json.dumps(notebook, ensure_ascii=False)


def offer_languages(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    """The same page in the other languages, as links that work from a file, too; and the language of the text itself."""
    here = app.config.language
    up = "../" * (page.count("/") + FOLDERS[here].count("/"))
    context["languages"] = [
        {
            "code": code.replace("_", "-"),
            "name": NAMES[code],
            "page": f"{up}{FOLDERS[code]}{page}.html",
        }
        for code in NAMES
        if code != here
    ]
    if here != "en" and document is not None and not catalogue(app, page).is_file():
        context["text_language"] = "en"


class SearchPairs(SearchLanguage):
    """Chinese without a dictionary: each two neighbouring characters are a word, in the index as in what is searched for."""

    lang = "zh"
    language_name = SearchEnglish.language_name  # of the stemmer, for the English words in the text
    js_stemmer_rawcode = SearchEnglish.js_stemmer_rawcode
    js_splitter_code = """
function splitQuery(query) {
  const words = [];
  for (const [part] of query.matchAll(/[\\u3400-\\u9fff]+|[\\p{Letter}\\p{Number}_]+/gu)) {
    if (!/^[\\u3400-\\u9fff]{2,}$/.test(part)) words.push(part);
    else for (let i = 0; i + 1 < part.length; i++) words.push(part.slice(i, i + 2));
  }
  return words;
}
"""

    def __init__(self, options: dict[str, str]) -> None:
        super().__init__(options)
        self.english = SearchEnglish(options)

    def split(self, input: str) -> list[str]:
        words = []
        for part in re.findall(r"[\u3400-\u9fff]+|[^\W\u3400-\u9fff]+", input):
            chinese = len(part) > 1 and "\u3400" <= part[0] <= "\u9fff"
            words += [part[i : i + 2] for i in range(len(part) - 1)] if chinese else [part]
        return words

    def stem(self, word: str) -> str:
        return self.english.stem(word)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_search_language(SearchPairs)
    app.connect("config-inited", translate_settings, priority=400)  # before MyST-NB reads them
    app.connect("builder-inited", start_kernels_in_the_language, priority=600)
    app.connect("source-read", translate_alternatives)
    app.connect("html-page-context", offer_languages, priority=400)  # before the theme draws
    return {"parallel_read_safe": True, "parallel_write_safe": True}
