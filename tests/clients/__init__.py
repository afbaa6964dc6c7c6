"""Generates clients from the OpenAPI document with other people's generators, and compiles them.

`make clients` installs the generators into `.clients`, whose versions `.lock/clients` pins.
"""
