/*
 * html_script.h - the one script that a page of pgseal may have: tables that are sorted by a press on a heading, and
 * cards that open when a link leads into them.  Without it the page says the same.
 */
#ifndef DOC_HTML_SCRIPT_H
#define DOC_HTML_SCRIPT_H

extern const char html_script[];
extern const char html_script_sha256[];     /* in base64, for the page's policy; a test compares them */

#endif
