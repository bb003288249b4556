# SPDX-License-Identifier: MIT
"""One side of a handshake in mode K, S, W or Q, written from spec/02-wire.md and
spec/03-handshake.md alone: handshake parameters, the messages, and how a message is judged.
"""

import cpace
import identity
from noise import Noise, Refused, require
from packets import KH, MAC, ZEROS, lp, mac1_key, u8, u16

MODES = {"K": 1, "S": 2, "W": 3, "Q": 4}
PATTERNS = {"K": "IKpsk2", "S": "XXpsk0", "W": "XXpsk3", "Q": "IK"}
MAX_BYTES = 1200


class WrongCode(Exception):
    """Message 3 was valid up to token psk; holds the first 32 bytes of ck before it."""


# -- varints ---------------------------------------------------------------------------------------


def varint(n, width=0):
    """In the shortest form, or in `width` bytes."""
    width = width or next(w for w in (1, 2, 4, 8) if n < 1 << 8 * w - 2)
    return (n | {1: 0, 2: 1, 4: 2, 8: 3}[width] << 8 * width - 2).to_bytes(width, "big")


def read_varint(data, shortest=False):
    """(the integer, what follows)"""
    require(data, "a varint is missing")
    width = 1 << (data[0] >> 6)
    require(len(data) >= width, "a varint is cut short")
    n = int.from_bytes(data[:width], "big") & (1 << 8 * width - 2) - 1
    require(not shortest or varint(n) == data[:width], "not the shortest form")
    return n, data[width:]


# -- handshake parameters (02-wire) ----------------------------------------------------------------


def fixed(*sizes):
    return lambda value: require(len(value) in sizes, "length")


def integer(low, high):
    def judge(value):
        n, rest = read_varint(value)
        require(not rest and low <= n <= high, "integer")
    return judge


def offer(value):
    require(1 <= len(value) <= 8 and len(set(value)) == len(value), "offer")


def application(value):
    require(1 <= len(value) <= 32 and all(0x21 <= c <= 0x7E for c in value), "application")


def extensions(value):
    last, count = 0x3F, 0
    while value:
        n, value = read_varint(value, shortest=True)
        count += 1
        require(last < n <= 0x3FFF and count <= 16, "extensions")
        last = n


def peer_id(value):
    require(len(value) == 32 and identity.image(value), "peer id")


T = {"K1", "K2", "S2", "S3", "W2", "W3"}
# id: name, how its value is judged, the messages that must and that may carry it
PARAMETERS = {
    0x01: ("peer_id", peer_id, {"K1", "S2", "S3", "W2", "W3", "Q1"}, set()),
    0x02: ("clear_fields", fixed(18, 10), {"K2", "S2", "S3", "W2", "W3", "Q2"}, set()),
    0x03: ("cpace_share", fixed(32), {"W1", "W2"}, set()),
    0x04: ("slot", integer(0, 9999), {"W1"}, set()),
    0x05: ("suites", offer, {"K1", "S1", "W1"}, set()),
    0x06: ("suite", fixed(1), {"K2", "S2", "W2"}, set()),
    0x10: ("application", application, T, set()),
    0x11: ("idle_timeout_ms", integer(1000, 3600000), set(), T),
    0x12: ("max_data", integer(0, 2**62 - 1), set(), T),
    0x13: ("max_stream_data", integer(0, 2**62 - 1), set(), T),
    0x14: ("max_streams", integer(0, 2**60), set(), T),
    0x15: ("max_datagram_bytes", integer(0, 65507), set(), T),
    0x16: ("max_packet_bytes", integer(1200, 65507), set(), T),
    0x17: ("max_ack_delay_us", integer(0, 1000000), set(), T),
    0x18: ("max_ids", integer(2, 8), set(), T),
    0x19: ("exclusive", fixed(0), set(), T),
    0x1A: ("extensions", extensions, set(), T),
    0x20: ("dht", lambda value: None, {"Q1", "Q2"}, set()),
}
IDS = {name: id for id, (name, *_) in PARAMETERS.items()}
UNKNOWN_IGNORED = 64


