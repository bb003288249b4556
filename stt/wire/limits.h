/* SPDX-License-Identifier: MIT
 * limits: every constant that bounds memory, count or time in the protocol, with its reason.
 *
 * What both sides must agree on is normative in the pages that are named; the rest is this
 * implementation's, and what ends in _DEFAULT and the windows can be configured. What a host's
 * configuration can hold stands in stt/config.h; the limits of cipher suites in crypto's suite
 * table, the period of cookies in crypto/mac.h, the replay window in crypto/replay.h; those of the
 * DHT in dht/. */
#ifndef STT_WIRE_LIMITS_H
#define STT_WIRE_LIMITS_H

#include "stt/config.h"
#include "stt/types.h"

/* Datagrams and trains. Spec 02, "Datagrams"; spec 06, "Sending". */
#define STT_DATAGRAM_BYTES_MIN     1200u      /* every path carries it; MTU search starts here */
#define STT_DATAGRAM_BYTES_MAX     65507u     /* IPv4's 64 KiB less both headers */
#define STT_TRAIN_BYTES_MAX        65507u     /* what one GSO send takes */
#define STT_TRAIN_SEGMENTS_DEFAULT 64u        /* what every kernel with GSO takes */
#define STT_TRAIN_SEGMENTS_MAX     128u       /* what newer kernels take, when probed */
#define STT_TRAIN_NS               STT_MS(1)  /* of the paced rate: longer would be a burst */
#define STT_TICK_NS                STT_MS(50) /* idle deadlines share their wake-ups */

/* Spec 02, "Handshake packets"; spec 03, "Retransmission and confirmation". */
#define STT_HANDSHAKE_BYTES          1200u       /* message 1 exactly, 2 and 3 at most */
#define STT_HANDSHAKE_REPEAT_NS      STT_MS(250) /* the first wait, above most RTTs ... */
#define STT_HANDSHAKE_GROWTH_PERCENT 150u        /* ... each of the next against the last ... */
#define STT_HANDSHAKE_REPEAT_MAX_NS  STT_MS(500) /* ... up to here: p99 2.7 s at 30 % loss */
#define STT_HANDSHAKE_JITTER_PERCENT 10u         /* so that initiators do not march in step */
#define STT_HANDSHAKE_GIVE_UP_NS     STT_S(10)   /* then people want to hear why */

/* What strangers may cost. Spec 04, "Limits of an endpoint". */
#define STT_HALF_OPEN_LIFE_NS      STT_S(10) /* as long as an initiator tries */
#define STT_HALF_OPEN_FREE         64u       /* above it mac2 is demanded: prove the address */
#define STT_HANDSHAKE_CORE_PERCENT 10u       /* and when handshakes take more than this */
#define STT_HALF_OPEN_MAX_DEFAULT  4096u     /* bounds memory; divided among workers */
#define STT_HALF_OPEN_PER_32       64u       /* IPv4 /32: many people behind one NAT */
#define STT_HALF_OPEN_PER_64       64u       /* IPv6 /64: one customer's network */
#define STT_HALF_OPEN_PER_48       256u      /* IPv6 /48: one site of many networks */
#define STT_HALF_OPEN_PER_PEER     4u        /* a peer id has few connects under way */
#define STT_AMPLIFICATION_MAX      3u        /* bytes out per byte in, to an unproven address */

/* Codes and passphrases, mode W. Spec 03, "Codes", "Guesses at a code". */
#define STT_CODE_LIFE_NS            STT_S(10 * 60) /* nobody reads a code aloud for longer */
#define STT_CODE_GUESSES_MAX        3u             /* of 2^40: one in 3.7 * 10^11 */
#define STT_CODE_OUTSTANDING_MAX    3u             /* attempts at a time, over all addresses */
#define STT_CODE_ATTEMPTS_MAX       3u    /* of a tool's, for its user: each may meet a guesser */
#define STT_CODE_SLOT_MAX           9999u /* four digits; slot 0 is a passphrase */
#define STT_PASSPHRASE_GUESSES_FREE 3u    /* then one attempt ... */
#define STT_PASSPHRASE_PAUSE_NS     STT_S(5 * 60) /* ... in this time: 105,000 a year */
#define STT_PASSPHRASE_BYTES_MIN    8u            /* a shorter one falls even so */
#define STT_PASSPHRASE_BYTES_MAX    256u          /* a line of text */

