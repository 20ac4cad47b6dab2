/* render.c - see render.h. */
#include "doc/render.h"

#include "doc/renderers.h"

static const struct {
    const char *word;
    void (*render)(const struct doc *doc, const struct doc_style *style, struct buf *out);
} formats[] = {
    [DOC_TEXT] = { "text", render_text },
    [DOC_JSON] = { "json", render_json },
    [DOC_HTML] = { "html", render_html },
    [DOC_CSV]  = { "csv",  render_csv },
};

bool doc_format_parse(const char *word, enum doc_format *out, struct ps_err *err)
{
    for (size_t i = 0; i < PS_COUNT(formats); i++)
        if (strcmp(formats[i].word, word) == 0) {
            *out = (enum doc_format)i;
            return true;
        }
    ps_fail(err, PS_E_USAGE, _("unknown format \"%s\""), word);
    return ps_hint(err, _("The formats are text, json, html and csv."));
}

void doc_render(const struct doc *doc, enum doc_format format, const struct doc_style *style,
                struct buf *out)
{
    formats[format].render(doc, style, out);
}
