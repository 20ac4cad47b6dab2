/* table_text.c - see table_text.h. */
#include "doc/table_text.h"

#include "base/mem.h"
#include "doc/text.h"

enum { GAP = 2, NARROW = 10 };      /* between columns; no column is squeezed below it */

struct cell {
    char *text;
    enum doc_mark mark;
};

struct grid {
    struct columns columns;     /* those that are shown */
    int *widths;                /* of each column, as drawn */
    int *whole, *least;         /* as narrow as it gets with no word cut, and at all */
    struct cell *cells;         /* row after row */
    size_t rows;
};

static void grid_free(struct grid *grid)
{
    for (size_t i = 0; i < grid->rows * grid->columns.len; i++)
        free(grid->cells[i].text);
    free(grid->cells);
    free(grid->widths);
    free(grid->whole);
    free(grid->least);
    columns_free(&grid->columns);
}

/* A column with nothing in it only makes the others narrow. */
static void drop_unwanted(struct columns *columns, bool verbose)
{
    size_t kept = 0;

    for (size_t i = 0; i < columns->len; i++)
        if (verbose || (!columns->at[i].aside && !columns->at[i].empty))
            columns->at[kept++] = columns->at[i];
    columns->len = kept;
}

static size_t count_rows(const struct doc_node *table)
{
    size_t rows = 0;

    for (const struct doc_node *row = doc_first(table); row; row = doc_next(row))
        rows++;
    return rows;
}

/* A cell is as wide as its widest line. */
static int natural_width(const char *text)
{
    PS_AUTO(text_lines_free) struct text_lines lines = { 0 };
    int widest = 0;

    text_wrap(text, 0, &lines);
    for (size_t i = 0; i < lines.len; i++)
        if (lines.at[i].columns > widest)
            widest = lines.at[i].columns;
    return widest;
}

static void at_least(int *width, int other)
{
    if (*width < other)
        *width = other;
}

static void fill_row(const struct paper *paper, struct grid *grid, const struct doc_node *row,
                     struct cell *cells)
{
    for (size_t c = 0; c < grid->columns.len; c++) {
        const struct doc_node *field = row_field(row, grid->columns.at[c].key);
        struct doc_view view = { .text = "" };

        if (field)
            doc_look(field, &view);
        cells[c] = (struct cell){ paper_text(paper, &view), view.mark };
        at_least(&grid->widths[c], natural_width(cells[c].text));
        at_least(&grid->whole[c], text_longest_part(cells[c].text));
    }
}

static void fill(const struct paper *paper, struct grid *grid, const struct doc_node *table)
{
    size_t count, r = 0;

    columns_of_table(table, &grid->columns);
    drop_unwanted(&grid->columns, paper->style->verbose);
    count = grid->columns.len;
    grid->rows = count_rows(table);
    grid->widths = ps_calloc(count + 1, sizeof(int));
    grid->whole = ps_calloc(count + 1, sizeof(int));
    grid->least = ps_calloc(count + 1, sizeof(int));
    grid->cells = ps_calloc(grid->rows * count + 1, sizeof(*grid->cells));

    for (size_t c = 0; c < count; c++) {
        grid->widths[c] = natural_width(grid->columns.at[c].label);
        grid->whole[c] = text_longest_part(grid->columns.at[c].label);
    }
    for (const struct doc_node *row = doc_first(table); row; row = doc_next(row))
        fill_row(paper, grid, row, grid->cells + r++ * count);
    for (size_t c = 0; c < count; c++) {
        grid->least[c] = grid->widths[c] < NARROW ? grid->widths[c] : NARROW;
        at_least(&grid->whole[c], grid->least[c]);
    }
}

static int total(const int *widths, size_t count)
{
    int sum = count ? (int)(count - 1) * GAP : 0;

    for (size_t c = 0; c < count; c++)
        sum += widths[c];
    return sum;
}

/*
 * Take from the widest column, one at a time, until all fit; false: they never will.  A serial number
 * or a name in two pieces cannot be copied: words are cut only when nothing else helps.
 */
static bool squeeze(struct grid *grid, int room)
{
    size_t count = grid->columns.len;
    const int *least = total(grid->whole, count) <= room ? grid->whole : grid->least;

    if (total(least, count) > room)
        return false;
    for (int over = total(grid->widths, count) - room; over > 0; over--) {
        size_t widest = 0;

        for (size_t c = 1; c < count; c++)
            if (grid->widths[c] - least[c] > grid->widths[widest] - least[widest])
                widest = c;
        grid->widths[widest]--;
    }
    return true;
}

