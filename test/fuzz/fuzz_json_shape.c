/*
 * fuzz_json_shape.c
 *	  libFuzzer target: documents of a known shape are what the scanner takes
 *	  them for.
 *
 * The input is lines, each of which may be a document; shapes are learned of
 * all that are.  An input that begins with an asterisk comes again and again.
 */
#include "fuzz.h"
#include "shape_check.h"

/* So little that there is no room every now and then */
#define MEMORY_BYTES 4096

/* Lines, together, by which it is seen that learning is of no use */
#define MANY_LINES 2400

static void
check_line(JsonShapes *shapes, const char *line, size_t len)
{
	char	   *text = malloc(len);
	const char *end;
	JsonShaped	shaped;
	bool		matched;

	if (len > 0)
		memcpy(text, line, len);
	end = scanned_object(text, len);
	matched = json_shapes_match(shapes, text, text + len, &shaped);
	require(!matched || shaped.end == end);
	require(!matched || is_as_scanned(&shaped));
	if (!matched && end != NULL &&
		json_shapes_learn(shapes, text, end, 8, &shaped))
	{
		require(is_as_scanned(&shaped));
		require(json_shapes_match(shapes, text, text + len, &shaped));
		require(shaped.end == end && is_as_scanned(&shaped));
	}
	free(text);
}

/* Returns how many there are. */
static int
check_lines(JsonShapes *shapes, const char *line, const char *end)
{
	int			n = 0;

	for (; line < end; n++)
	{
		const char *next = memchr(line, '\n', end - line);

		if (next == NULL)
			next = end;
		check_line(shapes, line, next - line);
		line = next + 1;
	}
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *) data;
	const char *end = line + size;
	void	   *memory = malloc(MEMORY_BYTES);
	JsonShapes *shapes = json_shapes_init(memory, MEMORY_BYTES);
	int			n = check_lines(shapes, line, end);

	if (size > 1 && *line == '*')
	{
		while (n < MANY_LINES)
			n += check_lines(shapes, line + 1, end);
	}
	free(memory);
	return 0;
}
