// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "screen.h"
#include "xensplit.h"

/* For a serial console, which does not report its width. */
#define USUAL_WIDTH 80
/* Do not cut lines on narrower terminals: too little would be left. */
#define LEAST_WIDTH 40

int screen_width(int fd)
{
	struct winsize size = { 0 };

	if (!isatty(fd))
		return 0;
	ioctl(fd, TIOCGWINSZ, &size);
	return size.ws_col ? size.ws_col : USUAL_WIDTH;
}

static int has_colors(void)
{
	static int known = -1;
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (known < 0)
		known = isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
			!(term && !strcmp(term, "dumb"));
	return known;
}

const char *screen_color(const char *color)
{
	return has_colors() ? color : "";
}

const char *screen_plain(void)
{
	return screen_color("\033[0m");
}

/* Green: connected; yellow: closing; red: wrong. */
const char *screen_state_color(int state)
{
	switch (state) {
	case XENSPLIT_STATE_CONNECTED:
		return screen_color(SCREEN_GREEN);
	case XENSPLIT_STATE_CLOSING:
	case XENSPLIT_STATE_CLOSED:
		return screen_color(SCREEN_YELLOW);
	case XENSPLIT_STATE_INVALID:
		return screen_color(SCREEN_RED);
	default:
		return "";
	}
}

/* The length of a line on stdout; 0: unlimited. */
static size_t line_width(void)
{
	int width = screen_width(STDOUT_FILENO);

	return width >= LEAST_WIDTH ? (size_t)width : 0;
}

void screen_cut(const char *text, size_t column)
{
	size_t width = line_width(), len = strlen(text);

	if (width && column + len > width && column + strlen("...") < width)
		printf("%.*s...\n", (int)(width - strlen("...") - column), text);
	else
		puts(text);
}

void screen_wrap(const char *text, size_t column, size_t indent)
{
	size_t width = line_width(), len;

	for (; *text; text += len) {
		size_t spaces = strspn(text, " ");

		len = spaces + strcspn(text + spaces, " ");
		if (width && column + len > width && column > indent) {
			printf("\n%*s", (int)indent, "");
			column = indent;
			text += spaces;
			len -= spaces;
		}
		printf("%.*s", (int)len, text);
		column += len;
	}
	putchar('\n');
}
