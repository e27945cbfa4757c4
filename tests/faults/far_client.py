"""A gateway and an agent in a process of their own, which a test can stop and continue.

It says what it sees on stdout, a line each, and on every line from stdin comes back: with a
new stream if the old one is gone, and with the answer to the offer that it had.
"""

import asyncio
import sys

import grpc

from surgeline_client import VOICE, Desktop, Gateway, Refused, StreamEnded


def say(*words) -> None:
    print(*words, flush=True)


async def main(router: str) -> None:
    channels = [grpc.aio.insecure_channel(router, options=[("grpc.use_local_subchannel_pool", 1)])
                for _ in range(2)]
    gateway = await Gateway(channels[0], "far").connect()
    await gateway.arrive("far-1", VOICE, queue="elsewhere")
    desktop = Desktop(channels[1])
    sleeper = await desktop.sign_in("sleeper")
    await sleeper.ready()
    offer = await sleeper.expect_offer(timeout=600)
    say("offer", offer.contact_id)
    await asyncio.to_thread(sys.stdin.readline)
    for name, line in (("gateway", gateway.stream), ("desktop", desktop.stream)):
        say(name, (await line.wait_ended(60)).status.name)
    await gateway.connect()
    await desktop.connect()
    try:
        await sleeper.accept(offer)
        say("accepted", offer.contact_id)
    except (Refused, StreamEnded) as no:
        say("refused", getattr(no, "reason", no))
    await asyncio.to_thread(sys.stdin.readline)


asyncio.run(main(sys.argv[1]))
