"""A controller of one custom resource owning ConfigMaps, against the embedded server and the real one."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import Annotated, Any

import pytest

from kubewright import clock
from kubewright.errors import AlreadyExists, NotFound, Permanent, Retry
from kubewright.kinds import core_v1 as core
from kubewright.objects import (
    Condition,
    ListMap,
    Object,
    ObjectMeta,
    Resource,
    Spec,
    Status,
    find_condition,
    resource,
)
from kubewright.runtime import ANNOTATION, Context, Controller, Desired, Keep, Reads, Result, Seen, child


class NoteSpec(Spec):
    """What a note says, and how often."""

    texts: dict[str, str] = {}
    cpu: str | None = None


class NoteStatus(Status):
    """What became of it."""

    copies: int = 0
    last: str | None = None
    observed_generation: int | None = None
    conditions: Annotated[list[Condition], ListMap("type")] = []


@resource(group="runtime.kubewright.test", version="v1")
class Note(Resource[NoteSpec, NoteStatus]):
    """A note, copied into ConfigMaps."""


def note(**texts: str) -> Note:
    return Note(metadata=ObjectMeta(name="n"), spec=NoteSpec(texts=texts))


def config_map(name: str, **data: str) -> core.ConfigMap:
    return core.ConfigMap(metadata=ObjectMeta(name=name), data=data)


class Copies(Controller[Note]):
    """One ConfigMap a text; its status tells how many it has seen."""

    owns = (core.ConfigMap,)

    def desired(self, obj: Note, seen: Seen, /) -> Desired[NoteStatus]:
        children = [config_map(name, text=text) for name, text in obj.spec.texts.items()]
        count = sum(seen.get(made) is not None for made in children)
        return Desired(children=children, status=NoteStatus(copies=count), ready=count == len(children))


class NotesApi:
    """The server with notes on it, and short ways to ask it."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.client = api.client
        self.namespace: str = api.namespace

    async def create(self, obj: Object) -> None:
        obj.metadata.namespace = self.namespace
        await self.client.create(obj)

    async def data(self) -> dict[str, dict[str, str]]:
        found = await self.client.list(core.ConfigMap, namespace=self.namespace)
        return {item.metadata.name: item.data for item in found.items if item.metadata.name != "kube-root-ca.crt"}

    async def note(self) -> Note:
        found: Note = await self.client.get(Note, "n", self.namespace)
        return found

    async def ready(self) -> Condition:
        status = (await self.note()).status
        found = find_condition(status.conditions if status else (), "Ready")
        assert found is not None
        return found

    async def patch(self, kind: type[Object], name: str, patch: dict[str, Any], **options: Any) -> None:
        await self.client.patch(kind, name, patch, "merge", self.namespace, **options)


@pytest.fixture
async def notes(api: Any) -> NotesApi:
    await api.install(Note)
    return NotesApi(api)


async def test_children_and_status_come_in_one_reconcile(notes: NotesApi) -> None:
    async with notes.api.operating(Copies()) as running:
        await notes.create(note(a="one", b="two"))
        await running.wait_idle()
        assert await notes.data() == {"a": {"text": "one"}, "b": {"text": "two"}}
        status = (await notes.note()).status
        assert status is not None
        assert (status.copies, status.observed_generation) == (2, 1)
        assert (await notes.ready()).status == "True"
        assert len(notes.api.records) == 1, "own echoes cause no reconcile"
        assert notes.api.writes() == [
            "create configmaps a",
            "create configmaps b",
            "patch notes.runtime.kubewright.test/status n",
        ]


async def test_a_change_of_the_spec_reaches_the_children(notes: NotesApi) -> None:
    async with notes.api.operating(Copies()) as running:
        await notes.create(note(a="one"))
        await running.wait_idle()
        await notes.patch(Note, "n", {"spec": {"texts": {"a": "changed"}}})
        await running.wait_idle()
        assert await notes.data() == {"a": {"text": "changed"}}
        notes.api.records.clear()
        await notes.patch(Note, "n", {"spec": {"texts": {"a": "again"}}})
        await running.wait_idle()
        assert notes.api.writes() == ["apply configmaps a", "patch notes.runtime.kubewright.test/status n"]


