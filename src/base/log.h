/*
 * log.h - what happens meanwhile, for the person at the terminal: standard error only.
 *
 * Results never go through here (see doc/).  Quiet shows warnings alone, verbose also details.  Keys,
 * passphrases and passwords are in no message.
 */
#ifndef PS_LOG_H
#define PS_LOG_H

#include "base/defs.h"

enum log_level { LOG_WARN, LOG_INFO, LOG_DETAIL };

void log_set_level(enum log_level most);        /* default LOG_INFO */
void log_warn(const char *fmt, ...) PS_PRINTF(1, 2);
void log_info(const char *fmt, ...) PS_PRINTF(1, 2);
void log_detail(const char *fmt, ...) PS_PRINTF(1, 2);

/*
 * Progress: one line that is rewritten, only when standard error is a terminal and the level allows.
 * total 0: unknown.  log_progress_end clears the line.
 */
void log_progress(const char *what, size_t done, size_t total);
void log_progress_end(void);

#endif
