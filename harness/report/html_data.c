// SPDX-License-Identifier: MIT
/* Style and script of the page, taken in as they are: page.css and page.js stay files that one can read, and the
 * bytes are exactly those whose hashes stand in the page's policy. */
#include "base/embed.h"
#include "report/html.h"

EMBED(html_css, "harness/report/page.css");
EMBED(html_js, "harness/report/page.js");
