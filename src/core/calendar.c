/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calendar.h"
#include "wire.h"

#define NS_PER_MS   1000000ULL
#define ROW_MS	    128ULL  /* 1 << INET_TWDR_RECYCLE_TICK ticks */
#define CELL_MS	    7500ULL /* TCP_TWKILL_PERIOD */
#define TIMEWAIT_MS 60000ULL

/* All in one place of `held` are gone. */
static void empty(struct calendar *calendar, uint32_t place)
{
	calendar->count -= calendar->held[place];
	calendar->held[place] = 0;
	calendar->round[place]++;
}

/* inet_twdr_twcal_tick() */
static void tick_rows(struct calendar *calendar)
{
	const uint64_t now = calendar->row_timer_ms;
	uint64_t at = calendar->base_ms;
	uint32_t row = calendar->hand, i;
	bool moved = false;

	for (i = 0; i < CALENDAR_ROWS; i++, at += ROW_MS, row = (row + 1) % CALENDAR_ROWS) {
		if (at <= now) {
			empty(calendar, row);
			continue;
		}
		if (!moved) {
			moved = true;
			calendar->base_ms = at;
			calendar->hand = row;
		}
		if (calendar->held[row] != 0) {
			calendar->row_timer_ms = at;
			return;
		}
	}
	calendar->row_running = false;
}

/* inet_twdr_hangman() */
static void tick_cells(struct calendar *calendar)
{
	empty(calendar, CALENDAR_ROWS + calendar->cell);
	calendar->cell = (calendar->cell + 1) % CALENDAR_CELLS;
	calendar->cell_timer_ms += CELL_MS;
}

static void advance(struct calendar *calendar, uint64_t now_ms)
{
	for (;;) {
		const bool rows = calendar->row_running && calendar->row_timer_ms <= now_ms;
		const bool cells = calendar->cell_running && calendar->cell_timer_ms <= now_ms;

		if (rows && (!cells || calendar->row_timer_ms <= calendar->cell_timer_ms))
			tick_rows(calendar);
		else if (cells)
			tick_cells(calendar);
		else
			return;
		calendar->cell_running = calendar->cell_running && calendar->count != 0;
	}
}

static uint32_t enter_rows(struct calendar *calendar, uint64_t now_ms, uint64_t rows)
{
	const uint64_t at = now_ms + rows * ROW_MS;

	if (!calendar->row_running) {
		calendar->row_running = true;
		calendar->hand = 0;
		calendar->base_ms = now_ms;
		calendar->row_timer_ms = at;
		return (uint32_t)rows;
	}
	if (calendar->row_timer_ms > at)
		calendar->row_timer_ms = at;
	return (uint32_t)((calendar->hand + rows) % CALENDAR_ROWS);
}

static uint32_t enter_cells(const struct calendar *calendar, uint64_t ms)
{
	uint64_t cells = (ms + CELL_MS - 1) / CELL_MS;

	if (ms >= TIMEWAIT_MS || cells >= CALENDAR_CELLS)
		cells = CALENDAR_CELLS - 1;
	return CALENDAR_ROWS + (uint32_t)((calendar->cell + cells) % CALENDAR_CELLS);
}

void calendar_enter(struct calendar *calendar, struct flow *flow, uint64_t now_ns, uint64_t ns)
{
	const uint64_t now_ms = now_ns / NS_PER_MS, ms = ns / NS_PER_MS;
	const uint64_t rows = (ms + ROW_MS - 1) / ROW_MS;
	uint32_t place;

	calendar_leave(calendar, flow, now_ns);
	place = rows < CALENDAR_ROWS ? enter_rows(calendar, now_ms, rows)
				     : enter_cells(calendar, ms);
	if (calendar->count++ == 0) {
		calendar->cell_running = true;
		calendar->cell_timer_ms = now_ms + CELL_MS;
	}
	calendar->held[place]++;
	flow->place = (uint8_t)(place + 1);
	flow->place_round = calendar->round[place];
}

void calendar_leave(struct calendar *calendar, struct flow *flow, uint64_t now_ns)
{
	const uint32_t place = flow->place - 1U;

	/* What was due before finds it still there. */
	advance(calendar, now_ns / NS_PER_MS);
	if (flow->place != 0 && flow->place_round == calendar->round[place]) {
		calendar->held[place]--;
		calendar->count--;
		/* inet_twsk_deschedule() stops the slower timer with the last one. */
		calendar->cell_running = calendar->count != 0;
	}
	flow->place = 0;
}

void calendar_rejoin(struct calendar *calendar, struct flow *flow, const struct flow *was)
{
	flow->place = 0;
	if (was->place == 0 || was->place_round != calendar->round[was->place - 1])
		return;
	flow->place = was->place;
	flow->place_round = was->place_round;
	calendar->held[was->place - 1]++;
	calendar->count++;
	calendar->cell_running = true;
}

bool calendar_holds(struct calendar *calendar, const struct flow *flow, uint64_t now_ns)
{
	advance(calendar, now_ns / NS_PER_MS);
	return flow->place != 0 && flow->place_round == calendar->round[flow->place - 1];
}

static bool is_sound(const struct calendar *calendar)
{
	uint64_t held = 0;
	uint32_t place;

	for (place = 0; place < CALENDAR_PLACES; place++)
		held += calendar->held[place];
	return calendar->hand < CALENDAR_ROWS && calendar->cell < CALENDAR_CELLS &&
	       calendar->count == held;
}

void calendar_wire(struct calendar *calendar, struct wire *wire)
{
	uint32_t place;

	wire_bool(wire, &calendar->row_running);
	wire_bool(wire, &calendar->cell_running);
	wire_u32(wire, &calendar->hand);
	wire_u64(wire, &calendar->base_ms);
	wire_u64(wire, &calendar->row_timer_ms);
	wire_u64(wire, &calendar->cell_timer_ms);
	wire_u32(wire, &calendar->cell);
	wire_u64(wire, &calendar->count);
	for (place = 0; place < CALENDAR_PLACES; place++) {
		wire_u32(wire, &calendar->held[place]);
		wire_u32(wire, &calendar->round[place]);
	}
	if (wire_reads(wire))
		wire_expect(wire, is_sound(calendar));
}
