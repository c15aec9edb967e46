"""The lesson: its places, its bar on every page, predictions made before a picture is seen, and exercises that are checked."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from pages.common import lesson
from pages.common.lesson import progress
from pages.common.page import PAGES
from seqmodels import checkpoints, traces
from seqmodels.inference import tag
from seqmodels.runs import History, Progress, Status, read_history, status
from seqmodels.traces import Clamp
from tests.paging import GATES, LEADERBOARD, OVERVIEW, TAGGING, UNITS, followed, html, opened, said, sound, turned, view_of
from tests.running import finish, make

NAMES = list(lesson.PLACES)
STEPS = [name for name in NAMES if isinstance(lesson.PLACES[name], lesson.Step)]


@pytest.fixture
def _small(fresh_cache: None, all_tiny_checkpoints: object, own_folders: None) -> None:
    """Pages on small random models."""


on_pages = pytest.mark.usefixtures("_small")


def hides(app: AppTest) -> bool:
    """Whether what the page shows waits for a prediction."""
    return 'class="predict-first"' in html(app)


def labels(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.get("page_link")]


def test_there_are_about_twelve_steps_and_six_exercises_on_pages_that_exist() -> None:
    assert 11 <= len(lesson.STEPS) <= 13
    assert len(lesson.EXERCISES) == 6
    assert {place.path for place in lesson.PLACES.values()} <= {page.path for page in PAGES}
    keys = [place.key for place in lesson.PLACES.values()]
    assert len(set(keys)) == len(keys)
    for step in lesson.STEPS:
        assert 0 <= step.right < len(step.choices)
        assert len(set(step.choices)) == len(step.choices) >= 3


@on_pages
@pytest.mark.parametrize("name", NAMES)
def test_each_place_opens_by_a_link_with_all_that_it_sets_and_leads_on(name: str) -> None:
    place = lesson.PLACES[name]
    link = {key: value if isinstance(value, list) else str(value) for key, value in place.values.items() if value is not None}
    app = opened(place.path, lesson=name, **link)
    assert "not here" not in said(app)
    assert hides(app) == isinstance(place, lesson.Step)
    assert [label in labels(app) for label in ("As it was", "Finish" if name == NAMES[-1] else "Next")] == [True, True]


@on_pages
def test_what_a_step_sets_is_on_screen_after_a_walk_from_another_step_of_the_same_page() -> None:
    app = followed(opened(OVERVIEW), "2. The plain network, and its two meanings")
    assert view_of(app) == "Square"
    assert app.button_group(key="cells").value == ["Elman", "Ungated sum"]
    sound(app.button_group(key="cells").set_value(["LSTM"]).run())
    app = followed(app, "As it was")
    assert app.button_group(key="cells").value == ["Elman", "Ungated sum"]
    app = followed(app, "Next")
    assert view_of(app) == "Gap"
    assert app.button_group(key="cells").value == ["Elman", "LSTM"]
    sound(app.text_area(key="text").set_value("Ducks swim quietly.").run())
    assert app.text_area(key="text").value == "Ducks swim quietly."
    app = followed(app, "Previous")
    assert app.text_area(key="text").value == lesson.STEPS[1].values["text"]


@on_pages
def test_a_prediction_shows_the_picture_and_says_what_happens() -> None:
    step = lesson.STEPS[0]
    app = opened(TAGGING, lesson="1")
    assert hides(app)
    assert step.happens not in said(app)
    app = sound(app.button(key="lesson-choice-0").click().run())
    assert not hides(app)
    assert f"You said “{step.choices[0]}”" in said(app)
    assert step.happens in said(app)
    assert not hides(followed(followed(app, "Next"), "Previous")), "a prediction is made once"


@on_pages
@pytest.mark.parametrize(("button", "words"), [("lesson-choice-1", "**As you said:** "), ("lesson-skip", "")])
def test_one_that_is_right_or_skipped_is_answered_too(button: str, words: str) -> None:
    app = sound(opened(TAGGING, lesson="1").button(key=button).click().run())
    assert any(element.value.startswith(words + lesson.STEPS[0].happens) for element in app.markdown)


@on_pages
def test_on_another_page_the_bar_leads_back_and_hides_nothing() -> None:
    app = opened(LEADERBOARD, lesson="2")
    assert not hides(app)
    app = followed(app, "Step 2 of 13 is on the page Gates")
    assert view_of(app) == "Square"
    assert hides(app)


@on_pages
def test_the_lesson_goes_along_to_other_views_and_can_be_left() -> None:
    app = turned(opened(GATES, view="Square", lesson="2"), "Gap")
    assert app.query_params["lesson"] == "2"
    app = sound(app.button(key="lesson-leave").click().run())
    assert not hides(app)
    assert "lesson" not in app.query_params
    assert "Next" not in labels(app)


@on_pages
def test_an_address_that_says_nothing_but_a_step_opens_the_page_as_the_step_sets_it() -> None:
    app = opened(GATES, lesson="3")
    assert view_of(app) == "Gap"
    assert app.text_area(key="text").value == lesson.STEPS[2].values["text"]
    app = sound(app.text_area(key="text").set_value("Ducks swim quietly.").run())
    assert app.text_area(key="text").value == "Ducks swim quietly."
    assert app.query_params["view"] == "Gap"
    assert view_of(opened(GATES, lesson="3", view="Square")) == "Square", "what else an address says counts"
    assert "Go on: step 3 of 13" in labels(opened(OVERVIEW, lesson="3"))


@on_pages
def test_an_address_with_no_such_step_says_so() -> None:
    app = opened(TAGGING, lesson="99")
    assert "not here" in said(app)
    assert not hides(app)


@on_pages
def test_the_overview_leads_into_the_lesson_and_back_to_where_one_was() -> None:
    app = opened(OVERVIEW)
    app = followed(app, "Start the lesson")
    app = sound(app.button(key="lesson-skip").click().run())
    app = followed(followed(app, "Next"), "Overview")
    assert "**Steps**, 1 of 13 done" in said(app)
    assert "Go on: step 2 of 13" in labels(app)
    app = sound(app.button(key="overview-restart").click().run())
    assert "**Steps**, 0 of 13 done" in said(app)


@pytest.mark.parametrize(
    ("sent", "steps"),
    [
        ('{"predictions": {"plain": 1}, "solved": ["cut"]}', {"plain": 1}),
        ("", None),
        ("[]", None),
        ('{"predictions": {"plain": "x"}, "solved": []}', None),
        ('{"predictions": [], "solved": []}', None),
        (json.dumps({"predictions": {str(number): 1 for number in range(5000)}, "solved": []}), None),
        (None, None),
        (7, None),
    ],
)
def test_what_a_browser_gives_back_is_progress_or_nothing(sent: object, steps: dict[str, int] | None) -> None:
    found = progress._read(sent)
    assert (None if found is None else found.predictions) == steps


# exercises: where they begin nothing is reached yet, and each can be reached


def exercise(key: str) -> lesson.Exercise:
    return next(one for one in lesson.EXERCISES if one.key == key)


def taggings(task: str, text: str) -> list:
    return [tag(checkpoints.load(f"{task}-{cell}"), text) for cell in ("gru", "lstm")]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("two-jobs", "They play a play."),
        ("disagree", "Paris Hilton never met Michael Jordan in Jordan."),
    ],
)
def test_a_sentence_reaches_its_goal(key: str, text: str) -> None:
    found = exercise(key)
    assert not found.reached(taggings(found.values["task"], found.values["text"]))
    assert found.reached(taggings(found.values["task"], text))


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("wiped", {"text": "Bob walked home, and then the train left.", "token": "2"}),
        ("cut", {"token": "3", "clamps": "mu=0@here"}),
    ],
)
def test_a_selection_reaches_its_goal_and_the_page_says_so(
    key: str, changes: dict[str, str], fresh_cache: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEQMODELS_CHECKPOINTS", raising=False)
    found = exercise(key)
    name = next(name for name, place in lesson.PLACES.items() if place is found)
    link = {one: value for one, value in found.values.items() if value is not None}
    assert found.reward not in said(opened(GATES, lesson=name, **link))
    assert found.reward in said(opened(GATES, lesson=name, **(link | changes)))


@pytest.mark.thorough
@pytest.mark.usefixtures("fresh_cache")
def test_words_that_a_unit_follows_reach_the_goal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEQMODELS_CHECKPOINTS", raising=False)
    found = exercise("followed")
    name = next(name for name, place in lesson.PLACES.items() if place is found)
    app = opened(UNITS, lesson=name)  # such an address, typed, stands for all that the exercise sets
    assert found.reward not in said(app)
    assert app.selectbox(key="that").value == "follow words of yours"
    app = sound(app.text_input(key="words").set_value("the").run())
    assert found.reward in said(app)


def test_a_word_that_was_held_itself_is_no_thread_that_was_cut() -> None:
    model, text = checkpoints.load("ner-gru"), "Angela Merkel met Emmanuel Macron in the Bank of England."
    everywhere = Clamp("mu", 1.0)
    runs = [(traces.intervene(model, text), traces.intervene(model, text, [everywhere]))]
    before, after = runs[0]
    assert before.tagging is not None
    assert after.tagging is not None
    assert [token.tag for token in before.tagging.tokens] != [token.tag for token in after.tagging.tokens]
    assert not exercise("cut").reached(([everywhere], runs))


@pytest.mark.parametrize(
    ("ended", "mark", "seconds", "reached"),
    [
        ("failed", {"kind": "failed", "diverged": True}, 3.0, True),
        ("failed", {"kind": "failed", "diverged": True}, 30.0, False),
        ("failed", {"kind": "failed"}, 3.0, False),
        ("finished", {"kind": "finished"}, 3.0, False),
    ],
)
def test_a_run_has_to_explode_and_soon(ended: str, mark: dict, seconds: float, reached: bool) -> None:
    history = History(marks=[mark])
    assert exercise("exploded").reached((Status(ended, Progress(seconds=seconds)), history)) == reached  # type: ignore[arg-type]


def test_a_run_that_diverges_reaches_the_goal_by_what_its_log_says(own_folders: None) -> None:
    run = make(cell="elman", activation="relu", optimizer="sgd", learning_rate=1e30, clip="none")
    finish(run)
    assert exercise("exploded").reached((status(run), read_history(run)))
