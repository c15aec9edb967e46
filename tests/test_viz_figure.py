"""A picture is sent as plotly would send it, and is plotly's own figure as soon as a part of it is asked for."""

import copy
import json
import pickle
from typing import Any

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from seqmodels.viz.figure import picture, plotly_trace

NUMBERS = np.arange(6, dtype=np.float32).reshape(2, 3)


def drawn(**layout: Any) -> go.Figure:
    marker = {"color": np.arange(3), "size": [1, 2, 3]}
    points = plotly_trace("scatter", x=["a", "b", "c"], y=np.arange(3.0), marker=marker, customdata=[["x", 1], ["y", 2], ["z", 3]])
    return picture([plotly_trace("heatmap", z=NUMBERS), points], {"height": 300, "annotations": [{"text": "here"}], **layout})


def test_what_is_sent_is_what_plotly_sends() -> None:
    figure = drawn()
    sent = json.loads(pio.to_json(figure, validate=False))
    assert figure.data[0].z is not NUMBERS, "taken apart"
    assert sent == json.loads(pio.to_json(figure, validate=False))
    assert set(sent["data"][0]["z"]) == {"bdata", "dtype", "shape"}, "its bytes"


@pytest.mark.parametrize(
    "array",
    [
        np.arange(3),
        np.array([-1, 200]),
        np.array([0, 70_000]),
        np.array([2**40]),
        np.array([0.5, np.nan], dtype=np.float16),
        np.arange(12.0).reshape(3, 4).T,
        np.array([], dtype=np.float32),
        np.array(["a", "b"]),
        np.array([True, False]),
        np.array([None, 1], dtype=object),
    ],
)
def test_an_array_is_sent_as_plotly_sends_it(array: np.ndarray) -> None:
    sent = json.loads(pio.to_json(picture([plotly_trace("scatter", customdata=array)], {}), validate=False))
    theirs = json.loads(go.Figure(go.Scatter(customdata=array)).to_json())
    if array.dtype == np.float16:  # plotly writes it out
        theirs = json.loads(go.Figure(go.Scatter(customdata=array.astype(np.float32))).to_json())
    assert sent["data"][0]["customdata"] == theirs["data"][0]["customdata"]


def test_to_send_it_changes_nothing_of_it() -> None:
    figure = drawn()
    first = pio.to_json(figure, validate=False)
    figure.to_dict()["data"][0].pop("z")
    figure.to_dict()["layout"].pop("height")
    assert pio.to_json(figure, validate=False) == first


def test_its_parts_are_plotlys_own() -> None:
    figure = drawn()
    assert isinstance(figure, go.Figure)
    assert [part.type for part in figure.data] == ["heatmap", "scatter"]
    np.testing.assert_array_equal(figure.data[0].z, NUMBERS)
    figure.update_layout(height=400)
    assert figure.layout.height == figure.to_dict()["layout"]["height"] == 400
    with pytest.raises(AttributeError, match="nothing"):
        figure.nothing  # noqa: B018
    with pytest.raises(AttributeError, match="nothing"):
        drawn().nothing  # noqa: B018


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda figure: pickle.loads(pickle.dumps(figure))])
def test_it_can_be_copied_and_pickled(again: Any) -> None:
    figure = drawn()
    assert again(figure) == figure == drawn()
    assert again(figure).layout.height == 300


def test_a_property_that_plotly_lacks_is_named_where_a_part_is_asked_for() -> None:
    with pytest.raises(ValueError, match="colour"):
        _ = drawn(colour="red").layout
