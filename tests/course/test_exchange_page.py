"""The exchange's page, in a real browser, and met by those who do not keep to it."""

import re
import socket
import subprocess
import sys
import time
import zipfile
from datetime import date

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from sharewell.exchange import Exchange, File, packages, verify
from sharewell.exchange.guard import sign_in_secret
from sharewell.exchange.holdings import Holdings
from sharewell.exchange.levels import Node, carry
from sharewell.variant import code_of

PEOPLE = {
    "Ana": ["owner"],
    "Sten": ["steward"],
    "Kim": ["committee"],
    "Mara": ["consumer"],
    "Noor": ["consumer"],
    "Otto": ["auditor"],
}


class Served:
    """An exchange and its page."""

    def __init__(self, folder):
        self.file = folder / "exchange.db"
        store = File(self.file)
        store.settings["time passes by hand"] = "yes"
        made = Exchange(PEOPLE, date(2026, 3, 2), store)
        made.catalogue("Sten", "beds", ["ward", "free"], owner="Ana")
        made.classify("Sten", "beds", "restricted")
        made.confirm("Kim", "beds")
        store.close()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        command = [
            sys.executable,
            "-m",
            "sharewell",
            "exchange",
            "serve",
            "--port",
            str(port),
            "--exchange",
            str(self.file),
        ]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # fmt: skip
        end = time.monotonic() + 180
        while True:
            try:
                requests.get(self.address, timeout=5)
                break
            except requests.ConnectionError:
                assert self.process.poll() is None, self.process.stderr.read()
                assert time.monotonic() < end
                time.sleep(0.1)
        data = folder / "beds.csv"
        data.write_text("ward,free,nurse\na,1,Li\n")
        Holdings.of(self.file).deposit(self.exchange, "Sten", "beds", data)

    @property
    def exchange(self):
        return Exchange({}, date.min, File(self.file))

    def code(self, name):
        return code_of(name, sign_in_secret(self.file))

    def session(self, name, **headers):
        """Somebody signed in, without a browser."""
        session = requests.Session()
        session.headers.update(headers)
        session.get(f"{self.address}/sign-in", timeout=10)
        given = {"name": name, "code": self.code(name), "_xsrf": session.cookies["_xsrf"]}
        assert session.post(f"{self.address}/sign-in", given, timeout=10).status_code == 200
        return session

    def attempt(self, session, **given):
        given.setdefault("_xsrf", session.cookies["_xsrf"])
        return session.post(f"{self.address}/attempt", given, timeout=10)

    def last(self):
        """The last record, and that the log is whole."""
        log = list(self.exchange.log)
        verify(log)
        return log[-1]


@pytest.fixture
def served(tmp_path):
    made = Served(tmp_path)
    yield made
    made.process.terminate()
    made.process.wait(20)


REQUEST = {"event": "request", "subject": "beds", "purpose": "planning", "fields": ["ward"], "until": "2026-12-31"}  # fmt: skip


def test_a_request_goes_round_the_loop_in_the_browser(served, browser, tmp_path):
    complaints, outside, axe = [], [], Axe()

    def page_of(name, **options):
        page = browser.new_context(**options).new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on(
            "request",
            lambda r: (
                outside.append(r.url) if not r.url.startswith((served.address, "data:")) else None
            ),
        )
        page.goto(served.address)
        page.fill("#name", name)
        page.fill("#code", served.code(name))
        page.click("main button")
        page.wait_for_selector("h1:has-text('Catalogue')")
        return page  # fmt: skip

    def accessible(page):
        found = axe.run(page)
        assert found.violations_count == 0, found.generate_report()

    mara = page_of("Mara", viewport={"width": 390, "height": 844})
    accessible(mara)
    mara.click("summary")
    mara.fill("details input[name=purpose]", "planning")
    mara.check("details input[value=ward]")
    mara.check("details input[value=free]")
    mara.fill("details input[name=until]", "2026-12-31")
    accessible(mara)
    mara.click("details button")
    assert mara.locator(".loop .now text").text_content() == "requested"
    accessible(mara)
    assert mara.evaluate("document.documentElement.scrollWidth <= innerWidth")

    ana = page_of("Ana")
    ana.click("text=To do")
    accessible(ana)
    ana.click("text=G1")
    ana.uncheck("input[value=free]")
    ana.click("button:has-text('Approve')")
    assert ana.locator(".loop .now text").text_content() == "approved"
    assert ana.locator(".loop path.been").count() == 1

    sten = page_of("Sten")
    sten.goto(f"{served.address}/grant/G1")
    sten.click("button:has-text('Release')")
    assert "Done" in sten.locator("[role=status]").text_content()

    mara.reload()
    with mara.expect_download() as download:
        mara.click("text=Download G1.zip")
    path = tmp_path / "downloaded.zip"
    download.value.save_as(path)
    assert packages.check(path).conditions.fields == ("ward",)
    assert b"Li" not in zipfile.ZipFile(path).read(packages.DATA)
    mara.fill("input[name=purpose]", "advertising")
    mara.click("button:has-text('Use')")
    assert "another purpose" in mara.locator("[role=alert]").text_content()
    accessible(mara)

    otto = page_of("Otto")
    otto.click("text=Audit trail")
    accessible(otto)
    assert "as they were written" in otto.locator("main").text_content()
    assert "refused: it was released for another purpose" in otto.locator("main").text_content()
    otto.click("text=Sign out")
    otto.goto(f"{served.address}/trail")
    assert otto.locator("h1").text_content() == "Sign in"
    accessible(otto)
    assert complaints == []
    assert outside == []


