# SPDX-License-Identifier: MIT
"""The vectors of the handshakes.

    python3 tests/second/handshakes.py            writes spec/vectors/handshake.json
    python3 tests/second/handshakes.py --check    says whether it is what this would write

Both sides of each handshake are played with `handshake.py` and have to agree; every verdict in the
vectors is what they say. What the fields mean is in spec/vectors/SOURCES.md.
"""

import copy
import hashlib
import json
import pathlib
import sys

import cpace
import identity
import noise
import primitives as prim
import rekeys
from handshake import IDS, MODES, Side, WrongCode, encode_payload, encode_value, parameter
from handshake import varint
from noise import LowOrder, Noise, Refused
from packets import MAC, SUITES, Session, code_text, cookie, cookie_key, mac1_key, refuse, u8


# -- playing a handshake ---------------------------------------------------------------------------


def random(name, n=32):
    """Fixed bytes that look like none of the other inputs."""
    return hashlib.shake_256(b"stt1 vector " + name.encode()).digest(n)


def attempt(action):
    """What was refused, or None; `action` works on a copy."""
    try:
        action()
    except (Refused, WrongCode) as refusal:
        return refusal
    return None


def verdict_of(refusal):
    if isinstance(refusal, WrongCode):
        return "wrong code"
    return "refused" if refusal else "accepted"


class Play:
    """Two sides, the messages between them so far, and each side's state before each message."""

    def __init__(self, mode, initiator, responder):
        self.mode = mode
        self.sides = {"initiator": Side("initiator", mode, initiator),
                      "responder": Side("responder", mode, responder)}
        self.messages, self.before, self.cookie = [], [], None
        knows = self.sides["responder"].static if mode in "KQ" else None
        self.sides["initiator"].begin(initiator["session_id"], knows)

    def roles(self, number):
        names = ["initiator", "responder"] if number != 2 else ["responder", "initiator"]
        return (self.sides[name] for name in names)

    def step(self, number):
        sender, receiver = self.roles(number)
        self.before.append(copy.deepcopy((sender, receiver)))
        datagram = sender.create(number)
        record = {"message": number, "datagram": datagram, **sender.made}
        if self.cookie and number != 2:
            record["datagram_with_mac2"] = datagram[:-16] + MAC(self.cookie, datagram[:-16])
        verdict = attempt(lambda: receiver.consume(number, datagram))
        record["verdict"] = verdict_of(verdict)
        if isinstance(verdict, Refused):
            raise verdict
        if verdict is None:
            assert (sender.noise.h, sender.noise.ck) == (receiver.noise.h, receiver.noise.ck)
        record |= {"h": sender.noise.h, "ck": sender.noise.ck,
                   "mac1_key": mac1_key(sender.inputs["seed"], 1, MODES[self.mode], number,
                                        sender.material)}
        self.messages.append(record)
        return verdict

    # -- what is refused

    def judged(self, number, make, why=""):
        """What `make` of the sender makes instead of the message, and what the receiver says."""
        sender, receiver = copy.deepcopy(self.before[number - 1])
        datagram = make(sender)
        verdict = attempt(lambda: receiver.consume(number, datagram))
        assert why in str(verdict)
        case = {"message": number, "verdict": verdict_of(verdict), "datagram": datagram}
        return case if verdict else case | {"peer_seen": receiver.seen or b""}

    def payload(self, number, change):
        return self.judged(number, lambda sender: sender.create(number, change))

    def noise(self, number, change):
        """Other Noise bytes behind a valid mac1."""
        def make(sender):
            sender.create(number)
            return sender.wrap(number, change(sender.made["noise_message"]))
        return self.judged(number, make)

    def low_order(self, number, key):
        """A message with this ephemeral key in which everything fits."""
        def make(sender):
            sender.noise.__class__ = LowOrder
            sender.noise.e_public = key
            return sender.create(number)
        return self.judged(number, make, "does not contribute")

    def flips(self, number):
        """One bit in each field; with `valid_mac1` in its place the Noise message has to tell."""
        datagram = self.messages[number - 1]["datagram"]
        mac1_at = len(datagram) - (16 if number == 2 else 32)
        noise_at = 20 if number == 2 else 12
        size = len(self.messages[number - 1]["noise_message"])
        places = sorted({0, 1, 2, 9, 12, noise_at - 1, noise_at, noise_at + 31, noise_at + 32,
                         noise_at + size // 2, noise_at + size - 1, mac1_at - 1, mac1_at,
                         mac1_at + 15})
        sender, receiver = self.before[number - 1]
        for byte in places:
            bad = bytearray(datagram)
            bad[byte] ^= 1 << byte % 8
            assert isinstance(self.verdict(number, bytes(bad)), Refused)
            flip = {"byte": byte, "bit": byte % 8}
            if byte < mac1_at:
                flip["valid_mac1"] = sender.mac1(number, bytes(bad[:mac1_at]))
                bad[mac1_at:mac1_at + 16] = flip["valid_mac1"]
                flip["verdict"] = verdict_of(self.verdict(number, bytes(bad)))
                assert flip["verdict"] != "accepted"
            yield flip

    def verdict(self, number, datagram):
        _, receiver = copy.deepcopy(self.before[number - 1])
        return attempt(lambda: receiver.consume(number, datagram))


