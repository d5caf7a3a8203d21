/*
 * test_shape.c
 *	  Documents that are shaped alike: they are what the scanner takes them
 *	  for, and nothing else is taken for one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "generate.h"
#include "shape_check.h"

#define DOCUMENTS 20000
#define MEMORY_BYTES 65536

/* What is kept with a shape: its own size, to be seen when it is met */
#define DATA_BYTES sizeof(uint32_t)

static void *memory;
static JsonShapes *shapes;

static void
forget_shapes(size_t bytes)
{
	free(memory);
	memory = malloc(bytes);
	shapes = json_shapes_init(memory, bytes);
}

/*
 * Of a text in memory of just its size: true if its shape was known.  If it was
 * not, and it is a document, it is learned, and known then.
 */
static bool
try_text(const char *text, size_t len)
{
	char	   *copy = malloc(len);
	const char *end;
	JsonShaped	shaped;
	bool		matched;

	memcpy(copy, text, len);
	end = scanned_object(copy, len);
	matched = json_shapes_match(shapes, copy, copy + len, &shaped);
	if (matched)
		check(shaped.end == end && is_as_scanned(&shaped) &&
			  memcmp(shaped.shape->data, &shaped.shape->n_values,
					 DATA_BYTES) == 0,
			  "not as scanned: %s", printable(text, len));
	else if (end != NULL &&
			 json_shapes_learn(shapes, copy, end, DATA_BYTES, &shaped))
	{
		check(is_as_scanned(&shaped), "not learned as scanned: %s",
			  printable(text, len));
		memcpy(shaped.shape->data, &shaped.shape->n_values, DATA_BYTES);
		check(json_shapes_match(shapes, copy, copy + len, &shaped) &&
			  shaped.end == end && is_as_scanned(&shaped),
			  "not known once it is learned: %s", printable(text, len));
	}
	else if (end != NULL)
		forget_shapes(MEMORY_BYTES);
	free(copy);
	return matched;
}

static bool
try(const char *text)
{
	return try_text(text, strlen(text));
}

