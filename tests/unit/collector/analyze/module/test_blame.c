/* test_blame.c - whom a stack accuses, and whom it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "analyze/module/blame.h"
#include "model/event.h"

/* Frames of a Magento 2 stack, innermost first in the tests. */
#define FRAMEWORK(file, class, function) function "\t" class "\t/w/vendor/magento/framework/" file
#define QUERY                            FRAMEWORK("DB/Select.php:1", "Magento\\Framework\\DB\\Select", "assemble")
#define OBSERVER                                                                                   \
    FRAMEWORK("Event/Invoker/InvokerDefault.php:88",                                               \
              "Magento\\Framework\\Event\\Invoker\\InvokerDefault", "_callObserverMethod")
#define INTERCEPTOR  "Magento\\Sales\\Model\\Order\\Interceptor"
#define CALL_PLUGINS FRAMEWORK("Interception/Interceptor.php:100", INTERCEPTOR, "___callPlugins")
#define CALL_PARENT  FRAMEWORK("Interception/Interceptor.php:58", INTERCEPTOR, "___callParent")
#define NEXT                                                                                       \
    FRAMEWORK("Interception/Interceptor.php:138", INTERCEPTOR,                                     \
              "Magento\\Framework\\Interception\\{closure}")
#define NEXT_84                                                                                    \
    FRAMEWORK("Interception/Interceptor.php:138", INTERCEPTOR,                                     \
              "{closure:Magento\\Framework\\Interception\\Interceptor::___callPlugins():104}")
#define TO_HTML                                                                                    \
    FRAMEWORK("View/Element/AbstractBlock.php:668",                                                \
              "Magento\\Framework\\View\\Element\\AbstractBlock", "toHtml")
#define RENDER                                                                                     \
    FRAMEWORK("View/TemplateEngine/Php.php:71", "Magento\\Framework\\View\\TemplateEngine\\Php",   \
              "render")
#define ORDER_SAVE                                                                                 \
    "save\tMagento\\Sales\\Model\\Order\t/w/vendor/magento/module-sales/Model/Order.php:9"
#define PUSH   "execute\tAcme\\ErpSync\\Observer\\Push\t/w/app/code/Acme/ErpSync/Observer/Push.php:41"
#define AROUND "aroundSave\tOther\\Thing\\Plugin\\Order\t/w/app/code/Other/Thing/Plugin/Order.php:7"
#define BEFORE "beforeSave\tOther\\Thing\\Plugin\\Order\t/w/app/code/Other/Thing/Plugin/Order.php:3"
#define LIST                                                                                       \
    "\tMagento\\Framework\\View\\TemplateEngine\\Php\t/w/app/design/frontend/Acme/shop/"           \
    "Magento_Catalog/templates/list.phtml:5"
#define OUTER                                                                                      \
    "execute\tLast\\Resort\\Controller\\Index\t/w/app/code/Last/Resort/Controller/Index.php:1"
#define ENTRY "\t\t/w/pub/index.php:30"

static struct blame blame_of(const char *const *php, const char *const *native,
                             enum blame_question question)
{
    struct slice frames[80], natives[80];
    struct blame_stack stack = {.php = frames, .native = natives, .owner = SLICE("")};
    struct blame blame;

    for (; php && *php; php++)
        frames[stack.php_count++] = slice_of(*php);
    for (; native && *native; native++)
        natives[stack.native_count++] = slice_of(*native);
    blame_stack(NULL, &stack, question, &blame);
    return blame;
}

#define STACK(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect_blame(const char *const *php, const char *module, enum blame_found found,
                         enum blame_unit unit)
{
    const struct blame blame = blame_of(php, NULL, BLAME_RETAINED);

    assert_string_equal(blame.module.name, module);
    assert_int_equal(blame.found, found);
    assert_string_equal(blame_unit_text(blame.unit), blame_unit_text(unit));
}

