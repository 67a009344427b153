import CCurl

extension Transfer {
  /// Called by libcurl for more of the request's body.
  func giveBody(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard let source else { return 0 }
    if let count = source.read(into: buffer) { return count }
    if let error = source.error { refuse(error) }
    return Int(CURL_READFUNC_ABORT)
  }

  /// Called by libcurl when the body has to be sent from its start again, after a kept connection turned out dead.
  func rewindBody(to offset: Int64) -> Int32 {
    guard let source else { return CURL_SEEKFUNC_FAIL }
    if request.repetition == .never, source.hasBegun { return CURL_SEEKFUNC_FAIL }
    source.rewind(to: offset)
    return CURL_SEEKFUNC_OK
  }
}
