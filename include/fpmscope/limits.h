/* limits.h - ceilings that the shim and the collector agree on; see collector and preload DESIGN.
 */
#ifndef FPMSCOPE_LIMITS_H
#define FPMSCOPE_LIMITS_H

enum {
    LIMIT_URI_BYTES = 2048, /* longer ones are cut, and marked as cut */
    LIMIT_TEXT_BYTES = 256, /* host, user agent, request ids, ... */
    LIMIT_PHP_FRAMES = 64,  /* the innermost 48 and the outermost 16 of a deeper stack */
    LIMIT_NATIVE_FRAMES = 32,
    LIMIT_FRAME_BYTES = 512, /* text of one PHP frame */
};

#endif
