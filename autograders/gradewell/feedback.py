"""What submissions put out, made harmless for the pages that people read: feedback, and formgrader."""

from __future__ import annotations

import re

from bleach import clean
from bleach.css_sanitizer import CSSSanitizer
from bleach.sanitizer import ALLOWED_TAGS
from nbconvert.preprocessors.sanitize import SanitizeHTML

_TAGS = [
    *ALLOWED_TAGS, "br", "caption", "details", "div", "dd", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "img", "kbd", "p", "pre", "s", "small", "span", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th",
    "thead", "tr", "u",
]  # fmt: skip
_ATTRIBUTES = {"alt", "border", "class", "colspan", "dir", "height", "href", "lang", "rowspan", "scope", "src", "style",
               "title", "width"}  # fmt: skip
_STYLES = [
    "background-color", "border", "border-collapse", "color", "font-family", "font-size", "font-style", "font-weight",
    "height", "margin", "padding", "text-align", "text-decoration", "vertical-align", "white-space", "width",
]  # fmt: skip
_SHEET = re.compile(r"<style\b.*?(</style\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_LINK = re.compile(r"https?://|mailto:|#")
_PICTURE = re.compile(r"data:image/(png|jpeg|gif);base64,")
_MARKDOWN = {  # what is no markup in Markdown, and would be shown as an entity in its code and formulas
    re.compile(r"^([ \t]*)&gt;", re.MULTILINE): r"\1>",  # a quotation
    re.compile(r"&lt;(?![A-Za-z/!?])"): "<",
    re.compile(r"&amp;"): "&",
}


def _allowed(tag: str, name: str, value: str) -> bool:
    if name == "src":  # anything else is loaded from somewhere, which tells who reads
        return tag == "img" and _PICTURE.match(value) is not None
    if name == "href":
        return tag == "a" and _LINK.match(value) is not None
    return name in _ATTRIBUTES


class SafeOutputs(SanitizeHTML):
    """nbconvert's sanitizer with room for what notebooks need: tables, pictures inside of the page, simple styles.

    nbconvert's own lets neither a data frame nor a check's bars through: it prints their markup. Scripts, frames, forms,
    style sheets, and whatever is loaded from elsewhere do not pass.
    """

    def sanitize_html_tags(self, html_str: str) -> str:
        """A string of HTML or Markdown without anything that acts."""
        harmless: str = clean(
            _SHEET.sub(
                "", html_str
            ),  # bleach would show its text; pandas writes one for each table
            tags=_TAGS,
            attributes=_allowed,
            protocols=["http", "https", "mailto", "data"],
            css_sanitizer=CSSSanitizer(allowed_css_properties=_STYLES),
            strip=self.strip,
        )
        for escaped, plain in _MARKDOWN.items():
            harmless = escaped.sub(plain, harmless)
        return harmless
