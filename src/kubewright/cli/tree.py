"""The live tree: for a person at a terminal."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Self

from kubewright.cli.view import View
from kubewright.errors import MissingExtra

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.tree import Tree as RichTree

    from kubewright.cli.world import Change, Node, World

LOG_LINES = 6


class Tree(View):
    """The steps done, the objects below their owners, the last lines of the log, and how far it is."""

    def __init__(self, started: float) -> None:
        super().__init__(started)
        try:
            import rich.live  # noqa: F401 - asked for here, so that its absence has a name
        except ImportError as error:
            raise MissingExtra("rich is not installed, which draws on the terminal") from error
        self._steps: list[str] = []
        self._facts: list[tuple[str, str]] = []
        self._log: deque[tuple[str, bool]] = deque(maxlen=LOG_LINES)
        self._world: World | None = None
        self._ready_after: float | None = None
        self._live = self._draw(until_ready=True)

    def _draw(self, *, until_ready: bool) -> Live:
        """Until it is ready the seconds run, so it is drawn again and again; later only where something changed."""
        from rich.live import Live

        return Live(
            get_renderable=self._render, auto_refresh=until_ready, refresh_per_second=12, transient=until_ready
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.transient = False
        self._live.stop()

    def _refresh(self) -> None:
        if self._ready_after is not None:
            self._live.refresh()

    def step(self, words: str) -> None:
        """Enter it into the list of steps."""
        self._steps.append(words)
        self._refresh()

    def changed(self, change: Change, world: World) -> None:
        """Remember the world; it is drawn at the next refresh."""
        self._world = world
        self._refresh()

    def log(self, words: str, *, failed: bool = False) -> None:
        """Keep the last lines."""
        self._log.append((words, failed))
        self._refresh()

    def ready(self, world: World) -> None:
        """Remember when."""
        self._world = world
        self._ready_after = self.seconds
        self._live.stop()
        self._live = self._draw(until_ready=False)
        self._live.start(refresh=True)

    def fact(self, name: str, value: str) -> None:
        """Show it below the steps."""
        self._facts.append((name, value))
        self._refresh()

    def _render(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        parts: list[RenderableType] = [Text.assemble(("✓ ", "green"), words) for words in self._steps]
        parts += [Text.assemble((f"{name}: ", "bold"), value) for name, value in self._facts]
        nodes = done = 0
        for root in self._world.forest() if self._world is not None else ():
            parts.append(self._branch(root))
            for node in root.all():
                nodes += 1
                done += node.state.done
        parts += [
            Text(f"  {words}", style="red" if failed else "dim", no_wrap=True, overflow="ellipsis")
            for words, failed in self._log
        ]
        if self._ready_after is not None:
            parts.append(
                Text.assemble((f"ready in {self._ready_after:.1f} s", "bold green"), "   Ctrl-C stops everything")
            )
        else:
            parts.append(self._progress(done, nodes))
        return Group(*parts)

    def _progress(self, done: int, nodes: int) -> RenderableType:
        from rich.text import Text

        width = 30
        filled = width * done // nodes if nodes else 0
        return Text.assemble(
            ("━" * filled, "green"), ("━" * (width - filled), "dim"), f" {done}/{nodes} ready  {self.seconds:.1f} s"
        )

    def _branch(self, root: Node) -> RichTree:
        from rich.tree import Tree as RichTree

        tree = RichTree(self._label(root))
        self._grow(tree, root)
        return tree

    def _grow(self, tree: RichTree, node: Node) -> None:
        for child in node.children:
            self._grow(tree.add(self._label(child)), child)

    @staticmethod
    def _label(node: Node) -> RenderableType:
        from rich.text import Text

        mark = ("● ", "green") if node.state.done else ("○ ", "yellow")
        return Text.assemble(mark, node.title, "  ", (node.state.words, "dim"))
