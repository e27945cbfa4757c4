"""Who comes back, reaches us twice, falls silent, writes again, and says what they think."""

import json

from surgeline.v1 import supervisor_pb2, types_pb2

from router import run
from support import RouterTest, agent, centre, queue
from surgeline_client import CHAT, EMAIL, VOICE, Person


def eve():
    return types_pb2.Customer(identity="customer 4711")


class Patience(RouterTest):
    CONFIG = centre(
        [
            queue("support", "voice", "email", keep_place="10m", hold_linked="10m"),
            queue("chat", "chat", link_contacts=False,
                  liveness={"after": "1s", "answer_within": "2s", "keep": "1m"}),
            queue("post", "email", thread_agent="1h", link_contacts=False),
        ],
        [agent("anne"), agent("bob")],
    ) + '[still_there]\ndefault = "Still there?"\nde = "Noch da?"\n'

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.pbx = await self.gateway()

    async def test_who_left_and_calls_again_has_the_place_they_had(self):
        first = await self.pbx.arrive("call-1", VOICE, queue="support", customer=eve())
        other = await self.pbx.arrive("call-2", VOICE, queue="support")
        await first.customer_left()
        await self.see_ended(first.id, "ABANDONED")
        unknown = await self.pbx.arrive("call-3", VOICE, queue="support")
        back = await self.pbx.arrive("call-4", VOICE, queue="support", customer=eve())
        self.assertEqual(await self.order_of("support"), [back.id, other.id, unknown.id])
        seen = await self.see(back.id, "QUEUED")
        self.assertGreater(seen.contact.place_ahead_ms, 0)
        self.assertIn("advanced", [item.event for item in seen.timeline])
        [anne] = await self.ready("anne")
        await anne.expect_offer(back.id)

    async def test_two_ways_of_one_customer_go_to_one_agent_who_ends_both(self):
        letter = await self.pbx.arrive("letter", EMAIL, queue="support", customer=eve())
        other = await self.pbx.arrive("other", VOICE, queue="support")
        call = await self.pbx.arrive("call", VOICE, queue="support", customer=eve())
        self.assertEqual(list((await self.see(call.id, "QUEUED")).contact.linked_contact_ids),
                         [letter.id])
        [anne] = await self.ready("anne")
        offer = await anne.expect_offer(call.id)
        self.assertEqual([(l.contact_id, l.channel) for l in offer.linked], [(letter.id, EMAIL)])
        await anne.accept(offer)
        await self.see(call.id, "ASSIGNED", "anne")
        [bob] = await self.ready("bob")
        await bob.take(other.id)
        seen = await self.see(letter.id, "QUEUED")
        self.assertEqual(seen.contact.held_for_contact_id, call.id)
        await self.assert_refused(
            anne.act(complete=dict(contact_id=call.id, linked_contact_ids=[other.id])),
            "WRONG_STATE", "linked_contact_ids", "NOT_LINKED")
        await anne.act(complete=dict(contact_id=call.id, disposition="complaint",
                                     linked_contact_ids=[letter.id]))
        await self.assert_ended(letter, "HANDLED_WITH")
        await self.see_ended(call.id, "COMPLETED")

    async def test_one_that_is_held_back_goes_on_when_the_other_is_over(self):
        call = await self.pbx.arrive("call", VOICE, queue="support", customer=eve())
        [anne] = await self.ready("anne")
        await anne.take(call.id)
        letter = await self.pbx.arrive("letter", EMAIL, queue="support", customer=eve())
        await self.ready("bob")
        seen = await self.see(letter.id, "QUEUED")
        self.assertEqual(seen.contact.held_for_contact_id, call.id)
        await anne.complete(call.id)
        await letter.expect("reserved_for")

    async def test_a_silent_chat_is_asked_before_anybody_is_given_it(self):
        silent = await self.pbx.arrive("chat-1", CHAT, queue="chat", person=Person(language="de-AT"))
        gone = await self.pbx.arrive("chat-2", CHAT, queue="chat")

        async def silences():
            return [(await self.supervisor.contact(c.id)).contact.silence for c in (silent, gone)]
        await self.eventually(silences, lambda s: s == ["silent", "silent"], "both to fall silent")
        [anne] = await self.ready("anne")
        self.assertEqual((await silent.hears("still_there")).text.words, "Noch da?")
        self.assertEqual((await gone.hears("still_there")).text.words, "Still there?")
        self.assertNotIn("reserved_for", silent.kinds() + gone.kinds())
        await silent.customer_says("Yes!")
        await anne.take(silent.id)
        await gone.expect("pending")
        self.assertEqual((await self.see(gone.id, "PENDING")).contact.silence, "gone")
        await gone.customer_says("Here I am again")
        await anne.take(gone.id)

    async def test_a_reply_wakes_the_open_letter_and_follows_the_closed_one(self):
        [anne] = await self.ready("anne")
        letter = await self.pbx.arrive("letter-1", EMAIL, queue="post", customer=eve())
        await anne.take(letter.id)
        await anne.pend(letter.id)
        await self.see(letter.id, "PENDING")
        reply = await self.pbx.arrive("letter-2", EMAIL, queue="post", customer=eve(),
                                      continues_contact_id=letter.id,
                                      person=Person(words="the lot is 42"))
        self.assertEqual(reply.id, letter.id)
        offer = await anne.expect_offer(letter.id)
        self.assertIn("the lot is 42", [said.words for said in offer.inputs])
        await anne.accept(offer)
        await self.ready("bob")
        await anne.complete(letter.id)
        again = await self.pbx.arrive("letter-3", EMAIL, queue="post", customer=eve(),
                                      continues_contact_id=letter.id)
        self.assertNotEqual(again.id, letter.id)
        self.assertEqual((await again.expect("reserved_for")).body.agent, "anne")

        async def thread():
            return list((await self.supervisor.contact(again.id)).thread_contact_ids)
        await self.eventually(thread, lambda t: t == [letter.id, again.id], "the thread")

    async def test_customers_say_what_they_think_while_open_and_after(self):
        call = await self.pbx.arrive("call", VOICE, queue="support", customer=eve())
        [anne] = await self.ready("anne")
        await anne.take(call.id)
        await self.pbx.report(feedback=dict(contact_id=call.id, channel=VOICE, score=2, scale=5))
        await anne.complete(call.id)
        await self.see_ended(call.id, "COMPLETED")
        mail = await self.gateway("mail")
        words = Person(words="Nobody called me back")
        await mail.report(feedback=dict(contact_id=call.id, channel=EMAIL, score=1, person=words))
        await mail.report(feedback=dict(contact_id=call.id, channel=VOICE, score=9,
                                        person=Person(words="secret-canary"), sensitive=True))
        await self.assert_refused(
            mail.report(feedback=dict(contact_id=999, channel=EMAIL, score=1)),
            "NOT_FOUND", "contact_id")
        await self.assert_refused(
            mail.report(feedback=dict(contact_id=call.id, channel=EMAIL, score=11)),
            "INVALID", "score")

        code, out, errors = await run("feedback", "list", "--router", self.router.grpc, "--json")
        self.assertEqual(code, 0, errors)
        rows = [(row["channel"], row["score"], row["scale"], row["words"]) for row in json.loads(out)]
        self.assertEqual(rows, [("voice", 9, 10, ""), ("email", 1, 10, "Nobody called me back")])
        self.assertNotIn("secret-canary", out)
        code, out, errors = await run("feedback", "list", "--router", self.router.grpc,
                                      "--queue", "support", "--below", "5", "--json")
        self.assertEqual([row["score"] for row in json.loads(out)], [1], errors)
        stub = self.supervisor._stub
        page = await stub.ListFeedback(supervisor_pb2.ListFeedbackRequest(page_size=1))
        self.assertEqual(len(page.feedback), 1)
        request = supervisor_pb2.ListFeedbackRequest(page_size=1, page_token=page.next_page_token)
        page = await stub.ListFeedback(request)
        self.assertEqual(([f.score for f in page.feedback], page.next_page_token), ([1], ""))
        await self.caught_up()
        metrics = await self.router.metrics()
        labels = '{queue="support",kind="score"}'
        self.assertEqual(metrics[f"surgeline_feedback_total{labels}"], 3)
        self.assertEqual(metrics['surgeline_feedback_score_tenths_total{queue="support"}'], 140)
