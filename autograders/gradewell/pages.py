"""The pages on which people read what students wrote and put out: feedback, and formgrader. Nothing on them acts, or is loaded from elsewhere.

For any nbgrader course, in its ``nbgrader_config.py``::

    c.HTMLExporter.preprocessors = ["gradewell.pages.Harmless"]
    c.HTMLExporter.filters = {"markdown2html": "gradewell.pages.markdown2html"}
    c.HTMLExporter.extra_template_paths = [str(gradewell.pages.TEMPLATES)]
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import html
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
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

TEMPLATES = Path(__file__).parent / "templates"
"""Templates that go before nbgrader's and nbconvert's."""
LARGEST = 10 << 20
"""Characters of outputs on one page."""
LONGEST = 200_000
"""Characters of a cell's own text that are shown."""
SECONDS, SECONDS_EACH = 20.0, 2.0
"""For all Markdown of a page, and for each text; what would take longer is shown as it was written."""

_LONGEST_FORMULA = 5_000
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
_STYLES = set(
    [
        "background-color",
        "border",
        "border-collapse",
        "color",
        "font-family",
        "font-size",
        "font-style",
        "font-weight",
        "height",
        "margin",
        "padding",
        "text-align",
        "text-decoration",
        "vertical-align",
        "white-space",
        "width",
    ]
)
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

    A picture in SVG stays inside of an ``img``, where nothing of it can act or load anything.
    """
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
        resources.setdefault("inlining", {}).setdefault("css", []).append(_head(resources))
        resources["seconds_for_markdown"] = SECONDS
        nb.metadata.pop("widgets", None)  # they would need scripts
        left = LARGEST
        for cell in nb.cells:
            cell.source = _shortened(cell.source, LONGEST)
            cell.metadata.pop("tags", None)
            cell.metadata.pop("alt", None)
            cell.pop("attachments", None) if cell.cell_type == "raw" else _pictures(cell)
            if cell.cell_type != "code":
                continue
            cell.execution_count = _number(cell.get("execution_count"))
            outputs = []
            for output in map(_output, cell.outputs):
                left -= len(str(output))
                outputs.append(
                    output if left >= 0 else _text("There is more than this page can show.")
                )
                if left < 0:
                    break
            cell.outputs = outputs
        return nb, resources


def _output(output: NotebookNode) -> NotebookNode:
    """An output made anew; what has another form than nbformat's becomes a sentence."""
    try:
        kind = output["output_type"]
        if kind == "stream":
            name = "stderr" if output["name"] == "stderr" else "stdout"
            return new_output("stream", name=name, text=str(output["text"]))
        if kind == "error":
            traceback = [str(line) for line in output["traceback"]]
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
            shown["text/html"] = clean(_formula(shown.pop("text/latex").strip("$ \n"), "block"))
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


def _encoded(content: Any) -> str:
    """Base64 as it is, without what does not belong to it; empty where it is none."""
    try:
        return base64.b64encode(base64.b64decode(str(content))).decode()
    except (binascii.Error, ValueError):
        return ""


_SHOWN: dict[str, Callable[[Any], str]] = {
    "text/plain": str,
    "text/html": lambda content: clean(str(content)),
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
        return convert(source, display=display)
    except _TooSlow:
        raise
    except Exception:  # of a formula that is none
        return f"<code>{html.escape(source)}</code>"


@pass_context
def markdown2html(context: Context, source: str) -> str:
    """Markdown as harmless HTML; as it was written, where that would take too long or it is none."""
    resources = context.get("resources", {})
    cell = context.get("cell", {})
    left = resources.get("seconds_for_markdown", SECONDS)
    begun = time.monotonic()
    attachments = cell.get("attachments") or {}
    renderer = _Renderer(escape=False, attachments=attachments, exclude_anchor_links=True)
    try:
        with _at_most(min(left, SECONDS_EACH)):
            return clean(MarkdownWithMath(renderer=renderer).render(source))
    except Exception:  # of the time, a missing attachment, or nesting without end
        return f"<pre>{html.escape(source)}</pre>"
    finally:
        resources["seconds_for_markdown"] = left - (time.monotonic() - begun)


class _TooSlow(Exception):
    """It took longer than it may."""


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise _TooSlow in the body when it takes longer. Where no alarm can be set, nothing is converted that could take long."""
    if seconds <= 0:
        raise _TooSlow
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
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


def _head(resources: Any) -> str:
    """A Content-Security-Policy, where templates write style sheets: after the scripts of formgrader's own head, before everything else."""
    if "submission_id" not in resources:  # a feedback page has no scripts at all
        return "</style>" + _policy("'none'", "'none'") + "<style>"
    hashes = " ".join(f"'{_hash(script)}'" for script in (_NO_MATHJAX, *_scripts_of_formgrader()))
    policy = _policy("'self'", f"'self' 'unsafe-hashes' {hashes}")
    return f"</style>{policy}<script>{_NO_MATHJAX}</script><style>"


def _policy(loaded: str, scripts: str) -> str:
    policy = (
        f"default-src {loaded}; script-src {scripts}; img-src data:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
        "object-src 'none'; frame-src 'none'; base-uri 'none'; form-action 'none'"
    )
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}">'


_NO_MATHJAX = (
    "var MathJax = {Hub: {Startup: {signal: {Interest: function (ready) { ready('End'); }}}}};"
)
"""Formgrader waits for MathJax, which comes from another server, before its first box has the cursor; formulas are MathML here."""


@cache
def _scripts_of_formgrader() -> tuple[str, ...]:
    """What stands in the body of formgrader's page: a script, and what two buttons do."""
    path = Path(handlers.template_path, "formgrade", "formgrade_macros.html.j2")
    body = path.read_text(encoding="utf-8").partition("{% macro nav")[2]
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", body, re.DOTALL)
    return (*scripts, *re.findall(r'onclick="([^"]*)"', body))


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
