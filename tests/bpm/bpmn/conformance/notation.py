"""A compact notation for process models and plays, so that a hundred of them can be read.

== What holds, in one sentence
start s; user t; end e                 elements: kind and id
boundary b on t: timer PT1H            events after a colon; `boundary~`, `start~` do not interrupt
complex g: activationCount >= 2        when a complex gateway goes on
catch c: message m or signal g         several events, of which one is enough; with `and` all have to happen
adhoc p ordering="Sequential": n > 1 { an ad hoc sub-process, with attributes and its completion condition
sub p { …                              scopes, closed by a line with }
s -> t -> e                            flows; at the end of a line `if <condition>` or `default`
user t many parallel over items as i   repetition: `many (parallel|sequential) (over x as i | 3 times) [until c]`
                                       or `loop [first] [while c] [max n]`
task h undo; b ~~ h                    a compensation handler and its association
t << x = n + 1; t >> y = x             what goes into an element, and what comes out
b @ camunda:errorCodeVariable=code     an attribute of an element
--
start a=1                              the play: start, do, done, fail, fire, message, signal, retry, skip
= s                                    the elements completed so far, in their order
? t b                                  what is waited for now, in alphabetical order
: a == 1                               a variable
! WAITING                              the status
-->                                    another version of the model, and the play that goes on with it; it begins with
lacks t                                where the instance can't go on with it, which is refused for these elements
"""

import re
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic_core import from_json

TAGS = {
    "start": "startEvent", "end": "endEvent", "throw": "intermediateThrowEvent", "catch": "intermediateCatchEvent",
    "boundary": "boundaryEvent", "task": "task", "user": "userTask", "service": "serviceTask", "script": "scriptTask",
    "receive": "receiveTask", "send": "sendTask", "manual": "manualTask", "call": "callActivity",
    "rule": "businessRuleTask", "xor": "exclusiveGateway", "and": "parallelGateway", "or": "inclusiveGateway",
    "event": "eventBasedGateway",
    "complex": "complexGateway",
    "adhoc": "adHocSubProcess", "sub": "subProcess", "esp": "subProcess", "tx": "transaction",
}  # fmt: skip
DECORATION = re.compile(r"(\S+) (<<|>>|@) ([\w.:]+) ?= ?(.*)")
DECLARED = {"message": "name", "signal": "name", "error": "errorCode", "escalation": "escalationCode"}


@dataclass(frozen=True)
class Version:
    """One version of a model, and what is played with it."""

    body: str
    head: str
    play: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """The versions of a model that an instance goes through, mostly one alone."""

    name: str
    versions: tuple[Version, ...]


def read_cases(path: Path) -> list[Case]:
    """Read every case of a file."""
    return [_case(text) for text in path.read_text().split("\n== ")[1:]]


def _case(text: str) -> Case:
    title, _, rest = text.partition("\n")
    return Case(title.strip(), tuple([_version(part) for part in rest.split("\n-->\n")]))


def _version(text: str) -> Version:
    model, _, play = text.partition("\n--\n")
    writer = Writer()
    for line in model.split("\n"):
        for statement in line.split("; "):
            if statement.strip() and not statement.startswith("#"):
                writer.write(statement.strip())
    lines = [line.strip() for line in play.split("\n") if line.strip()]
    return Version("\n".join(writer.xml), "".join(writer.declarations.values()), tuple(lines))


