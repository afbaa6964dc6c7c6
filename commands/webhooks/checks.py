"""What must be true of a configuration besides its fields: whatever it refers to exists, nothing collides."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bpm.accounts.makers import require_lasting
from bpm.accounts.principals import missing_permissions, permissions_of_user, principal_of_user
from bpm.accounts.tables import find_user_named
from bpm.bus import Context, Message, Registry
from bpm.bus.field_names import field_names, unknown_fields
from bpm.errors import BpmError, Conflict, Forbidden, Invalid
from bpm.security.permissions import INSTALLATION, SYSTEM, Principal
from bpm.security.redaction import REDACTED
from bpm.security.references import FOREIGN, REFER, Resolve, may_refer
from bpm.security.sealing import NOT_STORED
from bpm.security.secrets import SecretBox, SecretError
from bpm.settings import Settings
from bpm.signatures import STORED, SignatureConfig
from router.config import WebHookFields
from router.config_demands import unknown_command
from router.config_secrets import map_secrets, open_definition, references_in
from router.deduplication import parts_of
from router.execution_types import EXECUTION_TYPES, ExecutionType
from router.parameter_secrets import placeholders_in
from scripts import Check, Problem, Sandbox

KEY_TAKEN = "A webhook configuration with this key already exists"

FIRST_ERROR = 400


@dataclass(slots=True)
class Findings:
    """Every problem of one configuration: what is wrong with it, what it collides with, what only looks wrong."""

    invalid: list[str] = field(default_factory=list[str])
    conflicts: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])

    def raise_any(self) -> None:
        """Raise `Invalid` or, when all is well but for collisions, `Conflict`; with every sentence."""
        if self.invalid:
            raise Invalid(*self.invalid, *self.conflicts)
        if self.conflicts:
            raise Conflict(*self.conflicts, message="Validation failed")


async def check_code(fields: WebHookFields, sandbox: Sandbox, organization_id: int) -> Findings:
    """Compile the script, if there is one."""
    if fields.execution_code is None:
        return Findings()
    found: Check = await sandbox.check(fields.execution_code, str(organization_id))
    return Findings(
        invalid=[sentence_with_place(problem, "executionCode") for problem in found.problems],
        warnings=[sentence_with_place(warning, "executionCode") for warning in found.warnings],
    )


def sentence_with_place(problem: Problem, name: str) -> str:
    """Return a compiler's problem as a sentence with its place."""
    return f"{name}: line {problem.line}, column {problem.column}: {problem.message}"


def check_references(fields: WebHookFields, findings: Findings, context: Context, registry: Registry) -> str | None:
    """Look up everything the fields refer to; return the id of the account that `runAs` names.

    A rule can do no more than its author, or the account it runs as: what they may not send is an error now
    rather than a failure of every request.
    """
    sender = _run_as(fields.run_as, findings, context) if fields.run_as is not None else context.principal
    for place, name, parameters in commands_of(fields):
        _check_command(place, name, parameters, findings, sender, registry)
    if fields.process_definition_id is not None:
        _check_process(fields.process_definition_id, findings, context, registry)
    return sender.id if fields.run_as is not None else None


