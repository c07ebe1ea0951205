"""Variables and parameters of one statement, numbered in the order of the text, so that equal selections have equal texts."""

from __future__ import annotations

from dataclasses import dataclass, field

from graph.compiler.bind import Binding, ScopeIds
from graph.compiler.clauses import Param


@dataclass(slots=True)
class Names:
    """The counters of one compilation."""

    parameters: list[tuple[str, Binding]] = field(default_factory=list)
    variables: int = 0

    def variable(self) -> str:
        """Give a variable that no clause has bound."""
        self.variables += 1
        return f"v{self.variables}"

    def parameter(self, binding: Binding) -> Param:
        """Give the parameter of a binding; the caller's customers are one parameter in the whole statement."""
        if isinstance(binding, ScopeIds):
            if ("scope", binding) not in self.parameters:
                self.parameters.append(("scope", binding))
            return Param("scope")
        name = f"p{len(self.parameters)}"
        self.parameters.append((name, binding))
        return Param(name)
