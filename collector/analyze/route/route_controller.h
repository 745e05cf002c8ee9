/*
 * route_controller.h - the controller that answered a request, when it is on the stack.
 *
 * A shop's front controller answers 10,000 product URLs; no template of the URL can tell that
 * /blue-shirt.html and /red-socks.html are one page.  The controller can:
 *
 *   Magento 2   Magento\Catalog\Controller\Product\View
 *   Magento 1   Mage_Catalog_ProductController::viewAction
 *   others      App\Controller\ProductController::show      (Symfony, Laravel, Shopware, Drupal)
 *   WordPress   themes/shop/single-product.php              (what template-loader.php includes)
 *
 * Classes that answer for every page (Magento\Webapi\Controller\Rest) are left out: their name
 * would say less than the URI (route_no_controllers.def).
 *
 * Whether a controller's name replaces the URI's template is the caller's decision.
 */
#ifndef FPMSCOPE_ANALYZE_ROUTE_ROUTE_CONTROLLER_H
#define FPMSCOPE_ANALYZE_ROUTE_ROUTE_CONTROLLER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

enum { ROUTE_CONTROLLER_BYTES = 256 };

struct route_controller {
    char name[ROUTE_CONTROLLER_BYTES]; /* printable, NUL-terminated */
};

/*
 * The outermost controller among the stream's frame texts (innermost first); false when there is
 * none.  Pure.
 */
bool route_controller_of_stack(const struct slice *frames, size_t count,
                               struct route_controller *ret_controller);

/*
 * The file of the outermost template (.phtml) that runs on the stack, empty when there is none:
 * Magento 2 renders when the controller has returned, and a page's templates are its own.  Borrows
 * from the frames.  Pure.
 */
struct slice route_template_of_stack(const struct slice *frames, size_t count);

#endif
