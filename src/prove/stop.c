/* stop.c - see stop.h. */
#include "prove/stop.h"

static const int numbers[STOP_SIGNALS] = { SIGINT, SIGTERM, SIGHUP };
static volatile sig_atomic_t caught;

static void mark(int number)
{
    caught = number;
}

void stop_catch(struct stop *stop)
{
    struct sigaction action = { .sa_handler = mark };

    caught = 0;
    for (size_t i = 0; i < STOP_SIGNALS; i++) {
        sigaction(numbers[i], NULL, &stop->before[i]);
        if (stop->before[i].sa_handler != SIG_IGN)      /* nohup stays nohup */
            sigaction(numbers[i], &action, NULL);
    }
}

void stop_release(struct stop *stop)
{
    int number = caught;

    for (size_t i = 0; i < STOP_SIGNALS; i++)
        sigaction(numbers[i], &stop->before[i], NULL);
    caught = 0;
    if (number)
        raise(number);
}

bool stop_none(struct ps_err *err)
{
    return !caught || ps_fail(err, PS_E_DECLINED, _("stopped by a signal"));
}
