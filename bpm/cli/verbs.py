"""Verbs that each send one message: `bpm requests list`, `bpm rules disable KEY`, `bpm keys revoke ID`.

One table says which message a verb sends, from which words its fields are made, and what of the answer a list shows.
Anything without a verb of its own is `bpm send`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Word:
    """An argument or option of a verb, and the field of the message that it becomes."""

    name: str
    wire: str
    help: str
    kind: type = str
    is_required: bool = False
    """Whether an option has to be given; arguments always have."""


@dataclass(frozen=True, slots=True)
class Verb:
    """What a verb sends: a message with fields from its arguments and options, and those that are always the same.

    With `by_key` the first argument is the key of a rule, whose id is looked up.
    """

    name: str
    message: str
    help: str
    arguments: tuple[Word, ...] = ()
    options: tuple[Word, ...] = ()
    columns: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    by_key: bool = False


PAGE = (
    Word("page", "pageNumber", "Which page.", int),
    Word("size", "pageSize", "How many on a page, at most 200.", int),
)
SEARCH = Word("search", "searchText", "A text to look for.")
SINCE = Word("since", "startDate", "Not before this moment, as in 2026-11-28T08:00:00Z.")
UNTIL = Word("until", "endDate", "Before this moment.")
REQUEST = Word("request_id", "requestId", "The request's id.")
RULE = Word("rule", "configKey", "The key of the rule that took it.")
BULK = Word("bulk_id", "bulkId", "The id of the bulk job.")
DELIVERY = Word("id", "id", "The delivery's id.")
TASK = (
    Word("instance_id", "instanceId", "The process instance.", int),
    Word("wait_id", "waitId", "The task, as the list has it.", int),
)
SUBSCRIPTION = Word("subscription", "subscriptionId", "The id of the subscription.", int)
DRAFT = Word("draft_id", "id", "The draft's id.", int)
KEY = Word("key", "id", "The rule's key.")
INSTANCE = Word("id", "instanceId", "The instance's id.", int)
REQUESTS = ("requestId", "state", "verdict", "configKey", "method", "path", "receivedAt")

VERBS: dict[str, tuple[Verb, ...]] = {
    "requests": (
        Verb(
            "list",
            "GetInboundRequestListQuery",
            "List captured requests, the newest first.",
            options=(
                Word("state", "state", "pending, running, done, failed, dead or quarantined."),
                Word("verdict", "verdict", "passed, or the cause of the refusal."),
                RULE,
                SEARCH,
                SINCE,
                UNTIL,
                *PAGE,
            ),
            columns=REQUESTS,
        ),
        Verb("show", "GetInboundRequestByIdQuery", "Show one request and all that became of it.", (REQUEST,)),
        Verb(
            "replay",
            "ReplayInboundRequestCommand",
            "Execute a request again, by its rule as it is now or as it was.",
            (REQUEST,),
            (
                Word("force", "force", "Also one that was executed.", bool),
                Word("revision", "revision", "By this revision of its rule.", int),
                Word("draft", "draftId", "By this draft of its rule.", int),
            ),
        ),
        Verb("explain", "ExplainSignatureQuery", "Say why a request's signature was refused.", (REQUEST,)),
    ),
    "dead": (
        Verb(
            "list",
            "GetInboundRequestListQuery",
            "List the requests that were given up, the newest first.",
            options=(RULE, SEARCH, SINCE, UNTIL, *PAGE),
            columns=REQUESTS,
            fixed={"state": "dead"},
        ),
        Verb("groups", "GetInboundFailureGroupsQuery", "Group what has failed by its cause."),
        Verb("replay", "ReplayInboundRequestCommand", "Execute a dead request again.", (REQUEST,)),
        Verb(
            "discard",
            "DiscardInboundRequestCommand",
            "Give a request up for good.",
            (REQUEST,),
            (Word("reason", "reason", "Why, for the audit log.", is_required=True),),
        ),
    ),
    "deliveries": (
        Verb(
            "list",
            "GetDeliveryListQuery",
            "List deliveries, the newest first.",
            options=(
                Word("state", "state", "As in delivered, failed or dead."),
                Word("event", "event", "The name of the event."),
                SUBSCRIPTION,
                SINCE,
                UNTIL,
                *PAGE,
            ),
            columns=("id", "state", "event", "subscriptionId", "attempts", "createdAt"),
        ),
        Verb("show", "GetDeliveryByIdQuery", "Show one delivery.", (DELIVERY,)),
        Verb(
            "attempts",
            "GetDeliveryAttemptListQuery",
            "List the attempts of all deliveries, or of one subscription's.",
            options=(SUBSCRIPTION, *PAGE),
            columns=("deliveryId", "event", "attempt", "ok", "status", "error"),
        ),
        Verb("retry", "RetryDeliveryCommand", "Deliver it again.", (DELIVERY,)),
        Verb("cancel", "CancelDeliveryCommand", "Deliver it no more.", (DELIVERY,)),
    ),
    "bulk": (
        Verb(
            "list",
            "GetBulkJobListQuery",
            "List bulk jobs, the newest first.",
            options=(Word("state", "state", "planned, running, done, cancelled or failed."), *PAGE),
            columns=("id", "action", "state", "total", "done", "refused", "left", "askerName", "createdAt"),
        ),
        Verb("show", "GetBulkJobByIdQuery", "Say how far a bulk job is.", (BULK,)),
        Verb(
            "rows",
            "GetBulkJobRowListQuery",
            "List what a bulk job touches, with what came of each.",
            (BULK,),
            (Word("state", "state", "waiting, done or refused."), *PAGE),
            columns=("number", "ref", "state", "errors", "completedAt"),
        ),
        Verb("start", "StartBulkJobCommand", "Start a bulk job that was planned.", (BULK,)),
        Verb("cancel", "CancelBulkJobCommand", "End a bulk job early; what is done stays done.", (BULK,)),
    ),
    "rules": (
        Verb(
            "list",
            "GetWebHookConfigListQuery",
            "List the rules, the newest first.",
            options=(Word("label", "label", "Only those with this label."), SEARCH, *PAGE),
            columns=("key", "isEnabled", "isPaused", "action", "path", "revision", "updatedAt"),
        ),
        Verb("show", "GetWebHookConfigByIdQuery", "Show one rule.", (KEY,), by_key=True),
        Verb("history", "GetWebHookConfigHistoryQuery", "List what it was after each change.", (KEY,), by_key=True),
        Verb(
            "drafts",
            "GetWebHookDraftListQuery",
            "List drafts of rules, the newest first.",
            options=(SEARCH, *PAGE),
            columns=("id", "key", "configId", "baseRevision", "liveRevision", "revision", "author", "comment"),
        ),
        Verb(
            "publish",
            "PublishWebHookDraftCommand",
            "Make a draft live, as it is at the revision that you have looked at.",
            (DRAFT, Word("revision", "revision", "The draft's own revision.", int)),
        ),
        Verb("discard", "DiscardWebHookDraftCommand", "Give a draft up.", (DRAFT,)),
        Verb("enable", "ActivateWebHookConfigCommand", "Let a rule answer again.", (KEY,), by_key=True),
        Verb("disable", "DeactivateWebHookConfigCommand", "Stop a rule from answering.", (KEY,), by_key=True),
        Verb("pause", "PauseWebHookConfigCommand", "Let a rule keep what comes.", (KEY,), by_key=True),
        Verb("resume", "ResumeWebHookConfigCommand", "Let it go on with what it has kept.", (KEY,), by_key=True),
    ),
    "process": (
        Verb(
            "definitions",
            "GetProcessDefinitionListQuery",
            "List the versions of processes, the newest first.",
            options=(Word("process", "key", "The BPMN process's id."), SEARCH, *PAGE),
            columns=("id", "key", "version", "name", "isActive", "createdAt"),
        ),
        Verb(
            "list",
            "GetProcessInstanceListQuery",
            "List process instances, the newest first.",
            options=(
                Word("process", "processKey", "The BPMN process's id."),
                Word("status", "status", "RUNNING, WAITING, COMPLETED, ERROR or CANCELLED."),
                Word("business-key", "businessKey", "The key that the instance was started with."),
                SEARCH,
                *PAGE,
            ),
            columns=("instanceId", "processKey", "status", "businessKey", "createdAt", "endedAt"),
        ),
        Verb("show", "GetProcessInstanceByIdQuery", "Show one, its variables and what it waits for.", (INSTANCE,)),
        Verb("history", "GetProcessInstanceHistoryQuery", "Tell what happened in an instance.", (INSTANCE,)),
        Verb(
            "cancel",
            "CancelProcessInstanceCommand",
            "End an instance, whatever it is doing.",
            (INSTANCE,),
            (Word("reason", "reason", "Why, for its history."),),
        ),
    ),
    "tasks": (
        Verb(
            "list",
            "GetUserTaskListQuery",
            "List open tasks.",
            options=(
                Word("assignee", "assignee", "Whose they are."),
                Word("group", "candidateGroup", "A group that may take them."),
                Word("instance", "instanceId", "The id of the process instance.", int),
                Word("mine", "mine", "assigned: yours; offered: what you may claim."),
                *PAGE,
            ),
            columns=("instanceId", "waitId", "name", "assignee", "dueAt", "createdAt"),
        ),
        Verb("claim", "ClaimUserTaskCommand", "Take a task that is offered to you.", TASK),
        Verb("unclaim", "UnclaimUserTaskCommand", "Give a task back that is yours.", TASK),
        Verb(
            "assign",
            "AssignUserTaskCommand",
            "Give a task to somebody, or to nobody.",
            TASK,
            (Word("to", "assignee", "Their user name."),),
        ),
        Verb(
            "complete",
            "CompleteUserTaskCommand",
            "Complete a task.",
            TASK,
            (Word("variables", "variables", "A JSON object of its values.", dict),),
        ),
    ),
    "keys": (
        Verb(
            "list",
            "GetApiKeyListQuery",
            "List API keys.",
            options=PAGE,
            columns=("id", "name", "scopes", "expiresAt", "lastUsedAt", "createdAt"),
        ),
        Verb(
            "create",
            "CreateApiKeyCommand",
            "Make an API key; it is shown this once.",
            (Word("name", "name", "What it is for."),),
            (
                Word("scopes", "scopes", "What it may do, between commas, as in webhooks:read,inbound:write.", list),
                Word("expires", "expiresAt", "When it ends."),
            ),
        ),
        Verb("revoke", "RevokeApiKeyCommand", "End an API key.", (Word("id", "id", "The key's id."),)),
    ),
    "users": (
        Verb(
            "list",
            "GetUserListQuery",
            "List users and service accounts.",
            options=(SEARCH, *PAGE),
            columns=("id", "username", "kind", "roles", "isEnabled", "createdAt"),
        ),
        Verb(
            "create",
            "CreateUserCommand",
            "Make a user, or a service account; a password that is not given is made and shown once.",
            (Word("name", "username", "The name."),),
            (
                Word("roles", "roles", "Roles between commas, as in operator.", list),
                Word("kind", "kind", "user or service."),
                Word("set-password", "password", "The password; it stays in the shell's history."),
            ),
        ),
        Verb("disable", "DisableUserCommand", "Let a user do nothing any more.", (Word("id", "id", "Its id.", int),)),
    ),
}

GROUPS = {
    "requests": "Captured requests: list, show, follow, replay and resend them.",
    "dead": "What was given up: requests that failed for good.",
    "deliveries": "Events on their way to subscribers.",
    "bulk": "Bulk jobs: one message for each of many rows.",
    "tasks": "Open tasks of processes.",
    "keys": "API keys.",
    "users": "Users and service accounts.",
}
