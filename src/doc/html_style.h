/*
 * html_style.h - the style sheet of every page that pgseal writes: screen light and dark, A4 paper.
 */
#ifndef DOC_HTML_STYLE_H
#define DOC_HTML_STYLE_H

extern const char html_style[];

#endif