static bool is_number(enum doc_kind kind)
{
    return kind == DOC_INT || kind == DOC_REAL;
}

static void put_cell_line(const struct paper *paper, const struct text_line *line, int width,
                          enum doc_mark mark, bool right, bool last)
{
    int blanks = width - line->columns;

    if (right)
        text_pad(paper->out, blanks);
    paper_color(paper, mark, true);
    buf_put(paper->out, line->p, line->len);
    paper_color(paper, mark, false);
    if (!right && !last)
        text_pad(paper->out, blanks);
}

/* How many of the first `count` columns have anything left on this line of a row. */
static size_t columns_on_line(const struct text_lines *wrapped, size_t count, size_t line)
{
    while (count > 0 && (line >= wrapped[count - 1].len || wrapped[count - 1].at[line].len == 0))
        count--;
    return count;
}

static void put_row(const struct paper *paper, const struct grid *grid, int indent,
                    const struct cell *cells)
{
    size_t count = grid->columns.len, height = 1;
    struct text_lines *wrapped = ps_calloc(count + 1, sizeof(*wrapped));

    for (size_t c = 0; c < count; c++) {
        text_wrap(cells[c].text, grid->widths[c], &wrapped[c]);
        if (wrapped[c].len > height)
            height = wrapped[c].len;
    }
    for (size_t line = 0; line < height; line++) {
        static const struct text_line nothing = { .p = "" };
        size_t used = columns_on_line(wrapped, count, line);

        text_pad(paper->out, indent);
        for (size_t c = 0; c < used; c++) {
            text_pad(paper->out, c > 0 ? GAP : 0);
            put_cell_line(paper, line < wrapped[c].len ? &wrapped[c].at[line] : &nothing,
                          grid->widths[c], cells[c].mark, is_number(grid->columns.at[c].kind),
                          c + 1 == used);
        }
        buf_putc(paper->out, '\n');
    }
    for (size_t c = 0; c < count; c++)
        text_lines_free(&wrapped[c]);
    free(wrapped);
}

static void put_header(const struct paper *paper, const struct grid *grid, int indent)
{
    struct cell *labels = ps_calloc(grid->columns.len + 1, sizeof(*labels));

    for (size_t c = 0; c < grid->columns.len; c++)
        labels[c].text = ps_strdup(grid->columns.at[c].label);
    paper_bold(paper, true);
    put_row(paper, grid, indent, labels);
    paper_bold(paper, false);
    for (size_t c = 0; c < grid->columns.len; c++)
        free(labels[c].text);
    free(labels);

    text_pad(paper->out, indent);
    for (size_t c = 0; c < grid->columns.len; c++) {
        text_pad(paper->out, c > 0 ? GAP : 0);
        for (int i = 0; i < grid->widths[c]; i++)
            buf_puts(paper->out, paper->utf8 ? "\xe2\x94\x80" : "-");      /* box drawing */
    }
    buf_putc(paper->out, '\n');
}

static void put_records(const struct paper *paper, const struct grid *grid, int indent,
                        const struct doc_node *table)
{
    bool first = true;
    int labels = 0;

    for (size_t c = 0; c < grid->columns.len; c++)
        labels = paper_label_width(labels, grid->columns.at[c].label);
    for (const struct doc_node *row = doc_first(table); row; row = doc_next(row)) {
        if (!first)
            buf_putc(paper->out, '\n');
        first = false;
        for (size_t c = 0; c < grid->columns.len; c++) {
            const struct doc_node *field = row_field(row, grid->columns.at[c].key);
            struct doc_view view;

            if (!field)
                continue;
            doc_look(field, &view);
            paper_field(paper, indent, labels, &view);
        }
    }
}

void table_text(const struct paper *paper, int indent, const struct doc_node *table)
{
    PS_AUTO(grid_free) struct grid grid = { 0 };

    fill(paper, &grid, table);
    if (!squeeze(&grid, paper->width - indent)) {
        put_records(paper, &grid, indent, table);
        return;
    }
    put_header(paper, &grid, indent);
    for (size_t r = 0; r < grid.rows; r++)
        put_row(paper, &grid, indent, grid.cells + r * grid.columns.len);
}
