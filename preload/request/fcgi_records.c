/* fcgi_records.c - see fcgi_records.h. */
#include "request/fcgi_records.h"

#include <string.h>

#include "banned.h"

const uint8_t *fcgi_join_header(struct fcgi_records *records, struct fcgi_bytes *bytes)
{
    size_t missing = (size_t) (FCGI_HEADER_BYTES - records->header_len_bytes);
    size_t len = missing < bytes->len_bytes ? missing : bytes->len_bytes;

    memcpy(records->header + records->header_len_bytes, fcgi_take(bytes, len), len);
    records->header_len_bytes = (uint8_t) (records->header_len_bytes + len);
    if (len < missing)
        return NULL;
    records->header_len_bytes = 0;
    return records->header;
}