/* Spec 02, "Handshake parameters". */
#define STT_EXTENSIONS_MAX          16u      /* their list stays within 32 bytes */
#define STT_PARAMS_UNKNOWN_MAX      64u      /* work for what is ignored */
#define STT_PARAM_ID_IGNORED_MAX    0x3fffu  /* an unknown id above it is a violation */
#define STT_IDLE_TIMEOUT_MS_DEFAULT 30000u   /* three lost keep-alives */
#define STT_IDLE_TIMEOUT_MS_MIN     1000u    /* below it, a hiccup would be a death */
#define STT_IDLE_TIMEOUT_MS_MAX     3600000u /* so that dead sessions do not pile up */
#define STT_ACK_DELAY_US_DEFAULT    25000u   /* well below any RTO, well above a tick of work */
#define STT_ACK_DELAY_US_MAX        1000000u /* no claim of a peer stretches timers further */
#define STT_IDS_DEFAULT             4u       /* in use, on trial, and two to spare */
#define STT_IDS_MIN                 2u       /* one in use and one to move to */
#define STT_IDS_MAX                 8u       /* each is an entry in the demultiplexer */

/* Life of a session. Spec 04, "Timers"; PTO is the probe timeout of spec 06, "Words". */
#define STT_KEEP_ALIVE_NS_DEFAULT        STT_S(10) /* a third of a short NAT mapping's 30 s */
#define STT_KEEP_ALIVE_RESPONDER_PERCENT 150u      /* of it: so only the initiator pings */
#define STT_STALLED_PTO                  3u        /* unanswered for so long: tell the host */
#define STT_OLD_KEYS_PTO                 3u        /* what is reordered comes by then or never */
#define STT_ASK_NS_MAX                   STT_S(2)  /* after which nobody asks for data */
#define STT_SESSION_PTO_NS_MAX           STT_S(10) /* for these timers, whatever was measured */
#define STT_EXCLUSIVE_HOLD_PTO           3u        /* for the connect that would stay */
#define STT_CLOSING_PTO                  3u        /* closing, draining: for late packets */
#define STT_REPLAY_WINDOW_IDLE           64u       /* a quiet session's: one word */
#define STT_REASON_BYTES_MAX             256u      /* a sentence or two for people */

/* Spec 03, "REKEY". It heals the theft of session keys; nothing is spent on it while a session
 * idles. */
#define STT_REKEY_AFTER_NS          STT_S(120)          /* since the last, and one of ... */
#define STT_REKEY_AFTER_BYTES       (UINT64_C(1) << 20) /* ... these two */
#define STT_REKEY_AFTER_PACKETS     1000u               /* other than PING */
#define STT_REKEY_EARLIEST_NS       STT_S(60) /* half of it: no honest peer starts one so early */
#define STT_REKEY_RETRY_NS          STT_S(1)  /* of one that came to nothing, or is not answered */
#define STT_REKEY_MESSAGE_BYTES_MAX 256u      /* KKpsk0 with empty payloads takes 48 */

/* Spec 05, "Limits in one table", "Flow control", "Urgency". */
#define STT_STREAMS_DEFAULT          256u                 /* that a peer may open */
#define STT_STREAMS_MAX              (UINT64_C(1) << 60)  /* an id has two bits more */
#define STT_FRAME_BYTES_DEFAULT      (UINT64_C(16) << 10) /* the grain of interleaving */
#define STT_FRAME_BYTES_MIN          (UINT64_C(1) << 10)  /* less than a packet, and headers show */
#define STT_FRAME_BYTES_MAX          (UINT64_C(64) << 10) /* one train */
#define STT_COALESCE_NS              STT_MS(2)            /* small writes wait for company */
#define STT_STREAM_GAPS_MAX          256u  /* an honest sender repairs from the lowest gap ... */
#define STT_SESSION_GAPS_MIN         4096u /* ... and many streams have these, or as many as ... */
#define STT_SESSION_GAP_BYTES        2048u /* ... the window holds: a packet lost, one arrived */
#define STT_STREAMS_PER_S_DEFAULT    1000u /* that come and go: churn */
#define STT_STREAM_WINDOW_DEFAULT    (UINT64_C(64) << 10) /* at first; auto-tuned ... */
#define STT_STREAM_WINDOW_MAX        (UINT64_C(8) << 20)  /* ... up to here: 670 Mbit/s at 100 ms */
#define STT_SESSION_WINDOW_DEFAULT   (UINT64_C(256) << 10) /* of four streams */
#define STT_SESSION_WINDOW_MAX       (UINT64_C(16) << 20)  /* of two streams */
#define STT_SEND_RING_DEFAULT        (UINT64_C(2) << 20)   /* memory of a stream that sends */
#define STT_DATAGRAM_QUEUE_MAX       256u /* each way; the oldest gives way to the newest */
#define STT_DATAGRAM_QUEUE_BYTES_MAX (UINT64_C(1) << 20) /* each way, too */
#define STT_DATAGRAM_URGENCY_DEFAULT 2u          /* before streams: what waits is worth less */
#define STT_URGENCY_LEVELS           8u          /* one ring of ready streams for each */
#define STT_URGENCY_DEFAULT          3u          /* with room on both sides */
#define STT_URGENCY_RAISE_NS         STT_MS(100) /* adaptive: nobody starves longer at a level */
#define STT_ACK_RANGES_MAX           256u        /* sent, and processed, in one ACK */

