"""Our dialect of RestrictedPython: its rules, with ordinary Python working and every problem positioned."""

import ast
from typing import Any, TypeVar

from RestrictedPython.transformer import IOPERATOR_TO_STR, RestrictingNodeTransformer

from scripts.child.privates import is_private, made_by_classes
from scripts.shared import policy

Node = TypeVar("Node", ast.expr, ast.stmt)

SIGNS: dict[Any, str] = {**IOPERATOR_TO_STR}


class ScriptTransformer(RestrictingNodeTransformer):
    """Rewrites a script so that it reaches objects only through the guards, and collects what is refused."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[tuple[ast.AST, str]] = []
        self._scopes: list[type[ast.AST]] = [ast.Module]
        self._privates: frozenset[str] = frozenset()

    def error(self, node: ast.AST, info: str) -> None:
        """Collect a refusal with the node it is about."""
        self.refused.append((node, info))

    def gen_tmp_name(self) -> str:
        """Return a new name that no script can write: it begins and ends with an underscore."""
        return f"{super().gen_tmp_name()}_"

    def check_name(self, node: Any, name: str | None, allow_magic_methods: bool = False) -> None:
        """Refuse private and closed names; in a class body, private names and special methods of the policy pass."""
        if name is None or name == "_":
            return
        if name.startswith("_"):
            special = allow_magic_methods and name in policy.MAGIC_METHODS
            if self._scopes[-1] is not ast.ClassDef or not (special or is_private(name)):
                self.error(node, f'"{name}" is not available in scripts: names must not begin with "_".')
        elif name.endswith("__roles__") or name in policy.CLOSED_NAMES:
            self.error(node, f'"{name}" is a reserved name.')

    def inject_print_collector(self, node: Any, position: int = 0) -> None:
        """Leave `print` alone: it is an ordinary function that writes to the log."""

    def visit_Name(self, node: ast.Name) -> ast.AST:  # noqa: N802
        """Check the name; `print` and `printed` have no special meaning here."""
        if node.id not in policy.READABLE_DUNDERS or not isinstance(node.ctx, ast.Load):
            self.check_name(node, node.id, allow_magic_methods=True)
        return node

    def visit_Call(self, node: ast.Call) -> Any:  # noqa: N802
        """Refuse calls that could only fail at run time, and pass on private keywords to nobody."""
        if isinstance(node.func, ast.Name) and node.func.id in policy.CLOSED_CALLS:
            self.error(node, f'"{node.func.id}" is not available in scripts.')
            return node
        for keyword in node.keywords:
            self.check_name(keyword, keyword.arg)
        return super().visit_Call(node)

    def visit_Attribute(self, node: ast.Attribute) -> Any:  # noqa: N802
        """Guard the reading and writing of attributes; `super().__init__` and readable special names pass."""
        if node.attr in policy.MAGIC_METHODS and isinstance(node.ctx, ast.Load) and _is_super_call(node.value):
            return _located(_call("_super_", self.visit(node.value), ast.Constant(node.attr)), node)
        self._check_attribute(node)
        owner = self.visit(node.value)
        if isinstance(node.ctx, ast.Load):
            return _located(_call("_getattr_", owner, ast.Constant(node.attr)), node)
        node.value = _located(_call("_settable_", owner, ast.Constant(node.attr)), node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:  # noqa: N802
        """Evaluate the owner (and key) of `o.a += v` and `o[k] += v` once, then read, compute and write."""
        target = node.target
        if isinstance(target, ast.Name):
            return super().visit_AugAssign(node)
        owner, keep_owner = self._kept(self.visit(target.value))
        if isinstance(target, ast.Attribute):
            self._check_attribute(target)
            before = [keep_owner]
            read = _call("_getattr_", owner, ast.Constant(target.attr))
            write = ast.Attribute(_call("_settable_", owner, ast.Constant(target.attr)), target.attr, ast.Store())
        else:
            key, keep_key = self._kept(self._key(target.slice))
            before = [keep_owner, keep_key]
            read = _call("_getitem_", owner, key)
            write = ast.Subscript(_call("_write_", owner), key, ast.Store())
        sign = ast.Constant(SIGNS[type(node.op)])
        change = ast.Assign([write], _call("_inplacevar_", sign, read, self.visit(node.value)))
        return [_located(statement, node) for statement in (*before, change)]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:  # noqa: N802
        """Drop the annotation, which is never evaluated, and keep the assignment if there is one."""
        if node.value is None:
            if isinstance(node.target, ast.Name):
                self.check_name(node, node.target.id)
            return ast.copy_location(ast.Pass(), node)
        return self.visit(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Drop the annotation of a parameter."""
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:  # noqa: N802
        """Check a function as RestrictedPython does, without the annotation of its result."""
        node.returns = None
        self.check_name(node, node.name, allow_magic_methods=True)
        self.check_function_argument_names(node)
        return self._inside(node)

    def visit_Lambda(self, node: ast.Lambda) -> Any:  # noqa: N802
        """Check a lambda; a `yield` in it is a function's."""
        self.check_function_argument_names(node)
        return self._inside(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:  # noqa: N802
        """Give every class the guarding metaclass."""
        self.check_name(node, node.name)
        if node.keywords:
            self.error(node, "A class statement takes base classes only in scripts.")
        node.keywords = []
        self._inside(node)
        node.keywords = [ast.keyword("metaclass", ast.Name("__metaclass__", ast.Load()))]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> Any:  # noqa: N802
        """Check a handler; what it catches is looked up by a guard, which knows the errors behind stand-ins."""
        handler = super().visit_ExceptHandler(node)
        if node.type is not None:
            node.type = _located(_call("_caught_", node.type), node.type)
        return handler

    def visit_Match(self, node: ast.Match) -> Any:  # noqa: N802
        """Allow `match`: patterns compare, unpack and capture, and read no attribute."""
        return self.node_contents_visit(node)

    def visit_match_case(self, node: ast.match_case) -> Any:
        """Allow a case with its guard."""
        return self.node_contents_visit(node)

    def visit_MatchSingleton(self, node: ast.MatchSingleton) -> Any:  # noqa: N802
        """Allow None, True and False."""
        return self.node_contents_visit(node)

    def visit_MatchSequence(self, node: ast.MatchSequence) -> Any:  # noqa: N802
        """Allow a pattern of a sequence."""
        return self.node_contents_visit(node)

    def visit_MatchOr(self, node: ast.MatchOr) -> Any:  # noqa: N802
        """Allow alternatives."""
        return self.node_contents_visit(node)

    def visit_MatchValue(self, node: ast.MatchValue) -> Any:  # noqa: N802
        """Allow literals; a dotted name would be read past the attribute guard."""
        return self._without_dots(node, node.value)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> Any:  # noqa: N802
        """Allow a pattern of a dictionary whose keys are literals."""
        self.check_name(node, node.rest)
        return self._without_dots(node, *node.keys)

    def visit_MatchClass(self, node: ast.MatchClass) -> Any:  # noqa: N802
        """Allow `Name()` and `Name(pattern)`; named parts would be read past the attribute guard."""
        if node.kwd_attrs:
            words = "A class pattern cannot name attributes in scripts: match the class, then compare in an `if`."
            self.error(node, words)
        return self._without_dots(node, node.cls)

    def visit_MatchAs(self, node: ast.MatchAs) -> Any:  # noqa: N802
        """Check the name that a pattern binds."""
        self.check_name(node, node.name)
        return self.node_contents_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> Any:  # noqa: N802
        """Check the name that takes the rest of a sequence."""
        self.check_name(node, node.name)
        return self.node_contents_visit(node)

    def visit_Yield(self, node: ast.Yield) -> Any:  # noqa: N802
        """Allow `yield` inside functions; the function that holds the whole script is not one."""
        if not self._in_function():
            self.error(node, "'yield' outside function")
        return self.node_contents_visit(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> Any:  # noqa: N802
        """Allow `yield from` inside functions."""
        if not self._in_function():
            self.error(node, "'yield' outside function")
        return self.node_contents_visit(node)

    def visit_Global(self, node: ast.Global) -> Any:  # noqa: N802
        """Check the names of a `global` statement."""
        for name in node.names:
            self.check_name(node, name)
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> Any:  # noqa: N802
        """Check the names of a `nonlocal` statement."""
        for name in node.names:
            self.check_name(node, name)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:  # noqa: N802
        """Check an import; imports from `__future__` change nothing here and are dropped."""
        if node.module == "__future__":
            return ast.copy_location(ast.Pass(), node)
        return super().visit_ImportFrom(node)

    def visit_Module(self, node: ast.Module) -> Any:  # noqa: N802
        """Look first which private attributes the classes of the script make."""
        self._privates = made_by_classes(node)
        return super().visit_Module(node)

    def _without_dots(self, node: Any, *parts: ast.expr) -> Any:
        for part in parts:
            if isinstance(part, ast.Attribute):
                self.error(part, "A pattern cannot hold a dotted name in scripts: bind it to a name, or use an `if`.")
        return self.node_contents_visit(node)

    def _inside(self, node: Node) -> Node:
        self._scopes.append(type(node))
        try:
            return self.node_contents_visit(node)
        finally:
            self._scopes.pop()

    def _in_function(self) -> bool:
        return any(scope in (ast.FunctionDef, ast.Lambda) for scope in self._scopes)

    def _check_attribute(self, node: ast.Attribute) -> None:
        name = node.attr
        readable = name in policy.READABLE_DUNDERS and isinstance(node.ctx, ast.Load)
        readable = readable or name in policy.RECORD_ATTRIBUTES or name in self._privates
        if (name.startswith("_") and not readable) or name.endswith("__roles__"):
            self.error(node, f'The attribute "{name}" is closed in scripts: names must not begin with "_".')
        elif name in policy.CLOSED_ATTRIBUTES:
            self.error(node, f'The attribute "{name}" is closed in scripts.')

    def _kept(self, value: ast.expr) -> tuple[ast.Name, ast.stmt]:
        """Return a name of our own and the statement that keeps a value under it."""
        name = self.gen_tmp_name()
        return ast.Name(name, ast.Load()), ast.Assign([ast.Name(name, ast.Store())], value)

    def _key(self, key: ast.expr) -> ast.expr:
        """Return a subscript's key as an expression that can be kept: slices become calls."""
        if isinstance(key, ast.Tuple):
            return ast.Tuple([self._key(part) for part in key.elts], ast.Load())
        if isinstance(key, ast.Slice):
            bounds = (key.lower, key.upper, key.step)
            return _call("_slice_", *(self.visit(bound) if bound else ast.Constant(None) for bound in bounds))
        return self.visit(key)


def _call(guard: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(guard, ast.Load()), list(arguments), [])


def _located(node: Node, origin: Any) -> Node:
    """Put a new node where another was; what is new below it gets its place at the end, from its parent."""
    return ast.copy_location(node, origin)


def _is_super_call(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
