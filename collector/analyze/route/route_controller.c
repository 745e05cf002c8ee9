/* route_controller.c - ways to tell a controller by its class and method, or its place. */
#include "analyze/route/route_controller.h"

#include "analyze/module/module_class.h"
#include "analyze/module/php_frame.h"
#include "base/text_out.h"

static bool slice_ends(struct slice text, struct slice suffix)
{
    return text.len_bytes >= suffix.len_bytes &&
           slice_equal(slice_skip(text, text.len_bytes - suffix.len_bytes), suffix);
}

/* The class without the `\Interceptor` that Magento generates around it. */
static struct slice without_interceptor(struct slice class_name)
{
    const struct slice suffix = SLICE("\\Interceptor");

    return slice_ends(class_name, suffix)
               ? slice_head(class_name, class_name.len_bytes - suffix.len_bytes)
               : class_name;
}

struct never {
    const char *prefix;
};

static const struct never never[] = {
#define ROUTE_NO_CONTROLLER(prefix) {prefix},
#include "analyze/route/route_no_controllers.def"
};

/* A class that answers for every page of the site, so that its name says nothing. */
static bool answers_for_all(struct slice class_name)
{
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (slice_starts(class_name, slice_of(never[i].prefix)))
            return true;
    return false;
}

/*
 * Magento 2: Vendor\Module\Controller\..., and execute() or dispatch().  Plugins of controllers and
 * routers live there, too, but have other methods.
 */
static bool is_magento2(const struct php_frame *frame, struct slice class_name)
{
    struct module_class class;

    module_class_parse(&class, class_name);
    return !class.underscored && class.count >= 4 &&
           slice_equal(class.segments[2], SLICE("Controller")) &&
           (slice_equal(frame->function, SLICE("execute")) ||
            slice_equal(frame->function, SLICE("dispatch")));
}

/* Magento 1: Vendor_Module_XyzController::xyzAction. */
static bool is_magento1(const struct php_frame *frame)
{
    return slice_index(frame->class_name, '\\') < 0 && slice_index(frame->class_name, '_') > 0 &&
           slice_ends(frame->class_name, SLICE("Controller")) &&
           slice_ends(frame->function, SLICE("Action"));
}

static bool is_in(struct slice class_name, struct slice directory)
{
    return slice_find(class_name, directory) > 0;
}

/*
 * Others: a class called ...Controller in a namespace of controllers; one of any name when it can
 * be called (Symfony, Laravel) or when the namespace is CodeIgniter's or Yii's for nothing else.
 */
static bool is_other(const struct php_frame *frame)
{
    const struct slice name = frame->class_name;
    const bool called = slice_equal(frame->function, SLICE("__invoke"));

    if (frame->function.len_bytes == 0 || frame->closure ||
        slice_starts(name, SLICE("Magento\\")) ||
        (slice_starts(frame->function, SLICE("__")) && !called))
        return false;
    if (slice_ends(name, SLICE("Controller")) || called)
        return is_in(name, SLICE("\\Controller\\")) || is_in(name, SLICE("\\Controllers\\")) ||
               is_in(name, SLICE("\\controllers\\"));
    return slice_starts(name, SLICE("App\\Controllers\\"));
}

/* WordPress: the template that template-loader.php has chosen for the kind of page. */
static bool is_wordpress_template(const struct php_frame *frame, const struct php_frame *outer)
{
    return frame->function.len_bytes == 0 && !frame->closure && outer->file.len_bytes > 0 &&
           slice_ends(outer->file, SLICE("/wp-includes/template-loader.php")) &&
           slice_find(frame->file, SLICE("/wp-content/")) >= 0;
}

static bool name_controller(const struct php_frame *frame, struct text_out *out)
{
    const struct slice class_name = without_interceptor(frame->class_name);
    const bool with_method = is_magento1(frame) || is_other(frame);

    if (answers_for_all(class_name) || (!with_method && !is_magento2(frame, class_name)))
        return false;
    text_out_printable(out, class_name);
    if (with_method) {
        text_out_add(out, SLICE("::"));
        text_out_printable(out, frame->function);
    }
    return !out->cut;
}

/* "themes/shop/single-product.php" */
static bool name_template(const struct php_frame *frame, struct text_out *out)
{
    const struct slice content = SLICE("/wp-content/");
    const ptrdiff_t at = slice_find(frame->file, content);

    text_out_printable(out, slice_skip(frame->file, (size_t) at + content.len_bytes));
    return !out->cut;
}

bool route_controller_of_stack(const struct slice *frames, size_t count,
                               struct route_controller *ret_controller)
{
    struct php_frame outer = {.kind = PHP_FRAME_INTERNAL};

    for (size_t i = count; i > 0; i--) {
        const struct php_frame frame = php_frame_parse(frames[i - 1]);
        struct text_out out = text_out_into(ret_controller->name, sizeof ret_controller->name);

        if (is_wordpress_template(&frame, &outer) ? name_template(&frame, &out)
                                                  : name_controller(&frame, &out))
            return true;
        outer = frame;
    }
    return false;
}

struct slice route_template_of_stack(const struct slice *frames, size_t count)
{
    for (size_t i = count; i > 0; i--) {
        const struct php_frame frame = php_frame_parse(frames[i - 1]);

        if (frame.kind == PHP_FRAME_USER && frame.function.len_bytes == 0 &&
            slice_ends(frame.file, SLICE(".phtml")))
            return frame.file;
    }
    return SLICE("");
}