static void test_the_observer_is_blamed_and_not_who_wraps_it(void **state)
{
    struct blame blame;

    (void) state;
    blame = blame_of(STACK("fetchAll\tPDOStatement\t", QUERY, PUSH, OBSERVER, ORDER_SAVE, AROUND,
                           NEXT, CALL_PLUGINS, OUTER, ENTRY),
                     NULL, BLAME_RETAINED);
    assert_string_equal(blame.module.name, "Acme_ErpSync");
    assert_int_equal(blame.module.tier, MODULE_THIRD_PARTY);
    assert_int_equal(blame.found, BLAME_THIRD_PARTY);
    assert_int_equal(blame.unit, BLAME_UNIT_OBSERVER);
    assert_int_equal(blame.frame, 2);
    assert_int_equal(blame.boundary, 3);
    assert_int_equal(blame.internal, 0);
    assert_string_equal(blame.allocated_in, "(internal)");
}

static void test_a_platform_module_is_blamed_when_it_is_alone_in_its_unit(void **state)
{
    (void) state;
    expect_blame(STACK(QUERY, ORDER_SAVE, CALL_PARENT, NEXT, AROUND, NEXT, CALL_PLUGINS, OUTER),
                 "Magento_Sales", BLAME_PLATFORM, BLAME_UNIT_METHOD);
}

static void test_a_third_party_frame_beats_a_platform_frame_inside_it(void **state)
{
    (void) state;
    expect_blame(STACK(QUERY, ORDER_SAVE, PUSH, OBSERVER, OUTER), "Acme_ErpSync", BLAME_THIRD_PARTY,
                 BLAME_UNIT_OBSERVER);
}

static void test_an_around_plugin_never_owns_what_runs_under_next(void **state)
{
    (void) state;
    /* the method itself is framework code only: move out, past the plugin */
    expect_blame(STACK(QUERY, CALL_PARENT, NEXT, AROUND, NEXT, CALL_PLUGINS, OUTER, ENTRY),
                 "Last_Resort", BLAME_THIRD_PARTY, BLAME_UNIT_REQUEST);
    expect_blame(STACK(QUERY, CALL_PARENT, NEXT_84, AROUND, NEXT_84, CALL_PLUGINS, OUTER, ENTRY),
                 "Last_Resort", BLAME_THIRD_PARTY, BLAME_UNIT_REQUEST);
    /* called through a helper of its own, and through call_user_func */
    expect_blame(STACK(QUERY, CALL_PARENT, NEXT, "call_user_func\t\t",
                       "wrap\tOther\\Thing\\Helper\\W\t/w/app/code/Other/Thing/Helper/W.php:1",
                       AROUND, NEXT, CALL_PLUGINS, OUTER, ENTRY),
                 "Last_Resort", BLAME_THIRD_PARTY, BLAME_UNIT_REQUEST);
}

static void test_an_around_plugin_owns_what_it_does_itself(void **state)
{
    (void) state;
    expect_blame(STACK(QUERY, AROUND, NEXT, CALL_PLUGINS, OUTER), "Other_Thing", BLAME_THIRD_PARTY,
                 BLAME_UNIT_NEXT);
    expect_blame(STACK(QUERY, BEFORE, NEXT, CALL_PLUGINS, OUTER), "Other_Thing", BLAME_THIRD_PARTY,
                 BLAME_UNIT_NEXT);
}

static void test_a_template_belongs_to_its_theme_and_not_to_the_page_around(void **state)
{
    const struct blame blame =
        blame_of(STACK(QUERY, LIST, RENDER, TO_HTML, OUTER), NULL, BLAME_PEAK);

    (void) state;
    assert_string_equal(blame.module.name, "theme:frontend/Acme/shop");
    assert_string_equal(blame.module.hint, "Magento_Catalog");
    assert_int_equal(blame.unit, BLAME_UNIT_TEMPLATE);
}

