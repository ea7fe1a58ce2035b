#include "frame.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/text.h"

#define SEVERITY 6 /* informational */

void fticks_frames_init(struct fticks_frames *frames, enum fticks_transport transport,
			unsigned facility)
{
	*frames = (struct fticks_frames){
		.transport = transport,
		.facility = facility,
		.pid = (int)getpid(),
	};
	if (gethostname(frames->host, sizeof(frames->host) - 1) != 0)
		frames->host[0] = '\0';
	for (char *at = frames->host; *at; at++)
		if (*at <= ' ' || *at > '~') /* PRINTUSASCII (RFC 5424 §6) */
			*at = '_';
	if (frames->host[0] == '\0')
		snprintf(frames->host, sizeof(frames->host), "-");
}

bool fticks_frames_full(const struct fticks_frames *frames)
{
	bool datagrams = frames->transport == FTICKS_LOCAL || frames->transport == FTICKS_UDP;
	return frames->count == FTICKS_FRAMES_MOST || (datagrams && frames->count != 0);
}

/* As syslog(3) writes to the daemon of its machine, which knows its own name. */
static int local_message(const struct fticks_frames *frames, char out[FTICKS_FRAME_MOST],
			 const char *line, uint64_t wall_ns)
{
	char stamp[32];
	struct tm tm;
	time_t seconds = (time_t)(wall_ns / RG_SECOND);
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	localtime_r(&seconds, &tm);
	snprintf(stamp, sizeof(stamp), "%.3s %2d %02d:%02d:%02d", months + 3 * tm.tm_mon,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return snprintf(out, FTICKS_FRAME_MOST, "<%u>%s roamgated[%d]: %s",
			frames->facility * 8 + SEVERITY, stamp, frames->pid, line);
}

/* RFC 5424 §6. */
static int message(const struct fticks_frames *frames, char out[FTICKS_FRAME_MOST],
		   const char *line, uint64_t wall_ns)
{
	char stamp[32];
	text_time(stamp, wall_ns);
	return snprintf(out, FTICKS_FRAME_MOST, "<%u>1 %s %s roamgated %d F-TICKS - %s",
			frames->facility * 8 + SEVERITY, stamp, frames->host, frames->pid, line);
}

void fticks_frames_add(struct fticks_frames *frames, const char *line, uint64_t wall_ns)
{
	char text[FTICKS_FRAME_MOST];
	bool counted = frames->transport == FTICKS_TCP || frames->transport == FTICKS_TLS;
	int length = frames->transport == FTICKS_LOCAL ? local_message(frames, text, line, wall_ns)
						       : message(frames, text, line, wall_ns);
	char *at = frames->data + frames->used;
	/* MSG-LEN SP SYSLOG-MSG (RFC 6587 §3.4.1, RFC 5425 §4.3) */
	int head = counted ? snprintf(at, 8, "%d ", length) : 0;
	memcpy(at + head, text, (size_t)length);
	frames->used += (size_t)(head + length);
	frames->ends[frames->count++] = frames->used;
}

unsigned fticks_frames_left(struct fticks_frames *frames, size_t octets)
{
	unsigned before = 0, after = 0;
	for (unsigned i = 0; i < frames->count; i++) {
		before += frames->ends[i] <= frames->sent;
		after += frames->ends[i] <= frames->sent + octets;
	}
	frames->sent += octets;
	if (frames->sent == frames->used)
		frames->sent = frames->used = frames->count = 0;
	return after - before;
}

void fticks_frames_again(struct fticks_frames *frames)
{
	unsigned whole = 0;
	while (whole < frames->count && frames->ends[whole] <= frames->sent)
		whole++;
	size_t from = whole != 0 ? frames->ends[whole - 1] : 0;
	memmove(frames->data, frames->data + from, frames->used - from);
	for (unsigned i = whole; i < frames->count; i++)
		frames->ends[i - whole] = frames->ends[i] - from;
	frames->count -= whole;
	frames->used -= from;
	frames->sent = 0;
}