def test_data_are_deposited_and_asked_about_in_the_browser(served, browser, tmp_path):
    axe = Axe()

    def page_of(name):
        page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        page.goto(served.address)
        page.fill("#name", name)
        page.fill("#code", served.code(name))
        page.click("main button")
        page.wait_for_selector("h1:has-text('Catalogue')")
        return page

    def accessible(page):
        found = axe.run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    data = tmp_path / "new.csv"
    data.write_text("ward,free\n" + "a,3\n" * 500 + "b,5\n" * 400)
    sten = page_of("Sten")
    sten.click("summary:has-text('Replace the data')")
    sten.set_input_files("input[name=data]", str(data))
    accessible(sten)
    sten.click("button:has-text('Deposit beds')")
    assert "Held here: 900 rows" in sten.locator("main").text_content()
    sten.select_option("select[name=label]", "restricted")
    sten.fill("input[name=epsilon]", "30")
    sten.click("button:has-text('Classify beds')")
    served.exchange.confirm("Kim", "beds")

    mara = page_of("Mara")
    mara.click("summary:has-text('Request')")
    mara.fill("details input[name=purpose]", "planning")
    mara.check("details input[value=ward]")
    mara.check("details input[value=free]")
    mara.fill("details input[name=until]", "2026-12-31")
    mara.fill("details input[name=epsilon]", "20")
    accessible(mara)
    mara.click("details button")
    ana = page_of("Ana")
    ana.goto(f"{served.address}/grant/G1")
    ana.fill("input[name=epsilon]", "10")
    accessible(ana)
    ana.click("button:has-text('Approve')")
    sten.goto(f"{served.address}/grant/G1")
    sten.click("button:has-text('Release')")
    mara.reload()
    assert mara.locator("text=Download").count() == 0
    mara.select_option("select[name=statistic]", "mean")
    mara.select_option("select[name=of]", "free")
    mara.fill("input[name=between]", "0, 10")
    mara.fill("input[name=by]", "ward = a, b, z")
    mara.fill("input[name=epsilon]", "7.5")
    accessible(mara)
    mara.click("button:has-text('Query')")
    said = mara.locator("[role=status]").text_content()
    assert float(re.search(r"ward is a: ([\d.]+)", said)[1]) == pytest.approx(3, abs=0.5)
    assert "ward is z: withheld" in said
    assert "7.5 is spent" in mara.locator("dl").text_content()
    accessible(mara)
    mara.fill("input[name=epsilon]", "5")
    mara.click("button:has-text('Query')")
    assert "more than was granted" in mara.locator("[role=alert]").text_content()


