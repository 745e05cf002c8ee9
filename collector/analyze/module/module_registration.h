/*
 * module_registration.h - the component that a registration.php or an etc/module.xml declares.
 *
 *   ComponentRegistrar::register(ComponentRegistrar::MODULE, 'Acme_Feed', __DIR__);
 *   <config><module name="Acme_Feed" setup_version="1.0.0"/></config>
 *
 * Text in, claim out; comments are skipped, PHP is not run.  A name that is a constant or an
 * expression stays empty: then the file only says that a component is here.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_MODULE_REGISTRATION_H
#define FPMSCOPE_ANALYZE_MODULE_MODULE_REGISTRATION_H

#include "base/slice.h"

enum module_claim_kind {
    MODULE_CLAIM_NONE,
    MODULE_CLAIM_MODULE,
    MODULE_CLAIM_THEME,   /* name: "frontend/Acme/shop" */
    MODULE_CLAIM_LIBRARY, /* or a language pack */
};

enum { MODULE_CLAIM_BYTES = 96 };

struct module_claim {
    enum module_claim_kind kind;
    char name[MODULE_CLAIM_BYTES]; /* empty: not to be told from the text */
};

/* What the text of a registration.php declares.  Pure. */
void module_registration_parse(struct slice php, struct module_claim *ret_claim);

/* What the text of an etc/module.xml declares.  Pure. */
void module_xml_parse(struct slice xml, struct module_claim *ret_claim);

#endif
