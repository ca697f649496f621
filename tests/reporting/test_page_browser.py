"""The page in a real browser: sorting, filtering, switching curves, no requests, no errors."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from pathlib import Path

import pytest
from test_page import Squares, make_run

from benchmark.reporting.page.page import write_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium with chromedriver here"),
    pytest.mark.skipif(
        importlib.util.find_spec("selenium") is None, reason="selenium is not installed"
    ),
]


#: From npm: ``npm install --prefix FOLDER axe-core``, and AXE_CORE=FOLDER.
AXE = Path(os.environ.get("AXE_CORE", ".")) / "node_modules/axe-core/axe.min.js"


@pytest.fixture(scope="module")
def browser():
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, tmp_path):
    path = write_page(make_run(tmp_path, images=Squares()), tmp_path)
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(path.as_uri())
    return browser


def all_of(page, selector):
    return page.find_elements("css selector", selector)


def one(page, selector):
    return page.find_element("css selector", selector)


def visible_rows(page):
    rows = [r for r in all_of(page, "#table tbody tr") if r.is_displayed()]
    return [(r.get_attribute("data-method"), r.get_attribute("data-bits")) for r in rows]


def heading(page, name):
    (button,) = [b for b in all_of(page, "#table thead button") if b.text.strip(" ▲▼") == name]
    return button


def test_a_heading_sorts_by_its_column_both_ways(page):
    from selenium.webdriver.common.keys import Keys

    before = visible_rows(page)
    heading(page, "mAP@all").send_keys(Keys.ENTER)
    values = [float(td.text) for td in all_of(page, 'td[data-metric="mAP@all"] .number')]
    assert values == sorted(values)
    assert visible_rows(page)[0] == ("lsh[x=<b>]", "12") and before[0] == ("itq", "12")
    states = [th.get_attribute("aria-sort") for th in all_of(page, "#table thead th")]
    assert states.count("ascending") == 1 and states.count("none") == len(states) - 1
    heading(page, "mAP@all").send_keys(Keys.ENTER)
    values = [float(td.text) for td in all_of(page, 'td[data-metric="mAP@all"] .number')]
    assert values == sorted(values, reverse=True)


def test_method_and_length_filter_the_rows(page):
    from selenium.webdriver.support.select import Select

    one(page, "#filter-method").send_keys("LSH")
    assert visible_rows(page) == [("lsh[x=<b>]", "12"), ("lsh[x=<b>]", "32")]
    Select(one(page, "#filter-bits")).select_by_value("32")
    assert visible_rows(page) == [("lsh[x=<b>]", "32")]
    assert one(page, "#count").text == "1 of 6 rows"


def switch(page, method):
    (button,) = [b for b in all_of(page, "#legend button.switch") if method in b.text]
    return button


def weight(page, plot, method):
    return one(page, f'#{plot} g[data-method="{method}"]').get_attribute("class")


def test_a_button_switches_a_method_in_all_plots(page):
    plots = ("plot-map", "plot-pr", "plot-time")
    assert [weight(page, plot, "wdht") for plot in plots] == ["strong"] * 3
    button = switch(page, "wdht")
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert switch(page, "wdht").get_attribute("aria-pressed") == "false"
    assert [weight(page, plot, "wdht") for plot in plots] == ["weak"] * 3
    assert weight(page, "plot-pr", "itq") == "strong"
    switch(page, "wdht").click()
    assert [weight(page, plot, "wdht") for plot in plots] == ["strong"] * 3


def test_all_none_and_only(page):
    def strong():
        found = all_of(page, "#plot-map g.strong")
        return {g.get_attribute("data-method") for g in found}

    buttons = {b.text: b for b in all_of(page, "#legend p button")}
    buttons["none"].click()
    assert strong() == set()
    one(page, '#legend [aria-label="only from tags"]').click()
    assert strong() == {"wdht"}
    {b.text: b for b in all_of(page, "#legend p button")}["all"].click()
    assert strong() == {"itq", "lsh[x=<b>]", "wdht"}


def test_the_first_screen_has_the_answer(page):
    """1280 x 800: the best of each group at 32 bits, the leaderboard and the plot, unscrolled."""
    page.set_window_rect(0, 0, 1280, 900)
    lines = [line.text for line in all_of(page, "#answer li")]
    assert lines[0].startswith("unsupervised: ITQ (itq) 2013 0.2")
    assert lines[1].startswith("from tags: WDHT (wdht) 2019 0.3")
    for selector in ("#answer", "#board tbody tr[data-method=wdht]", "#plot-map svg"):
        box = one(page, selector).rect
        assert box["y"] + box["height"] <= 800, selector


def test_the_leaderboard_has_the_numbers_of_the_table_in_groups_best_first(page):
    shown = {}
    for row in all_of(page, "#board tbody tr[data-method]"):
        texts = [n.text for n in row.find_elements("css selector", ".number")]
        shown[row.get_attribute("data-method")] = texts
    assert list(shown) == ["itq", "lsh[x=<b>]", "wdht"]
    for row in all_of(page, "#table tbody tr"):
        method, bits = row.get_attribute("data-method"), int(row.get_attribute("data-bits"))
        number = row.find_element("css selector", 'td[data-metric="mAP@all"] .number').text
        assert shown[method][(12, 32).index(bits)] == number
    groups = [row.text for row in all_of(page, "#board tr.group")]
    assert groups == ["unsupervised", "from tags"]


def test_values_are_read_by_keyboard_and_by_pointer(page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    chart = one(page, "#plot-map svg")
    page.execute_script("arguments[0].focus()", chart)
    keys = ActionChains(page)
    keys.send_keys(Keys.ARROW_RIGHT).perform()
    assert one(page, "#plot-map .tip").text.startswith("ITQ (itq), 12 bits: 0.2")
    keys.send_keys(Keys.ARROW_RIGHT).perform()
    assert "32 bits" in one(page, "#plot-map .tip").text
    keys.send_keys(Keys.ARROW_UP).perform()
    assert one(page, "#plot-map .tip").text.startswith("WDHT (wdht), 32 bits")
    keys.send_keys(Keys.ESCAPE).perform()
    assert one(page, "#plot-map .tip").text == ""
    point = one(page, '#plot-map g[data-method="wdht"] :nth-child(3)')
    ActionChains(page).move_to_element(point).perform()
    assert one(page, "#plot-map .tip").text.startswith("WDHT (wdht), 32 bits")


def test_the_view_is_in_the_address(page):
    from selenium.webdriver.support.select import Select

    Select(one(page, "#metric")).select_by_value("P@r2")
    Select(one(page, "#bits")).select_by_value("12")
    switch(page, "itq").click()
    one(page, "#filter-method").send_keys("w")
    address = page.current_url
    page.get("about:blank")
    page.get(address)
    assert Select(one(page, "#metric")).first_selected_option.text == "P@r2"
    assert Select(one(page, "#bits")).first_selected_option.text == "12 bits"
    assert switch(page, "itq").get_attribute("aria-pressed") == "false"
    assert {m for m, _ in visible_rows(page)} == {"wdht"}
    page.get("about:blank")
    page.get(address.partition("#")[0] + "#metric=nothing&bits=7&shown=[3]&method=x&compare=1")
    assert Select(one(page, "#metric")).first_selected_option.text == "mAP@all"
    assert page.get_log("browser") == []


def test_two_methods_are_compared_by_queries(page):
    from selenium.webdriver.support.select import Select

    Select(one(page, "#compare-one")).select_by_value("wdht")
    Select(one(page, "#compare-other")).select_by_value("itq")
    text = one(page, "#compare-counts").text
    # Of two seeds each: query 0 is a tie, and of the other nine wdht is ahead in the odd ones.
    assert "WDHT (wdht) is better in 5 queries, ITQ (itq) in 4, and 1 are ties" in text
    first = [td.text for td in all_of(page, "#compare-result tbody tr:first-child > *")]
    assert first == ["9", "0.590", "0.410", "0.180"]


def test_a_panel_says_everything_of_a_method(page):
    one(page, '#board [data-panel="wdht"]').click()
    text = one(page, "#panel").text
    for part in ("Gattupalli et al., CVPR 2019", "from tags", "--methods wdht", "loss"):
        assert part in text
    assert all_of(page, "#panel svg path")
    one(page, "#panel-close").click()
    assert not one(page, "#panel").is_displayed() and "method=" not in page.current_url


def test_the_view_is_saved_as_csv_and_svg(page, tmp_path):
    import csv
    import time
    from xml.etree import ElementTree

    page.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    for kind in ("csv", "svg"):
        one(page, f"#save-{kind}").click()
    names = {"squares-gist-mAP@all.csv", "squares-gist-mAP@all.svg"}
    for _ in range(100):
        if names <= {path.name for path in tmp_path.iterdir()}:
            break
        time.sleep(0.1)
    lines = list(csv.DictReader((tmp_path / "squares-gist-mAP@all.csv").open()))
    board = {row.get_attribute("data-method"): row for row in
             all_of(page, "#board tbody tr[data-method]")}  # fmt: skip
    for line in lines:
        shown = board[line["method"]].find_elements("css selector", ".number")
        assert [line["12 bits"], line["32 bits"]] == [number.text for number in shown]
    drawing = (tmp_path / "squares-gist-mAP@all.svg").read_text()
    assert ElementTree.fromstring(drawing).tag.endswith("svg") and "var(--" not in drawing


def test_nothing_is_loaded_and_nothing_complains(page):
    assert page.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    sent = [e for e in events if e["method"] == "Network.requestWillBeSent"]
    addresses = {e["params"]["request"]["url"].split(":")[0] for e in sent}
    assert addresses <= {"file", "data"} and len([e for e in sent if "file:" in str(e)]) > 0
    files = {
        e["params"]["request"]["url"] for e in sent if "file:" in e["params"]["request"]["url"]
    }
    assert files == {page.current_url}


def test_it_fits_a_phone(page):
    page.set_window_size(500, 800)
    width, window = page.execute_script("return [document.body.scrollWidth, window.innerWidth]")
    assert width <= window


def test_curves_are_of_the_chosen_length(page):
    from selenium.webdriver.support.select import Select

    curve = '#plot-pr g[data-method="itq"] path'
    last = one(page, curve).get_attribute("d")
    Select(one(page, "#bits")).select_by_value("12")
    assert one(page, curve).get_attribute("d") != last
    assert one(page, "#pr-caption").text == "Precision against recall at 12 bits"


def test_methods_keep_their_order(page):
    names = [b.text for b in all_of(page, "#legend button.switch")]
    assert names == ["ITQ (itq)", "LSH (lsh[x=<b>])", "WDHT (wdht)"]


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not there: see AXE_CORE")
@pytest.mark.parametrize("fragment", ["", "#method=wdht", '#compare=["wdht","itq"]'])
def test_axe_finds_no_serious_violation(page, fragment):
    address = page.current_url
    page.get("about:blank")
    page.get(address + fragment)
    page.execute_script(AXE.read_text())
    found = page.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    serious = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in serious] == []