static void test_wordpress_hooks_keep_plugins_apart(void **state)
{
    (void) state;
    expect_blame(STACK("query\twpdb\t/w/wp-includes/class-wpdb.php:1",
                       "acme_feed\t\t/w/wp-content/plugins/acme/feed.php:3",
                       "apply_filters\tWP_Hook\t/w/wp-includes/class-wp-hook.php:308",
                       "do_action\tWP_Hook\t/w/wp-includes/class-wp-hook.php:332",
                       "do_action\t\t/w/wp-includes/plugin.php:517",
                       "shop_init\t\t/w/wp-content/plugins/woocommerce/woocommerce.php:9"),
                 "plugin:acme", BLAME_THIRD_PARTY, BLAME_UNIT_HOOK);
}

static void test_only_transparent_code_accuses_nobody(void **state)
{
    (void) state;
    expect_blame(STACK("strlen\t\t", QUERY, ENTRY), "Magento_Framework", BLAME_NOBODY,
                 BLAME_UNIT_REQUEST);
    expect_blame(NULL, "(internal)", BLAME_NOBODY, BLAME_UNIT_REQUEST);
}

static void test_loading_a_class_is_nobodys_memory(void **state)
{
    const char *const *autoload =
        STACK("Composer\\Autoload\\{closure}\t\t/w/vendor/composer/ClassLoader.php:575",
              "loadClass\tComposer\\Autoload\\ClassLoader\t/w/vendor/composer/ClassLoader.php:427",
              "spl_autoload_call\t\t", PUSH, OBSERVER);
    const char *const *autoload_84 =
        STACK("{closure:Composer\\Autoload\\ClassLoader::initializeIncludeClosure():571}\t\t/w/"
              "vendor/composer/ClassLoader.php:575",
              PUSH);
    struct blame blame;

    (void) state;
    expect_blame(autoload, "(autoload)", BLAME_AUTOLOAD, BLAME_UNIT_REQUEST);
    expect_blame(autoload_84, "(autoload)", BLAME_AUTOLOAD, BLAME_UNIT_REQUEST);
    expect_blame(STACK("class_exists\t\t", PUSH), "Acme_ErpSync", BLAME_THIRD_PARTY,
                 BLAME_UNIT_REQUEST);
    /* an include that the compiler shows */
    blame = blame_of(STACK(PUSH),
                     STACK("malloc (libc.so.6)", "zend_arena_create (php-fpm8.2)",
                           "compile_file (php-fpm8.2)", "execute_ex (php-fpm8.2)"),
                     BLAME_RETAINED);
    assert_int_equal(blame.found, BLAME_AUTOLOAD);
    /* but a file's own code is its own */
    expect_blame(STACK("str_repeat\t\t", "\t\t/w/app/code/Acme/Feed/registration.php:3",
                       "Composer\\Autoload\\{closure}\t\t/w/vendor/composer/ClassLoader.php:575"),
                 "Acme_Feed", BLAME_THIRD_PARTY, BLAME_UNIT_REQUEST);
}

static void test_an_agent_is_blamed_whatever_code_was_running(void **state)
{
    const struct blame blame =
        blame_of(STACK(PUSH, OBSERVER),
                 STACK("malloc (libc.so.6)", "nr_txn_new (newrelic.so)", "execute_ex (php-fpm8.2)"),
                 BLAME_PEAK);

    (void) state;
    assert_string_equal(blame.module.name, "newrelic.so");
    assert_int_equal(blame.module.tier, MODULE_THIRD_PARTY);
    assert_int_equal(blame.found, BLAME_EXTENSION);
    assert_int_equal(blame.frame, BLAME_NO_FRAME);
}

static void test_an_agent_that_only_wraps_the_engine_is_not_blamed(void **state)
{
    struct blame blame =
        blame_of(STACK("save\tDOMDocument\t", PUSH, OBSERVER),
                 STACK("xmlAllocOutputBuffer (libxml2.so.2)", "zim_DOMDocument_save (dom.so)",
                       "newrelic.so+0x4711", "execute_ex (php-fpm8.2)", "newrelic.so+0x4712"),
                 BLAME_RETAINED);

    (void) state;
    assert_string_equal(blame.module.name, "Acme_ErpSync");
    assert_string_equal(blame.allocated_in, "libxml2.so.2");
    assert_string_equal(blame.extension, "dom.so");
    blame = blame_of(STACK(PUSH), STACK("php-fpm8.2+0x1000", "newrelic.so+0x4711"), BLAME_RETAINED);
    assert_string_equal(blame.module.name, "Acme_ErpSync");
    assert_string_equal(blame.allocated_in, "php-fpm8.2");
}

