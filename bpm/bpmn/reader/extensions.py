"""What the vendor extensions of an element say, whichever vendor's words they are in; `dialects` read them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class InlineScript:
    """A script that stands where a value is expected."""

    source: str
    language: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """One entry of an input or output mapping: the expression or template `source` goes to `target`.

    `target` may be a path (`order.total`); `source` may be any JSON value with templates in its strings, and scripts.
    """

    target: str
    source: Any


@dataclass(frozen=True, slots=True)
class ListenerDefinition:
    """What is to be done when a token comes, goes or is on its way, or when a person's task changes.

    `event` is start, end or take; or, with `is_task`, create, assignment or complete. It is a script or a command;
    `inputs` are the command's parameters, None for all variables that it knows. `merges_result`: members of its result
    become variables.
    """

    event: str
    is_task: bool = False
    command: str = ""
    script: InlineScript | None = None
    inputs: tuple[Assignment, ...] | None = None
    retries: str = ""
    result_variable: str = ""
    merges_result: bool = False

    def at(self, event: str, *, is_task: bool) -> "ListenerDefinition":
        """The same for an event."""
        return replace(self, event=event, is_task=is_task)


@dataclass(frozen=True, slots=True)
class Called:
    """What a call activity calls, in a vendor's words.

    `business_key` is an expression, unless the called instance `inherits_key`
    from the calling one. `passes_all` and `returns_all`: all variables go that way, beside what is mapped; None: all
    do if nothing is mapped. `keeps_inputs`: what is mapped is local to the call activity as well, which the results
    of the called process do not overwrite outside. `returns_thrown`: what comes back also does when the called process
    throws an error or an escalation. `returns_beside`: all variables come back beside an output mapping as well.
    """

    process: str = ""
    business_key: str = ""
    inherits_key: bool = False
    passes_all: bool | None = None
    returns_all: bool | None = None
    keeps_inputs: bool = False
    returns_thrown: bool = False
    returns_beside: bool = False


@dataclass(frozen=True, slots=True)
class NamedVersion:
    """What is said about the version of a process or decision that an element names; each is empty where nothing is."""

    kind: str = ""
    version: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class NamedForm:
    """The form of a user task by its id, and what is said about its version."""

    id: str
    version: NamedVersion


@dataclass(frozen=True, slots=True)
class FormFieldDefinition:
    """A value that a form asks for; `asked` is what it must be, in the words of JSON Schema.

    `label` and `default` may be expressions; without a default the latter is empty.
    """

    name: str
    label: str
    asked: Mapping[str, Any]
    default: str = ""
    is_required: bool = False
    is_read_only: bool = False


@dataclass(frozen=True, slots=True)
class Extensions:
    """What the vendor extensions of an element mean, whichever vendor's words said it.

    `inputs` None: nothing was mapped, the task sees all variables. `merges_result`: a result that is an object
    becomes variables, as Camunda's modellers expect, unless `result_variable` or `outputs` say otherwise.
    `result_is_local`: beside `outputs` the `result_variable` is theirs alone. `version_tag` is that of a process
    itself.
    `keeps_answer`: what people, messages and signals bring becomes variables beside `outputs` as well.
    `properties` holds what carries no execution meaning, by name.
    """

    command: str = ""
    body: Any = None
    inputs: tuple[Assignment, ...] | None = None
    outputs: tuple[Assignment, ...] = ()
    result_variable: str = ""
    result_is_local: bool = False
    keeps_answer: bool = False
    default_result: str = ""
    merges_result: bool = False
    retries: str = ""
    message: str = ""
    correlation_key: str = ""
    script: str = ""
    script_format: str = ""
    expression: str = ""
    initiator: str = ""
    skip: str = ""
    terminates_all: bool = False
    form_key: str = ""
    form: "NamedForm | None" = None
    assignee: str = ""
    candidate_users: str = ""
    candidate_groups: str = ""
    due_date: str = ""
    priority: str = ""
    form_schema: Any = None
    form_fields: tuple[FormFieldDefinition, ...] = ()
    error_code_variable: str = ""
    error_message_variable: str = ""
    called: "Called | None" = None
    named_version: "NamedVersion | None" = None
    version_tag: str = ""
    listeners: tuple[ListenerDefinition, ...] = ()
    decision: str = ""
    decision_result: str = ""
    collection: str = ""
    item: str = ""
    index: str = ""
    active_elements: str = ""
    output_collection: str = ""
    output_item: str = ""
    counts_from: int = 1
    properties: Mapping[str, str] = field(default_factory=dict[str, str])
