"""What a student hands in acts on nobody's page: an alert that must not come, and a request that nobody may see, in a real browser."""

import shlex
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from playwright.sync_api import expect
from sharewell import course

pytestmark = pytest.mark.xdist_group("pages")
PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}

SECONDS = 1_000
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ACTS = "alert('here')"
LOADS = "http://there.example/seen.png"
MARKUP = [
    f"<script>{ACTS}</script>",
    f'<img src="x" onerror="{ACTS}">',
    f'<svg onload="{ACTS}"><animate onbegin="{ACTS}" attributeName="x" dur="1s"></animate></svg>',
    f'<details open ontoggle="{ACTS}"><summary>more</summary></details>',
    f'<a class="trap" href="javascript:{ACTS}">a link</a>',
    f'<img src="{LOADS}"><video src="{LOADS}" autoplay></video><link rel="stylesheet" href="{LOADS}">',
    f'<p style="background: url({LOADS})">a paragraph</p><style>body {{ background: url({LOADS}) }}</style>',
    f'<iframe srcdoc="&lt;script&gt;parent.{ACTS}&lt;/script&gt;"></iframe><object data="data:text/html,{ACTS}"></object>',
    f'<math><mtext><table><mglyph><style><img src=x onerror="{ACTS}"></style></mglyph></table></mtext></math>',
    f'<form id="first"><input name="attributes" onfocus="{ACTS}" autofocus></form><base href="http://there.example/">',
    '<div style="position: fixed; top: 0; left: 0; width: 100%; height: 100%">3 of 3 points</div>',
    f'<a href="http://there.example/"><img alt="over" src="data:image/png;base64,{PICTURE}" style="margin: -900px 0 0 0; width: 1200px; height: 900px"></a>',
    '<span style="vertical-align: 900px; margin: 0 -1em">3 of 3 points</span>',
]
SIZES = {
    "width": f'1 onerror="{ACTS}"',
    "height": f"1><script>{ACTS}</script>",
    "alt": f'"><script>{ACTS}</script>',
}
SVG = (
    f'<svg xmlns="http://www.w3.org/2000/svg"><script>{ACTS}</script><image href="{LOADS}"/></svg>'
)
SHOWN = [
    ({"image/png": PICTURE}, {"image/png": SIZES}),
    ({"image/jpeg": PICTURE}, {"image/jpeg": SIZES}),
    ({"image/png": f'{PICTURE}"><script>{ACTS}</script>'}, {}),
    *[
        ({mime: one}, {"text/html": {"isolated": True}})
        for one in MARKUP
        for mime in ("text/html", "text/markdown", "text/latex", "image/svg+xml")
    ],
    *[({"text/markdown": one}, {}) for one in MARKUP],
    *[({"text/html": one}, {}) for one in MARKUP],
    ({"image/svg+xml": SVG}, {}),
    ({"application/javascript": ACTS}, {}),
    (
        {
            "application/vnd.jupyter.widget-view+json": {
                "model_id": f"</script><script>{ACTS}</script>"
            }
        },
        {},
    ),
]
CODE = f"""
from IPython.display import display
answer = 42
for data, metadata in {SHOWN!r}:
    display(data, metadata=metadata, raw=True)
print({MARKUP!r})
raise ValueError({MARKUP[0]!r})
"""
STUDENT = "<img src=x onerror=alert(1)>"
ATTACHED = {
    "x.png": {"image/png": 'AAAA" onerror="alert(1)'},
    "y.svg": {"image/svg+xml": "PHN2Zy8+"},
}
FORMULAS = "$\\frac{1}{2}$ and $\\text{<img src=x onerror=alert(1)>}$ and ![a](attachment:x.png) and ![b](attachment:y.svg)"
SLOW = "\\begin{a}" * 8_000


def lab():
    flags = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    written = {**flags, "grade": True, "solution": True, "points": 3}
    cells = [
        new_code_cell("### BEGIN SOLUTION\nanswer = 42\n### END SOLUTION", id="answer"),
        new_code_cell("assert answer == 42", id="first"),
        *[new_markdown_cell("Write.", id=name) for name in ("memo", "formulas", "slow")],
    ]
    about = [{**flags, "solution": True}, {**flags, "grade": True, "locked": True, "points": 3}]
    for cell, one in zip(cells, [*about, written, written, written], strict=True):
        cell.metadata["nbgrader"] = {"grade_id": cell.id, **one}
    return new_notebook(cells=cells, metadata={"kernelspec": PYTHON})


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, sharewell, bubblewrap):
    """A course in which one submission does all of this, graded. Returns its folder."""
    folder = tmp_path_factory.mktemp("pages") / "course"
    course.make(folder)
    path = folder / "source" / "lab" / "lab.ipynb"
    path.parent.mkdir()
    nbformat.write(lab(), path)
    handed_in = lab()
    answers = {"answer": CODE, "memo": "\n\n".join(MARKUP), "formulas": FORMULAS, "slow": SLOW}
    for cell in handed_in.cells:
        cell.source = answers.get(cell.id, cell.source)
        if cell.id == "formulas":
            cell["attachments"] = ATTACHED
    handed_in.cells.append(new_markdown_cell(f"# Mine\n\n{MARKUP[1]}", id="mine"))
    raw = (
        '<div class="navbar-fixed-top modal" id="first" style="position: fixed">3 of 3 points</div>'
    )
    handed_in.cells.append(new_raw_cell(raw, id="raw", metadata={"raw_mimetype": "text/html"}))
    to = folder / "submitted" / STUDENT / "lab" / "lab.ipynb"
    to.parent.mkdir(parents=True)
    nbformat.write(handed_in, to)
    ran = sharewell("grade", "lab", "--course", folder)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


