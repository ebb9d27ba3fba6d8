"""What submissions put out reaches feedback pages readable and harmless."""

import base64
import html
import re
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pandas as pd
import pytest
from gradewell import pages
from gradewell.checks import Problem, Result
from gradewell.checks.result import Figure
from nbconvert import HTMLExporter
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
    new_raw_cell,
)
from traitlets.config import Config

RESULT = Result.from_parts("hidden cards", 6, {"secrets": 0.5}, [Problem("x", "a < b")]).showing(
    Figure(lambda axes: axes.plot([1, 2, 3]), "a line that rises"),
    pd.DataFrame({"attack": ["linkage"], "risk": [0.123456]}),
)


def page(*outputs, markdown="text"):
    cells = [new_markdown_cell(markdown)]
    cells.append(new_code_cell(outputs=[new_output("display_data", data=o) for o in outputs]))
    notebook = nbformat.from_dict(new_notebook(cells=cells))
    config = Config()
    config.HTMLExporter.preprocessors = ["gradewell.pages.Harmless"]
    config.HTMLExporter.filters = {"markdown2html": "gradewell.pages.markdown2html"}
    body, _ = HTMLExporter(config=config).from_notebook_node(notebook)
    return body[body.index("<main>") :]


def test_a_result_keeps_its_bars_its_table_and_its_figure():
    body = page(RESULT._repr_mimebundle_())
    assert "&lt;div" not in body
    assert "background-color:#8a5a00" in body and "width:50%" in body
    assert "<td>0.123</td>" in body
    assert 'alt="a line that rises"' in body and "data:image/png;base64,iVBOR" in body


@pytest.mark.parametrize(("side", "shown"), [(300, True), (30_000, False)])
def test_a_picture_that_takes_gigabytes_to_be_shown_is_not(side, shown):
    def chunk(kind, content):
        whole = kind + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    lines = zlib.compress(bytes((side // 8 + 1) * side))
    picture = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", lines) + chunk(b"IEND", b"")
    body = page({"image/png": base64.b64encode(picture).decode(), "text/plain": "a picture"})
    assert ("data:image/png;base64,iVBOR" in body) is shown
    assert ("a picture" in body) is not shown


def test_a_data_frame_stays_a_table_without_its_style_sheet():
    body = page({"text/html": pd.DataFrame({"a": [1]})._repr_html_()})
    assert '<table border="1" class="dataframe">' in body
    assert "only-of-type" not in body


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)></svg>",
        "<iframe src='http://there.example/'></iframe>",
        "<a href='javascript:alert(1)'>here</a>",
        "<a href=' java\tscript:alert(1)'>here</a>",
        "<a href='data:text/html,alert(1)'>here</a>",
        "<img src='http://there.example/seen.png'>",
        "<img src='data:image/svg+xml;base64,AAAA'>",
        "<form action='http://there.example/'><input name=a></form>",
        "<style>* {display: none}</style>",
        "<style>* {display: none}",
        "<p style='position:fixed;top:0'>20 of 20 points</p>",
        "<p style='background:url(http://there.example/)'>here</p>",
        "<base href='http://there.example/'>",
        "<meta http-equiv=refresh content='0;url=http://there.example/'>",
    ],
)
@pytest.mark.parametrize("where", ["output", "markdown"])
def test_what_acts_or_loads_does_not_pass(attack, where):
    body = page({"text/html": attack}) if where == "output" else page(markdown=attack)
    body = body.replace("No description has been provided for this image", "")
    tags = [part.partition(">")[0] for part in body.split("<")[1:]]  # text is harmless
    tags = "".join(tag for tag in tags if not tag.startswith('a href="http://there'))  # to click on
    for active in ("script", "onerror", "onload", "there.example", "data:", "position", "iframe", "svg", "form",
                   "base", "meta", "display: none"):  # fmt: skip
        assert active not in tags, tags
    assert "display: none" not in body


def test_markdown_stays_markdown():
    body = page(markdown="> quoted\n\n1 < 2 && 3 > 2\n\n`a & b`\n\n| a |\n|---|\n| 1 |")
    assert "<blockquote>" in body
    assert "<code>a &amp; b</code>" in body
    assert "1 &lt; 2 &amp;&amp; 3 &gt; 2" in body
    assert "<table>" in body