class Wide(Controller[Note]):
    """One ConfigMap with all texts in it."""

    owns = (core.ConfigMap,)

    def desired(self, obj: Note, seen: Seen, /) -> Desired[NoteStatus]:
        return Desired(children=[config_map("all", **obj.spec.texts)])


async def test_a_field_that_is_no_longer_desired_disappears(notes: NotesApi) -> None:
    """What was created by a POST is owned by ``Update``; without the migration, ``b`` would stay forever."""
    async with notes.api.operating(Wide()) as running:
        await notes.create(note(a="1", b="2"))
        await running.wait_idle()
        await notes.patch(Note, "n", {"spec": {"texts": {"b": None}}})
        await running.wait_idle()
        assert await notes.data() == {"all": {"a": "1"}}


async def test_drift_is_put_back_and_foreign_fields_are_left(notes: NotesApi) -> None:
    async with notes.api.operating(Copies()) as running:
        await notes.create(note(a="one"))
        await running.wait_idle()
        await notes.patch(core.ConfigMap, "a", {"data": {"text": "drift", "more": "mine"}})
        await running.wait_idle()
        assert await notes.data() == {"a": {"text": "one", "more": "mine"}}


async def test_what_somebody_deletes_comes_back(notes: NotesApi) -> None:
    async with notes.api.operating(Copies()) as running:
        await notes.create(note(a="one"))
        await running.wait_idle()
        await notes.client.delete(core.ConfigMap, "a", notes.namespace)
        await running.wait_idle()
        assert await notes.data() == {"a": {"text": "one"}}


async def test_what_is_no_longer_desired_is_pruned_and_strangers_are_not(notes: NotesApi) -> None:
    await notes.create(config_map("stranger", text="x"))
    async with notes.api.operating(Copies()) as running:
        await notes.create(note(a="one", b="two"))
        await running.wait_idle()
        await notes.patch(Note, "n", {"spec": {"texts": {"b": None}}})
        await running.wait_idle()
        assert set(await notes.data()) == {"a", "stranger"}


async def test_a_restart_writes_nothing(notes: NotesApi) -> None:
    async with notes.api.operating(Copies()) as running:
        await notes.create(note(a="one", b="two"))
        await running.wait_idle()
        await notes.patch(Note, "n", {"spec": {"texts": {"a": "changed"}}})
        await running.wait_idle()
    notes.api.records.clear()
    async with notes.api.operating(Copies()):
        assert len(notes.api.records) == 1
        assert notes.api.writes() == []


async def test_an_object_that_is_not_ours_is_an_error_that_names_it(notes: NotesApi) -> None:
    await notes.create(config_map("a", text="theirs"))
    async with notes.api.operating(Copies()) as running:
        await notes.create(note(a="one"))
        await running.wait_ready()
        await _until(lambda: notes.api.records and notes.api.records[-1].outcome == "error")
        assert await notes.data() == {"a": {"text": "theirs"}}
        where = notes.namespace
        assert (await notes.ready()).message == (
            f"ConfigMap {where}/a, desired by Note {where}/n, exists and is controlled by nobody"
        )
        await notes.client.delete(core.ConfigMap, "a", notes.namespace)
        await running.wait_idle()
        assert await notes.data() == {"a": {"text": "one"}}


class Adopting(Controller[Note]):
    """Takes over what nobody controls."""

    owns = (core.ConfigMap,)

    def desired(self, obj: Note, seen: Seen, /) -> Desired[NoteStatus]:
        return Desired(children=[child(config_map("a", text="ours"), adopt=True)])


async def test_adopt_takes_over_what_nobody_controls(notes: NotesApi) -> None:
    await notes.create(config_map("a", text="theirs", more="kept"))
    async with notes.api.operating(Adopting()) as running:
        await notes.create(note())
        await running.wait_idle()
        assert await notes.data() == {"a": {"text": "ours", "more": "kept"}}
        found = await notes.client.get(core.ConfigMap, "a", notes.namespace)
        assert [owner.name for owner in found.metadata.owner_references or ()] == ["n"]