static void test_an_extension_is_blamed_when_no_third_party_frame_explains_it(void **state)
{
    const char *const *imagick = STACK("AcquireMagickMemory (libMagickCore-6.Q16.so.6)",
                                       "zim_Imagick_readImage (imagick.so)");
    struct blame blame;

    (void) state;
    blame = blame_of(STACK("readImage\tImagick\t", PUSH, OBSERVER), imagick, BLAME_RETAINED);
    assert_string_equal(blame.module.name, "Acme_ErpSync");
    assert_string_equal(blame.extension, "imagick.so");
    /* the platform's use of it leaks: the extension; its peak: the platform */
    blame = blame_of(STACK("readImage\tImagick\t", ORDER_SAVE), imagick, BLAME_RETAINED);
    assert_string_equal(blame.module.name, "imagick.so");
    assert_int_equal(blame.found, BLAME_EXTENSION);
    blame = blame_of(STACK("readImage\tImagick\t", ORDER_SAVE), imagick, BLAME_PEAK);
    assert_string_equal(blame.module.name, "Magento_Sales");
    /* nobody at all, as in a thread */
    blame = blame_of(NULL, STACK("grpc.so+0x99"), BLAME_PEAK);
    assert_string_equal(blame.module.name, "grpc.so");
}

static void test_php_own_extensions_are_never_blamed(void **state)
{
    struct blame blame =
        blame_of(STACK("save\tDOMDocument\t", ORDER_SAVE),
                 STACK("realloc (libc.so.6)", "libxml2.so.2+0x4a", "dom.so+0x10"), BLAME_RETAINED);

    (void) state;
    assert_string_equal(blame.module.name, "Magento_Sales");
    blame = blame_of(NULL, STACK("libxml2.so.2+0x4a", "dom.so+0x10"), BLAME_RETAINED);
    assert_string_equal(blame.module.name, "dom.so");
    assert_int_equal(blame.found, BLAME_NOBODY);
    assert_int_equal(blame.module.tier, MODULE_LIBRARY);
}

static void test_php_helpers_are_not_taken_for_the_allocating_code(void **state)
{
    const struct blame blame = blame_of(
        NULL, STACK("malloc (libc.so.6)", "__zend_malloc (php-fpm8.2)", "imagick_new (imagick.so)"),
        BLAME_RETAINED);

    (void) state;
    assert_string_equal(blame.allocated_in, "imagick.so");
    assert_string_equal(blame.module.name, "imagick.so");
}

static void test_the_streams_owner_stands_in_for_missing_libraries(void **state)
{
    const struct slice php[] = {SLICE("App::handle")}, native[] = {SLICE("imagick_acquire")};
    const struct blame_stack stack = {php, 1, native, 1, SLICE("imagick.so")};
    struct blame blame;

    (void) state;
    blame_stack(NULL, &stack, BLAME_RETAINED, &blame);
    assert_string_equal(blame.module.name, "imagick.so");
    assert_string_equal(blame.allocated_in, "imagick.so");
}

static void test_a_stack_deeper_than_the_limit_and_one_with_a_gap_are_read(void **state)
{
    struct slice php[EVENT_FRAMES_MAX + 8];
    struct blame_stack stack = {.php = php, .php_count = EVENT_FRAMES_MAX + 8};
    struct blame blame;

    (void) state;
    for (size_t i = 0; i < stack.php_count; i++)
        php[i] = SLICE(QUERY);
    php[3] = SLICE("{17 frames cut}\t\t");
    php[EVENT_FRAMES_MAX - 1] = SLICE(PUSH);
    blame_stack(NULL, &stack, BLAME_CRASH, &blame);
    assert_string_equal(blame.module.name, "Acme_ErpSync");
    assert_int_equal(blame.frame, EVENT_FRAMES_MAX - 1);
}