# -- vectors: inputs -------------------------------------------------------------------------------

SEED = random("seed")
COOKIE_SECRET = random("cookie secret")
V4 = bytes(10) + b"\xff\xff" + bytes([192, 0, 2, 7])
V6 = bytes.fromhex("20010db8000000000000000000000042")


def side(play, name, mode, **more):
    """The inputs of one side."""
    who = f"{play} {name}"
    inputs = {"identity_secret": random(f"{name} identity"), "session_id": random(f"{who} id", 8),
              "ephemeral_secret": random(f"{who} ephemeral"), "network_id": b"", "seed": None}
    if mode == "W":
        inputs |= {"throwaway_secret": random(f"{who} throwaway"),
                   "cpace_seed": random(f"{who} cpace", 64)}
    return inputs | more


def both(play, mode, suites, parameters, **more):
    names = ("initiator", "responder")
    return [side(play, name, mode, **({"suites": s, "parameters": p} if p else {}),
                 **{key: value[i] if isinstance(value, tuple) else value
                    for key, value in more.items()})
            for i, (name, s, p) in enumerate(zip(names, suites, parameters))]


PLAIN = {"application": "sttcat/1"}
FULL = {
    "application": "vector/1", "idle_timeout_ms": 1000, "max_data": 2**62 - 1, "max_stream_data": 1,
    "max_streams": 2**60, "max_datagram_bytes": 1200, "max_packet_bytes": 1452,
    "max_ack_delay_us": 0, "max_ids": 8, "exclusive": True, "extensions": [0x40, 0x41, 0x3FFF],
}
SOME = {"application": "vector/1", "max_data": 16384, "max_streams": 64,
        "max_datagram_bytes": 65507}
CODE, CODE_PRS = code_text(417, 0x57E037D6C9)
OTHER_PRS = code_text(417, 0x57E037D6C8)[1].encode()
STRETCHED = random("stretched passphrase")


def code(first=CODE_PRS.encode(), second=CODE_PRS.encode(), slot=417):
    return {"prs": (first, second), "slot": slot}


# name, mode, the two sides' inputs, cookie's {address, port, time}
def plays():
    yield ("K without a seed", "K", None,
           both("K", "K", ([2, 1, 4], [4]), (PLAIN, PLAIN)))
    yield ("K with a seed", "K", {"address": V4, "port": 4433, "now_ns": 10**18},
           both("K seed", "K", ([4, 2], [1, 2, 4]), (FULL, SOME), seed=SEED))
    yield ("S", "S", {"address": V6, "port": 1, "now_ns": 0},
           both("S", "S", ([4, 3, 2, 1], [1, 4]), (SOME, FULL), seed=SEED,
                network_id=b"a network of the vectors"))
    yield ("W with a code", "W", {"address": V6, "port": 65535, "now_ns": 120 * 10**9 - 1},
           both("W", "W", ([2, 4], [1, 2]), (FULL, FULL), **code()))
    yield ("W with a passphrase", "W", {"address": V4, "port": 9, "now_ns": 120 * 10**9},
           both("W passphrase", "W", ([3, 4], [3]), (PLAIN, SOME | PLAIN),
                **code(STRETCHED, STRETCHED, 0)))
    yield ("W with a wrong code", "W", {"address": V4, "port": 10, "now_ns": 7},
           both("W wrong", "W", ([4], [4]), (PLAIN, PLAIN), **code(OTHER_PRS)))
    yield ("Q", "Q", None,
           both("Q", "Q", ([], []), (None, None),
                dht=(random("question", 70), random("answer", 500))))


