"""Command chains: several messages one after another, as one transaction where that is possible."""

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from bpm.bus import Command, Context, EffectContext, Message, Registration, Registry, View, handles
from bpm.bus.field_names import field_names
from bpm.bus.paging import MAX_PAGE_BYTES
from bpm.errors import BpmError, Defect, Invalid, SwitchedOff, Unavailable
from bpm.exact_json import write_plain
from bpm.expressions import CLOCK, SEED, EvaluationError, compile_expression, compile_template
from bpm.security.permissions import Principal
from bpm.security.secret_names import SOURCE_NAMES
from router.config import ChainStep, Steps
from router.config_demands import repeated_names, too_much, unknown_command
from router.mapping import Headers, compile_mapping

Status = Literal["done", "skipped", "failed", "undone", "compensated"]


class StepView(View):
    """What became of a step; `data` is its command's result, `errors` why it failed."""

    name: str
    command_name: str
    status: Status
    """What became of it."""
    data: Any = None
    """What its command answered."""
    errors: list[str] = Field(default_factory=list[str])


class ChainView(View):
    """What became of every step."""

    steps: list[StepView]
    """The steps in order."""


class ExecuteCommandChainCommand(Command[ChainView]):
    """Send commands one after another; every step needs its own command's permission.

    When no command reaches outside the database, all steps are one transaction and a failing step undoes the
    earlier ones. Otherwise each step commits by itself, and when one fails the `compensation` of the earlier
    ones is sent, the last first. A chain that is tried again does not repeat the steps that succeeded, but for
    those with a compensation. Steps that are all queries read one snapshot, and those of whoever may write nothing are
    sent one by one. What queries answer in a chain takes at most 8 MiB together.
    """

    permission = None
    rehearsable = True
    succeeded = "Command chain executed successfully"
    failed = "Command chain failed"
    sources = SOURCE_NAMES
    time_limit = 600.0
    sample = {"steps": [{"commandName": "PublishEventCommand", "parameters": {"event": "order.placed"}}]}

    steps: Steps
    """The steps in order."""
    payload: Any = None
    headers: dict[str, Any] = Field(default_factory=dict[str, Any])
    query: dict[str, Any] = Field(default_factory=dict[str, Any])
    path: dict[str, Any] = Field(default_factory=dict[str, Any])
    """What the address gave, by name."""

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """Steps are told apart by their names, and are compiled while others wait."""
        yield from repeated_names(fields.get("steps"), "steps")
        yield from too_much("the chain", [fields.get("steps")])


@handles
async def execute(command: ExecuteCommandChainCommand, context: EffectContext, registry: Registry) -> ChainView:
    """Run the steps together or one by one; raises the failing step's error with every step's outcome."""
    known = {CLOCK: context.now(), SEED: context.envelope.work_key}

    def begun() -> Chain:
        """Return the chain with nothing done: a transaction may be run again."""
        return Chain(command, registry, known)

    chain = begun()
    if chain.only_reads:
        return await context.read(lambda inside: run_together(begun(), inside))
    if chain.is_transactional and _may_write(context.principal):
        return await context.conclude(lambda inside: run_together(begun(), inside))
    return await _run_stepwise(chain, context)


def _may_write(principal: Principal) -> bool:
    """Tell whether somebody may write at all: what others may send needs no transaction, in which all would wait."""
    return any(not permission.endswith(":read") for permission in principal.permissions)


@dataclass(frozen=True, slots=True)
class Sending:
    """A message that a chain wants sent; `key` tells it from the chain's others, None: never remembered."""

    message: Message[Any]
    key: str | None


@dataclass(slots=True)
class RunningStep:
    """A step with what became of it."""

    place: str
    config: ChainStep
    registration: Registration
    status: Status | None = None
    data: Any = None
    errors: list[str] = field(default_factory=list[str])

    @property
    def name(self) -> str:
        """The name by which later steps read its data."""
        return self.config.name or self.registration.name

    def told(self) -> str:
        """Say what became of it, for the errors of a chain that failed."""
        return f"{self.place} ({self.name}): {self.status or 'not reached'}"

    def view(self) -> StepView:
        """Show what became of it."""
        return StepView(
            name=self.name,
            command_name=self.registration.name,
            status=self.status or "skipped",
            data=self.data,
            errors=self.errors,
        )


