"""`for`, `some` and `every`, as FEEL and as the other dialects write them."""

from collections.abc import Mapping
from typing import Any

from bpm.metering import Meter

from . import syntax
from .closures import LOOPS, elements
from .errors import Unsuitable
from .feel_lists import PARTIAL, STEPS_PER_TURN, collected, iterated, nested, quantified, steps
from .node_compiler import NodeCompiler
from .paths import Evaluator
from .scopes import Frame


class LoopCompiler(NodeCompiler):
    """Compiles loops."""

    def feel_loop(self, node: syntax.Loop, lenient: bool) -> Evaluator:
        """FEEL's `for`, `some` and `every`, over one list or several, each inside of the one before."""
        before = len(self.local)
        domains: list[tuple[str, Evaluator]] = []
        body: syntax.Node = node
        self.local.append(PARTIAL)
        while isinstance(body, syntax.Loop) and (not domains or body.is_inner):
            domains.append((body.variable, self.feel_domain(body.domain, lenient)))
            self.local.append(body.variable)
            body = body.body
        result = self.compile(body, lenient)
        del self.local[before:]
        turns = nested(domains, result)
        return collected(turns) if node.kind in ("for", "each") else quantified(turns, node.kind == "some")

    def feel_domain(self, node: syntax.Node, lenient: bool) -> Evaluator:
        """What a loop of FEEL runs over."""
        if not isinstance(node, syntax.Steps):
            values = self.compile(node, lenient)
            return lambda scope, meter: iterated(values(scope, meter))
        low, high = self.compile(node.low, lenient), self.compile(node.high, lenient)
        return lambda scope, meter: steps(low(scope, meter), high(scope, meter))

    def loop(self, node: syntax.Loop, lenient: bool) -> Evaluator:
        """`for`, `some` and `every` over a list or a range of whole numbers."""
        domain = self.domain(node.domain, lenient)
        body = self.inside(node.variable, node.body, lenient)
        variable = node.variable

        def turns(scope: Mapping[str, Any], meter: Meter) -> Any:
            frame = Frame(scope)
            for item in domain(scope, meter):
                meter.charge(STEPS_PER_TURN)
                frame[variable] = item
                yield body(frame, meter)

        return LOOPS[node.kind](turns, lenient)

    def domain(self, node: syntax.Node, lenient: bool) -> Evaluator:
        """What a loop runs over."""
        if not isinstance(node, syntax.Range | syntax.Steps):
            values = self.compile(node, lenient)
            return lambda scope, meter: elements(values(scope, meter))
        low, high = self.compile(node.low, lenient), self.compile(node.high, lenient)

        def numbers(scope: Mapping[str, Any], meter: Meter) -> range:
            first, last = low(scope, meter), high(scope, meter)
            if type(first) is not int or type(last) is not int:
                raise Unsuitable("a loop counts between two whole numbers")
            return range(first, last + 1) if first <= last else range(first, last - 1, -1)

        return numbers
