/* Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Texts that are continued side by side, whose keys and values lie in the pages
 * of one session: texts begin and end between steps, share what they have in
 * common, and go back. For models that `weft compile --cache-page N` made.
 *
 *   weft_texts_new(session, &texts);
 *   weft_text_begin(texts, &text);
 *   part.text = text, part.tokens = prompt, part.count = 9;
 *   weft_texts_step(texts, &part, 1, scores, sizeof(scores));
 *   part.tokens = &next, part.count = 1;
 *   weft_texts_step(texts, &part, 1, scores, sizeof(scores));
 *   weft_text_end(texts, text);
 *
 * (Kwon et al. 2023, arXiv:2309.06180, keep a cache so.)
 *
 * Errors, threads and ownership are as in weft/runtime.h. On failure every text
 * is as it was. One thread at a time uses the texts of a session, and nobody
 * else runs the session's entries, which know nothing of texts. */
#ifndef WEFT_TEXTS_H
#define WEFT_TEXTS_H

#include "weft/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weft_texts weft_texts;

/* A text of a weft_texts, 1 or more. The number of one that ended is not used
 * again. */
typedef int64_t weft_text;

/* For a session whose model has its caches in pages; else WEFT_ERROR_ARGUMENT.
 * How many pages there are is the session's limit of the dimension "pages".
 * Gives up what the session held. The session must outlive the texts. */
WEFT_API weft_status weft_texts_new(weft_session *session, weft_texts **texts);
/* Null is ignored. */
WEFT_API void weft_texts_free(weft_texts *texts);

typedef struct weft_texts_info {
  int64_t page_length;    /* tokens in a page */
  int64_t pages;          /* of the session */
  int64_t free_pages;     /* of no text */
  int64_t texts;          /* that began and did not end */
  int64_t longest;        /* tokens of a text */
  int64_t vocabulary;     /* scores of a token */
  uint64_t bytes_of_page; /* of all layers */
} weft_texts_info;
WEFT_API weft_status weft_texts_describe(const weft_texts *texts, weft_texts_info *info);

/* An empty text. */
WEFT_API weft_status weft_text_begin(weft_texts *texts, weft_text *text);

/* A text that begins with the first `length` tokens of another, 0 to all of
 * them. Both share the pages: none is copied before one of them writes to it. */
WEFT_API weft_status weft_text_fork(weft_texts *texts, weft_text text, int64_t length, weft_text *fork);

/* Takes a text back to its first `length` tokens, 0 to all of them. */
WEFT_API weft_status weft_text_cut(weft_texts *texts, weft_text text, int64_t length);

/* Ends a text and gives its pages back. */
WEFT_API weft_status weft_text_end(weft_texts *texts, weft_text text);

/* Tokens of a text so far. */
WEFT_API weft_status weft_text_length(const weft_texts *texts, weft_text text, int64_t *length);

/* New tokens of a text. */
typedef struct weft_text_part {
  weft_text text;
  const int64_t *tokens;
  int64_t count; /* >= 1 */
} weft_text_part;

/* Appends the tokens of each part to its text, and writes the scores that the
 * model gives to what may follow its last one: `scores` is
 * [count, vocabulary], `bytes` its size. Parts of any lengths go together; a
 * text has one at most. A text's scores are the same bits whatever other parts
 * there are, in whatever pages it lies.
 *
 * WEFT_ERROR_INDEX: a text would be longer than weft_texts_info.longest, or a
 * token is not of the vocabulary. WEFT_ERROR_MEMORY: not enough free pages; end
 * or cut a text and try again. */
WEFT_API weft_status weft_texts_step(weft_texts *texts, const weft_text_part *parts, size_t count, float *scores,
                                     uint64_t bytes);

/* What weft_text_save writes: keys and values of a text's tokens, as they are.
 * A text that was saved goes on in another session of the same model, with
 * pages of any length. */
WEFT_API weft_status weft_text_bytes(const weft_texts *texts, weft_text text, uint64_t *bytes);
/* `bytes` is the buffer's size; may be larger than needed. */
WEFT_API weft_status weft_text_save(const weft_texts *texts, weft_text text, void *buffer, uint64_t bytes);
/* WEFT_ERROR_CORRUPT: the buffer holds no text, or one of another model. */
WEFT_API weft_status weft_text_restore(weft_texts *texts, const void *buffer, uint64_t bytes, weft_text *text);

#ifdef __cplusplus
}
#endif
#endif /* WEFT_TEXTS_H */
