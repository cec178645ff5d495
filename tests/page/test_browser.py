"""The page in a real browser, from disk, with every host name unresolvable."""

import json
import re
import shutil
import threading
from contextlib import contextmanager, nullcontext
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from genointerp.page.run import open_run
from tests.served import served as served_run

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
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
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


def requested(driver):
    """Return the addresses that were asked for since the last call."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def test_the_browser_starts_without_an_error_or_a_request(driver):
    state = driver.execute_script("return document.getElementById('browser').dataset.state")
    assert state == "ready"
    assert driver.get_log("browser") == []
    urls = requested(driver)
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
    return locus.startswith(f"{seqid}:") and float(found[0]) <= last and float(found[1]) >= first


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


def test_the_search_of_the_page_rings_what_it_finds(driver):
    driver.find_element("id", "search").send_keys("trna")
    found = driver.find_elements("css selector", "#search-rows tr")
    assert "3" in [row.get_attribute("data-at") for row in found]
    assert driver.execute_script("return genointerpMap.hits()") == len(found) < 11
    driver.find_element("id", "search").clear()


@contextmanager
def served(folder):
    handler = partial(QuietHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def search(driver, words):
    box = driver.find_element("id", "search")
    box.clear()
    box.send_keys(words)
    rows = driver.find_elements("css selector", "#search-rows tr")
    return [int(row.get_attribute("data-at")) for row in rows]


def point_of(driver, feature):
    """The offset of a feature's point from the middle of the map, for the mouse."""
    canvas = driver.find_element("id", "map")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    x, y = driver.execute_script("return genointerpMap.at(arguments[0])", feature)
    return canvas, x - canvas.size["width"] / 2, y - canvas.size["height"] / 2


@pytest.mark.parametrize("place", ["disk", "server"])
def test_a_folder_is_searched_and_a_click_on_its_map_opens_a_feature(driver, folder_path, place):
    """The last tests of this file, since they leave the page of the others."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.support.ui import WebDriverWait

    with served(folder_path) if place == "server" else nullcontext(folder_path.as_uri()) as base:
        driver.get(f"{base}/index.html")
        assert search(driver, "") == search(driver, "f/")
        assert search(driver, "7") == [7]
        assert search(driver, "nothing at all") == []
        assert 3 in search(driver, "trnx")
        assert driver.execute_script("return genointerpMap.hits()") == len(search(driver, "trnx"))
        canvas, x, y = point_of(driver, 3)
        ActionChains(driver).move_to_element_with_offset(canvas, x, y).perform()
        tip = driver.find_element("id", "map-tip")
        assert re.fullmatch(r"f/3: tRNA \(sense\), F1 0\.988", tip.text)
        ActionChains(driver).move_to_element_with_offset(canvas, x, y).click().perform()
        WebDriverWait(driver, 60).until(lambda found: found.current_url.endswith("features/3.html"))
        # the strongest locus with three widths on either side, its track before all others
        WebDriverWait(driver, 60).until(
            lambda found: found.execute_script("return window.genointerpBrowser !== undefined")
        )
        WebDriverWait(driver, 60).until(lambda found: is_at(found, "chrA", 873, 874))
        assert not is_at(driver, "chrA", 1, 800)
        assert driver.execute_script("return window.stolen") is None
        assert driver.get_log("browser") == []


def test_the_map_is_walked_with_the_keyboard(driver, folder_path):
    from selenium.webdriver.common.keys import Keys

    driver.get(f"{folder_path.as_uri()}/index.html")
    search(driver, "9")
    canvas = driver.find_element("id", "map")
    canvas.send_keys(Keys.ARROW_RIGHT)
    assert driver.find_element("id", "map-now").get_property("textContent").startswith("f/9")
    canvas.send_keys(Keys.ENTER)
    assert driver.current_url.endswith("features/9.html")


@pytest.mark.parametrize("page", ["index.html", "features/3.html"])
def test_the_pages_of_a_folder_fit_a_telephone(driver, folder_path, page):
    metrics = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        driver.get(f"{folder_path.as_uri()}/{page}")
        assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_browser_of_a_notebook_starts_in_its_frame_without_a_request(driver, run_dir, tmp_path):
    """The last of this file, since it leaves the page."""
    from selenium.webdriver.support.ui import WebDriverWait

    frame = open_run(run_dir).browse("chrA:1,101-1,176", feature=3)._repr_html_()
    (tmp_path / "notebook.html").write_text(f"<!DOCTYPE html>{frame}", encoding="utf-8")
    driver.get_log("performance")
    driver.get((tmp_path / "notebook.html").as_uri())
    driver.switch_to.frame(0)
    state = "return document.getElementById('browser').dataset.state"
    WebDriverWait(driver, 60).until(lambda found: found.execute_script(state))
    assert driver.execute_script(state) == "ready"
    assert is_at(driver, "chrA", 1101, 1176)
    names = "return genointerpBrowser.trackViews.map((view) => view.track.name)"
    assert any(str(name).startswith("f/3 ") for name in driver.execute_script(names))
    assert driver.get_log("browser") == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in requested(driver))


def until(driver, test):
    """Wait until a test of the page holds."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, 60).until(test)


