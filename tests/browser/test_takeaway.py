"""What is saved in a browser opens without a network: the page, and its pictures as SVG and PDF."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from tests.browser.driver import PATIENCE, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

TEXT = "Ada, Шура & 漢字 <sail>."  # Latin letters, and others that PDF's own faces lack
WORDS = ("Ada", "Шура", "漢字", "sail")
PLACE = "Gates?view=Heatmaps&task=pos&cells=lstm&text=Ada,+%D0%A8%D1%83%D1%80%D0%B0+%26+%E6%BC%A2%E5%AD%97+%3Csail%3E."


def saved(page: Page, button: str, folder: Path) -> Path:
    """The file behind a button of the menu."""
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("button", name=button).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@pytest.fixture
def menu(page: Page, address: str) -> Page:
    """A view, with what can be taken away unfolded."""
    visit(page, f"{address}/{PLACE}")
    page.get_by_role("button", name="Take it away").click()
    return page


def test_the_page_opens_offline_and_answers_the_pointer(menu: Page, browser: Browser, address: str, tmp_path: Path) -> None:
    path = saved(menu, "All of it", tmp_path)
    with browser.new_context(offline=True, viewport={"width": 1200, "height": 900}) as context:
        page = context.new_page()
        asked: list[str] = []
        wrong: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(path.as_uri())
        expect(page.locator(".main-svg").first).to_be_visible()
        expect(page.locator("body")).to_contain_text(TEXT)
        expect(page.locator("body")).to_contain_text("How to read it")
        link = urlsplit(page.get_by_role("link", name="this view").get_attribute("href") or "")
        assert (f"{link.scheme}://{link.netloc}", link.path) == (address, "/Gates")
        assert parse_qs(link.query) == {"view": ["Heatmaps"], "cells": ["LSTM"], "text": [TEXT]}
        box = page.locator(".nsewdrag").first.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5)
        expect(page.locator(".hoverlayer")).to_contain_text("unit")
        assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
        assert wrong == []


@pytest.mark.thorough
def test_a_picture_is_svg_with_its_words(menu: Page, tmp_path: Path) -> None:
    root = ElementTree.parse(saved(menu, "SVG", tmp_path)).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    labels = ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {*WORDS, "LSTM"} <= set(labels)
    assert any("μ" in label for label in labels)
    assert not [link for element in root.iter() for link in element.attrib.values() if link.startswith("http")]


@pytest.mark.thorough
def test_a_picture_is_pdf_with_its_words_as_text(menu: Page, tmp_path: Path) -> None:
    reader = PdfReader(saved(menu, "PDF", tmp_path), strict=True)
    (page,) = reader.pages
    shown = menu.locator(".js-plotly-plot").first.bounding_box()
    assert shown is not None
    assert float(page.mediabox.width) == pytest.approx(shown["width"] * 0.75, abs=2)  # points in pixels
    text = page.extract_text()
    assert {"Ada", "sail", "LSTM"} <= set(text.split())
    assert "μ" in text
    content = page.get_contents()
    assert content is not None
    drawn = content.get_data().decode("ascii")
    for word in ("Шура", "漢字"):  # in a face that is not in the file: an image, and its text beside it
        assert f"/ActualText <feff{word.encode('utf-16-be').hex()}>" in drawn
    assert len(page.images) >= 3  # the two, and the colours of the gates
    assert drawn.count(" l\n") + drawn.count(" c\n") > 10, "lines are lines"


# of a PNG, as a data URL: the colours along its right edge
EDGE = """async (url) => {
  const image = Object.assign(new Image(), { src: url });
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height), pen = canvas.getContext('2d');
  pen.drawImage(image, 0, 0);
  const data = new Uint32Array(pen.getImageData(image.width - 1, 0, 1, image.height).data.buffer);
  return [...new Set(data)];
}"""


def test_nothing_is_cut_at_the_edge_of_a_picture_saved_as_png(page: Page, browser: Browser, address: str, tmp_path: Path) -> None:
    visit(page, f"{address}/{PLACE}")
    picture = page.locator(".js-plotly-plot").first
    picture.locator(".main-svg").first.wait_for()
    picture.hover()
    with page.expect_download(timeout=PATIENCE) as download:
        picture.locator(".modebar-btn").first.click()
    download.value.save_as(tmp_path / "picture.png")
    content = base64.b64encode((tmp_path / "picture.png").read_bytes()).decode()
    with browser.new_context() as context:  # the app's own pages let no such image in
        colours = context.new_page().evaluate(EDGE, f"data:image/png;base64,{content}")
    assert len(colours) == 1
