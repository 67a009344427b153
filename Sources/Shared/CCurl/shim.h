#pragma once
#include <curl/curl.h>

/* curl_easy_setopt, curl_easy_getinfo and curl_multi_setopt take variable arguments, which Swift cannot call: one function for each kind of value. */

typedef size_t (*blockfarm_curl_bytes)(char *bytes, size_t size, size_t count, void *context);
typedef int (*blockfarm_curl_seek)(void *context, curl_off_t offset, int origin);
typedef int (*blockfarm_curl_socket)(CURL *handle, curl_socket_t socket, int wanted, void *context, void *assigned);
typedef int (*blockfarm_curl_timer)(CURLM *multi, long milliseconds, void *context);

static inline CURLcode blockfarm_curl_set_long(CURL *handle, CURLoption option, long value) {
  return (curl_easy_setopt)(handle, option, value);
}
static inline CURLcode blockfarm_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
  return (curl_easy_setopt)(handle, option, value);
}
/* The string is copied by libcurl. */
static inline CURLcode blockfarm_curl_set_string(CURL *handle, CURLoption option, const char *value) {
  return (curl_easy_setopt)(handle, option, value);
}
/* The object must outlive the handle or the next value. */
static inline CURLcode blockfarm_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
  return (curl_easy_setopt)(handle, option, value);
}
static inline CURLcode blockfarm_curl_set_bytes(CURL *handle, CURLoption option, blockfarm_curl_bytes value) {
  return (curl_easy_setopt)(handle, option, value);
}
static inline CURLcode blockfarm_curl_set_seek(CURL *handle, CURLoption option, blockfarm_curl_seek value) {
  return (curl_easy_setopt)(handle, option, value);
}
static inline CURLcode blockfarm_curl_get_long(CURL *handle, CURLINFO info, long *value) {
  return (curl_easy_getinfo)(handle, info, value);
}
static inline CURLMcode blockfarm_curl_multi_set_long(CURLM *handle, CURLMoption option, long value) {
  return (curl_multi_setopt)(handle, option, value);
}
/* What the multi handle waits for: `socket` is called when that changes for a descriptor, `timer` for the one moment. */
static inline void blockfarm_curl_multi_set_wants(CURLM *multi, blockfarm_curl_socket socket, blockfarm_curl_timer timer, void *context) {
  (curl_multi_setopt)(multi, CURLMOPT_SOCKETFUNCTION, socket);
  (curl_multi_setopt)(multi, CURLMOPT_SOCKETDATA, context);
  (curl_multi_setopt)(multi, CURLMOPT_TIMERFUNCTION, timer);
  (curl_multi_setopt)(multi, CURLMOPT_TIMERDATA, context);
}
static inline CURLcode blockfarm_curl_prepare(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

/* The next handle that is done, with its result; NULL when there is none. */
static inline CURL *blockfarm_curl_next_done(CURLM *multi, CURLcode *result) {
  int left = 0;
  CURLMsg *message;
  while ((message = curl_multi_info_read(multi, &left))) {
    if (message->msg == CURLMSG_DONE) {
      *result = message->data.result;
      return message->easy_handle;
    }
  }
  return NULL;
}