def watched(browser):
    """A page, and what happens on it that must not: dialogs, and requests of other servers."""
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    happened = []

    def dialog(one):
        happened.append(f"dialog: {one.message}")
        one.dismiss()

    page.on("dialog", dialog)
    page.on("pageerror", lambda one: happened.append(f"error: {one}"))
    page.on("request", lambda one: happened.append(one.url) if "there.example" in one.url else None)
    return page, happened


def shows_what_is_harmless(page):
    expect(page.locator("math mfrac").first).to_be_visible()
    expect(page.get_by_role("heading", name="Mine")).to_be_visible()
    pictures = page.locator("img[src^='data:image/png']")
    assert pictures.count() >= 1
    assert (
        page.locator("script:not([src])").evaluate_all(
            "all => all.filter(s => s.text.includes('here'))"
        )
        == []
    )
    assert (
        page.locator("[onerror], [onload], [ontoggle], iframe, object, form, video, svg").count()
        == 0
    )
    for link in page.locator("a:has-text('a link')").all():
        assert link.get_attribute("href") is None
    assert (
        page.locator("div", has_text="3 of 3 points").evaluate_all(
            "all => all.filter(d => getComputedStyle(d).position === 'fixed')"
        )
        == []
    )


COVERING = """all => all.flatMap(cell => [...cell.querySelectorAll('*')].filter(one => {
    const style = getComputedStyle(one);
    const margins = [style.marginTop, style.marginLeft, style.marginRight, style.marginBottom];
    return ['fixed', 'absolute', 'sticky'].includes(style.position) || margins.some(one => parseFloat(one) < 0) || parseFloat(style.verticalAlign);
}).map(one => one.outerHTML.slice(0, 200)))"""
"""What could stand over the rest of the page, of what was handed in."""


def covers_nothing(page):
    assert page.locator(".text_cell_render, .output_subarea").evaluate_all(COVERING) == []
    assert page.locator(".navbar-fixed-top.modal").count() == 0


def test_a_feedback_page_acts_on_nobody_and_loads_nothing(hostile, browser, tmp_path):
    page, happened = watched(browser)
    everything = []
    page.on("request", lambda one: everything.append(one.url))
    page.goto((hostile / "feedback" / STUDENT / "lab" / "lab.html").as_uri())
    page.wait_for_load_state("networkidle")
    shows_what_is_harmless(page)
    for link in page.locator("a:has-text('a link')").all():
        link.click()
    page.screenshot(path=tmp_path / "feedback.png", full_page=True)
    assert happened == []
    assert [url for url in everything if not url.startswith(("file:", "data:"))] == []
    assert page.locator("script").count() == 0
    covers_nothing(page)
    policy = page.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
    assert "script-src 'none'" in policy and "default-src 'none'" in policy
    page.close()


def test_formgrader_acts_for_nobody_but_its_user(hostile, browser, jupyter, tmp_path):
    address = jupyter(hostile, f"{shlex.quote(sys.executable)} -m jupyter lab")
    page, happened = watched(browser)
    everything = []
    page.on("requestfinished", lambda one: everything.append(one.url))
    page.on("requestfailed", lambda one: everything.append(one.url) if one.failure != "csp" else 0)
    page.goto(f"{address}/formgrader/gradebook/lab/lab")
    rows = page.locator("#main-table tr")
    expect(rows).to_have_count(1, timeout=60 * SECONDS)
    rows.first.locator("a").first.click()
    memo = page.locator("#memo")
    expect(memo).to_be_visible(timeout=60 * SECONDS)
    shows_what_is_harmless(page)
    covers_nothing(page)
    policy = page.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
    assert (
        "script-src 'self'" in policy
        and "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    )
    assert [url for url in everything if not url.startswith((address, "data:"))] == []
    assert happened == []
    # formgrader's own script has put the cursor where it begins
    page.wait_for_function("document.activeElement.classList.contains('tabbable')")
    expect(page.locator("#first")).to_have_count(1)  # the box for points, not the student's
    page.locator("span.glyphicon-eye-open").click()  # formgrader's own buttons work
    expect(page.get_by_text(STUDENT)).to_be_visible()
    with page.expect_response(lambda one: "/api/grade/" in one.url and one.request.method == "PUT"):
        memo.fill("2")
        memo.press("Tab")
    page.screenshot(path=tmp_path / "formgrader.png", full_page=True)
    assert happened == []
    page.close()