# -- vectors: outputs ------------------------------------------------------------------------------


def schedule_of(session, epoch):
    return {"epoch": epoch, "h": session.h[epoch], "secret": session.epochs[epoch],
            "key": [session.key(d, epoch) for d in (0, 1)],
            "iv": [session.iv(d, epoch) for d in (0, 1)], "exporter": session.exporter(epoch)}


class Flow:
    """The protected packets of a session, each to the id that its receiver chose."""

    def __init__(self, session, ids):
        self.session, self.ids, self.next = session, ids, [0, 0]
        self.packets = []

    def send(self, direction, epoch, frames):
        number = self.next[direction]
        self.next[direction] += 1
        to = self.ids[1 - direction]
        datagram = self.session.packet(direction, epoch, number, to, frames)
        self.packets.append({"direction": direction, "epoch": epoch, "number": number,
                             "frames": frames, "datagram": datagram})


PING = b"\x01"
ACK_0 = bytes([2, 0, 0, 0, 0])


def identity_frame(secret, role, h):
    signature = identity.sign(secret, identity.labelled("stt1 identity", u8(role), h))
    return varint(0x1F) + identity.public_of(secret) + signature


def rekey(play, name, session):
    """A REKEY that begins epoch 1; `session` is in epoch 0."""
    statics = [play.sides[role].static_secret for role in ("initiator", "responder")]
    secrets = [random(f"{name} rekey ephemeral {role}") for role in (0, 1)]
    return rekeys.exchange(session, statics, secrets)


def session_vectors(play, name, fresh, first):
    """Everything behind Split: `first` are the frames of each side's first packet."""
    ids = [play.sides[role].inputs["session_id"] for role in ("initiator", "responder")]
    updated, rekeyed = fresh(), fresh()
    updated.update()
    flow = Flow(updated, ids)
    for direction in (0, 1) if play.mode == "K" else (1, 0):
        flow.send(direction, 0, first[direction])
    flow.send(0, 1, PING)
    flow.send(1, 1, ACK_0 + PING)
    exchange = rekey(play, name, rekeyed)
    after = Flow(rekeyed, ids)
    after.next = [1, 1]
    after.send(0, 0, exchange["frames"][0])
    after.send(1, 0, exchange["frames"][1])
    after.send(0, 1, PING)
    after.send(1, 1, PING)
    return {"mask": [updated.mask_key(d) for d in (0, 1)], "epoch_0": schedule_of(updated, 0),
            "key_update": {**schedule_of(updated, 1), "packets": flow.packets},
            "rekey": {**exchange, **schedule_of(rekeyed, 1), "packets": after.packets}}


def result(play, name):
    initiator, responder = play.sides["initiator"], play.sides["responder"]
    k1, k2 = initiator.noise.split()
    h = initiator.noise.h
    assert responder.noise.split() == (k1, k2) and responder.suite == initiator.suite
    suite = next(s for s in SUITES if s.id == initiator.suite)
    first = [ACK_0 + PING, PING] if play.mode == "S" else [PING, ACK_0]
    out = {"suite": suite.id, "k1": k1, "k2": k2, "h": h}
    if play.mode == "W":
        first = [identity_frame(play.sides[role].inputs["identity_secret"], n, h)
                 for n, role in enumerate(("initiator", "responder"))]
        out["identity_frames"] = first
    return out | session_vectors(play, name, lambda: Session(suite, k1, k2, h), first)


