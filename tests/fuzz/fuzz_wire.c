/* fuzz_wire.c - walk a packet; whatever decodes must encode back to no more bytes than it had. */
#include "fpmscope/wire_codec.h"
#include "wire_mutator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A message more, or the bytes as they come. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size_bytes, size_t max_bytes, unsigned seed)
{
    if (wire_random(&seed, 2) == 0)
        return LLVMFuzzerMutate(data, size_bytes, max_bytes);
    return size_bytes + wire_random_message(data + size_bytes, max_bytes - size_bytes, &seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct wire_message *desc;
    const uint8_t *msg;
    size_t pos = 0, msg_len;

    while (wire_next(data, len, &pos, &desc, &msg, &msg_len)) {
        union wire_any any;
        uint8_t out[UINT16_MAX];

        if (!desc || !wire_decode(desc, msg, msg_len, &any))
            continue;
        if (wire_encode(desc, &any, out, sizeof out) > msg_len)
            __builtin_trap();
    }
    return 0;
}
