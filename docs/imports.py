"""Draw who imports whom into docs/architecture.md: `python -m docs.imports`."""

from __future__ import annotations

import sys
from pathlib import Path

import grimp

PAGE = Path(__file__).with_name("architecture.md")
BEGIN, END = "<!-- made by `python -m docs.imports` -->\n```mermaid\n", "```\n<!-- end -->\n"


def edges() -> set[tuple[str, str]]:
    """(importer, imported) between parts; an arrow that a longer way says too is left out."""
    graph = grimp.build_graph("pages", "seqmodels", exclude_type_checking_imports=True, cache_dir=None)
    found: dict[str, set[str]] = {}
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            found.setdefault(part(module), set()).add(part(imported))
    for name in found:
        found[name] -= {name, "seqmodels"}
    below = {name: reached(found, name) for name in found}
    return {
        (name, imported)
        for name, direct in found.items()
        for imported in direct
        if not any(imported in below.get(other, set()) for other in direct - {imported})
    }


def part(module: str) -> str:
    """The part of the code that a module is in: a package or file of the library, or a folder of the pages."""
    parts = module.split(".")
    if parts[0] == "pages":
        return "pages.common" if parts[1:2] == ["common"] else "pages"
    return parts[1] if len(parts) > 1 else parts[0]


def reached(found: dict[str, set[str]], name: str) -> set[str]:
    """Every part that a part imports, itself or through others."""
    seen: set[str] = set()
    todo = [*found.get(name, ())]
    while todo:
        if (other := todo.pop()) not in seen:
            seen.add(other)
            todo.extend(found.get(other, ()))
    return seen


def picture() -> str:
    """The arrows as a mermaid diagram."""
    return "flowchart TD\n" + "".join(f"  {importer} --> {imported}\n" for importer, imported in sorted(edges()))


def drawn_into(page: str) -> str:
    """The page with the picture of today."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + picture() + END + after


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    if "--check" in sys.argv[1:]:
        sys.exit(0 if drawn_into(page) == page else f"{PAGE} is out of date: run python -m docs.imports")
    PAGE.write_text(drawn_into(page), encoding="utf-8")


if __name__ == "__main__":
    main()