def cookie_vectors(play, inputs):
    """A cookie reply to message 1 as it was without mac2."""
    initiator = play.sides["initiator"]
    datagram = copy.deepcopy(initiator).create(1)
    mac1, nonce = datagram[-32:-16], random("cookie nonce", 24)
    key = cookie_key(initiator.inputs["seed"], 1, MODES[play.mode], initiator.material)
    play.cookie = cookie(COOKIE_SECRET, inputs["now_ns"], inputs["address"], inputs["port"])
    sealed = prim.xchacha20poly1305_seal(key, nonce, mac1, play.cookie)
    reply = u8(0xC0 | MODES[play.mode]) + u8(1) + datagram[2:10] + nonce + sealed
    return {**inputs, "now_ns": str(inputs["now_ns"]), "secret": COOKIE_SECRET, "nonce": nonce, "cookie": play.cookie,
            "cookie_key": key, "reply": reply}


def refused_vectors(play, ck):
    """The refusals of message 3 for both reasons."""
    clear = u8(0xD0 | MODES[play.mode]) + u8(1) + play.sides["initiator"].initiator_id
    return {"ck": ck, "refused_key": refuse(ck, clear, 1)[0],
            "refusals": [clear + refuse(ck, clear, reason)[1] for reason in (1, 2)]}


# -- vectors: payloads that break one rule, or only seem to ----------------------------------------


def replaced(**values):
    """The payload with other values; None leaves one out."""
    def change(payload):
        new = payload | values
        return encode_payload({name: v for name, v in new.items() if v is not None})
    return change


def raw(id, value, **widths):
    """The payload with a parameter of these bytes, in its place; `widths` are of its varints."""
    def change(payload):
        coded = {IDS[name]: parameter(IDS[name], encode_value(v)) for name, v in payload.items()}
        coded[id] = parameter(id, value, **widths)
        return b"".join(coded[key] for key in sorted(coded))
    return change


def in_front(data):
    return lambda payload: data + encode_payload(payload)


def behind(data):
    return lambda payload: encode_payload(payload) + data


def unknown(count):
    """`count` parameters that nobody knows, behind the others."""
    return behind(b"".join(parameter(0x100 + n, b"") for n in range(count)))


OTHER_PEER = identity.public_of(random("another identity"))


def negative(peer):
    return peer[:31] + u8(peer[31] ^ 0x80)


def offer_changes():
    """In message 1 of S: (what, change)"""
    yield "no suites", replaced(suites=None)
    yield "suites twice", behind(parameter(5, b"\4"))
    yield "an empty offer", replaced(suites=b"")
    yield "a suite twice", replaced(suites=b"\4\1\4")
    yield "nine suites", replaced(suites=bytes(range(1, 10)))
    yield "eight suites, some of them unknown", replaced(suites=bytes([255, 0, 5, 6, 7, 8, 9, 1]))
    yield "no common suite", replaced(suites=b"\2\3")
    yield "an empty payload", lambda payload: b""
    yield "a peer id where none belongs", replaced(peer_id=OTHER_PEER)
    yield "a transport parameter where none belongs", replaced(max_data=1)
    yield "an unknown parameter", behind(parameter(0x3FFF, b"ignored"))