def parameter(id, value, id_width=0, length_width=0):
    return varint(id, id_width) + varint(len(value), length_width) + value


def encode_value(value):
    """Of a parameter as it stands in the vectors' inputs."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if value is True:
        return b""
    if isinstance(value, list):
        return b"".join(varint(n) for n in value)
    return varint(value)


def encode_payload(values):
    return b"".join(parameter(IDS[name], encode_value(values[name]))
                    for name in sorted(values, key=IDS.get))


def decode_payload(message, data):
    """The values of one payload by name, judged by the table for `message`."""
    values, last, unknown = {}, -1, 0
    while data:
        id, data = read_varint(data, shortest=True)
        size, data = read_varint(data)
        require(id > last, "ids do not ascend")
        require(len(data) >= size, "a parameter is cut short")
        value, data, last = data[:size], data[size:], id
        if id not in PARAMETERS:
            unknown += 1
            require(id < 2**14 and unknown <= UNKNOWN_IGNORED, "unknown parameter")
            continue
        name, judge, must, may = PARAMETERS[id]
        require(message in must | may, f"{name} in {message}")
        judge(value)
        values[name] = value
    for name, _, must, _ in PARAMETERS.values():
        require(message not in must or name in values, f"no {name} in {message}")
    return values


# -- one side of a handshake -----------------------------------------------------------------------


class Side:
    """What one side brings and knows; `inputs` are the vectors' own fields for it."""

    def __init__(self, name, mode, inputs):
        self.inputs, self.mode = inputs, mode
        self.initiator = name == "initiator"
        secret = inputs["throwaway_secret"] if mode == "W" else inputs["identity_secret"]
        self.peer_id = identity.public_of(secret)
        self.static_secret = identity.expand(secret)[0].to_bytes(32, "little")
        self.static = identity.image(self.peer_id)
        self.suite = self.psk = self.seen = self.share = self.responder_id = None

    def begin(self, initiator_id, responder_static=None):
        """Possible once the initiator's id is known, which stands in the prologue."""
        i, mode = self.inputs, self.mode
        protocol = f"Noise_{PATTERNS[mode]}_25519_ChaChaPoly_BLAKE2b".encode()
        prologue = b"".join(map(lp, (b"stt", u8(1), u8(MODES[mode]), protocol, initiator_id,
                                     i["network_id"])))
        self.initiator_id = initiator_id
        self.material = responder_static or self.static if mode == "K" else b""
        if mode in "KS":
            self.psk = (KH(32, i["seed"], "stt1 psk", u8(1), u8(MODES[mode])) if i["seed"]
                        else ZEROS)
        self.noise = Noise(PATTERNS[mode], self.initiator, prologue, self.static_secret,
                           i["ephemeral_secret"], responder_static, self.psk)

    def mac1(self, number, before):
        key = mac1_key(self.inputs["seed"], 1, MODES[self.mode], number, self.material)
        return MAC(key, before)

    # -- CPace

    def start_cpace(self):
        self.sid = self.noise.h_after_e[0]
        ci = lp(b"stt1 W") + lp(b"initiator") + lp(b"responder")
        self.generator = cpace.generator(self.inputs["prs"], ci, self.sid)
        self.scalar = cpace.reduced(self.inputs["cpace_seed"])
        self.share = cpace.share(self.scalar, self.generator)

    def finish_cpace(self, other):
        ya, yb = (self.share, other) if self.initiator else (other, self.share)
        require(ya != yb, "the own share")
        k = cpace.shared_point(self.scalar, other)
        require(k, "the share is refused")
        self.isk = cpace.isk(self.sid, k, ya, b"", yb, b"")
        self.psk = self.noise.psk = KH(32, self.isk, "stt1 cpace", self.sid)

    # -- creating

    def clear(self, number):
        ids = [self.initiator_id] if number < 3 else []
        ids += [self.responder_id] if number > 1 else []
        return u8(0x80 | number << 4 | MODES[self.mode]) + u8(1) + b"".join(ids)

    def payload(self, number):
        message, i = f"{self.mode}{number}", self.inputs
        own = {"peer_id": self.peer_id, "clear_fields": self.clear(number),
               "cpace_share": self.share, "slot": i.get("slot"),
               "suites": bytes(i["suites"]) if "suites" in i else None,
               "suite": u8(self.suite) if self.suite else None, "dht": i.get("dht")}
        values = {name: own[name] for name in own if message in PARAMETERS[IDS[name]][2]}
        if message in T:
            values |= i["parameters"]
        return values

    def create(self, number, change=None):
        """The whole datagram, mac2 zero; `change` makes another payload of the one due."""
        if number == 2:
            self.responder_id = self.inputs["session_id"]
        tokens = self.noise.write_tokens()
        if self.mode == "W" and number < 3:
            self.start_cpace()
            if number == 2:
                self.finish_cpace(self.other_share)
        payload = self.payload(number)
        payload = change(payload) if change else encode_payload(payload)
        message = tokens + self.noise.seal(payload)
        self.made = {"payload": payload, "noise_message": message}
        return self.wrap(number, message)

    def wrap(self, number, message):
        """A Noise message as a datagram."""
        before = self.clear(number) + u16(len(message)) + message
        if number == 1:
            before = before.ljust(MAX_BYTES - 32, b"\0")
        assert len(before) <= MAX_BYTES - (16 if number == 2 else 32)
        return before + self.mac1(number, before) + (b"" if number == 2 else bytes(16))

    # -- consuming

    def consume(self, number, datagram):
        """Takes a message whose mac2, if any, somebody else judges."""
        require(number > 1 or len(datagram) == MAX_BYTES, "length")
        require({1: 44, 2: 36, 3: 44}[number] <= len(datagram) <= MAX_BYTES, "length")
        require(datagram[0] == 0x80 | number << 4 | MODES[self.mode], "kind or mode")
        require(datagram[1] == 1, "version")
        if number == 1:
            self.begin(datagram[2:10])
        if number == 2:
            self.responder_id = datagram[10:18]
            require(self.responder_id != bytes(8), "an id of zeros")
        clear = self.clear(number)
        require(datagram[:len(clear)] == clear and clear[2:10] != bytes(8), "ids")
        mac1_at = len(datagram) - (16 if number == 2 else 32)
        body = datagram[len(clear):mac1_at]
        size = int.from_bytes(body[:2], "big")
        message, padding = body[2:2 + size], body[2 + size:]
        require(len(message) == size, "Noise Length")
        require(padding == bytes(len(padding)) if number == 1 else not padding, "padding")
        require(datagram[mac1_at:mac1_at + 16] == self.mac1(number, datagram[:mac1_at]), "mac1")
        self.open_message(number, message)

    def open_message(self, number, message):
        rest = self.noise.read_tokens(message)
        try:
            payload = self.noise.open(rest)
        except Refused:
            if self.mode == "W" and number == 3:
                raise WrongCode(self.noise.ck_before_psk[:32]) from None
            raise
        self.judge(number, decode_payload(f"{self.mode}{number}", payload))

    def judge(self, number, values):
        i = self.inputs
        if "peer_id" in values:
            require(identity.image(values["peer_id"]) == self.noise.rs, "peer id and static key")
            self.seen = values["peer_id"]
        if "clear_fields" in values:
            require(values["clear_fields"] == self.clear(number), "clear fields")
        if "slot" in values:
            require(read_varint(values["slot"])[0] == i["slot"], "no such code")
        if "suites" in values:
            common = [s for s in i["suites"] if s in values["suites"]]
            require(common, "no common suite")
            self.suite = common[0]
        if "suite" in values:
            self.suite = values["suite"][0]
            require(self.suite in i["suites"], "a suite that was not offered")
        if "cpace_share" in values:
            self.other_share = values["cpace_share"]
            require(cpace.shared_point(1, self.other_share), "the share is refused")
            if number == 2:
                self.finish_cpace(self.other_share)