static void
test_alike(void)
{
	static const char first[] =
		"{\"id\":1,\"user\":{\"name\":\"a\",\"tags\":[1,2]},\"ok\":true,\"more\":{}}";
	static const char *const alike[] = {
		"{\"id\":-20.5e3,\"user\":{\"name\":\"\",\"tags\":[]},\"ok\":false,\"more\":{}}",
		"{\"id\":null,\"user\":{\"name\":\"\\u00e9\\n\",\"tags\":[{\"a\":[]}]},\"ok\":[],\"more\":{}}",
		"{\"id\":[],\"user\":{\"name\":1,\"tags\":\"\xc3\xa9\"},\"ok\":0,\"more\":{}} and more",
	};
	static const char *const others[] = {
		/* no documents */
		"{\"id\":01,\"user\":{\"name\":\"a\",\"tags\":[1,2]},\"ok\":true,\"more\":{}}",
		"{\"id\":1.,\"user\":{\"name\":\"a\",\"tags\":[1,2]},\"ok\":true,\"more\":{}}",
		"{\"id\":-,\"user\":{\"name\":\"a\",\"tags\":[1,2]},\"ok\":true,\"more\":{}}",
		"{\"id\":1,\"user\":{\"name\":\"a\n\",\"tags\":[1,2]},\"ok\":true,\"more\":{}}",
		"{\"id\":1,\"user\":{\"name\":\"\\x\",\"tags\":[1,2]},\"ok\":true,\"more\":{}}",
		"{\"id\":1,\"user\":{\"name\":\"\xff\",\"tags\":[1,2]},\"ok\":true,\"more\":{}}",
		"{\"id\":1,\"user\":{\"name\":\"a\",\"tags\":[1,]},\"ok\":true,\"more\":{}}",
		"{\"id\":1,\"user\":{\"name\":\"a\",\"tags\":[1,2]},\"ok\":truE,\"more\":{}}",
		"{\"id\":1,\"user\":{\"name\":\"a\",\"tags\":[1,2]},\"ok\":true,\"more\":{}",
		"{\"id\":1,\"user\":{\"name\":\"a\",\"tags\":[1,2]},\"ok\":",
		/* of other shapes */
		"{\"id\":1,\"user\":null,\"ok\":true,\"more\":{}}",
		"{\"id\":1,\"user\":{\"name\":{},\"tags\":[1,2]},\"ok\":true,\"more\":{}}",
		"{\"id\":1,\"user\":{\"name\":\"a\",\"tags\":[1,2]},\"ok\":true,\"more\":{\"a\":1}}",
		"{\"id\": 1,\"user\":{\"name\":\"a\",\"tags\":[1,2]},\"ok\":true,\"more\":{}}",
		"{\"Id\":1,\"user\":{\"name\":\"a\",\"tags\":[1,2]},\"ok\":true,\"more\":{}}",
		"{}", "{} ", "[]", "",
	};

	for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++)
	{
		forget_shapes(MEMORY_BYTES);
		try(first);
		check(try(alike[i]), "shaped like the first: %s", alike[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
	{
		forget_shapes(MEMORY_BYTES);
		try(first);
		check(!try(others[i]), "not shaped like the first: %s", others[i]);
		check(try(first), "forgotten after %s", others[i]);
	}
}

/* What may follow a value is found among others. */
static void
test_branches(void)
{
	static const char *const texts[] = {
		"{\"a\":1,\"b\":2}", "{\"a\":1}", "{\"a\":1,\"b\":{\"c\":2}}", "{\"a\":1,\"b\":{}}",
		"{\"a\":{\"b\":1}}", "{}", "{ }", "{\"b\":1}", "{\"a\":1,\"b\":{\"c\":2},\"d\":3}",
	};
	size_t		n = sizeof(texts) / sizeof(texts[0]);

	forget_shapes(MEMORY_BYTES);
	for (size_t i = 0; i < 2 * n; i++)
		check(try(texts[i % n]) == (i >= n), "%s in round %zu",
			  texts[i % n], i / n);
}

/* Objects are nested as deep as the scanner has it, arrays in them too. */
static void
test_depth(void)
{
	for (int n = JSON_SCAN_MAX_DEPTH - 2; n <= JSON_SCAN_MAX_DEPTH; n++)
	{
		char	   *text = malloc(2 * n + 16);
		char	   *p = text + sprintf(text, "{\"a\":");

		memset(p, '[', n);
		memset(p + n, ']', n);
		strcpy(p + 2 * n, "}");
		forget_shapes(MEMORY_BYTES);
		try("{\"a\":1}");
		check(try(text) == (n < JSON_SCAN_MAX_DEPTH), "%d arrays in an object",
			  n);
		free(text);
	}
}

/* A document of a shape by that number: 1 if its shape was known. */
static int
try_numbered(int shape, int value, int *n_learned)
{
	char		text[64];
	JsonShaped	shaped;
	const char *end = text + snprintf(text, sizeof(text),
									  "{\"a%d\":%d,\"b\":\"x\"}", shape,
									  value);

	if (json_shapes_match(shapes, text, end, &shaped))
		return 1;
	*n_learned += json_shapes_learn(shapes, text, end, DATA_BYTES,
									&shaped);
	return 0;
}

static void
test_room(void)
{
	int			n_learned = 0;
	int			n_known = 0;
	int			n_late = 0;

	/* where no two are alike, ever fewer are learned */
	forget_shapes(8192);
	for (int i = 1; i <= 200000; i++)
		try_numbered(i, i, i <= 20000 ? &n_learned : &n_late);
	check(n_learned > 10 && n_late < 2 * n_learned, "%d learned, then %d",
		  n_learned, n_late);

	/* yet what comes to be alike is */
	for (int i = 1; i <= 400000; i++)
		n_known += try_numbered(-1, i, &n_learned);
	check(n_known > 200000, "%d known when all were alike", n_known);

	/* one that is half of all keeps its place beside others */
	n_known = 0;
	for (int i = 1; i <= 20000; i++)
		n_known += try_numbered(i % 2 == 0 ? -1 : i, i, &n_learned);
	check(n_known == 10000, "%d known of half that were alike", n_known);
}

/* Documents that are too large or too deep do not keep others from it. */
static void
test_large(void)
{
	char	   *text = malloc(64 * 1024);
	int			n_learned = 0;
	int			n_known = 0;

	forget_shapes(MEMORY_BYTES);
	for (int i = 0; i < 1000; i++)
	{
		char	   *p = text + sprintf(text, "{");
		JsonShaped	shaped;

		for (int n = 0; n <= JSON_SHAPE_VALUES; n++)
			p += sprintf(p, "\"%d\":%d,", n, i);
		p[-1] = '}';
		check(!json_shapes_match(shapes, text, p, &shaped) &&
			  !json_shapes_learn(shapes, text, p, DATA_BYTES, &shaped),
			  "%d values are too many", JSON_SHAPE_VALUES + 1);
		if (i >= 500)
			n_known += try_numbered(1, i, &n_learned);
	}
	check(n_known > 450, "%d known beside large ones", n_known);
	free(text);
}

static void
test_generated(void)
{
	static Document doc;
	int			n_known = 0;

	forget_shapes(MEMORY_BYTES);
	for (int i = 0; i < DOCUMENTS; i++)
	{
		doc.len = 0;
		generate_value(&doc);
		try_text(doc.text, doc.len);
		for (int n = 1 + generate_pick(4); n > 0; n--)
		{
			generate_damage(&doc);
			n_known += try_text(doc.text, doc.len);
		}
	}
	check(n_known > DOCUMENTS / 50, "only %d texts had a shape", n_known);
}

void
test_shape(void)
{
	test_alike();
	test_branches();
	test_depth();
	test_room();
	test_large();
	test_generated();
	free(memory);
}
