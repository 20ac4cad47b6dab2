/* options.c - see options.h. */
#include "cli/options.h"

#include "base/mem.h"

static const struct {
    int code;
    const char *message;    /* %s: the option as it was written */
    const char *detail;     /* of a value; its message has two: the value and the option */
} popt_errors[] = {
    { POPT_ERROR_NOARG, N_("option %s requires an argument"), NULL },
    { POPT_ERROR_BADOPT, N_("unknown option %s"), NULL },
    { POPT_ERROR_UNWANTEDARG, N_("option %s takes no argument"), NULL },
    { POPT_ERROR_BADNUMBER, N_("invalid value \"%s\" for option %s"), N_("It is not a whole number.") },
    { POPT_ERROR_OVERFLOW, N_("invalid value \"%s\" for option %s"), N_("The number is out of range.") },
};

/* Does this word, by itself, make popt take the next one for a value? */
static bool takes_next(const struct poptOption *option, const char *word)
{
    const bool is_long = word[0] == '-' && word[1] == '-';

    for (; option->longName || option->shortName || option->arg; option++) {
        if ((option->argInfo & POPT_ARG_MASK) == POPT_ARG_INCLUDE_TABLE) {
            if (option->arg && takes_next(option->arg, word))
                return true;
        } else if ((option->argInfo & POPT_ARG_MASK) != POPT_ARG_NONE
                   && (is_long ? option->longName && strcmp(option->longName, word + 2) == 0
                               : word[0] == '-' && word[1] && option->shortName == word[strlen(word) - 1])) {
            return true;
        }
    }
    return false;
}

/*
 * popt gives back the word with the bad value, the very one of argv, and not whose value it is: "--name=value",
 * "-nvalue", or what stands behind "--name" or "-n".
 */
static bool fail_value(const struct poptOption *options, char *const *argv, const char *word, const char *message,
                       struct ps_err *err)
{
    const char *equals = strchr(word, '=');
    size_t at = 1;

    while (argv[at] && argv[at] != word)
        at++;
    if (at > 1 && argv[at] && takes_next(options, argv[at - 1]))
        return ps_fail(err, PS_E_USAGE, _(message), word, argv[at - 1]);

    PS_AUTO(ps_freep) char *name =
        ps_asprintf("%.*s", equals ? (int)(equals - word) : (int)strnlen(word, 2), word);
    return ps_fail(err, PS_E_USAGE, _(message), equals ? equals + 1 : word + strlen(name), name);
}

static bool fail_option(const struct cli_cmd *cmd, const struct poptOption *options, char *const *argv,
                        poptContext context, int code, struct ps_err *err)
{
    const char *option = poptBadOption(context, POPT_BADOPTION_NOALIAS);
    size_t row = 0;

    option = option ? option : "?";
    while (row < PS_COUNT(popt_errors) && popt_errors[row].code != code)
        row++;
    if (row == PS_COUNT(popt_errors)) {
        ps_fail(err, PS_E_USAGE, "%s: %s", option, poptStrerror(code));
    } else if (popt_errors[row].detail) {
        fail_value(options, argv, option, popt_errors[row].message, err);
        ps_detail(err, "%s", _(popt_errors[row].detail));
    } else {
        ps_fail(err, PS_E_USAGE, _(popt_errors[row].message), option);
    }
    return ps_hint(err, _("Try \"pgseal %s --help\"."), cmd->name);
}

bool options_parse(const struct cli_cmd *cmd, const struct poptOption *options, char *const *argv,
                   poptContext context, struct ps_err *err)
{
    int code = poptGetNextOpt(context);

    while (code > 0)
        code = poptGetNextOpt(context);
    return code == -1 || fail_option(cmd, options, argv, context, code, err);
}
