import CCurl
import Glibc

/// Says to libcurl what a transfer is.
enum TransferOptions {
  /// Returns the header list, which must outlive the handle.
  static func apply(
    to handle: UnsafeMutableRawPointer, transfer: Transfer, errorText: UnsafeMutablePointer<CChar>
  ) throws(HTTPError) -> UnsafeMutablePointer<curl_slist>? {
    let (request, settings) = (transfer.request, transfer.settings)
    let context = Unmanaged.passUnretained(transfer).toOpaque()
    var options = Options(handle: handle)
    options.set(CURLOPT_ERRORBUFFER, pointer: errorText)
    options.set(CURLOPT_NOSIGNAL, 1)
    options.set(CURLOPT_PROTOCOLS_STR, "http,https")
    options.set(CURLOPT_URL, request.url.text)
    options.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS)
    // Rather share an HTTP/2 connection than open one. Of plain http libcurl knows only after a first answer, until which all others would wait.
    options.set(CURLOPT_PIPEWAIT, request.url.origin.scheme == .https ? 1 : 0)
    options.set(CURLOPT_BUFFERSIZE, 128 << 10)
    options.set(CURLOPT_UPLOAD_BUFFERSIZE, 512 << 10)
    options.set(CURLOPT_USERAGENT, settings.userAgent)
    options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    // A body that goes to a sink is wanted as it is stored, and is not inflated on its way.
    if case .memory = transfer.target { options.set(CURLOPT_ACCEPT_ENCODING, "") }
    options.set(timeouts: request.timeouts ?? settings.timeouts, bytes: transfer.mostBytes)
    // The resolver's thread is left behind: waiting for it would stop the loop for as long as a name server hangs.
    options.set(CURLOPT_QUICK_EXIT, 1)
    options.set(proxy: settings.proxy)
    if let authorities = settings.authorities { options.set(CURLOPT_CAINFO, authorities) }

    options.set(CURLOPT_HEADERDATA, pointer: context)
    options.set(CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
      guard let context, let bytes else { return 0 }
      return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
        .takeHead(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
    options.set(CURLOPT_WRITEDATA, pointer: context)
    options.set(CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
      guard let context, let bytes else { return 0 }
      return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
        .takeBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
    options.set(method: request, context: context)

    var fields = request.fields
    if case .awsSignature(let signature) = request.authorization {
      options.set(CURLOPT_AWS_SIGV4, "aws:amz:\(signature.region):\(signature.service)")
      options.set(CURLOPT_USERNAME, signature.accessKey)
      options.set(CURLOPT_PASSWORD, signature.secretKey.exposed)
      for field in signature.fields.all { fields.add(field.name, field.value) }
    } else if let value = request.authorization?.fieldValue {
      fields["Authorization"] = value
    }
    // libcurl waits for a 100 before each large body. A field that is taken out would enter the signature (libcurl 7.88), so there it only waits no longer.
    if case .awsSignature = request.authorization {
      options.set(CURLOPT_EXPECT_100_TIMEOUT_MS, 1)
    } else if request.body.length > 0 {
      fields["Expect"] = ""
    }
    if let name = fields.unsendable {
      throw .unsendable(method: request.method, url: request.url, reason: "header field '\(name.prefix(60))' has a name or value that HTTP forbids")
    }
    var list: UnsafeMutablePointer<curl_slist>?
    for field in fields.all { list = curl_slist_append(list, field.value.isEmpty ? field.name + ":" : "\(field.name): \(field.value)") ?? list }
    if let list { options.set(CURLOPT_HTTPHEADER, pointer: list) }
    if let code = options.failure {
      curl_slist_free_all(list)
      throw .unsendable(method: request.method, url: request.url, reason: String(cString: curl_easy_strerror(code)))
    }
    return list
  }
}

/// Sets options and remembers the first that was refused.
private struct Options {
  let handle: UnsafeMutableRawPointer
  var failure: CURLcode?

  mutating func set(_ option: CURLoption, _ value: Int) { note(blockfarm_curl_set_long(handle, option, value)) }
  mutating func set(_ option: CURLoption, _ value: String) { note(blockfarm_curl_set_string(handle, option, value)) }
  mutating func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer) { note(blockfarm_curl_set_pointer(handle, option, pointer)) }

  mutating func set(timeouts: HTTPTimeouts, bytes: Int64?) {
    set(CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(timeouts.connect / .milliseconds(1))))
    if let total = timeouts.limit(forBytes: bytes) { set(CURLOPT_TIMEOUT_MS, max(1, Int(min(total / .milliseconds(1), Double(Int32.max))))) }
    set(CURLOPT_LOW_SPEED_LIMIT, HTTPTimeouts.slowestRate)
    set(CURLOPT_LOW_SPEED_TIME, max(1, Int(timeouts.stall / .seconds(1))))
  }

  mutating func set(proxy: HTTPSettings.Proxy) {
    switch proxy {
    case .environment: break
    case .none: set(CURLOPT_PROXY, "")
    case .address(let url, let user, let password, let except):
      set(CURLOPT_PROXY, "\(url.origin)")
      set(CURLOPT_NOPROXY, except)
      if let user { set(CURLOPT_PROXYUSERNAME, user) }
      if let password { set(CURLOPT_PROXYPASSWORD, password.exposed) }
    }
  }

  mutating func set(method request: HTTPRequest, context: UnsafeMutableRawPointer) {
    switch request.method {
    case .get: set(CURLOPT_HTTPGET, 1)
    case .head: set(CURLOPT_NOBODY, 1)
    case .delete: set(CURLOPT_CUSTOMREQUEST, "DELETE")
    case .post, .put, .patch:
      set(CURLOPT_UPLOAD, 1)
      set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
      note(blockfarm_curl_set_offset(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(request.body.length)))
    }
    // On a kept connection that turns out dead, libcurl sends the request again by itself: not where that could be the second time.
    if request.repetition == .never, request.body.length == 0 { set(CURLOPT_FRESH_CONNECT, 1) }
    set(CURLOPT_READDATA, pointer: context)
    set(CURLOPT_READFUNCTION) { buffer, size, count, context in
      guard let context, let buffer else { return 0 }
      let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
      return transfer.giveBody(UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
    }
    set(CURLOPT_SEEKDATA, pointer: context)
    note(
      blockfarm_curl_set_seek(handle, CURLOPT_SEEKFUNCTION) { context, offset, origin in
        guard let context, origin == SEEK_SET else { return CURL_SEEKFUNC_FAIL }
        return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().rewindBody(to: Int64(offset))
      })
  }

  mutating func set(_ option: CURLoption, _ value: @escaping blockfarm_curl_bytes) { note(blockfarm_curl_set_bytes(handle, option, value)) }

  private mutating func note(_ code: CURLcode) { if code != CURLE_OK { failure = failure ?? code } }
}
