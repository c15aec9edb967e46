"""Numbers as a reader sees them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmodels.viz import format


@pytest.mark.parametrize(
    ("share", "two", "three"),
    [
        (0, "0 %", "0 %"),
        (3e-5, "< 0.01 %", "< 0.01 %"),
        (0.0004, "0.04 %", "0.04 %"),
        (0.0312, "3.1 %", "3.12 %"),
        (0.0996, "10 %", "9.96 %"),
        (0.314, "31 %", "31.4 %"),
        (0.9997, "100 %", "100 %"),
        (2.64, "264 %", "264 %"),
    ],
)
def test_a_percentage_has_two_or_three_digits(share: float, two: str, three: str) -> None:
    assert (format.percent(share), format.percent(share, 3)) == (two, three)


@pytest.mark.parametrize(("share", "text"), [(0, "nothing"), (3.2e-9, "3·10⁻⁹"), (0.0031, "0.31 %"), (1, "100 %")])
def test_a_part_is_named_however_small(share: float, text: str) -> None:
    assert format.part(share) == text


@pytest.mark.parametrize(("value", "text"), [(1.2, "+1.20"), (-0.349, "−0.35"), (-0.001, "0.00"), (0, "0.00")])
def test_a_signed_number_has_a_true_minus_and_zero_no_sign(value: float, text: str) -> None:
    assert format.signed(value) == text


@pytest.mark.parametrize(
    ("given", "shown"),
    [(0, "0"), (1, "1"), (-0.5, "−0.500"), (12.3456, "12.346"), (0.99999, "1.000"), (3e-8, "3·10⁻⁸"), (-2e-4, "−2·10⁻⁴")],
)
def test_three_places_and_nothing_small_looks_like_nothing(given: float, shown: str) -> None:
    assert format.number(given) == shown


@pytest.mark.parametrize(
    ("tokens", "text"), [(0, "0"), (0.274, "0.27 tokens"), (12.6, "13 tokens"), (1234, "1,234 tokens"), (np.inf, "without end")]
)
def test_a_half_life_in_words(tokens: float, text: str) -> None:
    assert format.duration(tokens) == text


def test_a_count_agrees_with_its_noun() -> None:
    assert [format.counted(count, "word") for count in (0, 1, 1234)] == ["0 words", "1 word", "1,234 words"]


@given(st.floats(0, 1))
def test_a_percentage_is_near_its_share(share: float) -> None:
    text = format.percent(share)
    assert abs(float(text.removesuffix(" %").removeprefix("< ")) - 100 * share) <= 0.5
