"""Entity tags: the schemes that files use, all read as IOB2, and the names that entity types go by."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from seqmodels.corpora.reports import OUTSIDE, Sentence

ENTITY_TYPES = ("LOC", "ORG", "PER")
ENTITY_TAGS = (OUTSIDE, *(f"{prefix}-{kind}" for kind in ENTITY_TYPES for prefix in "BI"))

_TAG = re.compile(r"O|[BIESLUM]-.+")
_OTHER_SPELLING = re.compile(r"([BIESLUMW])[-_](.+)", re.IGNORECASE)  # W of BMEWO is what S is elsewhere
_CHUNKS = frozenset("ADJP ADVP CONJP INTJ LST NP PP PRT SBAR UCP VP NC PC VC".split())  # phrases, of CoNLL-2000 and its like
_SYNONYMS = (  # names of one and the same type
    "per person persons pers people",
    "loc location locations",
    "org orgs organization organizations organisation organisations",
    "gpe geopoliticalentity",
    "fac facility",
    "corp corporation",
)
_USUAL = {  # narrower types, which are read as the wider one where there is no closer match
    "loc": "gpe geopoliticalentity geo geoloc place city town country state region continent fac facility",
    "org": "corp corporation company business firm group institution agency team sportsteam politicalparty university",
}
_SAME = {name: names.split()[0] for names in _SYNONYMS for name in names.split()}
_WIDER = {name: wider for wider, names in _USUAL.items() for name in names.split()}


def is_entity_tag(tag: str) -> bool:
    """O, or a type with a prefix of IOB1, IOB2, IOBES, BILOU or BMES."""
    return _TAG.fullmatch(tag) is not None


def usual_spelling(tag: str) -> str:
    """O for o, B-per for b-per and B_per: a tag as `is_entity_tag` knows it, or the text as it is."""
    if tag == "o":
        return OUTSIDE
    found = _OTHER_SPELLING.fullmatch(tag)
    return tag if found is None else f"{found[1].upper().replace('W', 'S')}-{found[2]}"


def is_phrase(kind: str) -> bool:
    """Whether a type is one of phrases, such as NP, and none of entities."""
    return kind.upper() in _CHUNKS


def to_iob2(tags: Sequence[str]) -> list[str]:
    """The tags of a sentence, in whatever scheme, to IOB2.

    An entity starts at B, S or U, after E, S, L, U or no entity, and where the type changes: seqeval's default reading.
    """
    fixed = []
    before = OUTSIDE
    for tag in tags:
        if tag != OUTSIDE:
            starts = tag[0] in "BSU" or before[1:] != tag[1:] or before[0] in "ESLU"
            fixed.append(f"{'B' if starts else 'I'}{tag[1:]}")
        else:
            fixed.append(OUTSIDE)
        before = tag
    return fixed


def scheme_of(sentences: Iterable[Sequence[str]]) -> tuple[str, int]:
    """The scheme that a file's own tags follow (IOB1, IOB2, IOBES, BILOU or BMES), and how many entities of IOB2 begin with I."""
    starts: Counter[str] = Counter()  # how entities begin: "I", "B" after no entity of the type, "BB" after one
    seen = set()
    for tags in sentences:
        before = OUTSIDE
        for tag in tags:
            if tag != OUTSIDE:
                seen.add(tag[0])
                touches = before[1:] == tag[1:]
                if tag[0] == "B" or not touches:
                    starts[tag[0] * (2 if touches else 1)] += 1
            before = tag
    for letters, name in (("LU", "BILOU"), ("M", "BMES"), ("ES", "IOBES")):
        if seen.intersection(letters):
            return name, 0
    return ("IOB2", starts["I"]) if starts["B"] or not starts["I"] else ("IOB1", 0)


def match_types(found: Iterable[str], known: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """The type among `known` that each type found is read as; one that matches none is left out.

    As `given`; else under the same name, that in another case, or another name of the same type; else as the wider type that it
    usually counts as; else by the first part of its name, as of person-actor, or by what follows GPE in GPE_ORG.
    """
    any_case = {kind.lower(): kind for kind in reversed(known)}
    same = {_base(kind): kind for kind in reversed(known)}
    wider = {base: [kind for kind in known if _wider(kind) == base] for base in map(_wider, known)}
    matches: dict[str, str] = {}
    for kind in found:
        name = given.get(kind, kind)
        match = name if name in known else any_case.get(name.lower()) or same.get(_base(name)) or same.get(_wider(name))
        if match is None and len(narrower := wider.get(_wider(name), [])) == 1:
            match = narrower[0]
        if match is None and (part := _head(name)) in _SAME:
            match = same.get(_SAME[part])
        if name != OUTSIDE and match is not None:
            matches[kind] = match
    return matches


def plain_name(kind: str) -> str:
    """PER, LOC or ORG for a synonym of one of them, so that they are learned under the names of the shipped models."""
    base = _base(kind).upper()
    return base if base in ENTITY_TYPES else kind


def rename_types(sentences: Iterable[Sentence], name: Callable[[str], str | None]) -> list[Sentence]:
    """IOB2 tags under other types; a type that has no name becomes O. Two neighbours that share a new name stay two entities."""
    names: dict[str, str] = {OUTSIDE: OUTSIDE}

    def renamed(tag: str) -> str:
        kind = name(tag[2:])
        return f"{tag[0]}-{kind}" if kind else OUTSIDE

    found = []
    for sentence in sentences:
        for tag in sentence.tags:
            if tag not in names:
                names[tag] = renamed(tag)
        found.append(replace(sentence, tags=tuple(names[tag] for tag in sentence.tags)))
    return found


def _base(kind: str) -> str:
    plain = re.sub(r"[\W_]+", "", kind).lower()
    return _SAME.get(plain, plain)


def _head(kind: str) -> str:
    """The first part of a name of several: person of person-actor; a place that acts is what is said of it, ORG of GPE_ORG."""
    parts = [part for part in re.split(r"[\W_]+", kind.lower()) if part]
    return parts[1] if len(parts) > 1 and parts[0] == "gpe" else parts[0] if parts else ""


def _wider(kind: str) -> str:
    return _WIDER.get(_base(kind), _base(kind))
