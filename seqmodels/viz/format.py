"""Numbers as a reader sees them: one way for each kind, in every picture and on every page."""

from __future__ import annotations

import math

NO_BREAK = "\u00a0"  # a blank at which no line ends
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def unbroken(text: str) -> str:
    """The text in one line, however little room there is."""
    return text.replace(" ", NO_BREAK)


def percent(share: float, digits: int = 2) -> str:
    """So many digits at most, and two places: '31 %', '4.2 %', '0.42 %', '< 0.01 %'; with three digits '31.4 %'."""
    value = 100 * share
    if value == 0:
        return "0 %"
    if 0 < value < 0.01:
        return "< 0.01 %"
    whole = (value >= 1) + (value >= 10) + (value >= 100)  # digits before the point: a page shows hundreds of shares
    for places in range(min(2, digits - whole) if whole else 2, 0, -1):
        text = f"{value:.{places}f}"
        if len(text.replace(".", "").lstrip("0")) <= digits:
            return f"{text} %"
    return f"{value:.0f} %"


def part(share: float) -> str:
    """A share in words, however small: '31 %', '0.42 %', '3·10⁻⁹', 'nothing'."""
    if share == 0:
        return "nothing"
    return percent(share) if share >= 1e-4 else scientific(share)


def signed(value: float, places: int = 2) -> str:
    """'+1.20', '−0.35'; what rounds to zero has no sign."""
    text = f"{value:+.{places}f}".replace("-", "−")
    return text if text.strip("+−0.") else text[1:]


def number(value: float) -> str:
    """Three places with a true minus sign; none of an exact 0 or 1, and a smaller value as a power of ten."""
    value = float(value)
    if value in (0, 1):
        return f"{value:.0f}"
    return f"{value:.3f}".replace("-", "−") if abs(value) >= 0.0005 else scientific(value)


def scientific(value: float) -> str:
    """One digit: '3·10⁻⁹'."""
    digit, _, exponent = f"{value:.0e}".partition("e")
    return f"{digit.replace('-', '−')}·{power(int(exponent))}"


def power(exponent: int) -> str:
    """Of ten: '1', '10⁻³'."""
    return f"10{str(exponent).translate(_RAISED)}" if exponent else "1"


def duration(tokens: float) -> str:
    """A half-life in words: '0', '0.27 tokens', '13 tokens', 'without end'."""
    if math.isinf(tokens):
        return "without end"
    if tokens == 0:
        return "0"
    return f"{tokens:,.2f} tokens" if tokens < 10 else f"{tokens:,.0f} tokens"


def counted(number: int, noun: str) -> str:
    """'1 word', '1,234 characters'."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