def transport_changes(peer):
    """In message 3 of S"""
    yield "no peer id", replaced(peer_id=None)
    yield "the peer id of another", replaced(peer_id=OTHER_PEER)
    yield "the negative of the peer id, which has the same image", replaced(peer_id=negative(peer))
    yield "a peer id of small order", replaced(peer_id=u8(1) + bytes(31))
    yield "no clear fields", replaced(clear_fields=None)
    yield "clear fields of message 2", replaced(clear_fields=bytes(18))
    yield "other clear fields", replaced(clear_fields=u8(0xB3) + u8(1) + bytes(8))
    yield "no application", replaced(application=None)
    yield "another application, left to the session", replaced(application="other/1")
    yield "an empty application", replaced(application="")
    yield "an application of 32 bytes", replaced(application="x" * 32)
    yield "an application of 33 bytes", replaced(application="x" * 33)
    yield "a space in the application", replaced(application="stt cat")
    yield "a byte above 0x7e in the application", replaced(application=b"stt\x7f")
    for name, low, high in (("idle_timeout_ms", 1000, 3600000), ("max_streams", 0, 2**60),
                            ("max_datagram_bytes", 0, 65507), ("max_packet_bytes", 1200, 65507),
                            ("max_ack_delay_us", 0, 1000000), ("max_ids", 2, 8)):
        yield f"the largest {name}", replaced(**{name: high})
        yield f"{name} above its limit", replaced(**{name: high + 1})
        if low:
            yield f"the smallest {name}", replaced(**{name: low})
            yield f"{name} below its limit", replaced(**{name: low - 1})
    yield "an integer that does not fill its length", raw(0x12, varint(5) + b"\0")
    yield "an integer that is cut short", raw(0x12, b"\x40")
    yield "an integer of no bytes", raw(0x12, b"")
    yield "an integer in a longer form", raw(0x12, varint(5, 8))
    yield "a length in a longer form", raw(0x12, varint(5), length_width=4)
    yield "an id in a longer form", raw(0x12, varint(5), id_width=2)
    yield "exclusive with a value", replaced(exclusive=b"\1")
    yield "no extension", replaced(extensions=[])
    yield "16 extensions", replaced(extensions=list(range(0x40, 0x50)))
    yield "17 extensions", replaced(extensions=list(range(0x40, 0x51)))
    yield "extensions that do not ascend", replaced(extensions=[0x41, 0x40])
    yield "an extension twice", replaced(extensions=[0x41, 0x41])
    yield "an extension of a frame's own type", replaced(extensions=[0x3F])
    yield "an extension from 2^14 on", replaced(extensions=[0x4000])
    yield "an extension in a longer form", replaced(extensions=varint(0x40, 4))
    yield "a suite, which is message 2's", replaced(suite=b"\1")
    yield "a slot, which is mode W's", replaced(slot=1)
    yield "a dht, which is mode Q's", replaced(dht=b"")
    yield "64 unknown parameters", unknown(64)
    yield "65 unknown parameters", unknown(65)
    yield "an unknown parameter from 2^14 on", behind(parameter(2**14, b""))
    yield "ids that do not ascend", in_front(parameter(0x0F, b""))
    yield "the same unknown id twice", behind(2 * parameter(0x100, b""))
    yield "a byte behind the last parameter", behind(b"\x21")
    yield "a value that is cut short", behind(b"\x21\2\0")


def answer_changes():
    """In message 2 of K"""
    yield "no suite", replaced(suite=None)
    yield "a suite that was not offered", replaced(suite=b"\1")
    yield "no suite at all, 0", replaced(suite=b"\0")
    yield "two suites", replaced(suite=b"\4\2")
    yield "no clear fields", replaced(clear_fields=None)
    yield "clear fields with another id", replaced(clear_fields=bytes(18))
    yield "no application", replaced(application=None)
    yield "a peer id, which the initiator knows", replaced(peer_id=OTHER_PEER)


def code_changes():
    """In message 1 of W"""
    yield "the identity as share", replaced(cpace_share=bytes(32))
    yield "no share", replaced(cpace_share=None)
    yield "a share of 31 bytes", replaced(cpace_share=bytes(31))
    yield "a share that is no encoding", replaced(cpace_share=b"\xff" * 32)
    yield "a negative share", replaced(cpace_share=u8(1) + bytes(31))
    yield "no slot", replaced(slot=None)
    yield "another slot", replaced(slot=418)
    yield "slot 10,000", replaced(slot=10000)


LOW_ORDER = [bytes(32), u8(1) + bytes(31), (2**255 - 19).to_bytes(32, "little")]


def payload_cases(play, number, changes):
    return [{"what": what, **play.payload(number, change)} for what, change in changes]


def noise_cases(play, number):
    """Noise messages that are not what they should be, behind a valid mac1."""
    changes = [("an empty Noise message", lambda m: b""), ("half a key", lambda m: m[:16]),
               ("cut by a byte", lambda m: m[:-1]), ("a byte more", lambda m: m + b"\0")]
    return [{"what": what, **play.noise(number, change)} for what, change in changes]


def low_order_cases(play, number):
    return [{"what": f"an ephemeral key of low order, {i}", **play.low_order(number, key)}
            for i, key in enumerate(LOW_ORDER)]


