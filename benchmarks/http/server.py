"""A server that answers as an API server does, as fast as it can: for runs without one."""

from __future__ import annotations

import asyncio
import json
import sys

ITEM = {
    "kind": "ConfigMap",
    "apiVersion": "v1",
    "metadata": {
        "name": "w000000",
        "namespace": "default",
        "uid": "0e6cb986-8ec0-4e3f-82e9-8f660ebdb1cd",
        "resourceVersion": "12345",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"app": "w000000"},
    },
    "data": {"key": "x" * 1000},
}
ANSWER = json.dumps(ITEM).encode()
EVENT = json.dumps({"type": "ADDED", "object": ITEM}).encode() + b"\n"
CREATED = (
    b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\naudit-id: 0e6cb986\r\n"
    b"cache-control: no-cache, private\r\ncontent-length: %d\r\n\r\n%s" % (len(ANSWER), ANSWER)
)
CHUNK = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)


async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET"):
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
                )
                for _ in range(10_000):
                    writer.write(CHUNK)
                    await writer.drain()
                continue
            length = next(
                int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
            )
            await reader.readexactly(length)
            writer.write(CREATED)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
