/*
 * row_format_list.h
 *	  The formats of payloads, a line each.  There is no include guard: each
 *	  file that includes this defines what a line becomes.
 *
 * ROW_FORMAT(id, name in option "format", operations)
 */
ROW_FORMAT(ROW_FORMAT_JSON, "json", row_format_json)
ROW_FORMAT(ROW_FORMAT_RAW, "raw", row_format_raw)
ROW_FORMAT(ROW_FORMAT_CSV, "csv", row_format_csv)
ROW_FORMAT(ROW_FORMAT_TSV, "tsv", row_format_tsv)