class Keeping(Controller[Note]):
    """Describes its child at first, and later only keeps it."""

    owns = (core.ConfigMap,)

    def desired(self, obj: Note, seen: Seen, /) -> Desired[NoteStatus]:
        return Desired(children=[config_map("a")] if "describe" in obj.spec.texts else [Keep(core.ConfigMap, "a")])


async def test_keep_keeps(notes: NotesApi) -> None:
    async with notes.api.operating(Keeping()) as running:
        await notes.create(note(describe="yes"))
        await running.wait_idle()
        await notes.patch(Note, "n", {"spec": {"texts": {"describe": None}}})
        await running.wait_idle()
        assert "a" in await notes.data()


class Requiring(Controller[Note]):
    """Copies a Secret it does not own."""

    owns = (core.ConfigMap,)
    reads = (Reads(core.Secret, names=["token"]),)

    def desired(self, obj: Note, seen: Seen, /) -> Desired[NoteStatus]:
        secret = seen.require(core.Secret, "token")
        return Desired(children=[config_map("a", **dict.fromkeys(secret.data or {}, "***"))])


async def test_not_yet_is_not_gone(notes: NotesApi) -> None:
    secret = core.Secret(metadata=ObjectMeta(name="token"), string_data={"one": "1"})
    async with notes.api.operating(Requiring()) as running:
        await notes.create(note())
        await running.wait_idle()
        condition = await notes.ready()
        assert (condition.status, condition.reason) == ("False", "Waiting")
        assert condition.message == f"Secret {notes.namespace}/token is not there yet"
        await notes.create(secret)
        await running.wait_idle()
        assert await notes.data() == {"a": {"one": "***"}}
        await notes.client.delete(core.Secret, "token", notes.namespace)
        await running.wait_idle()
        assert await notes.data() == {"a": {"one": "***"}}, "nothing is pruned while it waits"


async def test_what_is_read_is_watched_and_nothing_else(notes: NotesApi) -> None:
    other = Note(metadata=ObjectMeta(name="other"), spec=NoteSpec(texts={}))

    class Reader(Controller[Note]):
        reads = (core.Secret,)

        def desired(self, obj: Note, seen: Seen, /) -> Desired[NoteStatus]:
            found = seen.list(core.Secret, {"note": obj.metadata.name or ""})
            return Desired(status=NoteStatus(copies=len(found)))

    async with notes.api.operating(Reader()) as running:
        await notes.create(note())
        await notes.create(other)
        await running.wait_idle()
        notes.api.records.clear()
        await notes.create(core.Secret(metadata=ObjectMeta(name="s", labels={"note": "n"})))
        await notes.create(core.Secret(metadata=ObjectMeta(name="t", labels={"note": "nobody"})))
        await running.wait_idle()
        assert [record.key.name for record in notes.api.records] == ["n"]
        assert [str(reason) for reason in notes.api.records[0].reasons] == [f"Secret {notes.namespace}/s added"]
        status = (await notes.note()).status
        assert status is not None
        assert status.copies == 1


class Ordered(Controller[Note]):
    """The second child waits for the first, a PersistentVolumeClaim, to be bound."""

    owns = (core.ConfigMap, core.PersistentVolumeClaim)

    def desired(self, obj: Note, seen: Seen, /) -> Desired[NoteStatus]:
        claim = core.PersistentVolumeClaim(
            metadata=ObjectMeta(name="data"),
            spec=core.PersistentVolumeClaimSpec(
                access_modes=["ReadWriteOnce"],
                resources=core.VolumeResourceRequirements(requests={"storage": "1Gi"}),
            ),
        )
        wanted = [] if "drop" in obj.spec.texts else [claim, child(config_map("second"), after=claim)]
        return Desired(children=wanted)


async def bind(notes: NotesApi, phase: str) -> None:
    await notes.patch(core.PersistentVolumeClaim, "data", {"status": {"phase": phase}}, subresource="status")