def until_ready(driver):
    state = "const place = document.getElementById('browser'); return place && place.dataset.state"
    until(driver, lambda found: found.execute_script(state))
    assert driver.execute_script(state) == "ready"


def drawn(driver, feature):
    """The greatest activation read on + that the browser has drawn of a feature; None if none."""
    return driver.execute_script(
        "const view = genointerpBrowser.trackViews.find(({ track }) => track.type === 'merged'"
        " && track.name.startsWith(`f/${arguments[0]} `));"
        "const cache = view && view.viewports[0].featureCache;"
        "return cache && cache.features.featureArrays.length"
        " ? Math.max(0, ...cache.features.featureArrays[0].map(({ value }) => value)) : null",
        feature,
    )


def browse(driver, base):
    driver.get(f"{base}browse.html?at=chrA:1001-1400&feature=3")
    until_ready(driver)
    until(driver, lambda found: drawn(found, 3) == 5)
    assert is_at(driver, "chrA", 1001, 1400)


def move(driver, locus):
    driver.execute_script("genointerpBrowser.search(arguments[0])", locus)


def told(driver):
    """What the page says of a server that does not answer."""
    line = "return (document.getElementById('no-answer') || {}).textContent"
    return str(driver.execute_script(line))


def test_a_served_run_is_searched_browsed_and_goes_on_after_a_kill(driver, run_dir):
    """The last of this file, since it leaves the page; two starts of a process take seconds."""
    pytest.importorskip("uvicorn", reason="uvicorn is not installed")
    with served_run(run_dir) as (process, address):
        base = address.partition("?")[0]
        driver.get(address)
        until(driver, lambda found: found.current_url == base and found.find_elements("id", "map"))
        assert search(driver, "7") == [7]
        assert 3 in search(driver, "trna")
        until(driver, lambda found: found.find_elements("css selector", "#places a"))
        browse(driver, base)
        pan_and_search(driver)
        driver.get(f"{base}features/3.html")
        until_ready(driver)
        until(driver, lambda found: drawn(found, 3) == 5)
        assert driver.execute_script("return window.stolen") is None
        assert driver.get_log("browser") == []
        asked = [url for url in requested(driver) if not url.startswith(("data:", "blob:"))]
        assert {url.startswith((base, "file:")) for url in asked} == {True}
        browse(driver, base)
        process.kill()
        process.wait()
        move(driver, "chrA:3001-3400")
        until(driver, lambda found: "does not answer" in told(found))
    with served_run(run_dir, int(base.rpartition(":")[2].strip("/"))) as (_, address):
        until(driver, lambda found: "started again" in told(found))
        shown = driver.current_url
        driver.get(address)
        until(driver, lambda found: found.find_elements("id", "map"))
        driver.get(shown)
        until_ready(driver)
        until(driver, lambda found: drawn(found, 3) is not None)
        assert is_at(driver, "chrA", 3001, 3400)
    # the browser tells the requests that had no answer
    driver.get_log("browser")


def pan_and_search(driver):
    # panning asks for what was not there
    move(driver, "chrA:5001-5400")
    until(driver, lambda found: (drawn(found, 3) or 5) < 2)
    driver.find_element("id", "search").send_keys("TRNX")
    place = "#places button[data-locus='chrA:1101-1176']"
    until(driver, lambda found: found.find_elements("css selector", place))
    driver.execute_script("document.querySelector(arguments[0]).click()", place)
    until(driver, lambda found: is_at(found, "chrA", 1101, 1176))
    first = "return (document.querySelector('#here-rows tr') || {}).textContent"
    told = "f/3tRNA (sense)cycle 1: codon phases "
    until(driver, lambda found: str(found.execute_script(first)).startswith(told))
    buttons = driver.find_elements("css selector", "#here-rows button.add")
    other = next(one for one in buttons if one.get_attribute("data-feature") != "3")
    feature = other.get_attribute("data-feature")
    driver.execute_script("arguments[0].click()", other)
    until(driver, lambda found: f"feature=3&feature={feature}" in found.current_url)


