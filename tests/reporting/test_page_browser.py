"""The page in a real browser: sorting, filtering, switching curves, no requests, no errors."""

from __future__ import annotations

import importlib.util
import json
import shutil

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


def test_a_button_switches_a_method_in_all_plots(page):
    curves = '#plots g[data-method="wdht"]'
    assert (
        len(all_of(page, curves)) == 3 and len(all_of(page, '#plot-pr g[data-method="itq"]')) == 1
    )
    (button,) = [b for b in all_of(page, "#legend button") if b.text == "wdht"]
    button.click()
    assert button.get_attribute("aria-pressed") == "false" and not all_of(page, curves)
    assert not one(page, 'figure[data-method="wdht"][data-bits="32"]').is_displayed()
    assert len(all_of(page, '#plot-pr g[data-method="itq"]')) == 1
    button.click()
    assert len(all_of(page, curves)) == 3


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

    def bits_of_curves():
        figures = all_of(page, "figure[data-bits]")
        return [f.get_attribute("data-bits") for f in figures if f.is_displayed()]

    assert bits_of_curves() == ["32"]
    last = one(page, '#plot-pr g[data-method="itq"] path').get_attribute("d")
    Select(one(page, "#curve-bits")).select_by_value("12")
    assert bits_of_curves() == ["12"]
    assert one(page, '#plot-pr g[data-method="itq"] path').get_attribute("d") != last


def test_methods_keep_their_order(page):
    assert [b.text for b in all_of(page, "#legend button")] == ["itq", "lsh[x=<b>]", "wdht"]
