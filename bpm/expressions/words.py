"""The words of the grammar: operators and how tight they bind, constants, types of tests."""

CONDITIONAL, OR, AND, NOT, COMPARISON, DEFAULT, SUM, PRODUCT, POWER, SIGN = range(1, 11)

SYNONYMS = {
    "==": "=", "eq": "=", "<>": "!=", "ne": "!=", "gt": ">", "lt": "<", "ge": ">=", "le": "<=",
    "&&": "and", "||": "or", "div": "/", "mod": "%",
}  # fmt: skip
POWERS = {
    "?": CONDITIONAL, "or": OR, "and": AND,
    "=": COMPARISON, "!=": COMPARISON, "<": COMPARISON, "<=": COMPARISON, ">": COMPARISON, ">=": COMPARISON,
    "in": COMPARISON, "not in": COMPARISON, "contains": COMPARISON, "not contains": COMPARISON,
    "starts with": COMPARISON, "ends with": COMPARISON, "between": COMPARISON, "instance of": COMPARISON,
    "is defined": COMPARISON,
    "??": DEFAULT, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "%": PRODUCT, "**": POWER,
}  # fmt: skip
CONSTANTS = {"true": True, "false": False, "null": None}
NOT_OPERANDS = {"and", "or", "in", "then", "else", "between", "return", "satisfies"}
BOOLEAN = {operator for operator, power in POWERS.items() if power == COMPARISON}
TESTS = ("<", "<=", ">", ">=", "=", "!=")
METHODS = {
    "equals": "write a == b", "size": "write count(list)", "length": "write string length(text)",
    "isEmpty": "write empty(value)", "contains": "write contains(text, part) or list contains(list, element)",
    "startsWith": "write starts with(text, part)", "endsWith": "write ends with(text, part)",
    "toUpperCase": "write upper case(text)", "toLowerCase": "write lower case(text)", "trim": "write trim(text)",
    "get": 'write list[0] or object["key"]', "getVariable": "write the variable's name",
    "hasVariable": "write name != null", "plusDays": 'write now() + duration("P1D")',
}  # fmt: skip
"""What to write instead of the methods of Java that modellers of Camunda 7 call most."""
