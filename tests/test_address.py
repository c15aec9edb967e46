"""What the visitor has set is in the address, goes along to other pages, and comes back with Back and Forward."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from pages.common import address
from pages.explorer import larger_text
from tests.paging import GATES, LANGUAGE, TAGGING, TRAINING, came_back, followed, linked, opened, said, sound

pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints", "own_folders")

NOTE = "This link asks for something"


def text(app: AppTest) -> str:
    return str(app.text_area[0].value)


def type_in(app: AppTest, typed: str) -> AppTest:
    return sound(app.text_area[0].set_value(typed).run())


def link_to(app: AppTest, label: str) -> dict[str, list[str]]:
    """The parameters of the menu's link to a page."""
    return parse_qs(next(one.proto for one in app.get("page_link") if one.proto.label == label).query_string)


def test_a_default_stays_out_of_the_address_and_out_of_the_menu() -> None:
    app = opened(TAGGING)
    assert app.query_params == {}
    type_in(app, "Ducks swim.")
    assert app.query_params == {"text": "Ducks swim."}
    sound(app.run())
    assert link_to(app, "Gates") == {"text": ["Ducks swim."]}
    type_in(app, text(opened(TAGGING)))
    assert app.query_params == {}
    sound(app.run())
    assert link_to(app, "Gates") == {}
    assert text(followed(app, "Gates")) == text(opened(GATES)), "a text that nobody has touched is the page's own"


def test_back_to_an_address_brings_what_it_says_and_the_defaults_of_the_rest() -> None:
    app = opened(TAGGING, text="Ducks swim.")
    sound(app.button_group(key="task").set_value("Entities").run())
    sound(app.button_group(key="cells").set_value(["LSTM"]).run())
    assert app.query_params == {"text": "Ducks swim.", "task": "Entities", "cells": "LSTM"}
    came_back(app, TAGGING)
    assert text(app) == text(opened(TAGGING))
    assert app.button_group(key="task").value == opened(TAGGING).button_group(key="task").value
    assert app.button_group(key="cells").value == ["Elman", "GRU", "LSTM"]
    came_back(app, TAGGING, text="Ducks swim.", task="Entities", cells="LSTM")
    assert (text(app), app.button_group(key="cells").value) == ("Ducks swim.", ["LSTM"])
    assert link_to(app, "Gates") == {"text": ["Ducks swim."], "task": ["Entities"], "cells": ["LSTM"]}


def test_back_from_another_page_brings_the_text_of_then() -> None:
    app = followed(opened(TAGGING, text="Ducks swim."), "Gates")
    type_in(app, "Fish fish fish.")
    came_back(app, TAGGING, text="Ducks swim.")
    assert text(app) == "Ducks swim."
    came_back(app, GATES, text="Fish fish fish.")
    assert text(app) == "Fish fish fish."


def test_every_kind_of_input_comes_back() -> None:
    app = opened(LANGUAGE, length="10")
    sound(app.slider(key="temperature").set_value(1.35).run())
    sound(app.slider(key="seed").set_value(12).run())
    sound(app.toggle(key="numbers").set_value(True).run())
    sound(app.toggle(key="careful").set_value(False).run())
    sound(app.button_group(key="cells").set_value([]).run())
    type_in(app, "")
    everything = dict(app.query_params)
    assert everything == {
        "length": "10",
        "temperature": "1.35",
        "seed": "12",
        "numbers": "true",
        "careful": "false",
        "cells": "",
        "prompt": "",
    }
    came_back(app, LANGUAGE, length="10")
    assert (app.slider(key="temperature").value, app.slider(key="seed").value) == (0.6, 7)
    assert (app.toggle(key="numbers").value, app.toggle(key="careful").value) == (False, True)
    assert app.button_group(key="cells").value
    assert text(app)
    for again in (came_back(app, LANGUAGE, **everything), opened(LANGUAGE, **everything)):
        assert again.query_params == everything
        assert (again.slider(key="temperature").value, again.slider(key="seed").value) == (1.35, 12)
        assert (again.toggle(key="numbers").value, again.toggle(key="careful").value) == (True, False)
        assert again.button_group(key="cells").value == []
        assert text(again) == ""


def test_an_older_address_that_comes_with_a_change_undoes_nothing() -> None:
    """A second change may be sent before the browser has heard of the address that the first one made."""
    app = opened(LANGUAGE)
    sound(app.toggle(key="numbers").set_value(True).run())
    app.query_params = {}
    sound(app.slider(key="seed").set_value(9).run())
    assert app.toggle(key="numbers").value
    assert app.query_params == {"numbers": "true", "seed": "9"}


