"""Who acts where nobody waits for an answer: on whose behalf, asked when, and what happens when a right is missing.

`docs/reference/rights.md` is made from this table, and `tests/attacks/test_rights_now.py` walks each row that asks
accounts.
"""

from dataclasses import dataclass

EACH_MESSAGE = "at every message"
FAILS = "the request fails with the sentence, is tried again by the rule's policy, then dead; replay it"
INCIDENT = "an incident with the sentence; `RetryIncidentCommand` goes on"
DEAD = "tried again four times within 72 minutes, then dead; `RetryScheduledMessageCommand` goes on"
PEOPLE = "the instance's people: who started it, the authors of its version, who migrated it last"


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which something is done without a person that waits for it.

    `people` are the accounts and keys that are asked; empty where the product itself acts, with `limit` alone.
    """

    name: str
    what: str
    people: str
    asked: str
    missing: str
    limit: str = ""


WAYS: tuple[Way, ...] = (
    Way(
        "rule",
        "a webhook rule",
        "who saved the rule last, or the account of `runAs`, and who has switched it on since",
        "when a request is executed, " + EACH_MESSAGE,
        FAILS,
        "what the author might do when the rule was saved",
    ),
    Way(
        "published-draft",
        "a rule that was published from a draft",
        "who wrote the draft and who published it, or the account of `runAs`, and who has switched it on since",
        "when a request is executed, " + EACH_MESSAGE,
        FAILS,
        "what both might do when the draft was saved and when it was published",
    ),
    Way("chain", "the steps of a command chain", "whoever sends the chain", "at every step", "the step fails"),
    Way(
        "script-send",
        "`send` in a script",
        "whoever the script runs for",
        EACH_MESSAGE,
        "the script gets a `CommandError` with the sentence",
    ),
    Way("step", "a service task of a process", PEOPLE, "when the task runs, at every try", INCIDENT),
    Way(
        "script-task",
        "a script task of a process",
        "the authors of the version, for `code:write`; for what it sends, the instance's people",
        "when the task runs, " + EACH_MESSAGE,
        INCIDENT,
    ),
    Way(
        "call",
        "a process that another one calls",
        "the calling instance's people and the authors of the called version",
        "at every task of the called instance",
        INCIDENT,
    ),
    Way(
        "throw",
        "a message or signal that a process throws, and the process it begins",
        "the people of the throwing instance; then also the authors of the version that begins",
        "when it is sent",
        DEAD,
    ),
    Way(
        "timer",
        "a process that begins at a time",
        "the authors of the version and who switched it on, or a newer one off",
        "when it begins, for `processes:write`; then at every task",
        "nothing begins, the definition's `stopped` says why, and it is tried again every minute",
    ),
    Way(
        "trigger",
        "a process that begins by an event",
        "the authors of the version and who switched it on, or a newer one off; never the event's publisher",
        "when it begins, for `processes:write`; then at every task",
        DEAD,
    ),
    Way(
        "migration",
        "an instance that was migrated",
        "its people, with whoever migrated it last, and the authors of the version that asked for work still open then",
        "at every task after the migration",
        INCIDENT + "; so does a migration by somebody else",
    ),
    Way(
        "correction",
        "an instance that was changed by hand (tokens moved, variables set, a failed task skipped), that was brought "
        "values which its model does not name, or that holds what a decision or a called process came to, "
        "or a deployed form let through",
        "its people, everybody who has changed it or brought such values, and the authors of those decisions, "
        "forms and processes",
        "at every task from then on",
        INCIDENT + "; so does a migration by somebody else",
    ),
    Way(
        "answer",
        "what follows a task, message or retry that another person answered",
        PEOPLE + "; the one who answered needs `processes:write` for that, and is asked further only for values "
        "that the model does not name",
        "at every task",
        INCIDENT,
    ),
    Way("later", "a scheduled message, and the rest of bulk work", "whoever asked for it", "when it is sent", DEAD),
    Way(
        "bulk",
        "a bulk job",
        "whoever planned it and whoever started it",
        "at every step, and at every row's message",
        "the job has failed there, and the sentence says who lacks what; plan the rest again",
    ),
    Way(
        "replay",
        "a request that is driven again",
        "the rule's people as they are then; who drives it again needs `inbound:write` for that",
        "when it is executed",
        FAILS,
    ),
    Way(
        "replayed-as",
        "a request that is driven again by an earlier revision of its rule, or by a draft",
        "the rule's people as they are then, who saved that revision or wrote that draft, and who drives it again",
        "when it is executed",
        FAILS,
    ),
    Way(
        "resent",
        "a request that somebody made by hand of a captured one",
        "the rule's people as they are then, and who made it; nothing proves it, which needs `inbound:write` and "
        "`webhooks:write`",
        "when it is executed",
        FAILS,
    ),
    Way(
        "trial",
        "a dry run or a back-test of a saved rule",
        "the rule's people and the tester",
        "when it runs, " + EACH_MESSAGE + "; in the background the tester also before each part of the requests",
        "the answer says so, in the background the back-test has failed with the sentence; nothing is done in any case",
    ),
    Way(
        "transform",
        "a script that transforms deliveries",
        "who wrote the script, for `code:write`",
        "at every attempt of a delivery",
        "the attempt fails with the sentence and is tried again, then dead; `RetryDeliveryCommand` goes on",
    ),
    Way(
        "delivery",
        "a delivery, its filter and its template",
        "",
        "",
        "",
        "nothing beyond the subscription's own data",
    ),
    Way("provider", "a provider's endpoint and its confirmation", "", "", "", "to write payments and publish events"),
    Way("engine", "answers of jobs, events of the product's own", "", "", "", "`processes:execute`, its own events"),
    Way("retention", "retention and other upkeep", "", "", "", "no messages at all"),
)
