"""Our own clients against a server, and clients that other people's generators make of the OpenAPI document.

`make clients` installs the generators into `.clients`, whose versions `.lock/clients` pins.
"""
