import CCurl

/// An easy handle of libcurl and what must outlive it; freed together. Belongs to one ``Transfer``.
final class EasyHandle {
  let pointer: UnsafeMutableRawPointer
  private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
  private var fields: UnsafeMutablePointer<curl_slist>?

  /// nil when memory is short.
  init?() {
    errorText.initialize(to: 0)
    guard let pointer = curl_easy_init() else {
      errorText.deallocate()
      return nil
    }
    self.pointer = pointer
  }

  deinit {
    curl_easy_cleanup(pointer)
    curl_slist_free_all(fields)
    errorText.deallocate()
  }

  /// Sets all options. `apply` gets the handle and the place for libcurl's error text, and returns the header list, which is freed with the handle;
  /// what its options point to must outlive the handle.
  func setOptions(
    _ apply: (UnsafeMutableRawPointer, UnsafeMutablePointer<CChar>) throws(HTTPError) -> UnsafeMutablePointer<curl_slist>?
  ) throws(HTTPError) {
    fields = try apply(pointer, errorText)
  }

  /// What libcurl says about an exchange that failed.
  func reason(_ code: CURLcode) -> String {
    let text = String(cString: errorText)
    return text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
  }

  /// Bytes of requests that were sent, without bodies.
  var sentBytes: Int {
    var count = 0
    blockfarm_curl_get_long(pointer, CURLINFO_REQUEST_SIZE, &count)
    return count
  }

  /// Goes on with an answer whose body was not taken.
  func resume() { curl_easy_pause(pointer, CURLPAUSE_CONT) }
}
