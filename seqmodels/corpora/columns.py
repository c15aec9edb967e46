"""What a user may say of a file's columns, where what is in them does not say it."""

from __future__ import annotations

from dataclasses import dataclass

from seqmodels.fields import Range, check, setting

LONGEST_TYPES = 300  # characters


def _own_file(values: object) -> bool:
    return isinstance(values, dict) and values.get("source") == "file"


def _tags(task: object) -> bool:
    return getattr(task, "predicts", None) == "tags"


def _entities(task: object) -> bool:
    return getattr(task, "metric", None) == "f1"


@dataclass(frozen=True)
class Columns:
    """What a user says of a file's columns, counted from 1, and of its entity types; None and "" leave it to the values.

    `types` is such as "a=PER,b=LOC,c=O": the file's type, and what it is read as.
    """

    word_column: int | None = setting(
        None,
        "Word column",
        "Which column of your file holds the words, counted from 1. Empty: found by what is in the columns.",
        none="found",
        valid=Range(1, 100),
        steps=(1, 100, 1),
        tasks=_tags,
        when=_own_file,
    )
    tag_column: int | None = setting(
        None,
        "Tag column",
        "Which column of your file holds the tags, counted from 1. Empty: found by what is in the columns.",
        none="found",
        valid=Range(1, 100),
        steps=(1, 100, 1),
        tasks=_tags,
        when=_own_file,
    )
    types: str = setting(
        "",
        "Types",
        "Other names for the entity types of your file, such as Gene=Protein,Drug=O. O stands for no entity.",
        none="as in the file",
        longest=LONGEST_TYPES,
        tasks=_entities,
        when=_own_file,
    )

    def __post_init__(self) -> None:
        check(self)
        if self.word_column is not None and self.word_column == self.tag_column:
            raise ValueError(f"word_column and tag_column are both {self.word_column}: give two different columns")
        if len(self.types) > LONGEST_TYPES:
            raise ValueError(f"types have {len(self.types)} characters: give at most {LONGEST_TYPES}")
        self.renamed()

    def renamed(self) -> dict[str, str]:
        """The new name of each type that `types` names. ValueError if it is not of the form a=PER,b=LOC."""
        found: dict[str, str] = {}
        for pair in filter(None, (part.strip() for part in self.types.split(","))):
            kind, given, name = (part.strip() for part in pair.partition("="))
            if not given or not kind or not name or " " in name or "=" in name:
                raise ValueError(f"types are {self.types!r}: give them as in a=PER,b=LOC,c=O")
            if found.setdefault(kind, name) != name:
                raise ValueError(f"types name {kind!r} twice, as {found[kind]} and as {name}: give it once")
        return found