def test_a_change_that_comes_before_the_browser_has_the_corrected_address_is_no_link_that_was_followed() -> None:
    """On a page that links to itself, as a place of the lesson does, and that says more than the address that has opened it."""

    def page() -> None:
        from pages.common import address, inputs

        address.visit("Page")
        address.link("Page", (), {"lesson": "6"}, fresh=True)
        inputs.number("One", 0.0, 1.0, key="one", default=0.5, step=0.05)
        address.keep("run", "of now", "")
        address.finish()

    app = AppTest.from_function(page)
    app.query_params = {"lesson": "6"}
    app.run()
    app.query_params = {"lesson": "6"}  # as the browser still has it
    assert sound(app.slider[0].set_value(0.8).run()).slider[0].value == 0.8
    assert app.query_params == {"one": "0.8", "run": "of now"}
    app.query_params = {"lesson": "6"}
    assert sound(app.run()).slider[0].value == 0.5, "now it is the link"


def test_an_address_that_opens_a_page_stays_as_it_is_written_until_something_changes() -> None:
    app = opened(TAGGING, cells=["lstm", "gru"], task="ner", other="thing")
    assert app.query_params == {"cells": ["lstm", "gru"], "task": "ner", "other": "thing"}
    sound(app.run())
    assert app.query_params == {"cells": ["lstm", "gru"], "task": "ner", "other": "thing"}
    type_in(app, "Ducks swim.")
    assert app.query_params == {"text": "Ducks swim.", "task": "Entities", "cells": ["GRU", "LSTM"]}


@pytest.mark.parametrize(
    "asked",
    [
        {"temperature": "hot"}, {"temperature": "nan"}, {"temperature": "1e999"}, {"temperature": "2.1"}, {"temperature": ""},
        {"top_k": "-5"}, {"top_k": "3.7"}, {"seed": "1e9"}, {"seed": "9" * 5000}, {"numbers": "perhaps"}, {"careful": ""},
        {"read": "Novels"}, {"cells": ["gru", "xyz"]}, {"prompt": "too long for a link 12345678"},
    ],
    ids=str,
)  # fmt: skip
def test_what_a_link_may_not_ask_for_is_the_default_with_a_note(asked: dict[str, str | list[str]]) -> None:
    app = opened(LANGUAGE, **asked)
    usual = opened(LANGUAGE)
    assert NOTE in said(app)
    assert NOTE not in said(usual)
    for kind in ("slider", "toggle", "text_area"):
        assert [one.value for one in getattr(app, kind)] == [one.value for one in getattr(usual, kind)]
    assert app.selectbox(key="read").value == "Speeches"
    assert app.button_group(key="cells").value == (["GRU"] if "cells" in asked else ["Elman", "GRU", "LSTM"])
    assert NOTE not in said(sound(app.run()))


def test_inputs_of_the_same_key_on_two_pages_share_a_value_only_where_they_mean_the_same() -> None:
    app = opened(GATES, text="Ducks swim.", view="Compare", compare="two texts", other="Geese fly.")
    assert "Geese fly." in [area.value for area in app.text_area]
    followed(app, "Language model")
    assert "Geese fly." not in str(app.query_params)
    followed(app, "Gates")
    assert [area.value for area in app.text_area] == ["Ducks swim.", "Geese fly."]


def test_values_too_long_for_a_link_are_found_by_back_and_the_oldest_are_let_go() -> None:
    app = opened(TAGGING)
    long = [f"Number {number} is long. " * 400 for number in range(address.MOST_LONG + 1)]
    visited = []
    for one in long:
        type_in(app, one)
        visited.append(dict(app.query_params))
        assert len(str(app.query_params)) < 100
    assert text(came_back(app, TAGGING, **visited[-1])) == long[-1]
    assert text(came_back(app, TAGGING, **visited[1])) == long[1]
    assert NOTE not in said(app)
    assert text(came_back(app, TAGGING, **visited[0])) == text(opened(TAGGING))
    assert NOTE in said(app)


