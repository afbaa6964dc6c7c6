"""One small, safe expression language for mappings, conditions, processes and filters.

Three dialects are read by one grammar: the router's (`payload.items[0].sku ?? "none"`), FEEL as written for
Camunda 8 (`=amount > 100 and not(paid)`) and JUEL as written for Camunda 7 (`${amount gt 100 && !paid}`).
A leading `=` marks FEEL, where lists count from 1 and `orders.price` is the list of all prices.

    compile_expression(source)  -> Expression   .evaluate(scope) .holds(scope) .names
    compile_template(value)     -> Template     .render(scope) .names

Nothing in a scope is called, no attribute is read, and no result can grow without bound. What every part does is
charged to one meter (`bpm.metering`): an expression over its steps ends with `TooManySteps`.
"""

from .environment import Environment
from .errors import EvaluationError, ExpressionError, TooManySteps, Unsuitable
from .expression import Expression, Missing, compile_expression, equal, evaluated
from .functions.signing import KEYS, Signer
from .functions.uuids import SEED
from .json_values import to_json
from .marks import is_marked, marked
from .paths import Evaluator
from .templates import MAX_EXPRESSIONS, OPENING, Template, compile_template
from .temporal import CLOCK

__all__ = [
    "CLOCK",
    "KEYS",
    "MAX_EXPRESSIONS",
    "OPENING",
    "SEED",
    "Environment",
    "EvaluationError",
    "Evaluator",
    "Expression",
    "ExpressionError",
    "Missing",
    "Signer",
    "Template",
    "TooManySteps",
    "Unsuitable",
    "compile_expression",
    "compile_template",
    "equal",
    "evaluated",
    "is_marked",
    "marked",
    "to_json",
]
