"""Vendor extensions -> `Extensions`: one module a vendor's words, one meaning for all.

A namespace that is neither Camunda's nor a relative's is read as ours and BankLingo's: by local name, so
that any prefix and any address will do. What carries no execution meaning is kept; what carries one that the
engine lacks is refused by name.
"""

from collections.abc import Callable, Iterator
from functools import partial

from bpm.bpmn.reader.extensions import Extensions
from bpm.bpmn.reader.vocabularies import banklingo, camunda, own, zeebe
from bpm.bpmn.reader.vocabularies.fields import Dialect, Fields
from bpm.model_files.xml import BPMN, Tag

_DIALECTS: dict[str, Dialect] = {
    "http://camunda.org/schema/zeebe/1.0": zeebe.DIALECT,
    "http://camunda.org/schema/1.0/bpmn": camunda.DIALECT,
    "http://operaton.org/schema/1.0/bpmn": camunda.DIALECT,
    "http://flowable.org/bpmn": camunda.DIALECT,
    "http://activiti.org/bpmn": camunda.DIALECT,
    "http://www.camunda.com/fox": camunda.DIALECT,
}
_OTHERS = Dialect(
    attributes=own.DIALECT.attributes,
    children={**own.DIALECT.children, **banklingo.DIALECT.children},
    child_attributes=own.DIALECT.child_attributes,
    repeated=own.DIALECT.repeated,
    refused={
        **dict.fromkeys(
            ("preScript", "postScript", "onEntry-script", "onExit-script"),
            "scripts before and after an element are not executed; put script tasks around it",
        ),
        **dict.fromkeys(
            ("payloadExpression", "messagePayload", "processVariableCorrelation"),
            "SpiffWorkflow's messages are not executed; use <bpm:message> with a correlationKey and parameters",
        ),
    },
)
_NOTHING = Extensions()
_PLATFORM = "{http://camunda.org/schema/modeler/1.0}executionPlatform"
_PLATFORMS = {
    "Camunda Cloud": "http://camunda.org/schema/zeebe/1.0",
    "Camunda Platform": "http://camunda.org/schema/1.0/bpmn",
}


def is_of_camunda_7(root: Tag) -> bool:
    """Whether a file is for Camunda 7 or a relative: it says so, or somewhere uses their words."""
    platform = root.get(_PLATFORM)
    return platform == "Camunda Platform" or (not platform and _uses_camunda_7(root))


def _uses_camunda_7(tag: Tag) -> bool:
    names = (name[1:].partition("}")[0] for name in tag.attributes if name[0] == "{")
    if any(_DIALECTS.get(name) is camunda.DIALECT for name in (tag.namespace, *names)):
        return True
    return any(_uses_camunda_7(child) for child in tag.children)


def find_platform(root: Tag) -> str:
    """The namespace of the words of the platform that a file says it is for; empty if it says none."""
    return _PLATFORMS.get(root.get(_PLATFORM), "")


def read_extensions(*tags: Tag, platform: str = "") -> tuple[Extensions, tuple[str, ...]]:
    """Read what the extensions of an element (and of its event definitions) mean, and what is refused.

    Where the words of several vendors differ, those in the namespace `platform` count.
    """
    words = [word for tag in tags for word in _words(tag)]
    if not words:
        return _NOTHING, ()
    fields = Fields()
    for namespace, read in words:
        if namespace != platform:
            read(fields)
    fields.prefer_what_follows()
    for namespace, read in words:
        if namespace == platform:
            read(fields)
    fields.check_body()
    return fields.extensions(), tuple(fields.refusals)


def _words(tag: Tag) -> Iterator[tuple[str, Callable[[Fields], None]]]:
    """The namespace of each vendor's attribute and extension element of a tag, and how it is read."""
    for name, value in tag.attributes.items():
        if name[0] == "{":
            namespace, _, local = name[1:].partition("}")
            yield namespace, partial(find_dialect(namespace).read_attribute, local, value)
    holder = tag.first("extensionElements")
    for child in holder.children if holder else ():
        if child.namespace != BPMN:
            yield child.namespace, partial(find_dialect(child.namespace).read_child, child)


def find_dialect(namespace: str) -> Dialect:
    """The words of a namespace; ours, unless it is a vendor's."""
    return _DIALECTS.get(namespace, _OTHERS)


def is_vendors(namespace: str) -> bool:
    """Whether a namespace is one of the vendors' whose words are known."""
    return namespace in _DIALECTS