def judged(play, name):
    """Other messages at this point of this handshake, and what the receiver makes of each."""
    if name == "S":
        peer = play.sides["initiator"].peer_id
        return (payload_cases(play, 1, offer_changes())
                + payload_cases(play, 3, transport_changes(peer))
                + noise_cases(play, 2) + noise_cases(play, 3) + low_order_cases(play, 2))
    if name == "K with a seed":
        return (payload_cases(play, 2, answer_changes()) + noise_cases(play, 1)
                + low_order_cases(play, 1))
    if name == "W with a code":
        own = play.sides["initiator"].share
        return payload_cases(play, 1, code_changes()) + payload_cases(play, 2, [
            ("the initiator's own share", replaced(cpace_share=own)),
            ("the identity as share", replaced(cpace_share=bytes(32)))])
    return []


def own_static_vectors():
    """K to oneself: the own static key comes back."""
    initiator, responder = both("K self", "K", ([4], [4]), (PLAIN, PLAIN))
    responder["identity_secret"] = initiator["identity_secret"]
    play = Play("K", initiator, responder)
    datagram = play.sides["initiator"].create(1)
    assert "own static" in str(attempt(lambda: play.sides["responder"].consume(1, datagram)))
    return {"identity_secret": initiator["identity_secret"], "datagram": datagram}


# -- vectors: putting it together ------------------------------------------------------------------


def number_as_text(value):
    """What readers of JSON may take for a double."""
    return str(value) if isinstance(value, int) and value >= 2**53 else value


def described(play, name):
    """The inputs of a side, with what follows at once from its secrets."""
    s = play.sides[name]
    inputs = dict(s.inputs)
    out = {"identity_secret": inputs.pop("identity_secret"),
           "peer_id": identity.public_of(s.inputs["identity_secret"])}
    out |= {"static_secret": s.static_secret, "static": s.static}
    if play.mode == "W":
        out |= {"throwaway_secret": inputs.pop("throwaway_secret"), "throwaway_peer_id": s.peer_id}
    out |= {"ephemeral_secret": inputs.pop("ephemeral_secret"),
            "ephemeral": s.noise.public(s.noise.e)}
    inputs.pop("network_id")
    inputs.pop("seed")
    inputs.pop("slot", None)
    if "parameters" in inputs:
        inputs["parameters"] = {name: number_as_text(value)
                                for name, value in inputs["parameters"].items()}
    return out | inputs


def handshake_vectors(name, mode, cookie_inputs, inputs):
    play = Play(mode, *inputs)
    out = {"name": name, "mode": MODES[mode], "network_id": inputs[0]["network_id"],
           "seed": inputs[0]["seed"] or b""}
    if mode == "W":
        out["slot"] = inputs[0]["slot"]
    if cookie_inputs:
        out["cookie"] = cookie_vectors(play, cookie_inputs)
    verdict = None
    for number in (1, 2, 3) if mode in "SW" else (1, 2):
        verdict = play.step(number)
    initiator, responder = play.sides["initiator"], play.sides["responder"]
    out |= {"initiator": described(play, "initiator"), "responder": described(play, "responder")}
    if initiator.psk:
        out["psk"] = initiator.psk
    if mode == "W":
        out["cpace"] = {"sid": initiator.sid, "generator": cpace.encode(initiator.generator),
                        "ya": initiator.share, "yb": responder.share,
                        "isk": initiator.isk}
        assert initiator.sid == responder.sid
    out["messages"] = [m | {"flips": list(play.flips(m["message"]))} for m in play.messages]
    if verdict:
        return out | refused_vectors(play, verdict.args[0])
    out["judged"] = judged(play, name)
    out["seen"] = {"by_initiator": initiator.seen or responder.peer_id,
                   "by_responder": responder.seen}
    if mode != "Q":
        out["session"] = result(play, name)
    return out


def vectors():
    return {"about": "spec 02 and 03; made by tests/second/handshakes.py",
            "code": CODE, "handshakes": [handshake_vectors(*play) for play in plays()],
            "own_static": own_static_vectors()}


def main():
    folder = pathlib.Path(__file__).resolve().parents[2] / "spec" / "vectors"
    prim.check()
    cpace.check(folder)
    noise.check(folder)
    content = json.dumps(vectors(), indent=1, default=bytes.hex) + "\n"
    path = folder / "handshake.json"
    if "--check" not in sys.argv[1:]:
        path.write_text(content, encoding="ascii")
    elif path.read_text(encoding="ascii") != content:
        raise SystemExit(f"{path}: not what handshakes.py writes")


if __name__ == "__main__":
    main()
