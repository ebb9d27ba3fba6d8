"""Every page in a real browser, from a file: nothing is asked for elsewhere, nothing is wrong, and everybody can use it."""

import time

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.xdist_group("book")
WIDTHS = {"desktop": 1280, "phone": 390}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
BESIDES = {"heading-order": {"enabled": True}}  # good practice, and asked for here
AXE = {"resultTypes": ["violations"], "preload": False}
OF_COLOUR = ["color-contrast", "link-in-text-block"]
COLOURS = {**AXE, "runOnly": {"type": "rule", "values": OF_COLOUR}}
MARKUP = {
    **AXE,
    "runOnly": RULES,
    "rules": BESIDES | {rule: {"enabled": False} for rule in OF_COLOUR},
}
STILL = "*, ::before, ::after { transition: none !important; animation: none !important; }"


def size(width):
    return {"width": WIDTHS[width], "height": 900}


class Reader:
    """Somebody with a browser that reaches nothing but the site, and writes down what went wrong."""

    def __init__(self, browser, width):
        context = browser.new_context(viewport=size(width), offline=True)
        self.complaints, self.outside = [], []
        self.page = context.new_page()
        self.page.on("request", self.count)
        self.page.on("console", self.listen)
        self.page.on("pageerror", lambda error: self.complaints.append((self.page.url, error)))
        self.page.on(
            "requestfailed", lambda request: self.complaints.append((self.page.url, request.url))
        )

    def count(self, request):
        if not request.url.startswith(("file:", "data:")):
            self.outside.append((self.page.url, request.url))

    def listen(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append((self.page.url, message.text))

    def open(self, path):
        self.page.goto(path.as_uri())
        return self.page


@pytest.fixture
def reader(browser):
    made = []

    def make(width="desktop"):
        made.append(Reader(browser, width))
        return made[-1]

    yield make
    for one in made:
        one.page.context.close()


def pages(site):
    return [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]


# What a text looks like: its colour, its size, the backgrounds that it stands on, and for a link the text around it.
# Contrast is measured on the first text of each look, not on each of thousands of words of code on each page.
NEW_LOOKS = """known => {
  const grounds = new Map([[null, ""]]);
  const ground = element => {
    if (!grounds.has(element)) {
      const { backgroundColor, backgroundImage, opacity, filter } = getComputedStyle(element);
      const below = ground(element.parentElement), own = [backgroundColor, backgroundImage, opacity, filter].join();
      grounds.set(element, own === "rgba(0, 0, 0, 0),none,1,none" ? below : own + below);
    }
    return grounds.get(element);
  };
  const seen = new Set(known), texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  document.querySelectorAll("[data-look]").forEach(element => element.removeAttribute("data-look"));
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
    const { color, fontSize, fontWeight, textShadow, textDecorationLine } = getComputedStyle(element);
    const link = element.closest("a"), around = link && getComputedStyle(link.parentElement).color;
    const look = [color, fontSize, fontWeight, textShadow, textDecorationLine, around, ground(element)].join();
    if (!seen.has(look)) element.dataset.look = "new";
    seen.add(look);
  }
  axe.configure({ rules: [{ id: "color-contrast", selector: "[data-look]" }] });
  return [...seen].slice(known.length);
}"""


@pytest.mark.parametrize(
    ("language", "widths"),
    [("en", ("desktop", "phone")), ("zh", ("phone", "desktop"))],
    ids=["en", "zh"],
)
def test_every_page_is_accessible_and_asks_nothing_of_others(language, widths, site, reader):
    """WCAG 2.2 AA, in both themes and at both widths. A page is opened at the first width and turned to the second."""
    chinese = {path for path in pages(site) if path.is_relative_to(site / "zh")}
    chosen = sorted(chinese if language == "zh" else set(pages(site)) - chinese)
    assert len(chosen) > 80
    visitor, wrong, looks = reader(), [], []
    for path in chosen:
        name = path.relative_to(site).as_posix()
        visitor.page.set_viewport_size(size(widths[0]))
        page = visitor.open(path)
        page.add_style_tag(content=STILL)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        page.evaluate(Axe().axe_script)
        for width in widths:
            if width != widths[0]:
                page.set_viewport_size(size(width))
                # a moment later the theme lets keys reach what has to be scrolled now
                page.wait_for_timeout(400)
            found = page.evaluate("how => axe.run(how)", MARKUP)["violations"]
            for theme in ("light", "dark"):
                page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
                if new := page.evaluate(NEW_LOOKS, looks):
                    looks += new
                    found += page.evaluate("how => axe.run(how)", COLOURS)["violations"]
            wrong += [(name, width, one["id"], one["nodes"][0]["html"]) for one in found]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append((name, width, "wider than the screen"))
    assert wrong == []
    assert len(looks) > 50
    assert visitor.outside == []
    assert visitor.complaints == []


def test_the_switch_stays_on_the_page_and_at_its_place(site, reader):
    page = reader().open(site / "lessons" / "4-protection" / "4.2-de-identification.html")
    page.evaluate("location.hash = 'take-away'")
    page.click("text=简体中文")
    page.wait_for_url("**/zh/lessons/4-protection/4.2-de-identification.html#take-away")
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert page.locator("#take-away h2").text_content().startswith("要点")
    page.click("text=English")
    page.wait_for_url("**/site/lessons/4-protection/4.2-de-identification.html#take-away")


@pytest.mark.parametrize(
    ("folder", "words", "page"),
    [
        ("", "reservoir sampling", "1.4-small-answers"),
        ("zh", "差分隐私", "4.3-differential-privacy"),
        ("zh", "蓄水池抽样", "1.4-small-answers"),
        ("zh", "OpenDP", "4.3-differential-privacy"),
    ],
)
def test_the_search_finds(folder, words, page, site, reader):
    visitor = reader()
    shown = visitor.open(site / folder / "search.html")
    shown.goto(f"{(site / folder / 'search.html').as_uri()}?q={words}")
    shown.wait_for_selector("ul.search li a")
    time.sleep(0.5)  # results come one by one
    links = [link.get_attribute("href") for link in shown.locator("ul.search li a").all()]
    assert any(page in link for link in links), links
    assert visitor.complaints == []


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_the_search_is_reached_from_every_page_by_keyboard(width, site, reader):
    visitor = reader(width)
    page = visitor.open(site / "zh" / "labs" / "lab-08-release.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("差分隐私")
    page.keyboard.press("Enter")
    page.wait_for_url("**/zh/search.html?q=*")
    page.wait_for_selector("ul.search li a")
    assert visitor.complaints == []


def test_icons_are_drawn(site, reader):
    page = reader().open(site / "lessons" / "4-protection" / "4.2-de-identification.html")
    page.wait_for_function("!document.querySelector('i.fa-solid')")  # each has become a drawing
    icons = page.locator("svg.svg-inline--fa").all()
    assert len(icons) > 8
    assert all(len(icon.locator("path").first.get_attribute("d")) > 20 for icon in icons)


def test_what_is_not_there_is_not_found(site, reader):
    shown = reader().open(site / "zh" / "search.html")
    shown.goto(f"{(site / 'zh' / 'search.html').as_uri()}?q=独角兽饲养")
    shown.wait_for_function("document.querySelector('.search-summary')?.textContent.length > 3")
    assert shown.locator("ul.search li a").count() == 0


def test_what_was_read_is_remembered_in_both_languages(site, reader):
    page = reader().open(site / "lessons" / "1-fundamentals" / "1.2-rows-columns-bytes.html")
    page.check(".was-it-read input")
    page.goto((site / "zh" / "modules" / "1-fundamentals.html").as_uri())
    assert page.locator("ol.way > li.was-read").count() == 1
    assert "1.2" in page.locator("ol.way > li.was-read").inner_text()


def test_a_question_is_answered_by_keyboard(site, reader):
    page = reader().open(site / "zh" / "lessons" / "1-fundamentals" / "1.1-public-resource.html")
    first = page.locator(".cell_output details").first
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert first.evaluate("one => one.open")
    assert first.locator("p").is_visible()


def test_the_first_stop_of_the_keyboard_leads_to_the_text(site, reader):
    page = reader().open(site / "index.html")
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    assert link.get_attribute("href") == "#main-content"
    assert link.evaluate("one => getComputedStyle(one).outlineStyle") != "none"


def test_code_can_be_copied(site, reader):
    visitor = reader()
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.open(site / "lessons" / "4-protection" / "4.3-differential-privacy.html")
    cell = page.locator(".cell_input").first
    cell.hover()
    cell.locator("button.copybtn").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == cell.locator("pre").inner_text().strip()
