"""The push: blobs that are missing, manifests by digest, the tag last."""

from __future__ import annotations

import asyncio

from kubewright.image.assemble import Built, Manifest
from kubewright.image.blobs import Blob
from kubewright.image.oci import INDEX, Descriptor, JsonObject, decode, encode
from kubewright.image.progress import Progress
from kubewright.image.reference import Reference
from kubewright.image.registry import Registry
from kubewright.image.upload import Upload

_AT_ONCE = 3


class Push:
    """A push to one repository. Nothing can be seen of it under the tag before all of it is there."""

    def __init__(self, registry: Registry, reference: Reference, progress: Progress) -> None:
        self._registry = registry
        self._repository = reference.repository
        self._tag = reference.tag
        self._progress = progress
        self._scope = f"repository:{reference.repository}:pull,push"

    async def push(self, built: Built) -> None:
        """Push the images, their bills of materials, and then the tag.

        Raises:
            TransportError: the registry cannot be reached, or the connection breaks again and again.
            RegistryError: it refuses.
        """
        for image in built.images:
            await self._blobs(image.manifest.blobs)
            await self._manifest(image.manifest.descriptor, image.manifest.data, image.manifest.descriptor.digest)
        for image in built.images:
            await self._blobs(image.bill.blobs)
            await self._referrer(image.manifest.descriptor, image.bill)
        data = built.index if built.index is not None else built.images[0].manifest.data
        await self._manifest(built.root, data, self._tag)
        self._progress.step(f"pushed        {built.reference.name}@{built.root.digest}")

    async def _blobs(self, blobs: tuple[Blob, ...]) -> None:
        free = asyncio.Semaphore(_AT_ONCE)

        async def upload(blob: Blob) -> None:
            async with free:
                await Upload(self._registry, self._repository, blob, self._progress).run()

        try:
            async with asyncio.TaskGroup() as group:
                for blob in {blob.descriptor.digest: blob for blob in blobs}.values():
                    group.create_task(upload(blob))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures

    async def _manifest(self, descriptor: Descriptor, data: bytes, name: str) -> bool:
        """Put a manifest; whether the registry keeps track of what refers to what by itself."""
        place = await self._registry.place(f"/v2/{self._repository}/manifests/{name}")
        headers = {"content-type": descriptor.media_type}
        response = await self._registry.send("PUT", place, scope=self._scope, headers=headers, body=data)
        if response.status not in (200, 201, 202):
            raise await self._registry.refusal(response, f"take the manifest {self._repository}:{name}")
        await response.read()
        return "oci-subject" in response.headers

    async def _referrer(self, subject: Descriptor, bill: Manifest) -> None:
        if await self._manifest(bill.descriptor, bill.data, bill.descriptor.digest):
            return
        # A registry without the referrers API: the specification's tag, which lists them.
        tag = subject.digest.replace(":", "-")
        place = await self._registry.place(f"/v2/{self._repository}/manifests/{tag}")
        response = await self._registry.send("GET", place, scope=self._scope, headers={"accept": INDEX})
        if response.status not in (200, 404):
            raise await self._registry.refusal(response, f"give what refers to {subject.digest}")
        body = await response.read()
        listed: list[JsonObject] = []
        if response.status == 200:
            listed = decode(body, f"the index {tag}").get("manifests") or []
        if any(each.get("digest") == bill.descriptor.digest for each in listed):
            return
        index = encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": [*listed, bill.descriptor.to_json()]})
        await self._manifest(Descriptor.of(INDEX, index), index, tag)