ENDLESS = {
    "unclosed": "<u>" * 20_000 + "</x>" * 10_000,
    "deep": "<div>" * 200_000,
    "crossed": "<b><div></b>" * 50_000,
    "attributes": "<p " + " ".join(f"a{n}" for n in range(100_000)) + ">",
    "quoted": '<p a=">" ' + " ".join(f"a{n}=1" for n in range(50_000)) + ">",
    "begun again": "".join(f"<b class=a{n % 9}><p>" for n in range(50_000)),
    "out of a table": "<table>" + "<a>x" * 50_000,
    "long": "x" * 3_000_000,
}


@pytest.mark.parametrize("markup", ENDLESS.values(), ids=ENDLESS)
def test_what_a_parser_would_take_minutes_for_is_shown_as_it_was_written(markup):
    made = pages.clean(markup)
    assert made.startswith("<pre>") and html.unescape(made[5:]).startswith(markup[:20])
    assert len(made) < 10 * pages.LONGEST


def test_a_long_honest_table_stays_one():
    table = pd.DataFrame({name: range(5_000) for name in "abcdefg"}).to_html()
    assert pages.clean(table).count("<tr") == table.count("<tr") == 5_001


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[m" * 300_000,
        "\x1b[" + "1;" * 500_000 + "m",
        "\x1b[1" * 500_000,
        "\x1b]0;title\x07" * 50_000,
    ],
)
def test_codes_for_colours_without_end_are_left_out(text):
    body = page({"text/plain": f"before {text} after"})
    assert "before" in body and "after" in body
    assert "\x1b" not in body


def test_colours_stay():
    assert 'class="ansi-red-fg"' in page({"text/plain": "\x1b[31mred\x1b[0m"})


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("color: rgb(1, 2, 3); margin: 1em", "color: rgb(1, 2, 3); margin: 1em"),
        ("margin: -1px", None),
        ("margin:0 0 0 -.5em; color:red", "color: red"),
        ("width: calc(100% + 900px)", None),
        ("width: 99999px", None),
        ("vertical-align: 900px", None),
        ("vertical-align: text-top", "vertical-align: text-top"),
        ("color: red; position: fixed; background-color: #fff", "color: red; background-color: #fff"),
        ("font-family: A, serif", "font-family: A, serif"),
        ("background-color: url(http://there.example)", None),
        ("color: var(--x)", None),
    ],
)  # fmt: skip
def test_a_style_changes_how_something_looks_and_nothing_around_it(style, kept):
    made = pages.clean(f'<p style="{style}">x</p>')
    found = re.search('style="([^"]*)"', made)
    plain = re.sub(r"\s", "", html.unescape(found[1])).rstrip(";") if found else None
    assert plain == (re.sub(r"\s", "", kept) if kept else None)


def test_a_raw_cell_is_shown_as_it_was_written():
    notebook = new_notebook(cells=[new_raw_cell("<div id='x' class='modal'>a</div>")])
    config = Config()
    config.HTMLExporter.preprocessors = ["gradewell.pages.Harmless"]
    body, _ = HTMLExporter(config=config).from_notebook_node(notebook)
    assert "<pre>&lt;div id=" in body


def test_in_another_thread_short_texts_are_converted_and_long_ones_shown():
    with ThreadPoolExecutor(1) as pool:
        short = pool.submit(page, markdown="**bold**").result()
        long = pool.submit(page, markdown="**bold** " * 1_000).result()
    assert "<strong>bold</strong>" in short
    assert "<strong>" not in long and "**bold**" in long


def test_pandas_styles_stay():
    styled = pd.DataFrame({"a": [1.5, -2.0]}).style.set_properties(
        **{"background-color": "#ffffb3", "font-weight": "bold", "position": "fixed"}
    )
    body = page({"text/html": styled.to_html()})
    cells = re.findall(r"<td[^>]*>", body)
    assert len(cells) == 2
    assert all("#ffffb3" in cell and "bold" in cell for cell in cells)
    assert "fixed" not in body


@pytest.mark.parametrize(
    "markup",
    [
        "<style" * 300_000,
        "<style>" + "a" * 2_000_000,
        "<style>" + "#a{color:red}" * 60_000 + "</style>" + '<i id="a">x</i>' * 60_000,
        "<style>" + "#a," * 200_000 + "{color:red}</style>",
        "<style>" + ",".join(f"#a{n}" for n in range(50_000)) + "{color: red; " + "margin: 1px; " * 30 + "}</style>"
        + "".join(f'<i id="a{n}">' for n in range(50_000)),
        "<style></style>" * 100_000,
    ],
    ids=["no end", "no rule", "one again and again", "many selectors", "many elements", "empty ones"],
)  # fmt: skip
def test_style_sheets_without_end_take_no_more_than_they_are_long(markup):
    assert len(page({"text/html": markup})) < 4 * pages.LONGEST_OUTPUT
