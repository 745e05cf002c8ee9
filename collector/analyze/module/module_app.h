/*
 * module_app.h - what to call the application itself, where its code is in no module.
 *
 *   /usr/share/dokuwiki/inc/parser/xhtml.php       ->  app:dokuwiki
 *   /var/www/shop.example/htdocs/lib/cart.php      ->  app:shop.example
 *   /var/www/html/lib/cart.php                     ->  (app)   a folder that is called so
 * everywhere
 *
 * The folder in which the host keeps it is the name that operators know it by; a composer.json says
 * what it was copied from ("laravel/laravel") as often as what it is.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_MODULE_APP_H
#define FPMSCOPE_ANALYZE_MODULE_MODULE_APP_H

#include <stdbool.h>

#include "analyze/module/module.h"
#include "base/slice.h"

/* By the file of a frame.  Always a name; the tier is that of a shop's own code. */
void module_app_of_file(struct slice file, struct module *ret_module);

/* Is a module's name the application's own: nobody can disable that? */
bool module_app_is_name(struct slice name);

/* A module's name within a sentence: "the site's own code" for (app), others as they are. */
struct slice module_app_in_words(struct slice name);

#endif