async def test_a_child_waits_for_its_turn_and_is_not_pruned_meanwhile(notes: NotesApi) -> None:
    async with notes.api.operating(Ordered()) as running:
        await notes.create(note())
        await running.wait_idle()
        assert await notes.data() == {}
        await bind(notes, "Bound")
        await running.wait_idle()
        assert set(await notes.data()) == {"second"}
        await bind(notes, "Lost")
        await running.wait_idle()
        assert set(await notes.data()) == {"second"}


class Dropping(Ordered):
    """May delete data."""

    name = "note"
    prunes = (core.PersistentVolumeClaim,)


@pytest.mark.parametrize(("controller", "stays"), [(Ordered(), True), (Dropping(), False)])
async def test_kinds_that_hold_data_are_pruned_only_where_it_is_said(
    notes: NotesApi, controller: Controller[Note], stays: bool
) -> None:
    async with notes.api.operating(controller) as running:
        await notes.create(note())
        await running.wait_idle()
        await notes.patch(Note, "n", {"spec": {"texts": {"drop": "yes"}}})
        await running.wait_idle()
        found = (await notes.client.list(core.PersistentVolumeClaim, namespace=notes.namespace)).items
        left = [claim for claim in found if claim.metadata.deletion_timestamp is None]
        assert bool(left) == stays


class Quantities(Controller[Note]):
    """A Pod whose CPU limit the server writes in its own way."""

    owns = (core.Pod,)

    def desired(self, obj: Note, seen: Seen, /) -> Desired[NoteStatus]:
        limits = {"cpu": obj.spec.cpu or "0.5", "memory": "1024Mi"}
        container = core.Container(
            name="c", image="i", resources=core.ResourceRequirements(limits=limits), env=[core.EnvVar(name="E")]
        )
        template = core.PodSpec(containers=[container], service_account_name="default")
        return Desired(children=[core.Pod(metadata=ObjectMeta(name="p"), spec=template)])


async def test_what_the_server_writes_in_its_own_way_is_no_difference(notes: NotesApi) -> None:
    with contextlib.suppress(AlreadyExists):
        await notes.create(core.ServiceAccount(metadata=ObjectMeta(name="default")))
    async with notes.api.operating(Quantities()) as running:
        await notes.create(note())
        await running.wait_idle()
        notes.api.records.clear()
        for value in "12":
            await notes.patch(core.Pod, "p", {"metadata": {"labels": {"touched": value}}})
            await running.wait_idle()
        assert len(notes.api.records) == 2
        assert notes.api.writes() == []


class Looking(Controller[Note]):
    """Tells how many children there are, at the lower level and by owner."""

    owns = (core.ConfigMap,)

    async def reconcile(self, obj: Note, ctx: Context, /) -> Result:
        copies = len(ctx.seen.owned(core.ConfigMap))
        await ctx.apply([config_map(name, text=text) for name, text in obj.spec.texts.items()])
        await ctx.set_status(NoteStatus(copies=copies))
        return Result()


async def test_a_reconcile_that_ends_outdated_by_its_own_writes_is_done_again(notes: NotesApi) -> None:
    async with notes.api.operating(Looking()) as running:
        await notes.create(note(a="one", b="two"))
        await running.wait_idle()
        status = (await notes.note()).status
        assert status is not None
        assert status.copies == 2
        assert [str(reason) for reason in notes.api.records[-1].reasons] == ["outdated"]
        assert len(notes.api.records) == 2


class LookingAgain(Looking):
    """Looks again after it has written."""

    name = "note"

    async def reconcile(self, obj: Note, ctx: Context, /) -> Result:
        ctx.seen.owned(core.ConfigMap)
        await ctx.apply([config_map(name, text=text) for name, text in obj.spec.texts.items()])
        await ctx.set_status(NoteStatus(copies=len(ctx.seen.owned(core.ConfigMap))))
        return Result()


