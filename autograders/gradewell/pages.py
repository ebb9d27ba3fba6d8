"""The pages on which people read what students wrote and put out: feedback, and formgrader. Nothing on them acts, or is loaded from elsewhere.

For any nbgrader course, in its ``nbgrader_config.py``::

    c.HTMLExporter.preprocessors = ["gradewell.pages.Harmless"]
    c.HTMLExporter.filters = {"markdown2html": "gradewell.pages.markdown2html"}
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import html
import io
import math
import re
import signal
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import nh3
from jinja2 import pass_context
from jinja2.runtime import Context
from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.server_extensions.formgrader import handlers
from PIL import Image

TEMPLATES = Path(__file__).parent / "templates"
"""Templates that go before nbgrader's and nbconvert's on feedback pages."""
LARGEST = 10 << 20
"""Characters of outputs on one page."""
LONGEST, LONGEST_IN_ALL = 30_000, 400_000
"""Characters of a cell's own text that are shown, and of all cells."""
LONGEST_OUTPUT = 2 << 20
"""Characters of an output that are shown."""
SECONDS, SECONDS_EACH = 20.0, 2.0
"""For all Markdown and formulas of a page, and for each text; what would take longer is shown as it was written."""

_LONGEST_FORMULA = 5_000
_LONGEST_WITHOUT_CLOCK = 2_000
_DEEPEST, _ATTRIBUTES_EACH = 200, 1_000
"""Elements in each other, and attributes of one, that are made anew: what parsers do with more takes its square."""
_TEXT = ("a abbr b blockquote br caption code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li ol p pre q s samp small span "
         "strong sub summary sup table tbody td tfoot th thead tr u ul var")  # fmt: skip
_FORMULA = ("math mrow mi mn mo ms mtext mspace msup msub msubsup mover munder munderover mfrac msqrt mroot mtable mtr mtd mstyle mpadded "
            "mphantom menclose mfenced")  # fmt: skip
_ATTRIBUTES = {
    "*": {"class", "dir", "id", "lang", "style", "title"},
    "a": {"href"}, "img": {"alt", "height", "src", "width"}, "ol": {"start"}, "table": {"border"},
    "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"},
    **{tag: {"accent", "columnalign", "display", "fence", "form", "linebreak", "linethickness", "lspace", "mathvariant", "maxsize", "minsize",
             "movablelimits", "notation", "rspace", "separator", "stretchy", "width"} for tag in _FORMULA.split()},
}  # fmt: skip
_STYLES = {
    "background-color", "border", "border-collapse", "color", "font-family", "font-size", "font-style", "font-weight", "height", "margin",
    "padding", "text-align", "text-decoration", "vertical-align", "white-space", "width",
}  # fmt: skip
_STYLE = re.compile(r"\s*([a-z-]+)\s*:\s*([\w#%.,\s\"'()-]{1,100})")
_MOVES = re.compile(r"-\s*[.0-9]|\(|[0-9]{5}")
"""What would put something over its neighbours, is reckoned elsewhere, or is too large; colours are written with parentheses."""
_COLOUR = re.compile(r"(?:rgba?|hsla?)\([0-9.,%\s]*\)|#[0-9a-fA-F]{3,8}\b")
_CLASS = re.compile(
    r"dataframe|highlight|hl-\w+|[a-z][a-z0-9]?"
)  # of pandas, and of coloured source
_NUMBERS = {"border", "colspan", "height", "rowspan", "start", "width"}
_NUMBER = re.compile(r"[0-9]{1,4}")
_LINK = re.compile(r"https?://|mailto:", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*")
_OURS = "handed-in-"
"""Before the ids of what was handed in, so that none is one of the page's own."""


def clean(markup: str) -> str:
    """HTML that is made anew of what is harmless in it: text, tables, pictures that are inside of it, formulas, simple styles, links.

    A picture in SVG stays inside of an ``img``, where nothing of it can act or load anything. What is too long, or too deep, to be made anew
    in a moment is shown as it was written.
    """
    if len(markup) > LONGEST_OUTPUT or not _is_quick(markup):
        return f"<pre>{html.escape(_shortened(markup, LONGEST))}</pre>"
    return nh3.clean(
        markup,
        tags={*_TEXT.split(), *_FORMULA.split(), "img"},
        clean_content_tags={"script", "style", "title", "iframe", "noscript", "textarea"},
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        filter_style_properties=_STYLES,
        url_schemes={"http", "https", "mailto", "data"},
        id_prefix=_OURS,
        link_rel="noopener noreferrer",
    )


_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[^>\"']|\"[^\"]*\"|'[^']*')*)")
_PART = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s/\"']+")
_END_THEMSELVES = {
    "area", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "option", "p", "source", "tbody", "td",
    "tfoot", "th", "thead", "tr", "wbr",
}  # fmt: skip


