"""What a student and an instructor see, in a real browser."""

import json
import re
import shlex
import sys

import pytest
from playwright.sync_api import expect
from sharewell import student
from sharewell.demo import LAB

SECONDS = 1_000
RIGHT = 'order = ["D", "G", "C", "F", "A"]'


@pytest.fixture(scope="module")
def lab_address(tmp_path_factory, jupyter):
    folder = tmp_path_factory.mktemp("student") / "me"
    student.prepare(folder)
    return jupyter(
        folder, f"{shlex.quote(sys.executable)} -m sharewell start {shlex.quote(str(folder))}"
    ), folder


def cell(page, identifier, folder):
    """The cell of an identifier, by its place in the notebook."""
    notebook = json.loads((folder / "labs" / LAB / f"{LAB}.ipynb").read_text(encoding="utf-8"))
    (place,) = (n for n, c in enumerate(notebook["cells"]) if c["id"] == identifier)
    return page.locator(".jp-Notebook .jp-Cell").nth(place)


def open_notebook(page, address):
    """Open a notebook and wait until its kernel answers: what is run before that is lost."""
    page.goto(address)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=90 * SECONDS)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=60 * SECONDS)


def run_all(page):
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


@pytest.mark.xdist_group("student")
def test_a_student_types_an_answer_and_the_check_turns_from_failing_to_passing(
    lab_address, browser, tmp_path
):
    address, folder = lab_address
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    open_notebook(page, f"{address}/lab/workspaces/lab/tree/labs/{LAB}/{LAB}.ipynb")
    check = cell(page, "parsons-check", folder)
    answer = cell(page, "parsons-answer", folder)

    def replace(text):
        answer.scroll_into_view_if_needed()
        answer.locator(".cm-content").click()
        page.keyboard.press("Control+A")
        page.keyboard.type(text)

    replace("order = []")
    run_all(page)
    expect(check.locator(".jp-OutputArea-output")).to_contain_text(
        "Your order is empty", timeout=60 * SECONDS
    )
    check.scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "failing.png")

    replace(RIGHT)
    run_all(page)
    expect(check.locator(".jp-OutputArea-output")).to_contain_text(
        "4 of 4 points", timeout=60 * SECONDS
    )
    expect(check.locator(".jp-OutputArea-output")).not_to_contain_text("empty")
    check.scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "passing.png")
    page.close()


@pytest.mark.xdist_group("student")
def test_the_lesson_opens_with_its_quiz_and_answers_explain(lab_address, browser, tmp_path):
    address, _ = lab_address
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    outside = []
    page.on(
        "request",
        lambda r: None if r.url.startswith((address, "data:", "blob:")) else outside.append(r.url),
    )
    open_notebook(
        page, f"{address}/lab/workspaces/lesson/tree/lessons/2-management/2.4-classification.ipynb"
    )
    run_all(page)
    option = page.get_by_text("A partner under contract, with conditions.")
    option.wait_for(timeout=90 * SECONDS)
    option.scroll_into_view_if_needed()
    option.click()
    expect(page.get_by_text(re.compile("7 is below 20 for society, but reaches 5"))).to_be_visible()
    expect(page.get_by_text(re.compile("Names are not needed"))).not_to_be_visible()
    page.screenshot(path=tmp_path / "quiz.png")
    assert outside == []
    page.close()


@pytest.mark.xdist_group("demo")
def test_formgrader_shows_the_class_with_its_grades(demo, browser, jupyter, tmp_path):
    folder, _, finished = demo
    address = jupyter(folder, finished.stdout.strip().splitlines()[-1])
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.goto(f"{address}/formgrader/manage_submissions/{LAB}")
    rows = page.locator("#main-table tr")
    expect(rows).to_have_count(24, timeout=60 * SECONDS)
    page.goto(f"{address}/formgrader/gradebook/{LAB}/{LAB}")
    readable = page.locator("#main-table tr")
    expect(readable).to_have_count(24, timeout=60 * SECONDS)
    expect(page.locator("#main-table")).to_contain_text("80")
    page.screenshot(path=tmp_path / "formgrader.png")
    page.goto(f"{address}/formgrader/manage_students")
    expect(page.locator("#main-table tr").filter(has_text="80 / 100")).not_to_have_count(
        0, timeout=60 * SECONDS
    )
    page.close()
