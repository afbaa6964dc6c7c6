"""A request in, an envelope out: the dynamic webhook router and the fixed provider endpoints.

endpoints -> table -> guard -> inbox (on disk) -> dispatch -> bus
"""
