/// Where an answer sends its request, or why it is not followed there.
enum RedirectRule {
  enum Verdict {
    /// Not a redirect.
    case answer
    case follow(HTTPRequest)
    case refuse(String)
  }

  /// What a request that reads may tell another origin: how the answer is to be sent. Everything else may be a secret or be signed for its own origin.
  private static let travelling = ["Accept", "Range", "If-Range", "If-None-Match", "If-Modified-Since"]

  /// 301, 302 and 303 are followed by what only reads; 307 and 308 within one origin by every method with its body, and to another origin by what only
  /// reads. No method is changed into another. Authorization, body, query and all fields but those of ``travelling`` stay with their origin.
  static func verdict(on response: HTTPResponse, to request: HTTPRequest) -> Verdict {
    let reads = request.method == .get || request.method == .head
    switch response.status {
    case 301, 302, 303:
      guard reads else { return .refuse("a redirect with \(response.status) would turn \(request.method.rawValue) into GET") }
    case 307, 308: break
    default: return .answer
    }
    guard let location = response.fields["Location"] else { return .refuse("a redirect without Location") }
    guard let target = try? request.url.resolving(location) else { return .refuse("a redirect to something that is no http or https URL") }
    guard target.mayBeNamed(by: request.url) else { return .refuse("a redirect to \(target.origin.host), this machine itself") }
    guard target.origin != request.url.origin else {
      var next = request
      next.url = target
      return .follow(next)
    }
    guard reads else {
      return .refuse(
        "a redirect from \(request.url.origin) to \(target.origin) would give a \(request.method.rawValue) with its body to another server")
    }
    var fields = HTTPFields()
    for field in request.fields.all where travelling.contains(where: { $0.lowercased() == field.name.lowercased() }) {
      fields.add(field.name, field.value)
    }
    return .follow(HTTPRequest(request.method, target, fields: fields, repetition: request.repetition, timeouts: request.timeouts))
  }
}
