/*
 * arming_policy.h - may this PHP's heap be given custom handlers?  The table is arming.def.
 */
#ifndef FPMSCOPE_ZEND_ARMING_POLICY_H
#define FPMSCOPE_ZEND_ARMING_POLICY_H

enum arming_policy { ARMING_NEVER, ARMING_WITHOUT_JIT, ARMING_ALWAYS };

/* `version` as in struct php_build: "8.2.36".  Anything odd is ARMING_NEVER. */
enum arming_policy arming_policy_of(const char *version);

#endif