async def test_what_was_read_again_is_not_outdated(notes: NotesApi) -> None:
    async with notes.api.operating(LookingAgain()) as running:
        await notes.create(note(a="one", b="two"))
        await running.wait_idle()
        assert len(notes.api.records) == 1


async def test_a_dry_run_leaves_the_view_alone(notes: NotesApi) -> None:
    class Trying(Controller[Note]):
        owns = (core.ConfigMap,)
        seen_after: bool | None = None

        async def reconcile(self, obj: Note, ctx: Context, /) -> Result:
            tried = core.ConfigMap(metadata=ObjectMeta(name="a", namespace=obj.metadata.namespace))
            await ctx.client.create(tried, dry_run=True)
            Trying.seen_after = ctx.seen.get(core.ConfigMap, "a") is not None
            return Result()

    async with notes.api.operating(Trying()) as running:
        await notes.create(note())
        await running.wait_idle()
        assert Trying.seen_after is False


class Finalizing(Copies):
    """Notes down what it cleaned up."""

    name = "note"
    cleaned: list[str]

    def __init__(self) -> None:
        self.cleaned = []

    async def finalize(self, obj: Note, ctx: Context, /) -> None:
        self.cleaned.append(obj.metadata.name or "")


async def test_a_finalizer_is_there_while_finalize_is_and_runs_before_the_end(notes: NotesApi) -> None:
    controller = Finalizing()
    async with notes.api.operating(controller) as running:
        await notes.create(note())
        await running.wait_idle()
        assert (await notes.note()).metadata.finalizers == ["kubewright.dev/demo.note"]
        await notes.client.delete(Note, "n", notes.namespace)
        await running.wait_idle()
        assert controller.cleaned == ["n"]
        with pytest.raises(NotFound):
            await notes.note()


async def test_a_finalizer_whose_finalize_is_no_more_is_removed(notes: NotesApi) -> None:
    async with notes.api.operating(Finalizing()) as running:
        await notes.create(note())
        await running.wait_idle()
    async with notes.api.operating(Copies()) as running:
        assert not (await notes.note()).metadata.finalizers


class Failing(Controller[Note]):
    """Fails in the way its note says."""

    owns = (core.ConfigMap,)

    async def reconcile(self, obj: Note, ctx: Context, /) -> Result:
        how = obj.spec.texts.get("how")
        if how == "raise":
            raise ZeroDivisionError("a defect")
        if how == "permanent":
            raise Permanent("no such region")
        if how == "retry":
            raise Retry("busy", after=0.01)
        await ctx.apply([config_map(obj.metadata.name or "")])
        return Result()


async def test_an_exception_fails_its_object_alone(notes: NotesApi, caplog: pytest.LogCaptureFixture) -> None:
    async with notes.api.operating(Failing()) as running:
        await notes.create(note(how="raise"))
        await notes.create(Note(metadata=ObjectMeta(name="good"), spec=NoteSpec()))
        await _until(lambda: any(record.outcome == "error" for record in notes.api.records))
        await notes.patch(Note, "n", {"spec": {"texts": {"how": None}}})
        await running.wait_idle()
        assert set(await notes.data()) == {"n", "good"}
    logged = next(record for record in caplog.records if record.exc_info)
    assert logged.getMessage().startswith(f"Note {notes.namespace}/n [")
    assert logged.__dict__["object"] == f"{notes.namespace}/n"
    assert logged.__dict__["reconcile_id"]


async def test_an_exception_that_comes_again_is_told_in_one_line(
    notes: NotesApi, caplog: pytest.LogCaptureFixture
) -> None:
    async with notes.api.operating(Failing()):
        await notes.create(note(how="raise"))
        await _until(lambda: len([record for record in notes.api.records if record.outcome == "error"]) >= 3)
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [bool(record.exc_info) for record in errors[:3]] == [True, False, False]
    assert errors[1].getMessage().endswith("reconcile raised again: ZeroDivisionError: a defect")


