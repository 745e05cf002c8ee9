/*
 * route_naming.h - the route of a request: its URI's template, or, where a site has more pages than
 * names, the controller that answers them.
 *
 *   /contact/                                 ->  /contact/
 *   /blue-shirt.html, ... (10,000 of them)    ->  Magento\Catalog\Controller\Product\View
 *   /sale.html, ... (behind the same rewrite) ->  Magento\Catalog\Controller\Category\View
 *
 * A URI says more to people than a class, so it stays the name while the table of routes has room
 * for it.  A template that the table has folded (`{*}`, `{other}`) says nothing; then, in this
 * order:
 *
 *   1. the controller that a stack of this request shows, or that its templates are known to belong
 *      to (`name` of a `req` event)
 *   2. the controller that an earlier request of the same template, before folding, showed: a
 * page's controller does not change.  Two different ones (a form that answers itself) say nothing
 *   3. the controller of all requests of the folded template that showed one, when it was the same
 *      in at least 8 of them
 *   4. the folded template
 *
 * Bounded: 65,536 templates are remembered.  No clock; the answer depends on the order of calls.
 */
#ifndef FPMSCOPE_ANALYZE_ROUTE_ROUTE_NAMING_H
#define FPMSCOPE_ANALYZE_ROUTE_ROUTE_NAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "analyze/route/route_table.h"
#include "base/array.h"
#include "base/idmap.h"
#include "base/intern.h"

struct route_naming {
    struct route_table *table;
    struct intern *texts;     /* borrowed */
    struct idmap by_template; /* hash of a template -> its controller */
    struct idmap by_folded;   /* folded template -> place in `votes` */
    struct array votes;       /* struct route_vote */
    uint64_t refused;         /* what found no room */
};

/* 0 or -ENOMEM. */
int route_naming_init(struct route_naming *naming, struct intern *texts);
void route_naming_release(struct route_naming *naming);

/* Count a request; `controller` may be empty.  Its route's name; 0 for an empty URI. */
text_id route_naming_hit(struct route_naming *naming, struct slice uri, struct slice controller);

/* The name by now, without counting a request, of one that was seen in part only. */
text_id route_naming_name(struct route_naming *naming, struct slice uri, struct slice controller);

/* What goes by `name`, an earlier answer, goes by this name now: templates are folded later on. */
text_id route_naming_settled(struct route_naming *naming, text_id name);

#endif
