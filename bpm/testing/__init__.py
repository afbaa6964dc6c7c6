"""Doubles and servers for tests, of the product and of applications on it: everything here is real but the time.

| to have | use |
|---|---|
| a clock that stands still until it is told | `Clock` |
| the provider or subscriber at the other end | `WebhookReceiver` |
| the whole application in this process | `running_app()` |
| a server to be killed | `ServerProcess` |
| a worker beside it | `WorkerProcess` |
| what another task or process brings about | `until()` |
"""

from bpm.testing.app import RunningApp, running_app
from bpm.testing.client import ADMINISTRATOR, PASSWORD, ServerClient
from bpm.testing.clock import Clock
from bpm.testing.process import ServerDidNotStart, ServerProcess, WorkerProcess
from bpm.testing.receiver import PreparedAnswer, ReceivedRequest, WebhookReceiver
from bpm.testing.waiting import until

__all__ = [
    "ADMINISTRATOR",
    "PASSWORD",
    "Clock",
    "PreparedAnswer",
    "ReceivedRequest",
    "RunningApp",
    "ServerClient",
    "ServerDidNotStart",
    "ServerProcess",
    "WebhookReceiver",
    "WorkerProcess",
    "running_app",
    "until",
]
