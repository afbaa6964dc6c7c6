"""What the demo tells the server: one rule of each execution type, each with its provider's signature."""

import base64
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PAYLOADS = Path(__file__).parent / "payloads"

PUSH_SCRIPT = """\
branch = payload["ref"].rpartition("/")[2]
authors = sorted({commit["author"]["name"] for commit in payload["commits"]})
summary = {"repository": payload["repository"]["full_name"], "branch": branch, "authors": authors}
send("PublishEventCommand", {"event": "code.pushed", "data": summary})
return summary
"""


def _whsec() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


@dataclass(frozen=True, slots=True)
class Secrets:
    """What each provider signs with, new for every demo."""

    github: str = field(default_factory=secrets.token_hex)
    stripe: str = field(default_factory=_whsec)
    paystack: str = field(default_factory=secrets.token_hex)
    orders: str = field(default_factory=_whsec)
    mono: str = field(default_factory=secrets.token_hex)


def process_definition() -> dict[str, Any]:
    """Return the fields of `CreateProcessDefinitionCommand` for the orders."""
    return {
        "name": "Order",
        "description": "Reserve the goods; a large order is reviewed and paid, or undone",
        "bpmnXml": (PAYLOADS / "order.bpmn").read_text(),
    }


def rules(known: Secrets, process_definition_id: int) -> Iterable[dict[str, Any]]:
    """Return the fields of `CreateWebHookConfigCommand` for every rule."""
    yield _rule(
        "paystack",
        "Publish a charge as an event",
        executionType=0,
        commandName="PublishEventCommand",
        parameters={
            "event": "paystack.{{payload.event}}",
            "data": {"reference": "{{payload.data.reference}}", "kobo": "{{payload.data.amount}}"},
            "idempotencyKey": "{{payload.data.reference}}",
        },
        signature={"scheme": "paystack", "secret": known.paystack},
        deduplication="body:data.reference",
    )
    yield _rule(
        "stripe",
        "Note the payment, then ask for the receipt",
        executionType=1,
        commandChain=[
            {
                "name": "paid",
                "commandName": "PublishEventCommand",
                "when": "payload.data.object.payment_status == 'paid'",
                "parameters": {
                    "event": "shop.order_paid",
                    "data": {
                        "order": "{{payload.data.object.metadata.order}}",
                        "cents": "{{payload.data.object.amount_total}}",
                    },
                },
            },
            {
                "name": "receipt",
                "commandName": "PublishEventCommand",
                "parameters": {
                    "event": "shop.receipt_due",
                    "data": {"for": "{{steps.paid.id}}", "to": "{{payload.data.object.customer_details.email}}"},
                },
            },
        ],
        signature={"scheme": "stripe", "secret": known.stripe},
    )
    yield _rule(
        "github",
        "Say who pushed where",
        executionType=2,
        executionCode=PUSH_SCRIPT,
        responseMode="sync",
        signature={"scheme": "github", "secret": known.github},
    )
    yield _rule(
        "orders",
        "Start an order: reserve, have a large one reviewed; only from 127.0.0.1",
        executionType=3,
        processDefinitionId=process_definition_id,
        businessKey="{{payload.reference}}",
        responseMode="sync",
        allowableIPs="127.0.0.1",
        signature={"scheme": "standard-webhooks", "secret": known.orders},
    )
    yield _rule(
        "payments",
        "Hand the provider's callback to the order that waits for it",
        executionType=3,
        processDefinitionId=process_definition_id,
        startPolicy="correlate",
        correlation={"messageName": "Payment", "key": "{{payload.reference}}"},
        parameters={"paymentStatus": "{{payload.status}}"},
        responseMode="sync",
        signature={"scheme": "standard-webhooks", "secret": known.orders},
    )


def _rule(key: str, description: str, **fields: Any) -> dict[str, Any]:
    return {"key": key, "description": description, "isEnabled": True, "path": key, "action": "POST", **fields}
