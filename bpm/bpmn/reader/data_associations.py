"""Data associations that copy values: their assignments are read as input and output mappings (BPMN 2.0.2, 10.4.2).

An association that only draws where data comes from says nothing of variables; it is kept and has no meaning here.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from bpm.bpmn.reader.expression_languages import foreign_language
from bpm.bpmn.reader.extensions import Assignment, Extensions
from bpm.expressions import marked
from bpm.model_files.xml import Tag

_TARGET = re.compile(r"(?:=|[$#]\{)?\s*([A-Za-z_]\w*(?:\.\w+)*)\s*\}?")


def with_associations(tag: Tag, extensions: Extensions) -> Extensions:
    """The extensions of an element with what its data associations map, behind its vendor's mappings."""
    inputs = tuple(_assignments(tag, "dataInputAssociation"))
    outputs = tuple(_assignments(tag, "dataOutputAssociation"))
    if inputs:
        extensions = replace(extensions, inputs=(*(extensions.inputs or ()), *inputs))
    return replace(extensions, outputs=(*extensions.outputs, *outputs)) if outputs else extensions


def _assignments(tag: Tag, kind: str) -> Iterator[Assignment]:
    names = _names(tag)
    for association in tag.all(kind):
        for assignment in association.all("assignment"):
            target = _TARGET.fullmatch(_text(assignment, "to"))
            if target and _text(assignment, "from"):
                yield Assignment(names.get(target[1], target[1]), marked(_text(assignment, "from")))


def find_problems(tag: Tag) -> Iterator[str]:
    """Say what of the data associations of an element can't be done."""
    for kind in ("dataInputAssociation", "dataOutputAssociation"):
        targets = [assignment.target for assignment in _assignments(tag, kind)]
        for target in sorted({target for target in targets if targets.count(target) > 1}):
            yield f"several assignments of its <{kind}> lead to '{target}', of which one alone would be executed"
    for association in (*tag.all("dataInputAssociation"), *tag.all("dataOutputAssociation")):
        if association.first("transformation"):
            yield "the transformation of its data association is not executed; write it as an assignment"
        for assignment in association.all("assignment"):
            source, target = assignment.first("from"), _text(assignment, "to")
            if not _text(assignment, "from") or not _TARGET.fullmatch(target):
                yield "an assignment of its data association must lead <from> an expression <to> the name of a variable"
            elif source and (language := foreign_language(source)):
                yield f"its data association is written in {language}; write FEEL (=a + 1) or ${{a + 1}}"


def _names(tag: Tag) -> dict[str, str]:
    """The names of an element's data inputs and outputs by their ids."""
    specification = tag.first("ioSpecification")
    if specification is None:
        return {}
    data = (*specification.all("dataInput"), *specification.all("dataOutput"))
    return {one.get("id"): one.get("name") for one in data if one.get("name")}


def _text(tag: Tag, name: str) -> str:
    child = tag.first(name)
    return child.text.strip() if child else ""
