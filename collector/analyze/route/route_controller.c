/* route_controller.c - three ways to tell a controller by its class and method. */
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
           !module_class_within(&class, SLICE("Magento\\Framework")) &&
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

/* Others: a class called ...Controller in a namespace of controllers; not the framework's own. */
static bool is_other(const struct php_frame *frame)
{
    const struct slice name = frame->class_name;

    return slice_ends(name, SLICE("Controller")) && frame->function.len_bytes > 0 &&
           !frame->closure && !slice_starts(frame->function, SLICE("__construct")) &&
           (slice_find(name, SLICE("\\Controller\\")) > 0 ||
            slice_find(name, SLICE("\\Controllers\\")) > 0) &&
           !slice_starts(name, SLICE("Symfony\\")) && !slice_starts(name, SLICE("Illuminate\\")) &&
           !slice_starts(name, SLICE("Magento\\"));
}

static bool name_controller(const struct php_frame *frame, struct text_out *out)
{
    const struct slice class_name = without_interceptor(frame->class_name);
    const bool with_method = is_magento1(frame) || is_other(frame);

    if (!with_method && !is_magento2(frame, class_name))
        return false;
    text_out_printable(out, class_name);
    if (with_method) {
        text_out_add(out, SLICE("::"));
        text_out_printable(out, frame->function);
    }
    return !out->cut;
}

bool route_controller_of_stack(const struct slice *frames, size_t count,
                               struct route_controller *ret_controller)
{
    for (size_t i = count; i > 0; i--) {
        const struct php_frame frame = php_frame_parse(frames[i - 1]);
        struct text_out out = text_out_into(ret_controller->name, sizeof ret_controller->name);

        if (name_controller(&frame, &out))
            return true;
    }
    return false;
}
