/*
 * segment.h - is one piece of a URI a word that somebody chose, or a value that a machine made?
 *
 * Used twice: route templates replace values by what they are ({id}, {hash}), the query mask hides
 * values that stand where a name should.  Precision first: a word taken for a value merges two
 * pages into one route, a value taken for a word is caught later by the route table.
 */
#ifndef FPMSCOPE_ANALYZE_ROUTE_SEGMENT_H
#define FPMSCOPE_ANALYZE_ROUTE_SEGMENT_H

#include "base/slice.h"

/* What a segment is; the texts are the placeholders of route templates. */
enum segment_kind {
    SEGMENT_WORD,
#define SEGMENT_KIND(name, placeholder, doc) SEGMENT_##name,
#include "analyze/route/segment_kinds.def"
    SEGMENT_KIND_COUNT
};

/* "{id}" and so on; empty for a word. */
struct slice segment_placeholder(enum segment_kind kind);

/* What the whole of `text` (percent-decoded) is.  Pure. */
enum segment_kind segment_classify(struct slice text);

/*
 * The same for a piece between `-` or `_` of a longer segment, where words with a few digits are
 * common ("iphone-15-pro"): only long numbers and long hashes count.
 */
enum segment_kind segment_classify_piece(struct slice piece);

#endif
