/*
 * http_easy.c
 *	  What libcurl is told of a request, and of our manners.
 *
 * No redirect, no cookie, no proxy, and never CURLOPT_VERBOSE: a request
 * carries credentials.
 */
#include "postgres.h"

#include <unistd.h>

#include "storage/fd.h"

#include "http/http_easy.h"

/*
 * Bytes read from a socket at a time.  An answer of GetRecords has megabytes,
 * and each turn costs some system calls; libcurl's own default is 16 kB.
 */
#define HTTP_BUFFER_BYTES (64 * 1024)

/*
 * A socket counts as a descriptor of the backend's, or its own files and
 * ours together would run into the kernel's limit.
 */
static curl_socket_t
on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	curl_socket_t fd;

	(void) arg;
	(void) purpose;

	if (!AcquireExternalFD())
		return CURL_SOCKET_BAD;
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
				address->protocol);
	if (fd < 0)
	{
		ReleaseExternalFD();
		return CURL_SOCKET_BAD;
	}
	return fd;
}

static int
on_close_socket(void *arg, curl_socket_t fd)
{
	(void) arg;

	ReleaseExternalFD();
	return close(fd);
}

void
http_check_setopt(CURLcode code, const char *option)
{
	if (code != CURLE_OK)
		ereport(ERROR,
				(errcode(code == CURLE_OUT_OF_MEMORY ? ERRCODE_OUT_OF_MEMORY :
						 ERRCODE_FDW_ERROR),
				 errmsg("could not set libcurl option %s: %s",
						option, curl_easy_strerror(code))));
}

/* What is the same for every exchange. */
static void
set_manners(CURL *easy)
{
	/* a signal's handler must not find itself in a resolver's thread */
	HTTP_SETOPT(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
	HTTP_SETOPT(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	HTTP_SETOPT(easy, CURLOPT_PROTOCOLS, (long) (CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
	/* a cut exchange must not wait for a name server that does not answer */
	HTTP_SETOPT(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	HTTP_SETOPT(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
	HTTP_SETOPT(easy, CURLOPT_FOLLOWLOCATION, 0L);
	/* what is signed is what is sent */
	HTTP_SETOPT(easy, CURLOPT_PATH_AS_IS, 1L);
	HTTP_SETOPT(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	HTTP_SETOPT(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	/* the server's environment is no place to configure a foreign server */
	HTTP_SETOPT(easy, CURLOPT_NOPROXY, "*");
	HTTP_SETOPT(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	HTTP_SETOPT(easy, CURLOPT_BUFFERSIZE, (long) HTTP_BUFFER_BYTES);
	HTTP_SETOPT(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	HTTP_SETOPT(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
}

/* What would end a line of the request, or might for whoever reads it */
static bool
has_control(const char *text, const char *but)
{
	for (; *text != '\0'; text++)
	{
		if (((unsigned char) *text < ' ' || *text == 0x7f) &&
			strchr(but, *text) == NULL)
			return true;
	}
	return false;
}

/*
 * Whoever composed it has looked already; libcurl does not look.  What it holds
 * may be a secret and is not repeated.
 */
static void
check_header(const char *header)
{
	if (has_control(header, "\t"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("header \"%.*s\" of a request holds a control character",
						(int) strcspn(header, ":\r\n"), header)));
}

static void
check_url(const char *url)
{
	if (has_control(url, "") || strchr(url, ' ') != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the URL of a request holds a blank or a control character")));
}

static void
add_header(struct curl_slist **headers, const char *header)
{
	struct curl_slist *longer;

	check_header(header);
	longer = curl_slist_append(*headers, header);
	if (longer == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	*headers = longer;
}

void
http_easy_set(CURL *easy, const HttpRequest *request,
			  struct curl_slist **headers)
{
	set_manners(easy);
	for (int i = 0; i < request->n_headers; i++)
		add_header(headers, request->headers[i]);
	/* libcurl would ask for leave to send a large body, and wait for it */
	add_header(headers, "Expect:");

	check_url(request->url);
	HTTP_SETOPT(easy, CURLOPT_URL, request->url);
	HTTP_SETOPT(easy, CURLOPT_HTTPHEADER, *headers);
	if (request->body != NULL)
	{
		HTTP_SETOPT(easy, CURLOPT_POSTFIELDSIZE_LARGE,
					(curl_off_t) request->body_bytes);
		HTTP_SETOPT(easy, CURLOPT_POSTFIELDS, request->body);
	}
	/* libcurl would wait for a body, which this method's answer has not */
	if (strcmp(request->method, "HEAD") == 0)
		HTTP_SETOPT(easy, CURLOPT_NOBODY, 1L);
	HTTP_SETOPT(easy, CURLOPT_CUSTOMREQUEST, request->method);
	HTTP_SETOPT(easy, CURLOPT_CONNECTTIMEOUT_MS, request->connect_timeout_ms);
	HTTP_SETOPT(easy, CURLOPT_TIMEOUT_MS, request->request_timeout_ms);
	if (request->ca_bundle != NULL)
		HTTP_SETOPT(easy, CURLOPT_CAINFO, request->ca_bundle);
}