def test_back_brings_the_settings_of_a_training() -> None:
    app = opened(TRAINING)
    sound(app.number_input(key="training-set-hidden_size").set_value(24).run())
    first = dict(app.query_params)
    sound(app.number_input(key="training-set-hidden_size").set_value(40).run())
    came_back(app, TRAINING, **first)
    assert app.number_input(key="training-set-hidden_size").value == 24
    followed(app, "Tagging")
    followed(app, "Training")
    assert app.number_input(key="training-set-hidden_size").value == 24
    came_back(app, TRAINING)
    assert (
        app.number_input(key="training-set-hidden_size").value
        == opened(TRAINING).number_input(key="training-set-hidden_size").value
    )


@pytest.mark.parametrize(
    ("page", "link", "key", "leave"),
    [
        (GATES, {"view": "Moments", "span-in": larger_text.OWN}, "span-file", "Tagging"),
        (TRAINING, {"settings": "task=char&source=file"}, "training-file", "Leaderboard"),
    ],
)
def test_a_file_is_still_there_after_a_visit_to_another_page(page: str, link: dict[str, str], key: str, leave: str) -> None:
    app = opened(page, **link)
    sound(app.file_uploader(key=key).set_value(("own.txt", b"A dog ran.\n\nA cat sat.\n\n" * 200, "text/plain")).run())
    before = said(app)
    followed(app, leave)
    followed(app, {GATES: "Gates", TRAINING: "Training"}[page])
    assert "own\\.txt" in said(app)
    assert set(before.split()) <= set(said(app).split())
    sound(app.button(key=f"file-{key}-remove").click().run())
    assert "own\\.txt" not in said(app)
    sound(app.file_uploader(key=key).set_value(("second.txt", b"A dog ran.\n\n" * 200, "text/plain")).run())
    sound(app.file_uploader(key=key).set_value([]).run())
    followed(app, leave)
    followed(app, {GATES: "Gates", TRAINING: "Training"}[page])
    assert "second" not in said(app)


def test_a_slider_is_not_told_what_it_has_said() -> None:
    """It may have been moved on meanwhile, and would jump back."""

    def page() -> None:
        import streamlit as st

        from pages.common import address, inputs

        address.visit("Page")
        st.button("Set", on_click=address.put, args=({"one": 0.2},))
        high = 2.0 if st.checkbox("Wide") else 1.0
        inputs.number("One", 0.0, high, key="one", default=0.5, step=0.05)
        address.finish()

    app = AppTest.from_function(page).run()
    sent = lambda: (app.slider[0].value, app.slider[0].proto.set_value)  # noqa: E731
    assert sent() == (0.5, True)
    app.slider[0].set_value(0.35000000000000003).run()
    assert sent() == (pytest.approx(0.35), False)
    app.button[0].click().run()
    assert sent() == (0.2, True)
    app.checkbox[0].check().run()
    assert sent()[0] == 0.2, "another range, the same value"


def test_a_change_counts_though_the_run_before_was_broken_off() -> None:
    def page() -> None:
        import streamlit as st

        from pages.common import address, inputs

        address.visit("Page")
        if st.session_state.pop("broken off", False):
            st.session_state["one"] = 0.8  # as the browser says of a slider that has been moved on
            st.rerun()
        inputs.number("One", 0.0, 1.0, key="one", default=0.5, step=0.05)
        address.finish()

    app = AppTest.from_function(page).run()
    app.session_state["broken off"] = True
    app.run()
    assert app.slider[0].value == 0.8


def test_what_a_browser_brings_that_has_lost_its_server_wins_over_its_address() -> None:
    """The first change after the connection is made anew comes to a session that knows nothing, with the address from before."""
    before = opened(TAGGING, text="Ducks swim.", task="Entities")
    before.text_area[0].set_value("Geese fly.")
    anew = sound(linked(TAGGING, text="Ducks swim.", task="Entities")._run(before._tree.get_widget_states()))
    assert text(anew) == "Geese fly."
    assert anew.query_params == {"text": "Geese fly.", "task": "Entities"}
    assert NOTE not in said(anew)
    type_in(anew, "Swans sing.")
    assert anew.query_params["text"] == "Swans sing."


def test_one_that_has_changed_nothing_since_finds_the_page_as_it_was() -> None:
    before = opened(TAGGING, text="Ducks swim.", cells=["GRU", "LSTM"])
    anew = sound(linked(TAGGING, text="Ducks swim.", cells=["GRU", "LSTM"])._run(before._tree.get_widget_states()))
    assert text(anew) == "Ducks swim."
    assert anew.query_params == before.query_params
