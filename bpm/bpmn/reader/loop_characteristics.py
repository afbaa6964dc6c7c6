"""How an activity is repeated, in BPMN's own words and a vendor's (BPMN 2.0.2, 10.3.8)."""

from dataclasses import dataclass

from bpm.bpmn.reader.attributes import own_attributes
from bpm.bpmn.reader.contradictory import find_contradictions
from bpm.bpmn.reader.misplaced import find_misplaced
from bpm.bpmn.reader.vocabularies import read_extensions
from bpm.model_files.xml import BPMN, Tag

LOOPS = frozenset({"multiInstanceLoopCharacteristics", "standardLoopCharacteristics"})


@dataclass(frozen=True, slots=True)
class LoopCharacteristics:
    """How an activity is repeated: as long as a condition holds, or once for each of many.

    `kind` is standard, sequential or parallel. `condition` is a standard loop's, or ends a multi-instance activity
    early; `maximum` bounds a standard loop; `checks_first`: its condition is asked before the first turn too. The
    collections and items are names or expressions; `index` is a variable that counts from 0; `counts_from` is the first
    value of `loopCounter`; `refusals` say what of it is not executed.
    """

    kind: str
    condition: str = ""
    maximum: str = ""
    checks_first: bool = False
    cardinality: str = ""
    collection: str = ""
    item: str = ""
    index: str = ""
    output_collection: str = ""
    output_item: str = ""
    counts_from: int = 1
    refusals: tuple[str, ...] = ()


def read_loop(tag: Tag, counts_from: int, platform: str) -> LoopCharacteristics | None:
    """Read how an activity is repeated; None if it is not."""
    if standard := tag.first("standardLoopCharacteristics"):
        return LoopCharacteristics(
            kind="standard",
            condition=_text(standard, "loopCondition"),
            maximum=standard.get("loopMaximum"),
            checks_first=own_attributes(standard).get("testBefore") == "true",
            counts_from=counts_from,
        )
    many = tag.first("multiInstanceLoopCharacteristics")
    return _read_multi_instance(many, counts_from, platform) if many else None


def _read_multi_instance(tag: Tag, counts_from: int, platform: str) -> LoopCharacteristics:
    own = [child for child in tag.children if child.namespace == BPMN]
    extensions, refusals = read_extensions(tag, *own, platform=platform)
    if tag.get("behavior") not in ("", "All") or tag.get("oneBehaviorEventRef") or tag.get("noneBehaviorEventRef"):
        refusals = (*refusals, "its behavior throws events between its turns, which is not executed")
    refusals = (*refusals, *find_misplaced(tag.name, extensions))
    item, output = tag.first("inputDataItem"), tag.first("outputDataItem")
    plain = {
        "collection": _text(tag, "loopDataInputRef"),
        "item": item.get("name") if item else "",
        "output_collection": _text(tag, "loopDataOutputRef"),
        "output_item": output.get("name") if output else "",
    }
    refusals = (*refusals, *find_contradictions(tag, extensions, plain))
    return LoopCharacteristics(
        kind="sequential" if own_attributes(tag).get("isSequential") == "true" else "parallel",
        condition=_text(tag, "completionCondition"),
        cardinality=_text(tag, "loopCardinality"),
        collection=extensions.collection or plain["collection"],
        item=extensions.item or plain["item"],
        index=extensions.index,
        output_collection=extensions.output_collection or plain["output_collection"],
        output_item=extensions.output_item or plain["output_item"],
        counts_from=counts_from,
        refusals=refusals,
    )


def _text(tag: Tag, name: str) -> str:
    child = tag.first(name)
    return child.text.strip() if child else ""