/* Spec 04, "Paths", "Session ids". */
#define STT_PATH_TOKEN_BYTES       8u        /* a PATH_CHALLENGE is not guessed in a trial */
#define STT_PATH_TRIAL_PTO         3u        /* then the old path is back, if it answers */
#define STT_PATH_MOVE_PTO          6u        /* then a move of our own is given up */
#define STT_PATH_MOVE_NS           STT_S(3)  /* at least: where we go may be far longer */
#define STT_PATH_CHALLENGES_MAX    3u        /* a path that lost all of them carries nothing */
#define STT_PATH_FAILED_TRIALS_MAX 4u        /* so many trials may fail within ... */
#define STT_PATH_FAILED_TRIALS_NS  STT_S(10) /* ... this time: copied packets start some */
#define STT_ID_CHANGES_PER_MINUTE  120u      /* two path changes a second; more is a flood */

/* Spec 04, "Packet size". */
#define STT_SIZE_STEP_BYTES     16u        /* a finer search gains under 1.4 % */
#define STT_SIZE_PROBES_MAX     4u         /* a round: what is left falls to a quarter */
#define STT_SIZE_SEARCH_PROBES  100u       /* at 5 % loss the longest of 85,000 took 54 */
#define STT_SIZE_TRIES          3u         /* of a size: chance losses are told from limits */
#define STT_SIZE_RAISE_NS       STT_S(600) /* paths seldom grow */
#define STT_SIZE_BLACK_HOLE     3u         /* large packets lost in a row, or ... */
#define STT_SIZE_BLACK_HOLE_PTO 2u         /* ... PTOs */

/* Spec 06, "Words", "Loss", "Timer". */
#define STT_RTT_FIRST_NS        STT_MS(333) /* before a sample, RFC 9002 */
#define STT_RTT_MIN_NS          STT_S(10)   /* how long a least round trip is believed */
#define STT_LOSS_GRANULARITY_NS STT_MS(1)   /* the least that a loss timer tells */
#define STT_PTO_BACKOFF_MAX     6u          /* doublings ... */
#define STT_PTO_NS_MAX          STT_S(3)    /* ... up to here: 25 s of outage are survived */
#define STT_NO_MEMORY_NS        STT_MS(50)  /* then what could not be remembered is tried again */
#define STT_NUMBER_SKIP_MEAN    512u        /* packets between two numbers left out */
#define STT_NUMBER_DISTANCE_MAX (UINT64_C(1) << 31) /* in flight: the wire tells no more */
#define STT_LOST_AFTER_PACKETS  3u                  /* later ones acknowledged: it is lost */
#define STT_ACK_APART_NS        STT_US(64) /* on the shortest paths, from one ACK to the next */
#define STT_QUIET_NS            STT_S(5) /* without a packet: a PING then is no part of a conversation */
#define STT_ACK_WAIT_NS         STT_MS(20) /* less than is promised: timers are late */
#define STT_ECN_LOST_MAX        10u /* marked packets, none acknowledged: the path drops marks */
#define STT_ACKS_ALONE_MAX      16u /* then a PING, so that ranges can be forgotten */

/* Packets that nobody answers. Spec 06, "Unanswered". */
#define STT_UNANSWERED_MAX         1024u  /* in flight beyond the full ones */
#define STT_UNANSWERED_NUMBERS_MAX 16384u /* that they may span, if they are few */

#endif