class Chain:
    """The steps and the scope that their templates see: `payload headers query path steps previous`."""

    def __init__(self, command: ExecuteCommandChainCommand, registry: Registry, known: Mapping[str, Any]) -> None:
        """Find every command; raises `Invalid` for unknown ones. `known` are the scope's time and seed of ids."""
        self._registry = registry
        self._steps = _steps(command.steps, registry)
        self._done: dict[str, Any] = {}
        self._answered = 0
        self._scope: dict[str, Any] = {
            "payload": command.payload,
            "headers": Headers(command.headers),
            "query": command.query,
            "path": command.path,
            "steps": self._done,
            "previous": None,
            **known,
        }

    @property
    def only_reads(self) -> bool:
        """Whether no step changes anything, so that none has to wait for the writer, nor hold it."""
        return all(step.registration.kind == "query" for step in self._steps)

    @property
    def is_transactional(self) -> bool:
        """Whether one transaction can hold all steps."""
        return all(step.registration.kind != "effect" for step in self._steps)

    def walk(self) -> Generator[Sending, Any, ChainView]:
        """Yield what to send and be sent each result, or have its error thrown; return the outcome.

        Raises the error of the step that stops the chain, with every step's outcome among its sentences.
        """
        for ordinal, step in enumerate(self._steps):
            try:
                if not self._is_wanted(step):
                    step.status = "skipped"
                    continue
                message = self._message(step)
                key = f"{ordinal}" if step.config.compensation is None else None
                data = self._registry.plain(message, (yield Sending(message, key)))
                self._require_room(step, data)
                step.data = data
            except (BpmError, EvaluationError) as error:
                cause = error if isinstance(error, BpmError) else Invalid(str(error))
                step.status, step.errors = "failed", list(cause.errors)
                if step.config.on_error == "continue" and not isinstance(cause, Unavailable | SwitchedOff | Defect):
                    continue
                yield from self._undo()
                raise self._stopped(step, cause) from error
            step.status = "done"
            self._done[step.name] = self._scope["previous"] = step.data
        return ChainView(steps=[step.view() for step in self._steps])

    def _require_room(self, step: RunningStep, data: Any) -> None:
        """Raise `Invalid` where queries answer more than is held and told at once."""
        if step.registration.kind == "query":
            self._answered += len(write_plain(data))
            if self._answered > MAX_PAGE_BYTES:
                raise Invalid(f"what the chain's queries answer takes more than {MAX_PAGE_BYTES} bytes; ask for less")

    def _is_wanted(self, step: RunningStep) -> bool:
        return step.config.when is None or compile_expression(step.config.when).holds(self._scope)

    def _message(self, step: RunningStep) -> Message[Any]:
        names = frozenset(field_names(step.registration.message_type))
        mapping = compile_mapping(step.config.parameters, names)
        return self._registry.decode(step.registration.name, mapping.fields(self._scope))

    def _undo(self) -> Generator[Sending, Any, None]:
        """Make undone what was done, the last step first; what can't be undone is said in its errors."""
        done = [step for step in self._steps if step.status == "done"]
        if self.is_transactional:
            for step in done:
                step.status = "undone"
            return
        for step in reversed(done):
            compensation = step.config.compensation
            if compensation is None:
                continue
            try:
                fields = compile_template(compensation.parameters).render(self._scope)
                yield Sending(self._registry.decode(compensation.command_name, fields), None)
                step.status = "compensated"
            except (BpmError, EvaluationError) as error:
                sentences = error.errors if isinstance(error, BpmError) else (str(error),)
                step.errors.extend(f"the compensation failed: {sentence}" for sentence in sentences)

    def _stopped(self, failed: RunningStep, error: BpmError) -> BpmError:
        """Return the error that stops the chain, its sentences telling every step's outcome."""
        told = [f"{failed.place} ({failed.name}): {sentence}" for sentence in failed.errors]
        for step in self._steps:
            if step is not failed:
                told.extend([step.told(), *(f"{step.place} ({step.name}): {sentence}" for sentence in step.errors)])
        error.errors = told
        error.message, error.has_own_message = f"The step {failed.name} failed", True
        return error


def run_together(chain: Chain, context: Context) -> ChainView:
    """Run all steps in the transaction of `context`."""
    walk = chain.walk()
    try:
        sending = next(walk)
        while True:
            try:
                result = context.send(sending.message)
            except BpmError as error:
                sending = walk.throw(error)
            else:
                sending = walk.send(result)
    except StopIteration as end:
        return end.value


async def _run_stepwise(chain: Chain, context: EffectContext) -> ChainView:
    walk = chain.walk()
    run = context.envelope.work_key
    try:
        sending = next(walk)
        while True:
            key = f"{run}:{sending.key}" if sending.key is not None else None
            try:
                result = await context.send(sending.message, idempotency_key=key)
            except BpmError as error:
                sending = walk.throw(error)
            else:
                sending = walk.send(result)
    except StopIteration as end:
        return end.value


def _steps(configs: list[ChainStep], registry: Registry) -> list[RunningStep]:
    problems = [problem for index, config in enumerate(configs) for problem in _unknown(index, config, registry)]
    if problems:
        raise Invalid(*problems)
    found = enumerate(configs)
    return [RunningStep(f"steps[{index}]", config, registry.find(config.command_name)) for index, config in found]


def _unknown(index: int, config: ChainStep, registry: Registry) -> Iterable[str]:
    yield from unknown_command(registry, config.command_name, f"steps[{index}].commandName")
    if config.compensation is not None:
        place = f"steps[{index}].compensation.commandName"
        yield from unknown_command(registry, config.compensation.command_name, place)