def commands_of(fields: WebHookFields) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield the place, the `$type` and the parameters of every command a configuration sends."""
    command = EXECUTION_TYPES[fields.execution_type].command
    if command is not None:
        yield "executionType", command, {}
    if fields.command_name is not None and fields.execution_type is ExecutionType.CHAIN:
        for name in fields.command_name.split(","):
            yield "commandName", name.strip(), {}
    elif fields.command_name is not None:
        yield "commandName", fields.command_name, fields.parameters or {}
    for index, step in enumerate(fields.command_chain or ()):
        place = f"commandChain[{index}]"
        yield f"{place}.commandName", step.command_name, step.parameters or {}
        if step.compensation is not None:
            yield f"{place}.compensation.commandName", step.compensation.command_name, step.compensation.parameters


def _check_command(
    place: str, name: str, parameters: Mapping[str, Any], findings: Findings, sender: Principal, registry: Registry
) -> None:
    """Check that a command exists, has the fields it is given, and may be sent."""
    unknown = list(unknown_command(registry, name, place))
    findings.invalid.extend(unknown)
    if unknown:
        return
    registration = registry.find(name)
    message_type = registration.message_type
    findings.invalid.extend(_unknown_fields(place.replace("commandName", "parameters"), message_type, parameters))
    if not sender.allows(message_type.permission):
        who = f"{sender.name} does not have"
        findings.invalid.append(f"{place}: {registration.name} needs {message_type.permission}, which {who}")


def check_secrets(
    definition: Mapping[str, Any], stored: Mapping[str, Any], findings: Findings, context: Context
) -> None:
    """Check that no secret is the placeholder which stands for stored ones, or a reference that may not be used.

    References name what is the installation's. Who may change a rule but not refer keeps those that are stored;
    for others it raises `Forbidden`, so that not even a draft makes the server read anything.
    """

    def check(secret: str) -> str:
        if secret == REDACTED:
            findings.invalid.append(f"secret: {REDACTED} {NOT_STORED}")
        return secret

    map_secrets(definition, check)
    findings.invalid.extend(f"{place}: {REDACTED} {NOT_STORED}" for place in placeholders_in(definition))
    new = references_in(definition) - references_in(stored)
    if new and context.organization_id != INSTALLATION:
        findings.invalid.append(f"secret: {FOREIGN}")
    elif new and not may_refer(context.principal):
        raise Forbidden(f"secret: a reference (env:, file:) needs the permission {REFER}")


def check_resolved(definition: Mapping[str, Any], resolve: Resolve, findings: Findings) -> None:
    """Warn of references that name nothing at present; the rule refuses every request until they do."""
    for reference in sorted(references_in(definition)):
        try:
            resolve(reference)
        except SecretError as error:
            findings.warnings.append(f"secret: {error}")


def check_signature(definition: Mapping[str, Any], box: SecretBox, findings: Findings) -> None:
    """Say what looks wrong with a signature, the stored secrets that it keeps included."""
    signature = definition.get("signature")
    try:
        opened = open_definition(definition, box)["signature"] if signature is not None else None
        config = SignatureConfig.model_validate(opened, context=STORED) if opened is not None else None
    except ValueError:
        return  # it can't be opened, or is refused anyway
    if config is not None:
        findings.warnings.extend(f"signature: {sentence}" for sentence in dict.fromkeys(config.warnings()))


def check_answers(fields: WebHookFields, findings: Findings, now: datetime) -> None:
    """Say what looks wrong with how repetitions are known and requests are answered."""
    if fields.expires_at is not None and fields.expires_at <= now:
        findings.warnings.append("expiresAt: lies in the past, so no request is answered")
    if fields.action == "GET" and any(place.startswith("body") for place in parts_of(fields.deduplication or "none")):
        findings.warnings.append("deduplication: a GET request has no body, so no id will be found in it")
    if fields.response is not None and fields.response.status >= FIRST_ERROR:
        status = f"response.status: {fields.response.status} tells the sender that its request failed"
        findings.warnings.append(f"{status}: it will send it again, and be answered so again")


def check_retention(fields: WebHookFields, findings: Findings, settings: Settings) -> None:
    """Check that a rule does not want its requests kept longer than the installation keeps any."""
    most = settings.retention.rows_days
    if fields.retention_days is not None and 0 < most < fields.retention_days:
        findings.invalid.append(
            f"retentionDays: must be at most {most}, for as long as requests are kept here (BPM_RETENTION__ROWS_DAYS)"
        )


def _unknown_fields(place: str, message_type: type[Message[Any]], parameters: Mapping[str, Any]) -> Iterable[str]:
    for name in unknown_fields(message_type, parameters):
        fields = ", ".join(field_names(message_type)) or "none"
        yield f"{place}.{name}: is not a field of {message_type.__name__}, which has {fields}"


def _check_process(definition_id: int, findings: Findings, context: Context, registry: Registry) -> None:
    if not registry.knows("GetProcessDefinitionByIdQuery"):
        return
    reader = replace(SYSTEM, organization_id=context.organization_id)
    try:
        context.call("GetProcessDefinitionByIdQuery", {"id": definition_id}, reader)
    except BpmError:
        findings.invalid.append(f"processDefinitionId: no process definition has the id {definition_id}")


def _run_as(name: str, findings: Findings, context: Context) -> Principal:
    require_lasting(context, "save a rule with runAs")
    account = find_user_named(context.session, name)
    if account is None or not account.is_enabled:
        findings.invalid.append(f"runAs: no enabled user or service account is named {name!r}")
        return context.principal
    more = missing_permissions(context.principal, permissions_of_user(account))
    if more:
        findings.invalid.append(f"runAs: {name!r} may do more than you: {', '.join(more)}")
    return principal_of_user(account)
