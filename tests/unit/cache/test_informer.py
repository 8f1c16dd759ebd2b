"""Own writes are seen at once and told once; foreign changes are always told."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from kubewright.cache import Change, Informer, Scope
from kubewright.objects import ApiResource, ObjectKey, RawObject

CONFIG_MAPS = ApiResource(group="", version="v1", kind="ConfigMap", plural="configmaps")
KEY = ObjectKey("default", "a")
Make = Callable[..., RawObject]


@pytest.fixture
def informer() -> Informer:
    return Informer(Scope(CONFIG_MAPS))


@pytest.fixture
def told(informer: Informer) -> list[Change]:
    changes: list[Change] = []
    informer.add_handler(changes.append)
    return changes


def version_of(informer: Informer) -> str:
    found = informer.store.get(KEY)
    return found.metadata.resource_version if found else ""


async def test_an_own_write_is_read_before_the_watch_tells_it(
    informer: Informer, told: list[Change], make: Make
) -> None:
    informer.replace([make("a", 1)], "1")
    informer.begin_write(KEY)
    informer.finish_write(KEY, written=make("a", 3), origin="me")
    assert version_of(informer) == "3"
    assert [(change.type, change.origin) for change in told] == [("ADDED", None), ("MODIFIED", "me")]
    assert not informer.caught_up


async def test_its_echo_is_told_to_nobody(informer: Informer, told: list[Change], make: Make) -> None:
    informer.begin_write(KEY)
    informer.finish_write(KEY, written=make("a", 3), origin="me")
    informer.changed(make("a", 3))
    assert len(told) == 1
    assert informer.caught_up


async def test_an_echo_before_the_answer_waits_for_it(informer: Informer, told: list[Change], make: Make) -> None:
    informer.begin_write(KEY)
    informer.changed(make("a", 3))
    assert told == []
    informer.finish_write(KEY, written=make("a", 3), origin="me")
    assert [change.origin for change in told] == ["me"]
    assert informer.caught_up


async def test_a_foreign_change_below_an_own_write_is_told(
    informer: Informer, told: list[Change], make: Make
) -> None:
    informer.replace([make("a", 1)], "1")
    informer.begin_write(KEY)
    informer.finish_write(KEY, written=make("a", 3), origin="me")
    informer.changed(make("a", 2))
    assert told[-1].origin is None
    assert told[-1].object.metadata.resource_version == "2"
    assert version_of(informer) == "3", "the view never goes back"


async def test_a_write_that_fails_hides_nothing(informer: Informer, told: list[Change], make: Make) -> None:
    informer.begin_write(KEY)
    informer.changed(make("a", 3))
    informer.finish_write(KEY)
    assert [change.origin for change in told] == [None]


async def test_what_was_deleted_unseen_is_told_by_the_next_list(
    informer: Informer, told: list[Change], make: Make
) -> None:
    informer.replace([make("a", 1), make("b", 2)], "2")
    informer.replace([make("b", 2)], "9")
    assert [(change.type, change.object.key.name) for change in told[2:]] == [("DELETED", "a")]


async def test_a_list_older_than_an_own_write_does_not_undo_it(
    informer: Informer, told: list[Change], make: Make
) -> None:
    informer.begin_write(KEY)
    informer.finish_write(KEY, written=make("a", 12), origin="me")
    informer.replace([], "9")
    assert version_of(informer) == "12"


async def test_an_own_delete_is_gone_at_once_and_stays_so(
    informer: Informer, told: list[Change], make: Make
) -> None:
    informer.replace([make("a", 1)], "1")
    informer.begin_write(KEY)
    informer.finish_write(KEY, deleted_uid="uid-a", origin="me")
    informer.changed(make("a", 2))
    assert KEY not in informer.store
    informer.deleted(make("a", 3))
    assert [change.type for change in told] == ["ADDED", "DELETED"]
    assert informer.caught_up


async def test_a_bookmark_ends_the_wait_for_an_echo(informer: Informer, make: Make) -> None:
    informer.begin_write(KEY)
    informer.finish_write(KEY, written=make("a", 3), origin="me")
    informer.bookmark("4")
    assert informer.caught_up


async def test_a_late_handler_is_told_what_is_there(informer: Informer, make: Make) -> None:
    informer.replace([make("a", 1)], "1")
    changes: list[Change] = []
    informer.add_handler(changes.append)
    assert [(change.type, change.initial) for change in changes] == [("ADDED", True)]


async def test_an_own_write_that_leaves_the_selector_leaves_the_view(make: Make) -> None:
    informer = Informer(Scope(CONFIG_MAPS, label_selector="app=a"))
    informer.replace([make("a", 1, labels={"app": "a"})], "1")
    informer.begin_write(KEY)
    informer.finish_write(KEY, written=make("a", 2, labels={"app": "b"}))
    assert KEY not in informer.store


@dataclass
class World:
    """A server of three objects, a watch that lags, and writers: us and others."""

    random: random.Random
    make: Make
    informer: Informer
    version: int = 0
    uids: int = 0
    live: dict[str, tuple[int, str]] = field(default_factory=dict)
    log: list[tuple[str, str, int, str]] = field(default_factory=list)
    delivered: int = 0
    under_way: list[Callable[[], bool]] = field(default_factory=list)
    foreign: dict[str, str] = field(default_factory=dict)
    deleted_by_us: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)

    def commit(self, name: str, delete: bool) -> tuple[RawObject | None, str]:
        """Carry a write out; the object written, or the uid of the one deleted."""
        self.version += 1
        if delete:
            _, uid = self.live.pop(name)
            self.log.append(("DELETED", name, self.version, uid))
            return None, uid
        known = self.live.get(name)
        if known is None:
            self.uids += 1
        uid = known[1] if known else f"u{self.uids}"
        self.live[name] = (self.version, uid)
        self.log.append(("MODIFIED", name, self.version, uid))
        return self.make(name, self.version, uid), ""

    def write_foreign(self) -> None:
        name = self.random.choice("abc")
        written, uid = self.commit(name, name in self.live and self.random.random() < 0.3)
        self.foreign[uid or (written.metadata.resource_version if written else "")] = self.log[-1][3]

    def write_own(self) -> None:
        name = self.random.choice("abc")
        key = ObjectKey("default", name)
        self.informer.begin_write(key)
        answers: list[tuple[RawObject | None, str]] = []

        def step() -> bool:
            if not answers:
                answers.append(self.commit(name, name in self.live and self.random.random() < 0.3))
                return False
            written, uid = answers[0]
            self.deleted_by_us |= {uid}
            self.own.add(uid or (written.metadata.resource_version if written else ""))
            self.informer.finish_write(key, written=written, deleted_uid=uid, origin="me")
            return True

        self.under_way.append(step)

    def deliver(self) -> None:
        if self.delivered < len(self.log):
            kind, name, version, uid = self.log[self.delivered]
            self.delivered += 1
            obj = self.make(name, version, uid)
            self.informer.deleted(obj) if kind == "DELETED" else self.informer.changed(obj)

    def proceed(self) -> None:
        if self.under_way:
            step = self.random.choice(self.under_way)
            if step():
                self.under_way.remove(step)


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_the_order_foreign_changes_are_told_and_own_echoes_are_not(seed: int, make: Make) -> None:
    for repeat in range(25):
        informer = Informer(Scope(CONFIG_MAPS))
        changes: list[Change] = []
        informer.replace([], "0")
        informer.add_handler(changes.append)
        world = World(random.Random(f"{seed}/{repeat}"), make, informer)
        for _ in range(60):
            world.random.choice(
                [world.write_foreign, world.write_own, world.deliver, world.deliver, world.proceed]
            )()
        while world.under_way:
            world.proceed()
        while world.delivered < len(world.log):
            world.deliver()
        marks = [
            (c.object.metadata.uid if c.new is None else c.object.metadata.resource_version, c.origin)
            for c in changes
        ]
        foreign = {mark for mark, origin in marks if origin is None}
        own = [mark for mark, origin in marks if origin == "me"]
        assert foreign & world.own == set()
        assert len(own) == len(set(own))
        # What happened to an object before we deleted it is of no more interest.
        assert {mark for mark, uid in world.foreign.items() if uid not in world.deleted_by_us} <= foreign
        assert {o.key.name: int(o.metadata.resource_version) for o in informer.store} == {
            name: version for name, (version, _) in world.live.items()
        }
        assert informer.caught_up


async def test_managed_fields_are_dropped_however_an_object_comes(informer: Informer, make: Make) -> None:
    managed = [{"manager": "kubectl", "operation": "Update"}]
    informer.replace([make("a", 1, managedFields=managed)], "1")
    informer.changed(make("b", 2, managedFields=managed))
    informer.begin_write(ObjectKey("default", "c"))
    informer.finish_write(ObjectKey("default", "c"), written=make("c", 3, managedFields=managed))
    assert len(informer.store) == 3
    assert not any(b"managedFields" in obj.raw for obj in informer.store)


@pytest.mark.parametrize(
    "scope",
    [Scope(CONFIG_MAPS, "other"), Scope(CONFIG_MAPS, name="b"), Scope(CONFIG_MAPS, label_selector="app=web")],
)
async def test_an_own_delete_outside_the_scope_is_not_waited_for(scope: Scope) -> None:
    informer = Informer(scope)
    informer.begin_write(KEY)
    informer.finish_write(KEY, deleted_uid="uid-a", origin="me")
    assert informer.caught_up
