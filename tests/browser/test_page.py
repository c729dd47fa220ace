"""EXPLAIN HTML in a browser: what a reader sees and does, with mouse and keyboard, on a phone, in the dark."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import minisql
from minisql.explain.page import render_page
from minisql.session.explanations.page import page_model
from minisql.session.recursion import deep_recursion
from tests.browser.conftest import Opened

DATA = Path(__file__).parents[2] / "data" / "nycflights13"

# An inner join may not go below the outer joins that it reads of, c has to wait for a, and one edge has two tables on a
# side.
QUERY = """SELECT a.k, b.x AS what_b_has_where_there_is_one, c.k AS the_key_of_c, d.x AS something_else_of_d
FROM a LEFT JOIN b ON a.k = b.k
LEFT JOIN c ON coalesce(b.x, 4) = c.k
FULL JOIN d ON d.k = a.x + coalesce(c.x, 0)
ORDER BY 1"""

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    "<!-- ]]> -->",
    "\u2028 '&lt;b&gt;",
]


@pytest.fixture(scope="module")
def connection() -> Iterator[minisql.Connection]:
    with minisql.connect() as connection:
        for number, name in enumerate("abcd"):
            connection.execute(f"CREATE TABLE {name} (k INT, x INT)")
            rows = ", ".join(f"({row % (5 + number)}, {row})" for row in range(20 + 7 * number))
            connection.execute(f"INSERT INTO {name} VALUES {rows}")
        yield connection


@pytest.fixture(scope="module")
def opened(
    connection: minisql.Connection, open_page: Callable[[Path], Opened], tmp_path_factory: pytest.TempPathFactory
) -> Opened:
    file = tmp_path_factory.mktemp("page") / "plan.html"
    connection.plan(QUERY).save(file)
    return open_page(file)


@pytest.fixture
def page(opened: Opened) -> Page:
    opened.page.set_viewport_size({"width": 1280, "height": 900})
    opened.page.emulate_media(color_scheme="light", media="screen")
    opened.page.click("#tab-plan")
    return opened.page


def model_of(page: Page) -> dict[str, Any]:
    model: dict[str, Any] = json.loads(page.locator("#model").text_content() or "")
    return model


def is_focused(page: Page, selector: str) -> bool:
    found: bool = page.evaluate("selector => document.activeElement.matches(selector)", selector)
    return found


def test_a_tab_for_each_thing_that_is_known_and_the_keyboard_goes_through_them(page: Page) -> None:
    tabs = page.get_by_role("tab")
    ids = tabs.evaluate_all("tabs => tabs.map(tab => tab.id)")
    assert ids == ["tab-plan", "tab-hypergraph", "tab-orders", "tab-search", "tab-forbidden"]
    tabs.first.focus()
    for name in ("hypergraph", "orders", "search", "forbidden", "plan"):
        page.keyboard.press("ArrowRight")
        assert is_focused(page, f"#tab-{name}[aria-selected=true]")
        assert page.locator("[role=tabpanel]:visible").get_attribute("id") == f"panel-{name}"
    page.keyboard.press("End")
    assert is_focused(page, "#tab-forbidden")
    page.keyboard.press("Home")
    assert is_focused(page, "#tab-plan")
    assert page.locator("[role=tab][tabindex='0']").count() == 1, "one stop for the Tab key"


def test_the_plan_is_a_tree_for_the_keyboard(page: Page) -> None:
    model = model_of(page)
    nodes = model["plan"]["nodes"]
    items = page.get_by_role("treeitem")
    assert items.count() == len(nodes)
    assert page.locator(".row.hottest").count() == sum(node["hottest"] for node in nodes) == 1
    items.first.focus()
    page.keyboard.press("ArrowDown")
    assert is_focused(page, "#node-1")
    page.keyboard.press("Enter")
    details = page.locator("#node-1 .more")
    assert "estimated cost" in details.inner_text()
    page.keyboard.press("Enter")
    assert details.count() == 0
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    assert items.first.get_attribute("aria-expanded") == "false"
    assert page.locator("[role=treeitem]:visible").count() == 1
    page.keyboard.press("ArrowRight")
    assert page.locator("[role=treeitem]:visible").count() == len(nodes)
    page.keyboard.press("End")
    assert is_focused(page, f"#node-{len(nodes) - 1}")
    joins = [number for number, node in enumerate(nodes) if node["fan_out"]]
    page.locator(f"#node-{joins[0]} .title").click()
    assert nodes[joins[0]]["fan_out"]["sentence"] in page.locator(f"#node-{joins[0]} .more").inner_text()


def test_lines_are_as_wide_as_many_rows_flow(page: Page) -> None:
    nodes = model_of(page)["plan"]["nodes"]
    widths = page.evaluate(
        "() => [...document.querySelectorAll('.row')].map(row => row.querySelector('.flow.below')?.offsetWidth ?? null)"
    )
    straight = {node["parent"]: node["actual"]["rows"] for node in nodes if node["parent"] is not None}
    by_rows = sorted((rows, widths[parent]) for parent, rows in straight.items())
    drawn = [width for _, width in by_rows]
    assert None not in drawn
    assert drawn == sorted(drawn)
    assert drawn[0] < drawn[-1]


def test_a_rule_is_told_on_hover_on_focus_and_on_tap(page: Page) -> None:
    page.click("#tab-hypergraph")
    (region,) = model_of(page)["hypergraph"]["regions"]
    number, edge = next((place, edge) for place, edge in enumerate(region["edges"]) if edge["rules"])
    inspector = page.locator("#inspector")
    assert edge["rules"][0] not in inspector.inner_text()
    item = page.locator("#panel-hypergraph .edge").nth(number)
    label = item.locator(".label")
    label.hover()
    assert edge["rules"][0] in inspector.inner_text()
    page.locator("h1").hover()
    assert edge["rules"][0] not in inspector.inner_text()
    page.locator("#panel-hypergraph .edge").first.focus()
    for _ in range(number):
        page.keyboard.press("ArrowRight")
    assert edge["rules"][0] in inspector.inner_text()
    page.locator("#theme").focus()
    assert edge["rules"][0] not in inspector.inner_text()
    page.locator(".edges button").nth(number).click()
    page.locator("#theme").focus()
    page.locator("h1").hover()
    assert edge["rules"][0] in inspector.inner_text(), "what was tapped stays"
    page.locator(".edges button").nth(number).click()


def test_a_side_of_several_tables_has_a_hull_around_them(page: Page) -> None:
    page.click("#tab-hypergraph")
    (region,) = model_of(page)["hypergraph"]["regions"]
    large = [side for edge in region["edges"] for side in (edge["left"], edge["right"]) if len(side) > 1]
    assert large
    hulls = page.locator("#panel-hypergraph .area")
    assert hulls.count() == len(large)
    boxes = [hulls.nth(place).bounding_box() for place in range(hulls.count())]
    pills = {
        node["number"]: page.locator("#panel-hypergraph .node").nth(place).bounding_box()
        for place, node in enumerate(region["nodes"])
    }
    for side, hull in zip(large, boxes, strict=True):
        assert hull is not None
        for number in side:
            pill = pills[number]
            assert pill is not None
            assert hull["x"] <= pill["x"] + pill["width"] / 2 <= hull["x"] + hull["width"]
            assert hull["y"] <= pill["y"] + pill["height"] / 2 <= hull["y"] + hull["height"]


def test_the_slider_replays_the_search(page: Page) -> None:
    page.click("#tab-search")
    trace = model_of(page)["trace"]
    last = len(trace["steps"])
    output, slider = page.locator("#panel-search output"), page.locator("#step")
    slider.focus()
    page.keyboard.press("Home")
    assert output.inner_text() == f"step 1 of {last}"
    seen = []
    for place, step in enumerate(trace["steps"]):
        assert output.inner_text() == f"step {place + 1} of {last}"
        marked = page.locator("#panel-search .node.side-a, #panel-search .node.side-b").count()
        assert marked == len(step[1]) + len(step[2])
        seen.append(page.locator(".said").inner_text())
        if step[0] in ("first", "better", "dearer", "forbidden"):
            assert step[0] in seen[-1]
        page.keyboard.press("ArrowRight")
    assert len(set(seen)) == last, "every step says something else"
    best = page.locator(".best tbody tr").first.inner_text().split("\t")
    assert best[0] == f"{{{', '.join(table['name'] for table in trace['tables'])}}}"
    box = slider.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert 1 < int(slider.input_value()) + 1 < last
    assert output.inner_text() == f"step {int(slider.input_value()) + 1} of {last}"


def test_the_replay_plays_and_pauses(page: Page) -> None:
    page.click("#tab-search")
    slider, play = page.locator("#step"), page.locator(".play")
    page.get_by_role("button", name="First step").click()
    assert slider.input_value() == "0"
    play.click()
    assert play.inner_text() == "Pause"
    page.wait_for_function("() => Number(document.getElementById('step').value) > 0")
    play.click()
    assert play.inner_text() == "Play"
    at = slider.input_value()
    page.get_by_role("button", name="One step on").click()
    assert slider.input_value() == str(int(at) + 1)
    page.get_by_role("button", name="One step back").click()
    assert slider.input_value() == at
    slider.focus()
    page.keyboard.press(" ")
    assert play.inner_text() == "Pause"
    page.keyboard.press(" ")
    assert play.inner_text() == "Play"


def test_the_orders_are_listed(page: Page) -> None:
    page.click("#tab-orders")
    lines = model_of(page)["orders"]["lines"]
    rows = page.locator(".orders tbody tr")
    assert rows.count() == len(lines)
    assert page.locator(".orders tr.chosen").inner_text().count("chosen") == 1
    assert [lines[place]["order"] in text for place, text in enumerate(rows.all_inner_texts())] == [True] * len(lines)


def test_a_forbidden_order_shows_its_counterexample(page: Page) -> None:
    page.click("#tab-forbidden")
    cases = model_of(page)["forbidden"]["cases"]
    choices = page.get_by_role("radio")
    assert choices.count() == len(cases) >= 2
    choices.first.focus()
    for place, case in enumerate(cases):
        if place % 2:
            choices.nth(place).click()
        elif place:
            page.keyboard.press("ArrowDown")
        assert choices.nth(place).get_attribute("aria-checked") == "true"
        shown = page.locator("#case").inner_text()
        assert case["reason"] in shown
        assert case["script"] in shown
        sides = page.locator("#case .rows")
        for number, key in enumerate(("written_rows", "reordered_rows")):
            drawn = sides.nth(number).locator("tbody tr")
            assert drawn.count() == max(1, len(case[key]["rows"]))
        differing = page.locator("#case tr.differs").count()
        written, reordered = (
            [json.dumps(row) for row in case[key]["rows"]] for key in ("written_rows", "reordered_rows")
        )
        common = sum(min(written.count(row), reordered.count(row)) for row in {*written})
        assert differing == len(written) + len(reordered) - 2 * common > 0


def test_nothing_is_wider_than_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for name in ("plan", "hypergraph", "orders", "search", "forbidden"):
        page.click(f"#tab-{name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
        assert page.locator(f"#panel-{name}").is_visible()


# The least contrast of a text with what is behind it, of all texts that are on the page as HTML.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((each) => each / 255);
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const behind = (element) => {
    if (!element) return [1, 1, 1];
    const colour = rgba(getComputedStyle(element).backgroundColor);
    return colour[3] === 1 ? colour.slice(0, 3) : over(colour, behind(element.parentElement));
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let worst = [99, ""];
  for (const element of document.querySelectorAll("body *:not(svg, svg *, script)")) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join("").trim();
    if (!text || !element.checkVisibility()) continue;
    const back = behind(element);
    const [a, b] = [light(over(rgba(getComputedStyle(element).color), back)), light(back)].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < worst[0]) worst = [contrast, text.slice(0, 40) + " in " + element.outerHTML.slice(0, 60)];
  }
  return worst;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for name in ("plan", "hypergraph", "orders", "search", "forbidden"):
        page.click(f"#tab-{name}")
        page.locator("h1").hover()
        page.wait_for_timeout(150)  # colours fade
        contrast, text = page.evaluate(CONTRAST)
        assert contrast >= 4.5, f"{name}: {text}"


def test_dark_is_another_page_and_can_be_chosen(page: Page) -> None:
    def paper() -> str:
        colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return colour

    light = paper()
    page.emulate_media(color_scheme="dark")
    dark = paper()
    assert dark != light
    toggle = page.locator("#theme")
    expect(toggle).to_have_text("Light")
    toggle.click()
    assert paper() == light
    toggle.click()
    assert paper() == dark
    page.evaluate("delete document.documentElement.dataset.theme")


def test_who_wants_no_motion_gets_none_and_paper_gets_everything(page: Page) -> None:
    durations = "() => [...document.querySelectorAll('*')].map(each => getComputedStyle(each).transitionDuration)"
    assert set(page.evaluate(durations)) != {"0s"}
    page.emulate_media(reduced_motion="reduce")
    assert set(page.evaluate(durations)) == {"0s"}
    page.emulate_media(reduced_motion="no-preference", media="print")
    assert page.locator("[role=tabpanel]:visible").count() == 5


def test_what_looks_like_markup_stays_text(
    connection: minisql.Connection, open_page: Callable[[Path], Opened], tmp_path: Path
) -> None:
    quoted = ['"' + name.replace('"', '""') + '"' for name in HOSTILE]
    for name, column in zip(quoted, reversed(quoted), strict=True):
        connection.execute(f"CREATE OR REPLACE TABLE {name} ({column} VARCHAR)")
        for value in HOSTILE * 2:
            connection.execute(f"INSERT INTO {name} VALUES (?)", [value])
    first, second, third, _ = quoted
    literal = HOSTILE[1].replace("'", "''")
    sql = (
        f"SELECT *, '{literal}' AS {first}"
        f" FROM {first} LEFT JOIN {second} ON {first}.{quoted[3]} = {second}.{quoted[2]}"
        f" LEFT JOIN {third} ON coalesce({second}.{quoted[2]}, '{literal}') = {third}.{quoted[1]}"
    )
    file = tmp_path / "hostile.html"
    connection.plan(sql).save(file)
    page = open_page(file).page
    assert page.locator("script").count() == 2
    assert page.locator("img").count() == 0
    assert HOSTILE[0] in page.locator("#sql").inner_text()
    assert HOSTILE[0] in page.get_by_role("tree").inner_text()
    page.locator("#panel-plan .title", has_text="hash join").first.click()
    key = page.locator(".more .rows td").first.inner_text()
    assert key in HOSTILE, "a value that many rows have"
    page.click("#tab-hypergraph")
    assert HOSTILE[0] in (page.locator("#panel-hypergraph .node title").first.text_content() or "")
    for name in ("orders", "forbidden"):
        page.click(f"#tab-{name}")
        assert HOSTILE[0] in page.locator(f"#panel-{name}").inner_text()
    page.click("#tab-search")
    page.locator("#step").focus()
    page.keyboard.press("End")
    for name in HOSTILE[:3]:
        assert name in page.locator(".best").inner_text()
        assert name in page.locator(".said").inner_text()


def test_warnings_stand_above_everything(
    connection: minisql.Connection, open_page: Callable[[Path], Opened], tmp_path: Path
) -> None:
    planned = connection.plan("SELECT a.k FROM a FULL JOIN b ON a.k = b.k WHERE b.x > 3")
    with deep_recursion():
        model = page_model(planned, planned.text, analyze=False)
    file = tmp_path / "warned.html"
    file.write_text(render_page({**model, "warnings": HOSTILE[:1]}, "Warned"), encoding="utf-8")
    page = open_page(file).page
    assert page.locator("#notes .note.warning").all_inner_texts() == [f"Warning\n{HOSTILE[0]}"]
    assert page.locator("#notes .note:not(.warning)").all_inner_texts() == [
        "Simplified\nFULL became RIGHT because of WHERE b.x > 3"
    ]
    assert page.locator("#what").inner_text() == "EXPLAIN"
    assert "off by" not in page.get_by_role("tree").inner_text()


def test_a_picture_of_real_data_is_kept(open_page: Callable[[Path], Opened], tmp_path: Path, pictures: Path) -> None:
    file = tmp_path / "flights.html"
    with minisql.connect() as connection:
        connection.plan(
            f"""SELECT a.name, count(*) AS flights FROM '{DATA}/flights.parquet' AS f
                FULL JOIN '{DATA}/airports.parquet' AS a ON f.dest = a.faa
                LEFT JOIN '{DATA}/planes.parquet' AS p ON f.tailnum = p.tailnum
                GROUP BY a.name ORDER BY flights DESC LIMIT 10"""
        ).save(file)
    page = open_page(file).page
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        picture = pictures / f"explain-{scheme}.png"
        page.screenshot(path=picture, full_page=True)
        assert picture.stat().st_size > 20_000
