"""What submissions put out reaches feedback pages readable and harmless."""

import nbformat
import pandas as pd
import pytest
from gradewell.checks import Problem, Result
from gradewell.checks.result import Figure
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
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
