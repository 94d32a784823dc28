/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "ruleset.h"

#define LINE_MOST 4096

/* What stands in quotes is a comment or a name, and may read like a rule. */
static void copy_unquoted(char copy[LINE_MOST], const char *line)
{
	bool quoted = false;
	size_t length = 0;

	for (; *line != '\0' && length < LINE_MOST - 1; line++) {
		if (*line == '\\' && line[1] != '\0')
			line++;
		else if (*line == '"')
			quoted = !quoted;
		else if (!quoted)
			copy[length++] = *line;
	}
	copy[length] = '\0';
}

/* "3", "0:3" or "0-3". */
static bool parse_range(const char *text, struct ruleset_queue *queue)
{
	unsigned int first, last;
	char separator;
	const int fields = sscanf(text, "%5u%c%5u", &first, &separator, &last);

	if (fields < 1)
		return false;
	if (fields < 3 || (separator != ':' && separator != '-'))
		last = first;
	if (first > last || last > UINT16_MAX)
		return false;
	queue->first = (uint16_t)first;
	queue->last = (uint16_t)last;
	return true;
}

/* A rule that iptables-nft made is seen twice. */
static void count(struct ruleset_queue *queue, bool nft)
{
	queue->seen[nft]++;
	if (queue->rules < queue->seen[nft])
		queue->rules = queue->seen[nft];
}

static void add(struct ruleset *ruleset, const struct ruleset_queue *queue, bool nft)
{
	size_t i;

	for (i = 0; i < ruleset->count; i++) {
		struct ruleset_queue *known = &ruleset->queues[i];

		if (known->first != queue->first || known->last != queue->last)
			continue;
		known->bypass &= queue->bypass;
		known->ipv4 |= queue->ipv4;
		known->ipv6 |= queue->ipv6;
		count(known, nft);
		return;
	}
	if (ruleset->count == RULESET_QUEUES_MOST) {
		ruleset->left_out++;
		return;
	}
	ruleset->queues[ruleset->count] = *queue;
	count(&ruleset->queues[ruleset->count++], nft);
}

/* What follows the word in the text; NULL if it is not there. */
static const char *after(const char *text, const char *word)
{
	const char *found = strstr(text, word);

	return found != NULL ? found + strlen(word) : NULL;
}

void ruleset_take_iptables(struct ruleset *ruleset, const char *line, bool ipv6)
{
	struct ruleset_queue queue = { .ipv4 = !ipv6, .ipv6 = ipv6 };
	const char *target, *number;
	char text[LINE_MOST];

	copy_unquoted(text, line);
	if (strstr(text, "-A ") == NULL)
		return;
	target = after(text, " -j NFQUEUE");
	if (target == NULL)
		return;
	number = after(target, "--queue-num ");
	if (number == NULL)
		number = after(target, "--queue-balance ");
	if (number != NULL && !parse_range(number, &queue))
		return;
	queue.bypass = strstr(target, "--queue-bypass") != NULL;
	ruleset->tracking |= strstr(text, " connmark ") != NULL;
	add(ruleset, &queue, false);
}

/* "table ip mangle {" */
static void enter_table(struct ruleset *ruleset, const char *family)
{
	const bool inet = strncmp(family, "inet ", 5) == 0;

	ruleset->nft_ipv4 = inet || strncmp(family, "ip ", 3) == 0;
	ruleset->nft_ipv6 = inet || strncmp(family, "ip6 ", 4) == 0;
}

/*
 * "queue num 0-3 bypass" up to nft 1.0, "queue flags bypass to 0-3" since, and "queue to 3" without
 * flags. Where an expression stands for the number it is not known.
 */
static bool parse_nft_queue(const char *text, struct ruleset_queue *queue)
{
	const char *number = after(text, "num ");

	queue->bypass = strstr(text, "bypass") != NULL;
	if (number == NULL)
		number = after(text, "to ");
	return number != NULL && parse_range(number, queue);
}

void ruleset_take_nft(struct ruleset *ruleset, const char *line)
{
	struct ruleset_queue queue = { .ipv4 = ruleset->nft_ipv4, .ipv6 = ruleset->nft_ipv6 };
	const char *statement;
	char text[LINE_MOST];

	if (strncmp(line, "table ", strlen("table ")) == 0) {
		enter_table(ruleset, line + strlen("table "));
		return;
	}
	copy_unquoted(text, line);
	statement = after(text, " queue ");
	if (statement == NULL || !parse_nft_queue(statement, &queue))
		return;
	if (strstr(text, "nfproto ipv4") != NULL)
		queue.ipv6 = false;
	if (strstr(text, "nfproto ipv6") != NULL)
		queue.ipv4 = false;
	ruleset->tracking |= strstr(text, "ct mark ") != NULL;
	add(ruleset, &queue, true);
}
