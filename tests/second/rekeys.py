# SPDX-License-Identifier: MIT
"""REKEY, written from spec/03-handshake.md alone, and its vectors.

    python3 tests/second/rekeys.py            writes spec/vectors/rekey.json
    python3 tests/second/rekeys.py --check    says whether it is what this would write

Both sides are played and have to agree; every verdict in the vectors is what they say. What the
fields mean is in spec/vectors/SOURCES.md.
"""

import hashlib
import json
import pathlib
import sys

import primitives as prim
from handshake import varint
from noise import LowOrder, Noise, Refused
from packets import SUITES, Session, lp, seq, u8, u64


def frame(stage, epoch, message):
    return varint(0x1E) + u8(stage) + varint(epoch) + varint(len(message)) + message


# -- one exchange ----------------------------------------------------------------------------------


def prologue_of(session, **other):
    """`other` names what is not as it should be."""
    epoch = len(session.epochs)
    parts = {"label": b"stt1 rekey", "h": session.h[-1], "epoch": u64(epoch),
             "suite": session.name} | other
    return b"".join(map(lp, parts.values()))


def side(session, initiator, statics, ephemeral, kind=Noise, psk=None, prologue=None,
         pattern="KKpsk0"):
    own, peer = statics if initiator else statics[::-1]
    exporter = session.exporter(len(session.epochs) - 1)
    return kind(pattern, initiator, prologue or prologue_of(session), own, ephemeral,
                Noise.public(peer), psk or exporter)


def write(noise, payload=b""):
    message = noise.write_tokens()
    return message + noise.seal(payload)


def read(noise, message):
    if noise.open(noise.read_tokens(message)) != b"":
        raise Refused("there is a payload")


def exchange(session, statics, ephemerals):
    """Both stages, in the session's latest epoch; then it has one more."""
    epoch = len(session.epochs)
    psk, prologue = session.exporter(epoch - 1), prologue_of(session)
    one, two = (side(session, i == 0, statics, ephemerals[i]) for i in (0, 1))
    messages = []
    for writer, reader in ((one, two), (two, one)):
        messages.append(write(writer))
        read(reader, messages[-1])
    assert one.split() == two.split() and one.h == two.h
    session.rekey(*one.split(), one.h)
    return {"ephemeral_secrets": ephemerals, "psk": psk, "prologue": prologue,
            "messages": messages,
            "frames": [frame(stage + 1, epoch, m) for stage, m in enumerate(messages)]}


# -- vectors: a session that is rekeyed again and again --------------------------------------------


def random(name, n=32):
    return hashlib.shake_256(b"stt1 rekey vector " + name.encode()).digest(n)


STATICS = [random("initiator's static"), random("responder's static")]
IDS = [random("initiator's id", 8), random("responder's id", 8)]
PING = b"\x01"


def fresh(suite):
    return Session(suite, seq(0x10, 32), seq(0x40, 32), seq(0x70, 64))


class Flow:
    """The packets of a session; a direction's numbers go on through all epochs."""

    def __init__(self, session):
        self.session, self.next = session, [0, 0]

    def send(self, direction, epoch, frames):
        number = self.next[direction]
        self.next[direction] += 1
        to = IDS[1 - direction]
        return {"direction": direction, "epoch": epoch, "number": number, "frames": frames,
                "datagram": self.session.packet(direction, epoch, number, to, frames)}


def begun(session, flow, how):
    """How the next epoch begins, what it has, and the first packets in it."""
    epoch, out, packets = len(session.epochs), {}, []
    if how == "update":
        session.update()
    else:
        ephemerals = [random(f"{session.suite.name} {epoch} {i}") for i in (0, 1)]
        out = exchange(session, STATICS, ephemerals)
        packets = [flow.send(d, epoch - 1, out["frames"][d]) for d in (0, 1)]
    packets += [flow.send(d, epoch, PING) for d in (0, 1)]
    return {"epoch": epoch, "begun_by": how, **out, "h": session.h[epoch],
            "secret": session.epochs[epoch], "key": [session.key(d, epoch) for d in (0, 1)],
            "iv": [session.iv(d, epoch) for d in (0, 1)], "exporter": session.exporter(epoch),
            "packets": packets}


def session_vectors(suite):
    session = fresh(suite)
    flow = Flow(session)
    first = [flow.send(d, 0, PING) for d in (0, 1)]
    steps = ["rekey", "update", "rekey", "rekey", "update", "update", "rekey"]
    return {"suite": suite.name, "mask": [session.mask_key(d) for d in (0, 1)], "packets": first,
            "epochs": [begun(session, flow, how) for how in steps]}


# -- vectors: messages and what becomes of them ----------------------------------------------------


