/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * myecho - the protocol between myechofront and its backend
 *
 * The frontend sends data, a page at a time, and the backend sends it back: as
 * it is, or in upper case. Everything else here is what any split device needs:
 * a ring, an event channel, grants, and nodes in XenStore to agree on them.
 *
 * The ring
 *   One ring of 1 to MYECHO_MAX_RING_PAGES pages, with the macros of Xen's
 *   io/ring.h. The frontend allocates it, zeroes it, and grants it to the
 *   backend. One event channel serves both directions. Each request has one
 *   response; they may come in another order than the requests.
 *
 * A request
 *   @id: comes back in the response. The frontend has at most as many requests
 *     under way as the ring has entries, each with another id below that number.
 *   @zero: 0; a request with anything else is refused
 *   @length: bytes of data, 1 to MYECHO_DATA_SIZE
 *   @out: grant of the page with the data, at its beginning. The backend only
 *     reads it, so the grant is read-only.
 *   @in: grant of another page, in which the backend puts its answer
 *   Both grants end when the response arrives. A backend should copy (GNTTABOP_copy)
 *   and not map: then nothing of the guest is mapped that it could not get back,
 *   the guest can't change the data while the backend looks at it, and no TLB
 *   has to be flushed. A backend that maps must unmap before it responds.
 *
 * A response
 *   @id: of the request
 *   @status: MYECHO_OK, or why there is no answer
 *   @length: of the answer, which is that of the request; 0 without an answer
 *
 * A breach of these rules that the other end can notice (an index beyond the
 * ring, an id that is not under way, an answer of another length than the
 * request, a page that is still mapped after the response) ends the connection:
 * that end writes an error node and goes Closing, or directly Closed if it has
 * stopped using what they share. A request that is wrong in itself only gets its
 * status.
 *
 * Nodes of the frontend (device/myecho/ID)
 *   ring-pages       the size that the ring should have; set with
 *                    xensplit attach --front ring-pages=4. Without it, 1.
 *   features         words: what the frontend may use; set with --front. Without
 *                    it, all that the frontend knows.
 *   num-ring-pages   the size that it has. From here on written by the frontend.
 *   ring-ref0 ...    the grants of its pages, as decimal numbers
 *   event-channel    port, of the frontend's domain
 *   features-used    words: what both ends have
 *
 * Nodes of the backend (backend/myecho/DOMID/ID)
 *   features         words: what the backend should offer; set with
 *                    xensplit attach --back features=upper
 *   max-ring-pages   what it can map; written by the backend before InitWait.
 *                    Without it, 1.
 *
 * States
 *   frontend      backend
 *   Initialising  Initialising  attached
 *   Initialising  InitWait      the backend has published its nodes
 *   Initialised   InitWait      so has the frontend
 *   Initialised   Connected     the backend has mapped the ring
 *   Connected     Connected     data may flow
 *   Closing or Closed, from any state, by any end: each stops using what they
 *   share. Requests without a response are sent again when the same frontend
 *   connects to the next backend; so a backend may see one twice.
 *
 * Words in a list are separated by blanks. Unknown words are not an error.
 */
#ifndef MYECHO_H
#define MYECHO_H

#define MYECHO_MAX_RING_PAGES 16
#define MYECHO_DATA_SIZE      4096

#define MYECHO_FEATURE_UPPER  "upper"

/* Of responses. */
#define MYECHO_OK	 0
#define MYECHO_BAD	 (-1) /* the request is wrong */
#define MYECHO_NOT_THERE (-2) /* a page could not be copied */

/* No padding, and the same layout for 32 and 64 bits. */
struct myecho_request {
	uint16_t id;
	uint16_t zero;
	uint32_t length;
	uint32_t out;
	uint32_t in;
};

struct myecho_response {
	uint16_t id;
	int16_t status;
	uint32_t length;
};

DEFINE_RING_TYPES(myecho, struct myecho_request, struct myecho_response);

/* Is the word in the list? NULL is an empty list. */
static inline int myecho_has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	while (list && *list) {
		size_t span = strcspn(list, " ");

		if (span == length && !memcmp(list, word, length))
			return 1;
		list += span;
		list += strspn(list, " ");
	}
	return 0;
}

#endif
