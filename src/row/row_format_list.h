/*
 * row_format_list.h
 *	  The formats of payloads, a line each; there is no include guard, as what a
 *	  line becomes is for whoever includes this.
 *
 * ROW_FORMAT(id, name as option "format" has it, operations)
 */
ROW_FORMAT(ROW_FORMAT_JSON, "json", row_format_json)
ROW_FORMAT(ROW_FORMAT_RAW, "raw", row_format_raw)
ROW_FORMAT(ROW_FORMAT_CSV, "csv", row_format_csv)
ROW_FORMAT(ROW_FORMAT_TSV, "tsv", row_format_tsv)
