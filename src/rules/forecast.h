/*
 * forecast.h - will the next reload take everything that is written, and will the next restart succeed?
 *
 * From findings, for each rule whose fault stands in the way; a rule of these that was not examined makes
 * the answer unknown, never good.
 */
#ifndef PS_RULES_FORECAST_H
#define PS_RULES_FORECAST_H

#include "rules/report.h"

enum forecast_event { FORECAST_RELOAD, FORECAST_RESTART, FORECAST_EVENTS };
enum forecast_answer { FORECAST_GOOD, FORECAST_BAD, FORECAST_UNKNOWN };

/* What the findings that count, and those that were accepted, come to. */
enum forecast_answer forecast_of(const struct report *report, enum forecast_event event);

/* JSON: "forecast" (reload, restart: good, bad or unknown), "forecast_reasons" (event, id, effect). */
void forecast_describe(const struct report *report, struct doc_node *root);

#endif
