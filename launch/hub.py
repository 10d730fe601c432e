"""Hand news of visits from Redis to the streams of this process: one subscription, however many streams.

A hint says only that a visit has changed. While Redis is away there are no streams: pages poll then.
"""

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass, field

import redis.asyncio as redis
from redis.exceptions import RedisError

from meetings.services.live import channel_of

EVERY_VISIT = channel_of("*")
_PING_SECONDS = 5.0
_SECONDS = 3.0

logger = logging.getLogger(__name__)


class HubAway(Exception):
    """Redis cannot be reached, so that nobody would hear of a change."""


@dataclass(eq=False)
class Watcher:
    """One stream: ``news`` is set when there is something to say, ``is_over`` when it must end."""

    news: asyncio.Event = field(default_factory=asyncio.Event)
    has_changed: bool = False
    is_over: bool = False

    def change(self) -> None:
        """Note that the visit has changed; many changes in a moment are one."""
        self.has_changed = True
        self.news.set()

    def end(self) -> None:
        """End the stream."""
        self.is_over = True
        self.news.set()

    def take(self) -> bool:
        """Return whether the visit has changed since the last time."""
        self.news.clear()
        changed, self.has_changed = self.has_changed, False
        return changed


class Hub:
    """The streams of one event loop, by channel."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._watchers: defaultdict[str, set[Watcher]] = defaultdict(set)
        self._listening: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    async def watch(self, channel: str) -> Watcher:
        """Return a watcher of ``channel``.

        :raises HubAway: while Redis cannot be reached.
        """
        async with self._starting:
            if self._listening is None or self._listening.done():
                self._listening = await self._listen()
        watcher = Watcher()
        self._watchers[channel].add(watcher)
        return watcher

    def leave(self, channel: str, watcher: Watcher) -> None:
        """Forget a watcher."""
        self._watchers[channel].discard(watcher)
        if not self._watchers[channel]:
            del self._watchers[channel]

    async def _listen(self) -> asyncio.Task[None]:
        client = redis.Redis.from_url(self._url, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS)
        pubsub = client.pubsub(ignore_subscribe_messages=True)
        try:
            await pubsub.psubscribe(EVERY_VISIT)
        except (RedisError, OSError) as error:
            await _close(client, pubsub)
            raise HubAway from error
        listening = asyncio.create_task(self._hand_out(client, pubsub))
        await asyncio.sleep(0)  # a task that is cancelled before it began would not close its connection
        return listening

    async def _hand_out(self, client: "redis.Redis", pubsub: "redis.client.PubSub") -> None:
        try:
            while True:
                message = await pubsub.get_message(timeout=_PING_SECONDS)
                if message is None:
                    await client.ping()  # a dead connection is silent too
                    continue
                for watcher in tuple(self._watchers.get(message["channel"].decode(), ())):
                    watcher.change()
        except (RedisError, OSError) as error:
            logger.warning("live status away, pages poll", extra={"error": type(error).__name__})
        finally:
            for watchers in tuple(self._watchers.values()):
                for watcher in tuple(watchers):
                    watcher.end()
            await _close(client, pubsub)


async def _close(client: "redis.Redis", pubsub: "redis.client.PubSub") -> None:
    await pubsub.aclose()  # type: ignore[no-untyped-call]
    await client.aclose()