def low_order_points():
    """Whose DH with every clamped scalar is zero, each in one encoding; and two more of them."""
    p = 2**255 - 19
    eight = 325606250916557431795983626356110631294008115727848805560023387167927233504
    return [n.to_bytes(32, "little") for n in (0, 1, p - 1, eight, p, p + 1)]


def faulty(session, ephemeral, initiator):
    """What is wrong, and a side that makes it so."""
    h, epoch, stranger = session.h[-1], len(session.epochs), random("stranger's static")
    other = {"psk": {"psk": random("another psk")},
             "psk of zeros": {"psk": bytes(32)},
             "psk of the epoch before": {"psk": session.exporter(epoch - 2)},
             "label": {"prologue": prologue_of(session, label=b"stt1 rekez")},
             "h": {"prologue": prologue_of(session, h=h[:63] + b"\0")},
             "epoch in the prologue": {"prologue": prologue_of(session, epoch=u64(epoch + 1))},
             "suite": {"prologue": prologue_of(session, suite=b"aegis-128l")},
             "pattern without a psk": {"pattern": "KK"}}
    for what, change in other.items():
        yield f"another {what}", side(session, initiator, STATICS, ephemeral, **change)
    for who, statics in (("initiator", [stranger, STATICS[1]]),
                         ("responder", [STATICS[0], stranger])):
        yield (f"another static key of the {who}",
               side(session, initiator, statics, ephemeral))
    for i, point in enumerate(low_order_points()):
        noise = side(session, initiator, STATICS, ephemeral, LowOrder)
        noise.e_public = point
        yield f"an ephemeral key of low order, {i}", noise


def cut_and_long(message):
    yield "nothing", b""
    yield "a byte less", message[:-1]
    yield "a byte more", message + b"\0"
    yield "no tag", message[:32]
    yield "half a key", message[:16]
    yield "one bit of the ephemeral key", bytes([message[0] ^ 1]) + message[1:]
    yield "the top bit of the ephemeral key", (message[:31] + bytes([message[31] ^ 0x80]) +
                                               message[32:])
    yield "one bit of the tag", message[:-1] + bytes([message[-1] ^ 1])


def judged_vectors():
    """All in epoch 1 of one session, which a key update began."""
    session = fresh(SUITES[3])
    session.update()
    ephemerals = [random("judged initiator"), random("judged responder")]
    hostile = random("judged hostile")

    def readers():
        """Both sides, before stage 1 is read and before stage 2 is."""
        one, two = (side(session, i == 0, STATICS, ephemerals[i]) for i in (0, 1))
        return write(one), one, two

    first, _, two = readers()
    read(two, first)
    second = write(two)

    def hear(noise, message):
        """Takes in stage 1, as who answers has to, without minding its tag."""
        noise.tokens.pop(0)
        if noise.has_psk:
            noise.mix_psk()
        noise.re = message[:32]
        noise.mix_ephemeral(noise.re)
        for token in ("es", "ss"):
            noise.mix_key(noise.dh(token))
        noise.mix_hash(message[32:])

    def offers():
        yield 1, "as it should be", first
        yield 2, "as it should be", second
        yield 2, "stage 1 sent back", first
        for stage, true in ((1, first), (2, second)):
            for what, message in cut_and_long(true):
                yield stage, what, message
            payload = side(session, stage == 1, STATICS, ephemerals[stage - 1])
            if stage == 2:
                read(payload, first)
            yield stage, "a payload", write(payload, b"\0")
            for what, noise in faulty(session, hostile, stage == 1):
                if stage == 2:
                    hear(noise, first)
                yield stage, what, write(noise)

    def verdict(stage, message):
        _, one, two = readers()
        try:
            read(two if stage == 1 else one, message)
        except Refused:
            return "refused"
        return "accepted"

    return {"suite": session.suite.name, "epoch": 1, "ephemeral_secrets": ephemerals,
            "messages": [first, second],
            "offers": [{"stage": stage, "what": what, "message": message,
                        "verdict": verdict(stage, message)}
                       for stage, what, message in offers()]}


def make():
    return {"k1": seq(0x10, 32), "k2": seq(0x40, 32), "h": seq(0x70, 64),
            "static_secrets": STATICS, "statics": [Noise.public(s) for s in STATICS],
            "session_ids": IDS, "sessions": [session_vectors(suite) for suite in SUITES],
            "judged": judged_vectors()}


def main(arguments):
    prim.check()
    path = pathlib.Path(__file__).resolve().parents[2] / "spec" / "vectors" / "rekey.json"
    about = "made by tests/second/rekeys.py from the text of the specification"
    text = json.dumps({"about": about, **make()}, indent=1, default=bytes.hex) + "\n"
    if "--check" not in arguments:
        path.write_text(text)
    elif path.read_text() != text:
        sys.exit("not what the specification gives: " + path.name)


if __name__ == "__main__":
    main(sys.argv[1:])