def test_by_keyboard_alone(served, browser):
    page = browser.new_page()
    page.goto(served.address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Tab")
    page.keyboard.type("Mara")
    page.keyboard.press("Tab")
    page.keyboard.type(served.code("Mara"))
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Catalogue')")


def test_nobody_gets_in_without_a_code(served):
    for path in ("/", "/requests", "/decisions", "/trail", "/grant/G1", "/package/G1.zip"):
        assert requests.get(
            served.address + path, timeout=10
        ).url == f"{served.address}/sign-in?" or (
            requests.get(served.address + path, timeout=10).url == f"{served.address}/sign-in"
        )
    session = requests.Session()
    session.get(f"{served.address}/sign-in", timeout=10)
    for name, code in (
        ("Mara", served.code("Noor")),
        ("Mara", ""),
        ("nobody", served.code("nobody")),
        ("platform", "x"),
        ("' OR 1=1 --", "x"),
    ):
        given = {"name": name, "code": code, "_xsrf": session.cookies["_xsrf"]}
        answer = session.post(f"{served.address}/sign-in", given, timeout=10)
        assert answer.status_code in (400, 403)
        if answer.status_code == 403:
            assert served.last()["event"] == "sign in"
            assert served.last()["outcome"] == "refused"  # fmt: skip


def test_a_stolen_session_is_refused_written_down_and_over(served):
    mara = served.session("Mara", **{"User-Agent": "her browser"})
    thief = requests.Session()
    thief.headers["User-Agent"] = "another"
    thief.cookies.update(mara.cookies)
    answer = thief.get(f"{served.address}/requests", timeout=10)
    assert answer.status_code == 403
    assert served.last()["reason"] == "the session of Mara from another browser"
    assert mara.get(f"{served.address}/requests", timeout=10).url.endswith(
        "/sign-in"
    )  # for her too
    forged = requests.Session()
    forged.cookies.set("session", "2|1:0|10:1|7:session|4:TWFy|00", domain="127.0.0.1")
    assert forged.get(f"{served.address}/requests", timeout=10).url.endswith("/sign-in")


def test_a_forged_role_is_refused_by_the_policies(served):
    mara = served.session("Mara")
    served.attempt(mara, **REQUEST)
    forged = {"actor": "Ana", "person": "Ana", "who": "Ana", "role": "owner", "roles": "owner"}
    served.attempt(mara, event="approve", subject="G1", fields="ward", until="2026-12-31", **forged)
    last = served.last()
    assert (last["event"], last["actor"], last["outcome"]) == ("approve", "Mara", "refused")
    served.attempt(mara, event="catalogue", subject="more", fields="a", owner="Ana")
    assert served.last()["reason"] == "only a steward may catalogue"
    before = len(served.exchange.log)
    for event in ("escalate", "suspend", "expire", "clock", "open", "__init__", "_move", "people"):
        served.attempt(mara, event=event, subject="G1")
        assert served.exchange.grants["G1"].state == "requested"
    assert len(served.exchange.log) == before + 8


def test_a_form_of_another_site_is_refused_and_written_down(served):
    mara = served.session("Mara")
    for headers in (
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
    ):
        given = {**REQUEST, "_xsrf": mara.cookies["_xsrf"]}
        answer = mara.post(f"{served.address}/attempt", given, headers=headers, timeout=10)
        assert answer.status_code == 403
        assert served.last()["reason"] == "a form of another site"
    assert served.attempt(mara, **REQUEST, _xsrf="0" * 32).status_code == 403
    assert served.last()["reason"] == "a form without its token"
    rebound = mara.get(f"{served.address}/requests", headers={"Host": "evil.example"}, timeout=10)
    assert rebound.status_code == 403
    assert not served.exchange.grants  # fmt: skip


def test_sql_and_markup_in_a_request_are_text(served):
    mara = served.session("Mara")
    nasty = "<script>alert(1)</script>'; DROP TABLE grants; --"
    served.attempt(mara, **{**REQUEST, "purpose": nasty})
    assert served.exchange.grants["G1"].purpose == nasty
    page = mara.get(f"{served.address}/grant/G1", timeout=10).text
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_path_as_the_name_of_a_file_is_refused_and_written_down(served):
    mara, sten = served.session("Mara"), served.session("Sten")
    served.attempt(mara, **REQUEST)
    served.exchange.approve("Ana", "G1")
    before = served.exchange.resources["beds"].held
    for name in ("../exchange.key", "/etc/passwd", "..%2fexchange.db", "beds.csv/..", ".csv", ""):
        answer = sten.post(
            f"{served.address}/attempt",
            {"event": "deposit", "subject": "beds", "_xsrf": sten.cookies["_xsrf"]},
            files={"data": (name, b"ward,free\na,1\n")},
            timeout=10,
        )
        assert answer.status_code == 400
        assert served.last()["reason"] == "a file that is neither Parquet nor CSV"
    assert served.exchange.resources["beds"].held == before
    for path in ("/package/..%2f..%2fexchange.zip", "/package/G1.zip", "/package/../exchange.zip"):
        assert sten.get(served.address + path, timeout=10).status_code in (403, 404)
    for path in ("/static/base.html", "/static/../server.py", "/static/..%2fserver.py"):
        assert sten.get(served.address + path, timeout=10).status_code in (403, 404)
    assert served.exchange.grants["G1"].state == "approved"
    served.attempt(sten, event="release", subject="G1")
    assert served.exchange.grants["G1"].state == "released"
    noor = served.session("Noor")
    assert noor.get(f"{served.address}/package/G1.zip", timeout=10).status_code == 403
    assert served.last()["reason"] == "a package that was not released to them"
    assert mara.get(f"{served.address}/package/G1.zip", timeout=10).status_code == 200


def test_what_is_at_other_exchanges_is_shown_to_whom_it_is_for(served, tmp_path):
    Exchange(PEOPLE, date(2026, 3, 2), File(tmp_path / "nation.db"))
    nation, here = Node(tmp_path / "nation.db"), Node(served.file)
    nation.begin("nation")
    here.join(nation, "here")
    (tmp_path / "x.csv").write_text("ward\na\n")
    nation.exchange.catalogue("Sten", "wards", ["ward"], owner="Ana")
    nation.holdings.deposit(nation.exchange, "Sten", "wards", tmp_path / "x.csv")
    nation.exchange.classify("Sten", "wards", "restricted")
    nation.exchange.confirm("Kim", "wards")
    asked = {"purpose": "planning", "fields": ["ward"], "until": date(2026, 12, 31)}
    here.send("Mara", "request", "nation:wards", **asked)
    carry([nation, here])
    nation.exchange.approve("Ana", "G1")
    packages.hand_out(nation.exchange, "Sten", "G1", nation.holdings, nation.released)
    carry([nation, here])
    mara, noor = served.session("Mara"), served.session("Noor")
    page = mara.get(f"{served.address}/requests", timeout=10).text
    (link,) = re.findall(r'href="(/package/nation[^"]+)"', page)
    (tmp_path / "got.zip").write_bytes(mara.get(served.address + link, timeout=10).content)
    assert packages.check(tmp_path / "got.zip").conditions.consumer == "Mara@nation/here"
    assert "nation:wards" not in noor.get(f"{served.address}/requests", timeout=10).text
    assert noor.get(served.address + link, timeout=10).status_code == 403


def test_nothing_on_the_page_acts_and_nothing_is_secret_in_it(served):
    mara = served.session("Mara")
    answer = mara.get(served.address, timeout=10)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in answer.text
    assert "style=" not in answer.text
    assert not re.search(r"\bon[a-z]+=", answer.text)
    for cookie in mara.cookies:
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.get_nonstandard_attr("SameSite") == "Strict"
    assert served.code("Mara") not in answer.text
    assert "Tornado" not in str(answer.headers)


def test_a_changed_log_is_shown_as_changed(served):
    import sqlite3

    with sqlite3.connect(served.file) as database:
        database.execute("UPDATE log SET record = replace(record, 'Sten', 'Ines') WHERE number = 2")
    page = served.session("Otto").get(f"{served.address}/trail", timeout=10).text
    assert "Somebody has changed the log: record 2" in page


def test_what_was_checked_before_is_checked_again_when_asked_for(served):
    import sqlite3

    otto = served.session("Otto")
    assert "as they were written. The last" in otto.get(f"{served.address}/trail", timeout=10).text
    served.exchange.withdraw("Kim", "beds")
    assert "of them were checked before" in otto.get(f"{served.address}/trail", timeout=10).text
    with sqlite3.connect(served.file) as database:
        database.execute("UPDATE log SET record = replace(record, 'Sten', 'Ines') WHERE number = 2")
    page = otto.get(f"{served.address}/trail?whole", timeout=10).text
    assert "Somebody has changed the log: record 2" in page
    assert "record 2" in otto.get(f"{served.address}/trail", timeout=10).text  # and stays so


def test_an_end_that_is_cut_off_is_missed_by_who_has_checked_it(served):
    import sqlite3

    otto = served.session("Otto")
    assert "as they were written" in otto.get(f"{served.address}/trail", timeout=10).text
    with sqlite3.connect(served.file) as database:
        (last,) = database.execute("SELECT max(number) FROM log").fetchone()
        database.execute("DELETE FROM log WHERE number = ?", (last,))
    page = otto.get(f"{served.address}/trail", timeout=10).text
    assert f"Somebody has changed the log: record {last}" in page


def test_it_ends_with_ctrl_c(served):
    import signal

    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(20) == 0


def test_a_port_that_is_taken_is_said_to_be_so(served, sharewell):
    port = served.address.rpartition(":")[2]
    said = sharewell("exchange", "serve", "--port", port, "--exchange", served.file)
    assert said.returncode == 1
    assert f"cannot be at port {port}" in said.stderr
    assert f"--port {int(port) + 1}" in said.stderr


def test_a_refused_release_leaves_what_was_released_before(served):
    """Who may not release cannot make the page delete a package, or learn of files beside it, by trying."""
    mara, sten = served.session("Mara"), served.session("Sten")
    served.attempt(mara, **REQUEST)
    served.exchange.approve("Ana", "G1")
    served.attempt(sten, event="release", subject="G1")
    package = served.file.with_suffix(".released") / "G1.zip"
    assert package.is_file()
    served.exchange.classify("Sten", "beds", "restricted")
    served.exchange.confirm("Kim", "beds")
    served.exchange.approve("Ana", "G1")
    served.attempt(mara, event="release", subject="G1")
    assert served.last()["reason"] == "only a steward may release"
    assert package.is_file()
    served.attempt(sten, event="release", subject="../exchange.released/G1")
    assert served.last()["subject"] == "../exchange.released/G1"
    assert served.last()["outcome"] == "refused"
    served.attempt(sten, event="release", subject="G1")
    assert served.exchange.grants["G1"].state == "released"
