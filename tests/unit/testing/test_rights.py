"""The operator under test with the rights of its generated role, and what a missing one looks like."""

from __future__ import annotations

import pytest

from kubewright.client import Client
from kubewright.errors import Forbidden
from kubewright.kinds import core_v1 as core
from kubewright.objects import ObjectMeta, Resource, Spec, resource
from kubewright.runtime import Context, Controller, Desired, Operator, Result, Seen
from kubewright.server import InMemoryTransport, UserInfo
from kubewright.testing import Environment, MissingRights, NotReached


class NoteSpec(Spec):
    text: str = ""


@resource(group="rights.example.com", version="v1")
class Note(Resource[NoteSpec, None]):
    """A text, copied into a ConfigMap."""


class NoteController(Controller[Note]):
    owns = (core.ConfigMap,)

    def desired(self, note: Note, seen: Seen, /) -> Desired[None]:
        copy = core.ConfigMap(metadata=ObjectMeta(name=note.metadata.name), data={"text": note.spec.text})
        return Desired(children=[copy])


class Snoop(Controller[Note]):
    """Reads Secrets past its cache, and has not said so."""

    async def reconcile(self, note: Note, ctx: Context, /) -> Result:
        await ctx.client.list(core.Secret, namespace=note.metadata.namespace)
        return Result()


def note() -> Note:
    return Note(metadata=ObjectMeta(name="n"), spec=NoteSpec(text="hello"))


async def test_what_is_declared_is_allowed() -> None:
    operator = Operator("notes", controllers=[NoteController()])
    async with Environment(operator, as_generated_role=True) as environment:
        await environment.wait_ready(await environment.apply(note()))
        assert (await environment.get(core.ConfigMap, "n")).data == {"text": "hello"}
        account = await environment.get(core.ServiceAccount, "notes")
        assert account.metadata.namespace == "default"


async def test_what_is_not_declared_fails_and_says_what_to_add() -> None:
    operator = Operator("notes", controllers=[Snoop()])
    environment = Environment(operator, as_generated_role=True)
    await environment.__aenter__()
    with pytest.raises(NotReached):
        await environment.wait_ready(await environment.apply(note()), timeout=0.5)
    with pytest.raises(MissingRights) as caught:
        await environment.__aexit__(None, None, None)
    assert 'cannot list resource "secrets" in API group "" in the namespace "default"' in str(caught.value)
    assert 'grants = (Grant(groups=("",), resources=("secrets",), verbs=("list",)),)' in caught.value.hint


async def test_other_namespaces_are_out_of_reach() -> None:
    operator = Operator("notes", controllers=[NoteController()])
    async with Environment(operator, as_generated_role=True) as environment:
        client = environment.client
        await client.create(core.Namespace(metadata=ObjectMeta(name="elsewhere")))
        far = note()
        far.metadata.namespace = "elsewhere"
        await environment.create(far)
        await environment.wait_idle()
        copies = await client.list(core.ConfigMap, namespace="elsewhere", field_selector="metadata.name=n")
        assert not copies.items


async def test_a_user_of_the_transport_has_the_rights_of_its_roles() -> None:
    async with Environment() as environment:
        mara = Client(InMemoryTransport(environment.cluster.server, UserInfo("mara")))
        with pytest.raises(Forbidden, match='User "mara" cannot list resource "secrets"'):
            await mara.list(core.Secret, namespace="default")
        await mara.close()
