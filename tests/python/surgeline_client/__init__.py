"""A client of Surgeline in Python: a gateway, agents' desktops, a supervisor, on-call staff.

The contract is `proto/surgeline/v1`. Stubs are made from it by grpcio-tools and imported as
`surgeline.v1`. Everything is asyncio; one event loop, no threads.

    channel = grpc.aio.insecure_channel("127.0.0.1:50051")

    gateway = Gateway(channel, "pbx-1")
    await gateway.connect()
    call = await gateway.arrive("call-1", VOICE, queue="support", person=Person(name="Ada"))

    desktop = Desktop(channel)
    anne = await desktop.sign_in("anne")
    await anne.ready()
    offer = await anne.expect_offer(call.id)
    await anne.accept(offer)            # the gateway is told to join the legs, and obeys
    await anne.expect("assigned", call.id)
    await anne.complete(call.id, "question-answered")
    await call.expect("ended")

What is refused raises `Refused`, from a stream as from a unary call; a stream that is gone
raises `StreamEnded` in everybody who waits for it.
"""

from surgeline.v1.types_pb2 import CHANNEL_CHAT as CHAT
from surgeline.v1.types_pb2 import CHANNEL_EMAIL as EMAIL
from surgeline.v1.types_pb2 import CHANNEL_MESSAGE as MESSAGE
from surgeline.v1.types_pb2 import CHANNEL_VOICE as VOICE
from surgeline.v1.types_pb2 import Attribute, Availability, Customer, Need, Person, Target

from .agent import Agent, Desktop, availability
from .gateway import (
    Conversation, Gateway, effect_fails, joins, leg_fails, never_says, says, says_nothing,
)
from .mailbox import Mailbox, Told
from .recall import OnCall
from .refusal import Refused, StreamEnded, refused, unary
from .supervisor import Supervisor

__all__ = [
    "CHAT", "EMAIL", "MESSAGE", "VOICE", "Agent", "Attribute", "Availability", "Conversation",
    "Customer", "Desktop", "Gateway", "Mailbox", "Need", "OnCall", "Person", "Refused",
    "StreamEnded", "Supervisor", "Target", "Told", "availability", "effect_fails", "joins",
    "leg_fails", "never_says", "refused", "says", "says_nothing", "unary",
]