@contextmanager
def painted(run_dir):
    """Serve a run in this process, with a model of a few lines, and yield the first address."""
    uvicorn = pytest.importorskip("uvicorn", reason="uvicorn is not installed")
    from genointerp.server.application import make_application
    from genointerp.server.listen import bind
    from genointerp.server.site import Site
    from tests.server.bench import BENCH

    with bind(0) as bound:
        port = bound.getsockname()[1]
        site = Site.of(open_run(run_dir), BENCH)
        application = make_application(site, port=port, token="t")
        server = uvicorn.Server(uvicorn.Config(application, log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}/?token=t"
        finally:
            server.should_exit = True
            thread.join()


def click(driver, name):
    driver.execute_script("document.getElementById(arguments[0]).click()", name)


def text_of(driver, name):
    script = "return document.getElementById(arguments[0]).textContent"
    return str(driver.execute_script(script, name))


def fill_in(driver, name, text):
    box = driver.find_element("id", name)
    box.clear()
    box.send_keys(text)


def drag(driver, share, width):
    """Drag over a part of the layer of the browser, from one share of its width on."""
    from selenium.webdriver import ActionChains

    over = driver.find_element("id", "paint-over")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", over)
    across = over.rect["width"]
    pointer = ActionChains(driver)
    pointer.move_to_element_with_offset(over, int((share - 0.5) * across), 0)
    pointer.click_and_hold().move_by_offset(int(width * across), 3).release().perform()


def click_when_there(driver, selector):
    until(driver, lambda found: found.find_elements("css selector", selector))
    driver.execute_script("document.querySelector(arguments[0]).click()", selector)


def ask_why(driver, base):
    fill_in(driver, "why-place", "chrA:101")
    click(driver, "ask-why")
    until(driver, lambda found: "The strands agree" in text_of(found, "why-told"))
    told = text_of(driver, "reasons")
    assert all(word in told for word in ("Read on +", "Read on -", "features +1.5", "sums.tsv"))
    links = driver.find_elements("css selector", "#reasons td a")
    assert {link.get_property("href") for link in links} == {f"{base}features/3.html"}


def test_features_are_painted_with_the_mouse_and_designs_come_as_files(driver, run_dir):
    """As the test before, it leaves the page."""
    with painted(run_dir) as address:
        base = address.partition("?")[0]
        driver.get(address)
        until(driver, lambda found: found.current_url == base and found.find_elements("id", "map"))
        browse(driver, base)
        click_when_there(driver, "#here-rows button:last-child")
        assert driver.find_element("id", "brush-features").get_property("value") == "3"
        fill_in(driver, "brush-value", "2")
        click(driver, "brush")
        drag(driver, 0.25, 0.5)
        until(driver, lambda found: "f/3set to2everydecides" in text_of(found, "strokes"))
        first, last = re.match(r"chrA:(\d+)-(\d+)\+", text_of(driver, "strokes")).groups()
        assert abs(int(first) - 1100) < 10
        assert abs(int(last) - 1300) < 10
        click(driver, "ask-change")
        until(driver, lambda found: "random 1" in text_of(found, "outcome"))
        assert {"canvas", "change of log p, read on +"} <= names_of_tracks(driver)
        click(driver, "ask-designs")
        until(driver, lambda found: "canvas_4" in text_of(found, "outcome"))
        link = "document.querySelector('#outcome a[download=\"designs.fasta\"]')"
        fasta = driver.execute_script(f"return fetch({link}.href).then((answer) => answer.text())")
        assert fasta.startswith(f">canvas_1 chrA:{first}-{last}(+) log_p=-1.25\nACGTACGT")
        click(driver, "canvas-file")
        # a dose without an end
        fill_in(driver, "brush-value", "99")
        fill_in(driver, "brush-place", "chrA:2,001-2,100")
        click(driver, "brush-add")
        click(driver, "ask-change")
        until(driver, lambda found: "0 of 1" in text_of(found, "paint-job-told"))
        click(driver, "paint-job-cancel")
        until(driver, lambda found: "Cancelled" in text_of(found, "paint-told"))
        ask_why(driver, base)
        assert driver.get_log("browser") == []
        # the canvas is there when the page is opened again
        driver.refresh()
        until_ready(driver)
        assert "chrA:2001-2100" in text_of(driver, "strokes")
        click(driver, "canvas-clear")
        click(driver, "ask-change")
        assert "The canvas is empty" in text_of(driver, "paint-told")
        paint_up_to_the_end(driver)


def paint_up_to_the_end(driver):
    from selenium.webdriver.support.ui import Select

    fill_in(driver, "brush-features", "3")
    fill_in(driver, "brush-place", "chrA:5,901-6,000")
    click(driver, "brush-add")
    # what lies around the stretch ends with the contig
    click(driver, "ask-change")
    until(driver, lambda found: "What changes" in text_of(found, "outcome"))
    assert driver.get_log("browser") == []
    Select(driver.find_element("id", "brush-strand")).select_by_value("-")
    click(driver, "brush-add")
    click(driver, "ask-designs")
    until(driver, lambda found: "the strand that is written" in text_of(found, "paint-told"))
    assert asks_again_after_an_error(driver) == [500, 5]
    # the browser tells what was refused
    driver.get_log("browser")


def asks_again_after_an_error(driver):
    """The error of a first question for a track, and the largest value of a second one."""
    return driver.execute_async_script(
        "const done = arguments[0], { fetch } = window;"
        "const place = { chr: 'chrA', start: 1000, end: 1400, bpPerPixel: 1 };"
        "const asks = { feature: 3, strand: '+' };"
        "const source = genointerp.live({ asks }).featureSource;"
        "window.fetch = async () => new Response('{}', { status: 500 });"
        "source.getFeatures(place).catch(({ message }) => {"
        "  window.fetch = fetch;"
        "  return source.getFeatures(place).then((found) =>"
        "    [parseInt(message), Math.max(...found.map(({ value }) => value))]);"
        "}).then(done, ({ message }) => done(message));"
    )


def names_of_tracks(driver):
    script = "return genointerpBrowser.trackViews.map(({ track }) => track.name)"
    return {str(name) for name in driver.execute_script(script)}
