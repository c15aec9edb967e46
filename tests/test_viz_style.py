"""The stylesheets: a picture carries its own part along, and every colour comes from the palette."""

import re
from pathlib import Path

import pytest

from seqmodels.viz import law, palette, style

ROOT = Path(style.__file__).parent.parent.parent
SHEETS = (ROOT / "seqmodels/viz/style.css", *sorted((ROOT / "pages/common/styles").glob("*.css")))
each = pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.stem)


@each
def test_a_stylesheet_has_no_colour_of_its_own(sheet: Path) -> None:
    css = sheet.read_text()
    assert style.tag(css).count("light-dark(") == len(set(re.findall(r"var\(--sm-[\w-]+\)", css)))
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", css)) <= {"#000"}, "masks are black where they show"


@each
def test_no_rule_makes_a_browser_look_at_the_whole_page_for_each_text_that_a_picture_measures(sheet: Path) -> None:
    assert not re.findall(r":root:(?:has|not\(:has).*", sheet.read_text())


def test_a_picture_carries_its_rules_and_their_colours_along() -> None:
    found = law.law()
    assert found.startswith("<style>:root{--sm-")
    assert palette.MU.css in found
    assert ".sm-strip" not in found, "it has no rules of other pictures"


def test_a_colour_that_the_palette_lacks_is_an_error() -> None:
    with pytest.raises(KeyError, match="--sm-pink"):
        style.tag("a { color: var(--sm-pink); }")