class Writer:
    """Writes BPMN from statements."""

    def __init__(self) -> None:
        self.xml: list[str] = []
        self.declarations: dict[str, str] = {}
        self.open: list[str] = []
        self.conditions: list[str] = []

    def write(self, statement: str) -> None:
        if statement == "}":
            tag = self.open.pop()
            self.xml.append(self.conditions.pop() if tag == TAGS["adhoc"] else "")
            self.xml.append(f"</{tag}>")
        elif decoration := DECORATION.fullmatch(statement):
            self.decorate(*decoration.groups())
        elif " -> " in statement:
            self.flows(statement)
        elif " ~~ " in statement:
            source, target = statement.split(" ~~ ")
            self.xml.append(f'<association id="as-{source}" sourceRef="{source}" targetRef="{target}"/>')
        else:
            self.element(statement)

    def decorate(self, name: str, sign: str, target: str, value: str) -> None:
        """Add an attribute to an element that was written, or an entry of a mapping."""
        place = next(i for i, line in enumerate(self.xml) if f' id="{name}"' in line)
        if sign == "@":
            self.xml[place] = self.xml[place].replace(f' id="{name}"', f' id="{name}" {target}="{escape(value)}"', 1)
            return
        word = "input" if sign == "<<" else "output"
        entry = f'<zeebe:{word} source="={escape(value)}" target="{target}"/>'
        opening, _, inner = self.xml[place].partition(">")
        if "<zeebe:ioMapping>" in inner:
            inner = inner.replace("</zeebe:ioMapping>", f"{entry}</zeebe:ioMapping>", 1)
        else:
            extensions = f"<extensionElements><zeebe:ioMapping>{entry}</zeebe:ioMapping>"
            is_extended = inner.startswith("<extensionElements>")
            inner = extensions + (
                inner.removeprefix("<extensionElements>") if is_extended else f"</extensionElements>{inner}"
            )
        self.xml[place] = f"{opening}>{inner}"

    def flows(self, statement: str) -> None:
        path, _, condition = statement.partition(" if ")
        is_default = path.endswith(" default")
        names = path.removesuffix(" default").split(" -> ")
        for source, target in pairwise(names):
            text = f"<conditionExpression>={escape(condition)}</conditionExpression>" if condition else ""
            self.xml.append(f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}">{text}')
            self.xml.append("</sequenceFlow>")
            if is_default:
                place = next(i for i, line in enumerate(self.xml) if f' id="{source}"' in line)
                self.xml[place] = self.xml[place].replace(
                    f'id="{source}"', f'id="{source}" default="{source}-{target}"'
                )

    def element(self, statement: str) -> None:
        is_scope = statement.endswith("{")
        head, _, event = statement.removesuffix("{").strip().partition(": ")
        kind, name, *words = head.split()
        silent = kind.endswith("~")
        kind = kind.removesuffix("~")
        attributes, inner = f' id="{name}"', ""
        if kind == "adhoc":
            attributes += "".join(f" {word}" for word in words)
            self.conditions.append(f"<completionCondition>={escape(event)}</completionCondition>" if event else "")
        if kind == "boundary":
            attributes += f' attachedToRef="{words[1]}" cancelActivity="{str(not silent).lower()}"'
        elif kind == "start" and silent:
            attributes += ' isInterrupting="false"'
        if kind == "esp":
            attributes += ' triggeredByEvent="true"'
        if "undo" in words:
            attributes += ' isForCompensation="true"'
        if kind == "complex":
            inner = f"<activationCondition>={escape(event)}</activationCondition>" if event else ""
        elif kind in ("service", "script", "call", "receive", "send", "rule"):
            more, inner = self.task(kind, name, event)
            attributes += more
        elif event and kind != "adhoc":
            inner = "".join(self.event(each) for each in re.split(" or | and ", event))
            attributes += ' parallelMultiple="true"' if " and " in event else ""
        inner += _repetition(words)
        tag = TAGS[kind]
        self.xml.append(f"<{tag}{attributes}>{inner}")
        if is_scope:
            self.open.append(tag)
        else:
            self.xml.append(f"</{tag}>")

    def task(self, kind: str, name: str, text: str) -> tuple[str, str]:
        if kind == "service":
            return "", f'<extensionElements><zeebe:taskDefinition type="{text or name}"/></extensionElements>'
        if kind == "script":
            variable, _, expression = text.partition(" = ")
            word = f'<zeebe:script expression="={escape(expression)}" resultVariable="{variable}"/>'
            return "", f"<extensionElements>{word}</extensionElements>"
        if kind == "call":
            return f' calledElement="{text}"', ""
        if kind == "rule":
            return f' bpm:decision="{text}"', ""
        return f' messageRef="{self.declare("message", text)}"', ""

    def declare(self, kind: str, name: str) -> str:
        reference = f"{kind}-{name}"
        self.declarations[reference] = f'<{kind} id="{reference}" name="{name}" {DECLARED[kind]}="{name}"/>'.replace(
            f'name="{name}" name="{name}"', f'name="{name}"'
        )
        return reference

    def event(self, text: str) -> str:
        kind, _, argument = text.partition(" ")
        if kind in DECLARED:
            reference = f' {kind}Ref="{self.declare(kind, argument)}"' if argument else ""
            return f"<{kind}EventDefinition{reference}/>"
        if kind == "timer":
            timing = "timeCycle" if argument[0] == "R" else "timeDate" if argument[0] == "2" else "timeDuration"
            return f"<timerEventDefinition><{timing}>{argument}</{timing}></timerEventDefinition>"
        if kind == "condition":
            condition = f"<condition>={escape(argument)}</condition>"
            return f"<conditionalEventDefinition>{condition}</conditionalEventDefinition>"
        attribute = {"link": "name", "compensate": "activityRef"}.get(kind)
        return f"<{kind}EventDefinition{f' {attribute}={chr(34)}{argument}{chr(34)}' if argument else ''}/>"


MANY = re.compile(r"many (?P<kind>parallel|sequential) (?:over (?P<list>\S+) as (?P<item>\S+)|(?P<n>\S+) times)"
                  r"(?: into (?P<out>\S+) of (?P<value>\S+))?(?: until (?P<until>.+))?")  # fmt: skip
LOOP = re.compile(r"loop(?P<first> first)?(?: max (?P<max>\d+))?(?: while (?P<condition>.+))?")


def _repetition(words: list[str]) -> str:
    text = " ".join(word for word in words if word != "undo")
    if match := MANY.search(text):
        found = match.groupdict()
        sequential = ' isSequential="true"' if found["kind"] == "sequential" else ""
        attributes = f' bpm:collection="{found["list"]}" bpm:item="{found["item"]}"' if found["list"] else ""
        if found["out"]:
            attributes += f' bpm:outputCollection="{found["out"]}" bpm:outputItem="{found["value"]}"'
        inner = f"<loopCardinality>={found['n']}</loopCardinality>" if found["n"] else ""
        if found["until"]:
            inner += f"<completionCondition>={escape(found['until'])}</completionCondition>"
        tag = "multiInstanceLoopCharacteristics"
        return f"<{tag}{sequential}{attributes}>{inner}</{tag}>"
    if match := LOOP.search(text):
        first = ' testBefore="true"' if match["first"] else ""
        maximum = f' loopMaximum="{match["max"]}"' if match["max"] else ""
        condition = f"<loopCondition>={escape(match['condition'])}</loopCondition>" if match["condition"] else ""
        return f"<standardLoopCharacteristics{first}{maximum}>{condition}</standardLoopCharacteristics>"
    return ""


def read_values(words: list[str]) -> dict[str, Any]:
    """Values written name=json."""
    return {name: from_json(value) for name, _, value in (word.partition("=") for word in words)}
