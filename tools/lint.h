/* Included before every file by tools/lint: clang's analyzer looks at one file at a time, and would
 * think that these may return true. */
#include "base/err.h"
#define ps_fail(...) ((void)(ps_fail)(__VA_ARGS__), false)
#define ps_detail(...) ((void)(ps_detail)(__VA_ARGS__), false)
#define ps_hint(...) ((void)(ps_hint)(__VA_ARGS__), false)
#define ps_at(...) ((void)(ps_at)(__VA_ARGS__), false)
#define ps_while(...) ((void)(ps_while)(__VA_ARGS__), false)
