"""Take orders, cancel them, list them: each message with its handler beneath it."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from bpm.bus import Command, Context, Id, Integer, Moment, Page, PagedQuery, View, WireModel, handles
from bpm.errors import Conflict, NotFound
from orders.tables import ShopOrder, insert_order, select_orders

Reference = Annotated[str, Field(min_length=1, max_length=50)]
Price = Annotated[Decimal, Field(strict=False, ge=0, max_digits=12, decimal_places=2)]
"""An amount of money; it is written and stored as digits, never as a float."""


class OrderLine(WireModel):
    """One article of an order."""

    sku: Annotated[str, Field(min_length=1, max_length=50)]
    quantity: Annotated[Integer, Field(ge=1, le=1000)]
    unit_price: Price


class OrderView(View):
    """An order as it stands."""

    id: int
    reference: str
    customer: str
    lines: list[OrderLine]
    total: Decimal
    status: Literal["placed", "cancelled"]
    reason: str | None = None
    created_at: Moment
    cancelled_at: Moment | None = None


class PlaceOrderCommand(Command[OrderView]):
    """Take an order; a reference can be used once."""

    permission = "orders:write"
    succeeded = "Order placed successfully"
    failed = "Order not placed"

    reference: Reference
    customer: Annotated[str, Field(min_length=3, max_length=200)]
    lines: Annotated[list[OrderLine], Field(min_length=1, max_length=100)]


@handles
def place(command: PlaceOrderCommand, context: Context) -> OrderView:
    """Store the order and tell the world, in one transaction."""
    order = ShopOrder(
        organization_id=context.organization_id,
        reference=command.reference,
        customer=command.customer,
        lines=[line.model_dump(mode="json", by_alias=True) for line in command.lines],
        total=str(sum(line.quantity * line.unit_price for line in command.lines)),
        created_at=context.now(),
    )
    order.id = insert_order(context.tx, order.model_dump(exclude={"id"}))
    if order.id is None:
        raise Conflict(f"reference: the order {command.reference} was placed already")
    view = OrderView.model_validate(order)
    context.call("PublishEventCommand", {"event": "order.placed", "data": {"id": view.id, "reference": view.reference}})
    return view


class CancelOrderCommand(Command[OrderView]):
    """Cancel an order, saying why."""

    permission = "orders:write"
    succeeded = "Order cancelled successfully"
    failed = "Order not cancelled"

    id: Id
    reason: Annotated[str, Field(min_length=1, max_length=500)]


@handles
def cancel(command: CancelOrderCommand, context: Context) -> OrderView:
    """Change the row; the session writes it when the transaction commits."""
    order = context.session.get(ShopOrder, command.id)
    if order is None:
        raise NotFound("There is no order with this id")
    if order.status == "cancelled":
        raise Conflict("The order is cancelled already")
    order.status, order.reason, order.cancelled_at = "cancelled", command.reason, context.now()
    context.call("PublishEventCommand", {"event": "order.cancelled", "data": {"id": command.id}})
    return OrderView.model_validate(order)


class GetOrderListQuery(PagedQuery[Page[OrderView]]):
    """List orders; `searchText` looks into references and customers."""

    permission = "orders:read"
    succeeded = "Orders retrieved successfully"

    status: Literal["placed", "cancelled"] | None = None
    customer: str | None = None


@handles
def list_orders(query: GetOrderListQuery, context: Context) -> Page[OrderView]:
    """Return one page, the newest first."""
    return query.page(
        context,
        select_orders(query.status, query.customer),
        ShopOrder,
        OrderView.model_validate,
        search=("reference", "customer"),
        sortable={"createdAt": "created_at", "reference": "reference", "id": "id"},
    )
