"""The stylesheets: a picture carries its own part along, and every colour comes from the palette."""

import re
from pathlib import Path

import pytest

from seqmodels.viz import law, palette, style

ROOT = Path(style.__file__).parent.parent.parent
SHEETS = (ROOT / "seqmodels/viz/style.css", ROOT / "pages/common/style.css")


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.parent.name)
def test_a_stylesheet_has_no_colour_of_its_own(sheet: Path) -> None:
    css = sheet.read_text()
    assert style.tag(css).count("light-dark(") == len(set(re.findall(r"var\(--sm-[\w-]+\)", css))) > 5
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", css)) <= {"#000"}, "masks are black where they show"


def test_a_picture_carries_its_rules_and_their_colours_along() -> None:
    found = law.law()
    assert found.startswith("<style>:root{--sm-")
    assert palette.MU.css in found
    assert ".sm-strip" not in found, "it has no rules of other pictures"


def test_a_colour_that_the_palette_lacks_is_an_error() -> None:
    with pytest.raises(KeyError, match="--sm-pink"):
        style.tag("a { color: var(--sm-pink); }")
