"""Tasks that something else does: a command, a script, a decision, a process; answered once, fenced by attempt."""

from bpm.bpmn.effects import NOTHING, CallProcess, Decide, Event, History, RunScript, SendCommand
from bpm.bpmn.elements.activity import Activity
from bpm.bpmn.run import Run
from bpm.bpmn.state import Token, Wait

STEPS_OF_WORK = 10
"""What asking for work weighs in a transaction, next to an element that does nothing."""

Request = SendCommand | RunScript | Decide | CallProcess


class JobTask(Activity):
    """Asks for work when activated, and again under the next attempt when retried."""

    kind = ""

    @property
    def stored_shape(self) -> tuple[object, ...]:
        """What kind of work it asks for."""
        return (self.kind,)

    def request(self, run: Run, token: Token, wait_id: int, attempt: int) -> Request:
        """What to ask for; raises EvaluationError when its parameters cannot be evaluated."""
        raise NotImplementedError

    def activate(self, run: Run, token: Token) -> None:
        """Arm the boundary events and ask."""
        self.arm_boundaries(run, token)
        wait_id = run.waits.open(self.kind, self.id, token)
        self._ask(run, token, self.request(run, token, wait_id, 1), is_first=True)
        run.tokens.rest(token)

    def retry(self, run: Run, token: Token, wait: Wait) -> None:
        """Ask again; boundary events have stayed armed."""
        request = self.request(run, token, wait.id, wait.attempt + 1)
        run.waits.replace(Wait(wait.id, self.kind, self.id, token.id, wait.attempt + 1))
        self._ask(run, token, request, is_first=False)

    def ask(self, run: Run, token: Token, wait: Wait) -> None:
        """Ask under the same attempt."""
        run.steps.spend(STEPS_OF_WORK)
        run.effects.append(self.request(run, token, wait.id, wait.attempt))

    def _ask(self, run: Run, token: Token, request: Request, is_first: bool) -> None:
        event: Event = "activated" if is_first else "retried"
        run.steps.spend(STEPS_OF_WORK)
        if isinstance(request, SendCommand) and not request.is_mapped:
            run.effects.append(History(self.id, event, run.now, token.id, request.parameters, command=request.command))
        else:
            run.record(self.id, event, token, request.parameters if isinstance(request, SendCommand) else NOTHING)
        run.effects.append(request)
