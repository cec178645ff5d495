"""The page in a real browser, from disk, with every host name unresolvable."""

import json
import shutil

import pytest

from genointerp.report.report import write_report

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("chromium") is None or shutil.which("chromedriver") is None,
        reason="chromium or chromedriver is not installed",
    ),
]

SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--window-size=1400,1600",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


@pytest.fixture(scope="module")
def driver(run_dir, tmp_path_factory):
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.support.ui import WebDriverWait

    out = tmp_path_factory.mktemp("browser") / "report.html"
    write_report(run_dir, out)
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for switch in SWITCHES:
        options.add_argument(switch)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.get(out.as_uri())
        WebDriverWait(driver, 100).until(
            lambda found: found.execute_script(
                "return document.getElementById('browser').dataset.state"
            )
        )
        yield driver
    finally:
        driver.quit()


def column(driver, table, index):
    return driver.execute_script(
        "return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)]"
        ".filter((row) => !row.hidden).map((row) => row.cells[arguments[1]].textContent)",
        table,
        index,
    )


def test_the_browser_starts_without_an_error_or_a_request(driver):
    state = driver.execute_script("return document.getElementById('browser').dataset.state")
    assert state == "ready"
    assert driver.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert urls
    assert all(url.startswith(("file:", "data:", "blob:")) for url in urls)


def test_hostile_text_is_shown_and_never_run(driver):
    assert driver.execute_script("return window.stolen") is None
    assert any("<script>" in text for text in column(driver, "table-2", 9))


def test_a_table_sorts_both_ways_by_number_with_the_undefined_last(driver):
    sort = driver.find_elements("css selector", "#table-2 .sort")[6]
    sort.click()
    assert column(driver, "table-2", 6) == ["0.125", "0.25", ""]
    sort.click()
    assert column(driver, "table-2", 6) == ["0.25", "0.125", ""]


def test_a_table_filters_by_words(driver):
    box = driver.find_element("css selector", "#table-2 .filter")
    box.send_keys("low_complexity chrA")
    assert column(driver, "table-2", 1) == ["2"]
    count = driver.find_element("css selector", "#table-2 .count")
    assert count.text == "1 of 3 rows"
    box.clear()
    box.send_keys(" ")
    assert len(column(driver, "table-2", 1)) == 3


@pytest.mark.parametrize(
    ("region", "seqid"),
    [("chrB:2,001-2,100", "chrB"), ("chrA:1,101-1,176", "chrA"), ("c<b>", "c_b___t_g__b_")],
    ids=["second-genome", "first-genome", "hostile-name"],
)
def test_a_click_on_a_locus_moves_the_browser(driver, region, seqid):
    from selenium.webdriver.support.ui import WebDriverWait

    buttons = driver.find_elements("css selector", "#table-2 button.locus")
    button = next(found for found in buttons if found.text.startswith(region))
    driver.execute_script("arguments[0].click()", button)

    def moved(found):
        locus = found.execute_script("return window.genointerpBrowser.currentLoci()")
        return str(locus[0] if isinstance(locus, list) else locus).startswith(f"{seqid}:")

    WebDriverWait(driver, 60).until(moved)
    assert driver.get_log("browser") == []
