"""Pages without a browser: met by a link, and what is on them."""

from __future__ import annotations

import base64
import json
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from streamlit.runtime.scriptrunner import RerunData
from streamlit.testing.v1 import AppTest, local_script_runner

from pages.common.page import PAGES

APP = Path(__file__).resolve().parent.parent / "app.py"
OVERVIEW = APP.name
TAGGING, LANGUAGE, GATES, TRAINING, LEADERBOARD = (
    f"pages/{name}.py" for name in ("1_Tagging", "2_Language_model", "3_Gates", "4_Training", "5_Leaderboard")
)
HAND = "pages/6_Gate_by_hand.py"
MEMORY_LAB = "pages/7_Memory_lab.py"
GRADIENTS = "pages/8_Gradient_lab.py"
UNITS = "pages/10_Units.py"
TIPS = "pages/9_Five_tips.py"
GLOSSARY = "pages/11_Glossary.py"
TIMEOUT = 120  # seconds


def linked(page: str, **link: str | list[str]) -> AppTest:
    """A page behind a link: not yet run."""
    app = AppTest.from_file(str(APP), default_timeout=TIMEOUT).switch_page(page)
    for name, value in link.items():
        app.query_params[name] = value
    return app


def opened(page: str, **link: str | list[str]) -> AppTest:
    """The page as someone meets it who follows the link."""
    return sound(linked(page, **link).run())


def followed(app: AppTest, label: str, help: str = "") -> AppTest:
    """The page behind the first link with that label and help, in the same session."""
    link = next(one.proto for one in app.get("page_link") if (one.proto.label, one.proto.help) == (label, help))
    pages = {one.path.partition("_")[2].removesuffix(".py"): one.path for one in PAGES}
    app.switch_page(pages.get(link.page, OVERVIEW))
    app.query_params = dict(parse_qs(link.query_string, keep_blank_values=True))
    return sound(app.run())


def came_back(app: AppTest, page: str, **address: str | list[str]) -> AppTest:
    """The same session after Back or Forward to an address."""
    app.switch_page(page)
    app.query_params = dict(address)
    with pytest.MonkeyPatch.context() as patch:  # AppTest itself has no history; this is what a browser sends
        patch.setattr(local_script_runner, "RerunData", partial(RerunData, is_history_navigation=True))
        return sound(app.run())


def sound(app: AppTest) -> AppTest:
    """The same page: it shows neither an exception nor an error."""
    assert not app.exception, app.exception[0].value
    assert not app.error
    return app


def took(app: AppTest, example: str, *, key: str = "text") -> AppTest:
    """The page with this example of its menu taken, by its title. `key` is that of the text."""
    return sound(app.menu_button(key=f"{key}-examples").click(example).run())


def view_of(app: AppTest) -> str:
    """The view of the gates that is on screen, as the button of its menu says."""
    return app.menu_button(key="views").label.removeprefix("View: ")


def turned(app: AppTest, view: str) -> AppTest:
    """The Gates page with another view, from its menu."""
    menu = app.menu_button(key="views")
    (entry,) = (option for option in menu.options if option.startswith(f"**{view}** "))
    return sound(menu.click(entry).run())


def said(app: AppTest) -> str:
    """The sentences on the page."""
    return " ".join(element.value for element in [*app.markdown, *app.caption, *app.info])


def html(app: AppTest) -> str:
    return "".join(element.proto.body for element in app.get("html"))


def pictures(app: AppTest) -> list[dict]:
    """The figures on the page, as they are sent."""
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def numbers(sent: dict | list) -> np.ndarray:
    """An array as plotly sends it."""
    if isinstance(sent, list):
        return np.array(sent)
    flat = np.frombuffer(base64.b64decode(sent["bdata"]), sent["dtype"])
    return flat.reshape([int(size) for size in sent["shape"].split(",")]) if "shape" in sent else flat