def _is_quick(markup: str) -> bool:
    """Whether no element stands in hundreds of others, and none has thousands of attributes."""
    opened: Counter[str] = Counter()
    depth = 0
    for match in _TAG.finditer(markup):
        ends, name, attributes = match[1], match[2].lower(), match[3]
        if len(attributes) > _ATTRIBUTES_EACH and len(_PART.findall(attributes)) > _ATTRIBUTES_EACH:
            return False
        if name in _END_THEMSELVES:
            continue
        if not ends:
            opened[name] += 1
            depth += 1
        elif opened[name]:
            opened[name] -= 1
            depth -= 1
        if depth > _DEEPEST:
            return False
    return True


@lru_cache(4_096)
def _style(declarations: str) -> str:
    """Of declarations those that change how something looks, and nothing around it."""
    kept = []
    for declaration in declarations.split(";"):
        found = _STYLE.fullmatch(declaration)
        if not found or found[1] not in _STYLES or _MOVES.search(_COLOUR.sub("", found[2])):
            continue
        if found[1] == "vertical-align" and not found[2].replace("-", "").strip().isalpha():
            continue
        kept.append(f"{found[1]}: {found[2].strip()}")
    return "; ".join(kept)


_ID = re.compile(r"\bid=([\"'])([\w-]+)\1")
_LONGEST_STYLE = 500


def _with_own_styles(markup: str) -> str:
    """HTML in which every element has the styles that a style sheet in it gives its id, as those of pandas' Styler do."""
    if len(markup) > LONGEST_OUTPUT:
        return markup
    styles: dict[str, str] = {}
    for sheet in _sheets(markup):
        for rule in sheet.split("}"):
            selectors, _, declarations = rule.partition("{")
            if not (look := html.escape(_style(declarations))):
                continue
            for selector in map(str.strip, selectors.split(",")):
                both = f"{styles[selector]}; {look}" if selector in styles else look
                if selector.startswith("#") and len(both) <= _LONGEST_STYLE:
                    styles[selector] = both
    found = [styles.get(f"#{match[2]}", "") for match in _ID.finditer(markup)]
    if len(markup) + sum(map(len, found)) > LONGEST_OUTPUT:
        return markup

    def styled(match: re.Match[str]) -> str:
        look = styles.get(f"#{match[2]}")
        return f'{match[0]} style="{look}"' if look else match[0]

    return _ID.sub(styled, markup)


def _sheets(markup: str) -> Iterator[str]:
    """The texts of style sheets. Each place is looked at once, whatever stands there."""
    at = 0
    while (begins := markup.find("<style", at)) >= 0:
        opened = markup.find(">", begins)
        at = markup.find("</style", opened)
        if opened < 0 or at < 0:
            return
        yield markup[opened + 1 : at]