#define WIKI(file, function) function "\t\t/usr/share/dokuwiki/" file
#define WIKI_CORE            WIKI("inc/parser/xhtml.php:88", "p_render")
#define WIKI_ENTRY           "\t\t/usr/share/dokuwiki/doku.php:12"

static void test_the_applications_own_code_is_blamed_when_no_module_is_there(void **state)
{
    (void) state;
    expect_blame(STACK("save\tDOMDocument\t", WIKI_CORE, WIKI_ENTRY), "app:dokuwiki",
                 BLAME_APPLICATION, BLAME_UNIT_REQUEST);
    expect_blame(STACK("getCode\tSimplePie\t/usr/share/dokuwiki/vendor/symfony/mime/Part.php:3",
                       WIKI_CORE, WIKI_ENTRY),
                 "app:dokuwiki", BLAME_APPLICATION, BLAME_UNIT_REQUEST);
    expect_blame(STACK("str_repeat\t\t", "\t\t/var/www/html/report.php:3"), "(app)",
                 BLAME_APPLICATION, BLAME_UNIT_REQUEST);
}

static void test_a_module_is_blamed_before_the_application(void **state)
{
    (void) state;
    expect_blame(STACK(WIKI_CORE, WIKI("lib/plugins/feed/syntax.php:4", "handle"), WIKI_ENTRY),
                 "plugin:feed", BLAME_THIRD_PARTY, BLAME_UNIT_REQUEST);
}

static void test_the_entry_script_of_a_framework_is_not_blamed_for_it(void **state)
{
    (void) state;
    assert_int_equal(blame_of(STACK(QUERY, ENTRY), NULL, BLAME_RETAINED).found, BLAME_NOBODY);
}

static void test_an_extension_leaks_but_the_application_asked_for_what_is_held(void **state)
{
    const char *const *native =
        STACK("AcquireMagickMemory (libMagickCore.so.6)", "imagick.so+0x1f");
    const char *const *php = STACK("readImage\tImagick\t", WIKI_CORE, WIKI_ENTRY);

    (void) state;
    assert_string_equal(blame_of(php, native, BLAME_RETAINED).module.name, "imagick.so");
    assert_string_equal(blame_of(php, native, BLAME_PEAK).module.name, "app:dokuwiki");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_applications_own_code_is_blamed_when_no_module_is_there),
        cmocka_unit_test(test_a_module_is_blamed_before_the_application),
        cmocka_unit_test(test_the_entry_script_of_a_framework_is_not_blamed_for_it),
        cmocka_unit_test(test_an_extension_leaks_but_the_application_asked_for_what_is_held),
        cmocka_unit_test(test_the_observer_is_blamed_and_not_who_wraps_it),
        cmocka_unit_test(test_a_platform_module_is_blamed_when_it_is_alone_in_its_unit),
        cmocka_unit_test(test_a_third_party_frame_beats_a_platform_frame_inside_it),
        cmocka_unit_test(test_an_around_plugin_never_owns_what_runs_under_next),
        cmocka_unit_test(test_an_around_plugin_owns_what_it_does_itself),
        cmocka_unit_test(test_a_template_belongs_to_its_theme_and_not_to_the_page_around),
        cmocka_unit_test(test_wordpress_hooks_keep_plugins_apart),
        cmocka_unit_test(test_only_transparent_code_accuses_nobody),
        cmocka_unit_test(test_loading_a_class_is_nobodys_memory),
        cmocka_unit_test(test_an_agent_is_blamed_whatever_code_was_running),
        cmocka_unit_test(test_an_agent_that_only_wraps_the_engine_is_not_blamed),
        cmocka_unit_test(test_an_extension_is_blamed_when_no_third_party_frame_explains_it),
        cmocka_unit_test(test_php_own_extensions_are_never_blamed),
        cmocka_unit_test(test_php_helpers_are_not_taken_for_the_allocating_code),
        cmocka_unit_test(test_the_streams_owner_stands_in_for_missing_libraries),
        cmocka_unit_test(test_a_stack_deeper_than_the_limit_and_one_with_a_gap_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
