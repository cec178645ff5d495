"""The page in a real browser, from disk, with every host name unresolvable."""

import json
import re
import shutil

import pytest

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
def driver(page_path):
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for switch in SWITCHES:
        options.add_argument(switch)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.get(page_path.as_uri())
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


def test_columns_beyond_the_main_ones_are_shown_when_they_are_asked_for(driver):
    def shown():
        return driver.execute_script(
            "return [...document.querySelectorAll('#table-1 thead th')]"
            ".filter((head) => getComputedStyle(head).display !== 'none')"
            ".map((head) => head.dataset.name)"
        )

    before = shown()
    assert len(before) == 12
    assert "mcc" not in before
    driver.execute_script(
        "[...document.querySelectorAll('#table-1 .choices label')]"
        ".find((label) => label.textContent.trim() === 'mcc').querySelector('input').click()"
    )
    assert set(shown()) - set(before) == {"mcc"}


def test_a_table_filters_by_comparisons(driver):
    box = driver.find_element("css selector", "#table-2 .filter")
    for words, features in (
        ("score>=0.5", ["7", "2"]),
        ("best_f1<0.2", ["2"]),
        ("best_concept=CDS", ["7"]),
        ("score>0.1 chrA", ["2"]),
        ("nothing>1", []),
    ):
        box.clear()
        box.send_keys(words)
        assert column(driver, "table-2", 1) == features
    box.clear()
    box.send_keys(" ")


def test_the_page_fits_a_telephone_and_has_a_dark_style(driver):
    size = driver.get_window_size()
    metrics = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dark})
    try:
        assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
        style = "return getComputedStyle(document.body)"
        paper = driver.execute_script(f"{style}.backgroundColor")
        assert all(int(level) < 60 for level in re.findall(r"\d+", paper)[:3])
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        driver.set_window_size(size["width"], size["height"])


def is_at(driver, seqid, first, last):
    locus = driver.execute_script("return window.genointerpBrowser.currentLoci()")
    locus = str(locus[0] if isinstance(locus, list) else locus)
    found = locus.rsplit(":", 1)[1].replace(",", "").split("-")
    return locus.startswith(f"{seqid}:") and int(found[0]) <= last and int(found[1]) >= first


def test_a_feature_of_a_table_leads_to_its_section_and_its_loci_to_the_browser(driver):
    from selenium.webdriver.support.ui import WebDriverWait

    box = driver.find_element("css selector", "#table-3 .filter")
    box.send_keys("tRNA sense")
    rows = driver.execute_script(
        "return [...document.querySelectorAll('#table-3 tbody tr')].filter((row) => !row.hidden)"
    )
    link = next(
        row.find_element("css selector", "a.feature")
        for row in rows
        if row.find_elements("css selector", "a.feature[href='#feature-3']")
    )
    section = driver.find_element("id", "feature-3")
    assert not section.get_property("open")
    driver.execute_script("arguments[0].click()", link)
    WebDriverWait(driver, 60).until(lambda _: section.get_property("open"))
    assert section.find_element("css selector", "figure img").is_displayed()
    button = section.find_element("css selector", "[id='loci-3'] button.locus")
    assert button.get_attribute("data-locus") == "chrA:1101-1176"
    driver.execute_script("arguments[0].click()", button)
    WebDriverWait(driver, 60).until(lambda found: is_at(found, "chrA", 1101, 1176))
    # with three times its width on either side, which ends with the contig
    assert is_at(driver, "chrA", 873, 874)
    assert not is_at(driver, "chrA", 1, 800)
    tracks = driver.execute_script(
        "return genointerpBrowser.trackViews.filter((view) => view.track.type === 'merged')"
        ".map((view) => view.track.name)"
    )
    assert tracks[0].startswith("f/3 ")
    assert driver.get_log("browser") == []


def test_the_table_of_features_sorts_by_density(driver):
    box = driver.find_element("css selector", "#table-3 .filter")
    box.clear()
    box.send_keys(" ")
    heads = driver.find_elements("css selector", "#table-3 .sort")
    index = next(i for i, head in enumerate(heads) if head.text == "density")
    driver.execute_script("arguments[0].click()", heads[index])
    values = [float(text) for text in column(driver, "table-3", index)]
    assert values == sorted(values)
    assert values[0] == 0 < values[-1]


def test_every_image_of_the_page_can_be_shown(driver):
    driver.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    broken = driver.execute_async_script(
        "const done = arguments[0];"
        "Promise.allSettled([...document.images].map((image) => { image.loading = 'eager';"
        " return image.decode(); })).then((all) =>"
        " done(all.filter((one) => one.status !== 'fulfilled').length))"
    )
    assert broken == 0
    n_sections = len(driver.find_elements("css selector", "details.feature"))
    # two figures in each section, the training curves and the map of the dictionary
    assert driver.execute_script("return document.images.length") == 2 * n_sections + 2