async def test_permanent_is_not_tried_again_and_retry_is(notes: NotesApi) -> None:
    async with notes.api.operating(Failing()) as running:
        await notes.create(note(how="permanent"))
        await running.wait_idle()
        assert [record.outcome for record in notes.api.records] == ["permanent"]
        condition = await notes.ready()
        assert (condition.status, condition.reason, condition.message) == ("False", "Failed", "no such region")
        notes.api.records.clear()
        await notes.patch(Note, "n", {"spec": {"texts": {"how": "retry"}}})
        await _until(lambda: len(notes.api.records) >= 3)
        assert {record.outcome for record in notes.api.records} == {"retry"}


async def test_an_object_that_does_not_decode_fails_alone(notes: NotesApi) -> None:
    class Strict(Spec):
        texts: dict[str, str] = {}
        cpu: int | None = None

    @resource(group="runtime.kubewright.test", version="v1", kind="Note")
    class StrictNote(Resource[Strict, NoteStatus]):
        pass

    class Reader(Controller[StrictNote]):
        name = "strict"
        owns = (core.ConfigMap,)

        def desired(self, obj: StrictNote, seen: Seen, /) -> Desired[NoteStatus]:
            return Desired(children=[config_map(obj.metadata.name or "")])

    async with notes.api.operating(Reader()):
        bad = note()
        bad.spec.cpu = "many"
        await notes.create(bad)
        await notes.create(Note(metadata=ObjectMeta(name="good"), spec=NoteSpec()))
        await _until(lambda: {record.outcome for record in notes.api.records} >= {"error", "done"})
        assert set(await notes.data()) == {"good"}
        assert (await notes.ready()).reason == "DecodeError"


class Later(clock.Clock):
    """The machine's clock, an hour on for each call of ``wait``."""

    hours = 0

    def now(self) -> datetime:
        return super().now() + timedelta(hours=self.hours)


async def test_the_transition_time_does_not_flap(notes: NotesApi) -> None:
    later = Later()
    with clock.use(later):
        async with notes.api.operating(Copies()) as running:
            await notes.create(note(a="one"))
            await running.wait_idle()
            before = await notes.ready()
            later.hours += 1
            await notes.patch(Note, "n", {"spec": {"texts": {"b": "two"}}})
            await running.wait_idle()
            after = await notes.ready()
            assert after.last_transition_time == before.last_transition_time
            assert (before.observed_generation, after.observed_generation) == (1, 2)


async def test_a_status_field_that_is_no_longer_said_disappears(notes: NotesApi) -> None:
    class Saying(Controller[Note]):
        def desired(self, obj: Note, seen: Seen, /) -> Desired[NoteStatus]:
            return Desired(status=NoteStatus(last=obj.spec.texts.get("last")))

    async with notes.api.operating(Saying()) as running:
        await notes.create(note(last="word"))
        await running.wait_idle()
        await notes.patch(Note, "n", {"spec": {"texts": {"last": None}}})
        await running.wait_idle()
        status = (await notes.note()).status
        assert status is not None
        assert status.last is None


async def test_a_status_that_somebody_else_writes_is_put_back(notes: NotesApi) -> None:
    async with notes.api.operating(Copies()) as running:
        await notes.create(note(a="one"))
        await running.wait_idle()
        await notes.patch(Note, "n", {"status": {"copies": 7}}, subresource="status")
        await running.wait_idle()
        status = (await notes.note()).status
        assert status is not None
        assert status.copies == 1


async def test_the_marks_tell_the_verb(notes: NotesApi) -> None:
    async with notes.api.operating(Copies()) as running:
        await notes.create(note(a="one"))
        await running.wait_idle()

        async def verb() -> str:
            found = await notes.client.get(core.ConfigMap, "a", notes.namespace)
            return str((found.metadata.annotations or {})[ANNOTATION]).rpartition(":")[2]

        assert await verb() == "create"
        await notes.patch(Note, "n", {"spec": {"texts": {"a": "two"}}})
        await running.wait_idle()
        assert await verb() == "apply"


async def _until(reached: Any) -> None:
    async with asyncio.timeout(20):
        while not reached():  # noqa: ASYNC110 - whatever the condition
            await asyncio.sleep(0.001)
