amount = payload["amount"]
event = "refund.large" if amount > 500 else "refund.small"
send("PublishEventCommand", {"event": event, "data": {"reference": payload["id"], "amount": amount}})
result = {"event": event}