def _attribute(tag: str, name: str, value: str) -> str | None:
    """What an attribute may be; nothing where it may not be."""
    value = value.strip()
    if name == "href":
        if value.startswith("#"):
            return f"#{_OURS}{value[1:]}"
        return value if _LINK.match(value) else None
    if name == "src":  # anything else is loaded from somewhere, which tells who reads, and when
        return value if _PICTURE.fullmatch(value) else None
    if name == "class":
        return " ".join(one for one in value.split() if _CLASS.fullmatch(one)) or None
    if name == "style":
        return _style(value) or None
    if name in _NUMBERS and tag not in _FORMULA.split():
        return value if _NUMBER.fullmatch(value) else None
    return value


class Harmless(Preprocessor):
    """Makes a notebook's outputs anew of what pages show of them, and shortens what is too long."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """See nbconvert."""
        for name in ("student", "first_name", "last_name", "notebook_path"):  # formgrader's
            if isinstance(resources.get(name), str):
                resources[name] = html.escape(resources[name])
        exporter: Any = self.parent
        if _guard not in exporter._preprocessors:  # a template's own begins the head anew
            exporter.register_preprocessor(_guard, enabled=True)
        resources["seconds_left"] = SECONDS
        nb.metadata.pop("widgets", None)  # they would need scripts
        left, text_left = LARGEST, LONGEST_IN_ALL
        for cell in nb.cells:
            cell.source = _shortened(cell.source, max(0, min(LONGEST, text_left)))
            text_left -= len(cell.source)
            cell.metadata.pop("tags", None)
            cell.metadata.pop("alt", None)
            if cell.cell_type == "raw":  # which pages take for their own HTML
                cell.metadata.pop("raw_mimetype", None)
                cell.pop("attachments", None)
                cell.source = f"<pre>{html.escape(cell.source)}</pre>"
            else:
                _pictures(cell)
            if cell.cell_type != "code":
                continue
            cell.execution_count = _number(cell.get("execution_count"))
            outputs = []
            for output in cell.outputs:
                left -= len(str(output))
                if left < 0:
                    outputs.append(_text("There is more than this page can show."))
                    break
                outputs.append(_output(output, resources))
            cell.outputs = outputs
        return nb, resources


def _output(output: NotebookNode, resources: Any) -> NotebookNode:
    """An output made anew; what has another form than nbformat's becomes a sentence."""
    try:
        kind = output["output_type"]
        if kind == "stream":
            name = "stderr" if output["name"] == "stderr" else "stdout"
            return new_output("stream", name=name, text=_coloured(output["text"]))
        if kind == "error":
            traceback = _coloured("\n".join(map(str, output["traceback"]))).split("\n")
            said = {key: str(output[key]) for key in ("ename", "evalue")}
            return new_output("error", **said, traceback=traceback)
        shown: dict[str, Any] = {}
        about: dict[str, Any] = {}
        for mime, content in output["data"].items():
            if mime in _SHOWN and (made := _SHOWN[mime](content)):
                shown[mime] = made
                if mime.startswith("image/"):
                    about[mime] = _size(output.get("metadata", {}).get(mime))
        if (
            "text/latex" in shown and "text/html" not in shown
        ):  # browsers show MathML without a script
            source = shown.pop("text/latex").strip("$ \n")
            shown["text/html"] = _in_time(resources, source, lambda: _formula(source, "block"))
        more = {}
        if kind == "execute_result":
            more["execution_count"] = _number(output.get("execution_count"))
        return new_output(
            kind if more else "display_data", data=shown or _NOTHING, metadata=about, **more
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return _text("There is an output here that cannot be shown.")


def _text(sentence: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=sentence)


_CODES = 2_000
_NO_COLOUR = re.compile(r"\x1b(?!\[[0-9;]{0,40}m)")


def _coloured(content: Any) -> str:
    """A text with the codes for colours that a page shows, where there are not too many."""
    text = _NO_COLOUR.sub("", _shortened(str(content), LONGEST_OUTPUT))
    return text if text.count("\x1b") <= _CODES else re.sub(r"\x1b\[[0-9;]*m", "", text)


def _encoded(content: Any) -> str:
    """Base64 as it is, without what does not belong to it; empty where it is none, or a picture that takes gigabytes to be shown."""
    try:
        picture = base64.b64decode(str(content))
    except (binascii.Error, ValueError):
        return ""
    return base64.b64encode(picture).decode() if _pixels(picture) <= _MOST_PIXELS else ""


_MOST_PIXELS = 50_000_000


def _pixels(picture: bytes) -> float:
    """How many there are, by the picture's first bytes; 0 where they tell nothing."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(picture)) as found:
            return float(found.width * found.height)
    except Image.DecompressionBombError:
        return math.inf
    except Exception:  # it is no picture that is known
        return 0.0


_SHOWN: dict[str, Callable[[Any], str]] = {
    "text/plain": lambda content: _coloured(content),
    "text/html": lambda content: clean(_with_own_styles(str(content))),
    "text/markdown": str,  # it is cleaned when it has become HTML
    "text/latex": str,
    "image/png": _encoded,
    "image/jpeg": _encoded,
    "image/svg+xml": str,
}
_NOTHING = {"text/plain": "An output of a kind that is not shown here."}


def _number(value: Any) -> int | None:
    return value if type(value) is int else None


def _size(about: Any) -> dict[str, Any]:
    """A picture's width and height as whole numbers, and its description."""
    if not isinstance(about, dict):
        return {}
    found: dict[str, Any] = {}
    for name in ("width", "height"):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            if 0 < (number := int(about[name]) if name in about else 0) < 10_000:
                found[name] = number
    if isinstance(about.get("alt"), str):
        found["alt"] = about["alt"]
    return found


def _pictures(cell: NotebookNode) -> None:
    """Of what is attached to a cell, the pictures."""
    attached = cell.get("attachments")
    if not isinstance(attached, dict):
        cell.pop("attachments", None)
        return
    for name, kinds in list(attached.items()):
        shown = kinds.items() if isinstance(kinds, dict) else ()
        attached[name] = {
            mime: encoded
            for mime, content in shown
            if _PICTURE.match(f"data:{mime};base64,") and (encoded := _encoded(content))
        }


def _shortened(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[:most]}\n\n[{len(text) - most:,} characters more are in the notebook.]"


class _Renderer(IPythonRenderer):
    """nbconvert's, with formulas as MathML, which browsers show without a script."""

    def _embed_image_or_attachment(self, src: str) -> str:
        """See nbconvert. What is not attached is left out."""
        kind, _, name = src.partition(":")
        attached = self.attachments.get(name, {}) if kind == "attachment" else {}
        return next((f"data:{mime};base64,{content}" for mime, content in attached.items()), src)

    def block_math(self, body: str) -> str:
        """See nbconvert."""
        return _formula(body, "block")

    def inline_math(self, body: str) -> str:
        """See nbconvert."""
        return _formula(body, "inline")

    def multiline_math(self, text: str) -> str:
        """See nbconvert."""
        return _formula(text.strip("$"), "block")

    def latex_environment(self, name: str, body: str) -> str:
        """See nbconvert."""
        return _formula(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")


def _formula(source: str, display: str) -> str:
    try:
        if len(source) > _LONGEST_FORMULA:
            raise ValueError
        return _bold(convert(_known(source), display=display))
    except _TooSlow:
        raise
    except Exception:  # of a formula that is none
        return f"<code>{html.escape(source)}</code>"


_SYNONYMS = {
    r"\\(begin|end)\{aligned(?:at)?\}": r"\\\1{split}",
    r"\\(begin|end)\{gathered\}": r"\\\1{align*}",
    r"\\[lr]Vert(?![a-zA-Z])": r"\\Vert ",
    r"\\[lr]vert(?![a-zA-Z])": r"\\vert ",
    r"\\operatorname\*": r"\\operatorname",
    r"\\not\s*=": r"\\neq ",
}
"""What latex2mathml does not know, or gets wrong, by what it knows."""


def _known(source: str) -> str:
    for unknown, known in _SYNONYMS.items():
        source = re.sub(unknown, known, source)
    return source


def _bold(formula: str) -> str:
    """Bold letters by a style: browsers of today know no other ``mathvariant`` than normal."""
    return re.sub(r'(mathvariant="bold[a-z-]*")', r'\1 style="font-weight: bold"', formula)


@pass_context
def markdown2html(context: Context, source: str) -> str:
    """Markdown as harmless HTML; as it was written, where that would take too long or it is none."""
    cell = context.get("cell", {})
    attachments = cell.get("attachments") or {}
    renderer = _Renderer(escape=False, attachments=attachments, exclude_anchor_links=True)
    markdown = MarkdownWithMath(renderer=renderer)
    return _in_time(context.get("resources", {}), source, lambda: markdown.render(source))


def _in_time(resources: Any, source: str, made: Callable[[], str]) -> str:
    """What is made of a source, cleaned; the source itself where that takes too long, by itself or with the rest of the page, or fails."""
    left = resources.get("seconds_left", SECONDS)
    begun = time.monotonic()
    try:
        with _at_most(min(left, SECONDS_EACH), len(source)):
            markup = made()
    except Exception:  # of the time, a missing attachment, or nesting without end
        markup = f"<pre>{html.escape(source)}</pre>"
    finally:
        resources["seconds_left"] = left - (time.monotonic() - begun)
    return clean(markup)  # no alarm rings in there


class _TooSlow(Exception):
    """It took longer than it may."""


@contextlib.contextmanager
def _at_most(seconds: float, length: int) -> Iterator[None]:
    """Raise _TooSlow in the body when it takes longer. Where no alarm can be set, in other threads, only short texts are converted."""
    clock = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if seconds <= 0 or not (clock or length <= _LONGEST_WITHOUT_CLOCK):
        raise _TooSlow
    if not clock:
        yield
        return

    def late(*_: object) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


_APART = "<style>.output_subarea, .text_cell_render { contain: paint; overflow-x: auto }</style>"
"""Nothing of a cell is drawn outside of it."""


def _guard(nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
    """A preprocessor that writes a Content-Security-Policy where templates write style sheets, before every script but formgrader's own."""
    if "submission_id" in resources:
        hashes = " ".join(f"'{_hash(script)}'" for script in (_NO_MATHJAX, *_scripts_of_formgrader()))  # fmt: skip
        head = _policy("'self'", f"'self' 'unsafe-hashes' {hashes}")
        head += f"<script>{_NO_MATHJAX}</script>"
    else:  # a feedback page has no scripts at all
        head = _policy("'none'", "'none'")
    inlined = resources.setdefault("inlining", {}).setdefault("css", [])
    inlined.append(f"</style>{head}{_APART}<style>")
    return nb, resources


def _policy(loaded: str, scripts: str) -> str:
    policy = (
        f"default-src {loaded}; script-src {scripts}; img-src data:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
        "object-src 'none'; frame-src 'none'; base-uri 'none'; form-action 'none'"
    )
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}">'


_NO_MATHJAX = (
    "var MathJax = {Hub: {Startup: {signal: {Interest: function (ready) { "
    "$(document).one('ajaxStop', function () { ready('End'); }); }}}}};"
)
"""Formgrader waits for MathJax, which comes from another server, before its first box has the cursor; formulas are MathML here. The boxes are
open once their points have come."""


@cache
def _scripts_of_formgrader() -> tuple[str, ...]:
    """What stands in the body of formgrader's page: a script, and what two buttons do."""
    path = Path(handlers.template_path, "formgrade", "formgrade_macros.html.j2")
    body = path.read_text(encoding="utf-8").partition("{% macro nav")[2]
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", body, re.DOTALL)
    return (*scripts, *re.findall(r'onclick="([^"]*)"', body))


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
